"""How often a call is retried, and how soon: `Retries` and `MethodRefusals`."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vkanyio import APIError, AuthError, RequestTimeoutError, TokenExpiredError
from vkanyio._outcome import Failure
from vkanyio._retry import (
    MAX_TOKENS,
    TOO_MANY_MAX_DELAY,
    TOO_MANY_MEMORY,
    TOO_MANY_PATIENCE,
    MethodRefusals,
    Retries,
    slows_token_down,
)

WAIT = 3.0
REFUSED = Failure(APIError[100](100, ""), maybe_carried_out=False)
NOT_SENT = Failure(RequestTimeoutError(""), maybe_carried_out=False)
LOST = NOT_SENT._replace(maybe_carried_out=True)
CLOSED_UNDER_IT = LOST._replace(retry_at_once=True)
BAD_TOKENS = [
    REFUSED._replace(error=AuthError(5, "")),
    REFUSED._replace(error=TokenExpiredError(1117, "")),
]


class Longest(Random):
    """A generator that is not random: it returns the end of every range."""

    def uniform(self, a: float, b: float) -> float:
        return b


def retries(limit: int = 3) -> Retries:
    return Retries(limit, WAIT, Longest())


def delays(limit: int, failure: Failure, *, may_repeat: bool) -> list[float | None]:
    counted = retries(limit)
    return [counted.delay_after(failure, may_repeat=may_repeat) for _ in range(6)]


# After anything but error 6


@pytest.mark.parametrize("limit", [0, 1, 3])
def test_there_are_as_many_retries_as_the_limit_allows(limit: int) -> None:
    expected = [WAIT, 2 * WAIT, 4 * WAIT][:limit]
    assert delays(limit, NOT_SENT, may_repeat=False)[: limit + 1] == [*expected, None]


def test_the_delay_is_drawn_from_the_generator_that_was_handed_in() -> None:
    drawn = [Retries(9, WAIT, Random(seed)) for seed in (1, 1, 2)]
    first, again, other = (
        [each.delay_after(NOT_SENT, may_repeat=False) for _ in range(5)]
        for each in drawn
    )
    assert first == again
    assert first != other


def test_a_refusal_is_not_retried() -> None:
    assert delays(3, REFUSED, may_repeat=True) == [None] * 6


@pytest.mark.parametrize("failure", [LOST, CLOSED_UNDER_IT])
def test_retrying_what_may_have_been_carried_out_needs_permission(
    failure: Failure,
) -> None:
    assert delays(3, failure, may_repeat=False) == [None] * 6
    assert delays(3, failure, may_repeat=True)[0] is not None


def test_a_retry_that_is_not_allowed_does_not_count() -> None:
    counted = retries()
    counted.delay_after(LOST, may_repeat=False)
    counted.delay_after(REFUSED, may_repeat=True)
    assert counted.used == 0


def test_only_the_first_retry_goes_without_a_back_off() -> None:
    found = delays(3, CLOSED_UNDER_IT, may_repeat=True)
    assert found == [0.0, 2 * WAIT, 4 * WAIT, None, None, None]


def test_a_later_retry_has_a_back_off_whatever_came_before() -> None:
    counted = retries()
    assert counted.delay_after(NOT_SENT, may_repeat=True) == WAIT
    assert counted.delay_after(CLOSED_UNDER_IT, may_repeat=True) == 2 * WAIT


def test_retries_may_be_taken_over_from_a_batch() -> None:
    counted = retries(2)
    counted.used = 2
    assert counted.delay_after(NOT_SENT, may_repeat=True) is None


def test_more_retries_than_the_limit_end_it_as_well() -> None:
    counted = retries(2)
    counted.used = 3  # a batch may have had more
    assert counted.delay_after(NOT_SENT, may_repeat=True) is None


@pytest.mark.parametrize("failure", BAD_TOKENS)
def test_a_token_that_was_replaced_since_is_no_reason_to_fail(failure: Failure) -> None:
    counted = retries(0)
    for _ in range(3):
        assert (
            counted.delay_after(failure, may_repeat=False, token_was_replaced=True)
            == 0.0
        )
    assert counted.used == 0
    assert counted.delay_after(failure, may_repeat=True) is None


def test_a_call_is_sent_with_five_more_tokens_and_no_more() -> None:
    counted = retries(0)
    delays = [
        counted.delay_after(BAD_TOKENS[0], may_repeat=True, token_was_replaced=True)
        for _ in range(MAX_TOKENS + 1)
    ]
    assert delays == [0.0] * 5 + [None]


def test_another_refusal_fails_whether_or_not_the_token_was_replaced() -> None:
    counted = retries()
    assert (
        counted.delay_after(REFUSED, may_repeat=True, token_was_replaced=True) is None
    )


@pytest.mark.parametrize(
    ("retry_after", "expected"),
    [(0.0, [WAIT, 2 * WAIT]), (4.0, [4.0, 2 * WAIT]), (30.0, [30.0, 30.0])],
)
def test_a_retry_waits_as_long_as_the_server_asks(
    retry_after: float, expected: list[float]
) -> None:
    failure = NOT_SENT._replace(retry_after=retry_after)
    assert delays(2, failure, may_repeat=False)[:3] == [*expected, None]


def test_without_a_back_off_or_a_retry_after_a_retry_comes_at_once() -> None:
    counted = Retries(3, 0.0, Longest())
    assert counted.delay_after(NOT_SENT, may_repeat=False) == 0.0


def test_retry_after_makes_no_call_repeatable() -> None:
    failure = LOST._replace(retry_after=1.0)
    assert delays(3, failure, may_repeat=False) == [None] * 6
    assert delays(3, REFUSED._replace(retry_after=1.0), may_repeat=True) == [None] * 6


# After error 6


def too_many(
    counted: Retries, *times: float, seconds: int = 0, pause: float = 0.0
) -> list[float | None]:
    return [counted.delay_after_too_many(now, seconds, pause) for now in times]


def test_the_first_error_6_needs_no_delay_of_the_call() -> None:
    assert too_many(retries(0), 100.0) == [0.0]


def test_a_call_makes_way_for_longer_each_time() -> None:
    found = too_many(retries(0), *[100.0] * 7)
    assert found == [0.0, 1.0, 2.0, 4.0, 8.0, 8.0, 8.0]
    assert max(filter(None, found)) == TOO_MANY_MAX_DELAY


def test_a_method_that_has_met_error_6_for_days_waits_no_longer() -> None:
    assert too_many(retries(0), 100.0, seconds=10**6) == [TOO_MANY_MAX_DELAY]


def test_error_6_does_not_count_as_a_retry() -> None:
    counted = retries(1)
    too_many(counted, 1.0, 2.0, 3.0)
    assert counted.used == 0
    assert counted.delay_after(NOT_SENT, may_repeat=False) == WAIT


def test_anything_else_ends_a_series_of_error_6() -> None:
    counted = retries()
    assert too_many(counted, 1.0, 2.0) == [0.0, 1.0]
    counted.delay_after(NOT_SENT, may_repeat=False)
    assert too_many(counted, 3.0, 4.0) == [0.0, 1.0]


def test_the_patience_counts_from_the_first_error_6_to_the_next_attempt() -> None:
    in_time, late = retries(), retries()
    assert too_many(in_time, 100.0, 100.0 + TOO_MANY_PATIENCE - 1.0) == [0.0, 1.0]
    assert too_many(late, 100.0, 100.0 + TOO_MANY_PATIENCE - 0.9) == [0.0, None]


def test_a_pause_of_the_token_is_no_delay_of_the_call() -> None:
    # It keeps its place before new calls only if it does not sleep itself.
    assert too_many(retries(), 100.0, 110.0, 120.0, pause=10.0) == [0.0, 1.0, 2.0]


def test_the_patience_counts_the_pause_of_the_token() -> None:
    whole = retries()
    assert too_many(whole, 100.1, pause=TOO_MANY_PATIENCE) == [0.0]
    assert too_many(whole, 100.1 + TOO_MANY_PATIENCE, pause=1.0) == [None]
    assert too_many(retries(), 0.0, 40.0, pause=20.0) == [0.0, 1.0]
    assert too_many(retries(), 0.0, 40.1, pause=20.0) == [0.0, None]
    assert too_many(retries(), 0.0, pause=TOO_MANY_PATIENCE + 0.1) == [None]


def test_the_patience_begins_anew_after_another_outcome() -> None:
    counted = retries()
    too_many(counted, 0.0)
    counted.delay_after(NOT_SENT, may_repeat=False)
    assert too_many(counted, 100.0, 101.0) == [0.0, 1.0]


@pytest.mark.parametrize(
    ("seconds", "delay"), [(1, 0.0), (2, 0.0), (3, 0.0), (4, 1.0), (5, 2.0), (9, 8.0)]
)
def test_a_method_that_keeps_meeting_error_6_makes_way(
    seconds: int, delay: float
) -> None:
    assert too_many(retries(), 100.0, seconds=seconds) == [delay]


@pytest.mark.parametrize(
    ("seconds", "is_of_token"), [(1, True), (2, True), (3, False), (60, False)]
)
def test_a_method_slows_the_token_down_for_two_seconds(
    seconds: int, is_of_token: bool
) -> None:
    assert slows_token_down(seconds) is is_of_token


# The methods of a token


def test_a_volley_of_error_6_counts_once_in_a_window() -> None:
    refusals = MethodRefusals(window=1.0)
    found = [refusals.note("a.get", now) for now in (5.0, 5.0, 5.99, 6.0, 6.5, 7.1)]
    assert found == [1, 1, 1, 2, 2, 3]


def test_each_method_has_its_own_count() -> None:
    refusals = MethodRefusals(window=1.0)
    assert [refusals.note("a.get", now) for now in (0.0, 1.0)] == [1, 2]
    assert refusals.note("b.get", 1.0) == 1


def test_a_method_that_met_something_else_begins_anew() -> None:
    refusals = MethodRefusals(window=1.0)
    assert [refusals.note("a.get", now) for now in (0.0, 1.0)] == [1, 2]
    refusals.forget("b.get")  # which has no count
    refusals.forget("a.get")
    assert refusals.note("a.get", 2.0) == 1


@pytest.mark.parametrize(("pause", "count"), [(60.0, 2), (60.1, 1)])
def test_an_old_error_6_no_longer_counts(pause: float, count: int) -> None:
    assert pytest.approx(60.0) == TOO_MANY_MEMORY
    refusals = MethodRefusals(window=1.0)
    refusals.note("a.get", 10.0)
    assert refusals.note("a.get", 10.0 + pause) == count


@given(st.lists(st.floats(0, 5), min_size=1, max_size=30), st.sampled_from([0.5, 2.0]))
def test_windows_with_an_error_6_are_counted(
    pauses: list[float], window: float
) -> None:
    refusals, now, began, count = MethodRefusals(window), 0.0, -window, 0
    for pause in pauses:
        now += pause
        if now - began >= window:
            began, count = now, count + 1
        assert refusals.note("a.get", now) == count
