"""What becomes of the calls of a batch that failed as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from vkanyio import (
    APIError,
    ConnectionFailedError,
    InvalidResponseError,
    RequestTimeoutError,
)
from vkanyio._batch import (
    NO_EXECUTE_CODES,
    TOKEN_CODES,
    BatchSizes,
    Remedy,
    is_too_much,
    remedy_for,
)
from vkanyio._outcome import Failure, Success
from vkanyio._request import APIRequest
from vkanyio._retry import OUTAGE_MEMORY, Outage

if TYPE_CHECKING:
    from vkanyio import VKError


def api(code: int) -> Failure:
    return Failure.from_api(APIError[code](code, "text", method="execute"))


def page(status: int, *, sent: bool = True, transient: bool | None = None) -> Failure:
    error = InvalidResponseError(
        "a page", method="execute", status=status, body=b"", is_transient=transient
    )
    return Failure(error, maybe_carried_out=sent)


def failure(error: VKError, *, sent: bool) -> Failure:
    return Failure(error, maybe_carried_out=sent)


LOST = failure(ConnectionFailedError("lost"), sent=True)
NOT_SENT = failure(ConnectionFailedError("refused"), sent=False)
NEVER_SENT = failure(
    ConnectionFailedError("certificate", is_transient=False), sent=False
)
ODD_CLIENT = failure(ConnectionFailedError("a bug", is_transient=False), sent=True)
TIMEOUT = failure(RequestTimeoutError("late"), sent=True)
TOO_LARGE_BODY = page(413, sent=False)
TOO_LARGE_ANSWER = page(200, transient=False)._replace(is_too_large=True)
PASSING = [page(502), page(200), LOST, api(1), api(10), api(36)]


def remedy(
    failure: Failure,
    *,
    repeated: bool = False,
    outage: bool = False,
    replaced: bool = False,
) -> Remedy:
    return remedy_for(
        failure, was_repeated=repeated, is_outage=outage, token_was_replaced=replaced
    )


@pytest.mark.parametrize(
    "failure", [api(6), page(429, sent=False), NOT_SENT], ids=["6", "429", "not sent"]
)
@pytest.mark.parametrize("repeated", [False, True])
@pytest.mark.parametrize("outage", [False, True])
def test_what_says_nothing_about_the_batch_is_met_by_repeating_it(
    failure: Failure, repeated: bool, outage: bool
) -> None:
    assert remedy(failure, repeated=repeated, outage=outage) is Remedy.REPEAT


@pytest.mark.parametrize("failure", PASSING)
def test_what_may_pass_is_met_by_repeating_once_and_then_by_halving(
    failure: Failure,
) -> None:
    assert remedy(failure) is Remedy.REPEAT
    assert remedy(failure, repeated=True) is Remedy.HALVE
    assert remedy(failure, repeated=True, outage=True) is Remedy.REPEAT


def test_a_deadline_is_met_by_halving_at_once() -> None:
    assert remedy(TIMEOUT) is Remedy.HALVE
    assert remedy(TIMEOUT, repeated=True) is Remedy.HALVE
    assert remedy(TIMEOUT, outage=True) is Remedy.HALVE


@pytest.mark.parametrize(
    "failure",
    [
        *(api(12), api(13), TOO_LARGE_BODY, TOO_LARGE_ANSWER, ODD_CLIENT),
        *(page(status, sent=False) for status in (400, 402, 403, 406, 409, 411, 422)),
    ],
)
@pytest.mark.parametrize("outage", [False, True])
def test_what_would_happen_again_is_met_by_halving(
    failure: Failure, outage: bool
) -> None:
    assert remedy(failure, outage=outage) is Remedy.HALVE


@pytest.mark.parametrize("status", [300, 302, 399, 401, 404, 405, 407, 410])
@pytest.mark.parametrize("outage", [False, True])
def test_a_wrong_address_or_login_fails_each_call(status: int, outage: bool) -> None:
    assert remedy(page(status, sent=False), outage=outage) is Remedy.FAIL


@pytest.mark.parametrize("code", sorted(TOKEN_CODES))
def test_an_error_about_the_token_fails_each_call(code: int) -> None:
    assert remedy(api(code)) is Remedy.FAIL


@pytest.mark.parametrize("code", [5, 1117])
def test_a_token_that_was_replaced_is_sent_again(code: int) -> None:
    assert remedy(api(code), replaced=True) is Remedy.REPEAT


@pytest.mark.parametrize("code", [9, 14, 29])
def test_a_new_token_does_not_answer_other_errors(code: int) -> None:
    assert remedy(api(code), replaced=True) is Remedy.FAIL


@pytest.mark.parametrize("code", [*sorted(NO_EXECUTE_CODES), 7, 8, 100, 77777])
def test_an_error_about_execute_sends_each_call_alone(code: int) -> None:
    assert remedy(api(code)) is Remedy.ALONE


def test_a_connection_that_cannot_be_made_fails_each_call() -> None:
    assert remedy(NEVER_SENT) is Remedy.FAIL


def test_batches_become_smaller_after_those_that_were_too_much() -> None:
    for each in (api(13), TIMEOUT, TOO_LARGE_BODY, TOO_LARGE_ANSWER):
        assert is_too_much(each)
    others = [api(12), page(403, sent=False), ODD_CLIENT, *PASSING]
    for each in others:
        assert not is_too_much(each)


def test_a_size_is_forgotten_for_one_method() -> None:
    sizes = BatchSizes(25)
    sizes.note_too_much([APIRequest("a.get")] * 5 + [APIRequest("b.get")] * 5, 0)
    sizes.forget("a.get")
    sizes.forget("c.get")
    assert sizes.max_size_with("a.get", 0) == 25
    assert sizes.max_size_with("b.get", 0) == 5


# An outage.

HERE, THERE, ELSEWHERE = object(), object(), object()


@pytest.mark.parametrize("failure", [*PASSING, NOT_SENT])
def test_others_that_fail_in_the_same_way_are_an_outage(failure: Failure) -> None:
    outage = Outage()
    assert not outage.is_on(failure, HERE, 0)
    outage.note(failure, HERE, 0)
    assert not outage.is_on(failure, HERE, 0)
    outage.note(failure, THERE, 1)
    assert outage.is_on(failure, HERE, 1)
    assert outage.is_on(failure, THERE, 1)
    outage.note(failure, THERE, 2)
    outage.note(failure, THERE, 3)
    assert outage.is_on(failure, THERE, 3)  # the one from here is not forgotten
    outage.note(failure, HERE, 4)
    assert outage.is_on(failure, HERE, 4)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        *((page(502), page(503)), (page(502), api(10)), (api(1), api(10))),
        *((LOST, TIMEOUT), (TIMEOUT, LOST), (page(502), LOST)),
    ],
)
def test_failures_of_another_kind_are_no_outage(one: Failure, other: Failure) -> None:
    outage = Outage()
    outage.note(one, THERE, 0)
    assert not outage.is_on(other, HERE, 0)


@pytest.mark.parametrize(
    "sign", [Success(1), api(100), api(6), page(429, sent=False), NEVER_SENT]
)
def test_any_other_result_ends_an_outage(sign: Success | Failure) -> None:
    outage = Outage()
    outage.note(page(502), THERE, 0)
    outage.note(sign, ELSEWHERE, 1)
    assert not outage.is_on(page(502), HERE, 1)


def test_an_outage_is_forgotten() -> None:
    outage = Outage()
    outage.note(LOST, THERE, 10)
    assert outage.is_on(LOST, HERE, 10 + OUTAGE_MEMORY - 0.1)
    assert not outage.is_on(LOST, HERE, 10 + OUTAGE_MEMORY)
    outage.note(LOST, HERE, 10 + OUTAGE_MEMORY)
    assert not outage.is_on(LOST, HERE, 10 + OUTAGE_MEMORY)
    assert outage.is_on(LOST, THERE, 10 + OUTAGE_MEMORY)
