"""What a response to an ``execute`` says about each of its calls."""

from __future__ import annotations

import json
from typing import Any, TypeAlias, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from _helpers import TOKEN, calls
from vkanyio import APIError, APIRequest, InvalidResponseError
from vkanyio._batch import read_batch
from vkanyio._masking import Secrets
from vkanyio._outcome import Failure, Success
from vkanyio._response import read_response

Outcomes: TypeAlias = "list[Success | Failure]"


def error(method: str, code: int = 100, **more: Any) -> dict[str, Any]:
    return {"method": method, "error_code": code, "error_msg": "no", **more}


def read(requests: list[APIRequest], response: Any, errors: Any = None) -> Outcomes:
    """Read a response from the bytes that VK sends."""
    envelope = {"response": response}
    if errors is not None:
        envelope["execute_errors"] = errors
    body = json.dumps(envelope).encode()
    success = read_response(
        200, body, APIRequest("execute", {"code": "1"}), Secrets(TOKEN)
    )
    assert isinstance(success, Success)
    return read_batch(requests, success, body, Secrets(TOKEN))


DOUBT = "doubt"
"""The outcome of the call is unknown."""


def in_short(outcomes: Outcomes) -> list[Any]:
    """Abbreviate outcomes: values, codes of errors, and doubts."""
    short: list[Any] = []
    for outcome in outcomes:
        if isinstance(outcome, Success):
            short.append(outcome.value)
        elif isinstance(outcome.error, APIError):
            short.append(Code(outcome.error.code))
        else:
            assert isinstance(outcome.error, InvalidResponseError)
            assert outcome.maybe_carried_out
            assert outcome.is_transient
            short.append(DOUBT)
    return short


class Code(int):
    """The code of an error, which is not the same as a number that is a value."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Code) and int(self) == int(other)

    __hash__ = int.__hash__


CASES: dict[str, tuple[list[str], Any, Any, list[Any]]] = {
    "values": (["a.b"] * 3, [1, {"x": 1}, "z"], None, [1, {"x": 1}, "z"]),
    "odd values": (["a.b"] * 4, [None, False, 0, []], None, [None, False, 0, []]),
    "no entries": (["a.b", "a.b"], [False, 1], [], [False, 1]),
    "an error": (["a.b", "a.b"], [1, False], [error("a.b", 15)], [1, Code(15)]),
    "by order": (
        ["a.b", "a.b", "a.b"],
        [False, 1, False],
        [error("a.b", 15), error("a.b", 18)],
        [Code(15), 1, Code(18)],
    ),
    "by method": (
        ["a.b", "c.d"],
        [False, False],
        [error("c.d", 18), error("a.b", 15)],
        [Code(15), Code(18)],
    ),
    "false beside an error": (
        ["a.b", "c.d", "c.d"],
        [False, 2, False],
        [error("c.d")],
        [False, 2, Code(100)],
    ),
    "methods in another case": (
        ["users.get", "messages.getById"],
        [False, False],
        [error("Users.Get", 15), error("messages.getbyid", 18)],
        [Code(15), Code(18)],
    ),
    "a trailing copy": (
        ["a.b", "a.b"],
        [1, False],
        [error("a.b", 15), error("execute", 15)],
        [1, Code(15)],
    ),
    "a copy in front": (
        ["a.b", "a.b"],
        [False, False],
        [error("execute", 18), error("a.b", 15), error("a.b", 18)],
        [Code(15), Code(18)],
    ),
    "a copy beside a false": (
        ["a.b", "c.d"],
        [False, False],
        [error("a.b", 15), error("execute", 15)],
        [Code(15), False],
    ),
    "a copy of what is not there": (
        ["a.b", "c.d"],
        [False, 1],
        [error("execute", 15)],
        [DOUBT, 1],
    ),
    "one false is not an error": (
        ["a.b"] * 3,
        [False, 1, False],
        [error("a.b")],
        [DOUBT, 1, DOUBT],
    ),
    "an entry too many": (
        ["a.b", "a.b", "c.d"],
        [False, 1, False],
        [error("a.b"), error("a.b"), error("c.d")],
        [DOUBT, 1, Code(100)],
    ),
    "errors without a false": (
        ["a.b", "a.b", "c.d"],
        [1, None, None],
        [error("a.b")],
        [1, DOUBT, None],
    ),
    "an error of an unknown call": (
        ["a.b", "c.d", "e.f"],
        [False, False, 1],
        [error("x.y")],
        [DOUBT, DOUBT, 1],
    ),
    "an error of an unknown call beside another": (
        ["a.b", "c.d", "e.f"],
        [False, False, 1],
        [error("x.y", 18), error("a.b", 15)],
        [Code(15), DOUBT, 1],
    ),
    "an entry without a method": (
        ["a.b", "a.b"],
        [False, 1],
        [{"error_code": 100, "error_msg": "no"}],
        [DOUBT, 1],
    ),
    "a method that is not text": (["a.b"], [False], [error(cast("str", 5))], [DOUBT]),
    "an entry without a code": (
        ["a.b", "c.d"],
        [False, False],
        [{"method": "a.b", "error_msg": "no"}],
        [DOUBT, DOUBT],
    ),
    "a code that is not a number": (
        ["a.b"],
        [False],
        [error("a.b", cast("int", "9"))],
        [DOUBT],
    ),
    "a true code": (["a.b"], [False], [error("a.b", True)], [DOUBT]),
    "entries that are not objects": (["a.b", "c.d"], [False, 1], [None], [DOUBT, 1]),
    "entries of text": (["a.b", "c.d"], [False, 1], ["no", 5], [DOUBT, 1]),
    "entries by number": (["a.b"], [False], {"0": error("a.b")}, [DOUBT]),
    "entries as one": (["a.b", "c.d"], [False, 1], error("a.b"), [DOUBT, 1]),
    "entries as text": (["a.b"], [False], "Runtime error", [DOUBT]),
    "too short": (["a.b"] * 3, [1, 2], None, [DOUBT] * 3),
    "too long": (["a.b"] * 3, [1, 2, 3, 4], None, [DOUBT] * 3),
    "empty": (["a.b"] * 3, [], None, [DOUBT] * 3),
    "null": (["a.b"] * 3, None, None, [DOUBT] * 3),
    "false": (["a.b"] * 3, False, [error("a.b")], [DOUBT] * 3),
    "a number": (["a.b"] * 3, 5, None, [DOUBT] * 3),
    "text as long": (["a.b"] * 3, "abc", None, [DOUBT] * 3),
    "a dict": (["a.b"] * 2, {"0": 1, "1": 2}, None, [DOUBT] * 2),
}


@pytest.mark.parametrize(
    ("methods", "response", "errors", "expected"), CASES.values(), ids=CASES
)
def test_each_call_gets_its_part_of_the_response(
    methods: list[str], response: Any, errors: Any, expected: list[Any]
) -> None:
    assert in_short(read(calls(*methods), response, errors)) == expected


def test_an_error_has_the_method_and_parameters_of_its_call() -> None:
    requests = calls("a.b", "c.d", "a.b")
    errors = [error("a.b", 14, captcha_sid="1"), error("c.d"), error("a.b", 901)]
    outcomes = read(requests, [False, False, False], errors)
    for i, (request, outcome) in enumerate(zip(requests, outcomes, strict=True)):
        assert isinstance(outcome, Failure)
        assert isinstance(outcome.error, APIError)
        assert outcome.error.method == request.method
        assert outcome.error.params == {"id": i}
    first = outcomes[0]
    assert isinstance(first, Failure)
    assert isinstance(first.error, APIError)
    assert first.error.raw["captcha_sid"] == "1"


def test_the_timestamp_of_a_captcha_is_taken_from_its_entry() -> None:
    body = (
        b'{"response": [false, false], "execute_errors": ['
        b'{"method": "execute", "error_code": 14, "captcha_ts": 0.5},'
        b'{"method": "a.b", "error_code": 14, "captcha_ts": 1700000000.10},'
        b'{"method": "a.b", "error_code": 14, "captcha_ts": 1700000000.20}]}'
    )
    success = read_response(
        200, body, APIRequest("execute", {"code": "1"}), Secrets(TOKEN)
    )
    assert isinstance(success, Success)
    stamps: list[Any] = []
    for outcome in read_batch(calls("a.b", "a.b"), success, body, Secrets(TOKEN)):
        assert isinstance(outcome, Failure)
        assert isinstance(outcome.error, APIError)
        stamps.append(outcome.error.raw["captcha_ts"])
    assert stamps == ["1700000000.10", "1700000000.20"]


@pytest.mark.parametrize("code", [1, 10, 36])
def test_an_ambiguous_error_of_a_call_leaves_it_in_doubt(code: int) -> None:
    [outcome] = read(calls("a.b"), [False], [error("a.b", code)])
    assert isinstance(outcome, Failure)
    assert outcome.maybe_carried_out


def test_the_token_is_in_no_error() -> None:
    errors = [error("a.b", 100, note=[TOKEN]), {"x": TOKEN}]
    for response in ([False, 1], [TOKEN]):
        for outcome in read(calls("a.b", "a.b"), response, errors):
            if isinstance(outcome, Failure):
                shown = f"{outcome.error!r} {outcome.error} {outcome.error.__dict__}"
                assert TOKEN not in shown


# Random responses. Each value and each error contains the id of its call.

METHODS = ["users.get", "wall.post", "likes.add"]
IS_FALSE, IS_NULL, IS_VALUE, FAILS = "false", "null", "value", "fails"

fates = st.lists(
    st.tuples(
        st.sampled_from(METHODS),
        st.sampled_from([IS_FALSE, IS_NULL, IS_VALUE, IS_VALUE, FAILS, FAILS]),
    ),
    min_size=1,
    max_size=25,
)


def response_to(fates: list[tuple[str, str]]) -> tuple[list[Any], list[dict[str, Any]]]:
    values = {IS_FALSE: False, IS_NULL: None, FAILS: False}
    response = [values.get(fate, {"id": i}) for i, (_, fate) in enumerate(fates)]
    errors = [
        error(method, 1000 + i)
        for i, (method, fate) in enumerate(fates)
        if fate == FAILS
    ]
    return response, errors


def assert_no_outcome_is_anothers(outcomes: Outcomes) -> None:
    for i, outcome in enumerate(outcomes):
        if isinstance(outcome, Success):
            if isinstance(outcome.value, dict):
                assert outcome.value == {"id": i}
        elif isinstance(outcome.error, APIError):
            assert outcome.error.code == 1000 + i
            assert outcome.error.params == {"id": i}
        else:
            assert outcome.maybe_carried_out


def test_an_unclear_response_is_shown_and_retried_at_once() -> None:
    requests = calls("a.b", "c.d")
    outcomes = read(requests, "x" * 300)
    body = b'{"response": "' + b"x" * 300
    for request, outcome in zip(requests, outcomes, strict=True):
        assert isinstance(outcome, Failure)
        assert outcome.retry_at_once is True
        assert isinstance(outcome.error, InvalidResponseError)
        assert outcome.error.method == request.method
        assert outcome.error.status == 200
        assert outcome.error.body == body[:200]
        assert str(outcome.error).endswith(f"(it begins with {body[:60]!r})")


@given(fates, st.booleans())
def test_a_whole_response_gives_each_call_its_outcome(
    fates: list[tuple[str, str]], has_copy: bool
) -> None:
    response, errors = response_to(fates)
    if errors and has_copy:
        errors = [*errors, {**errors[-1], "method": "execute"}]
    outcomes = read(calls(*(method for method, _ in fates)), response, errors)
    assert len(outcomes) == len(fates)
    assert_no_outcome_is_anothers(outcomes)
    may_be_doubtful = {method for method, fate in fates if fate == FAILS} & {
        method for method, fate in fates if fate == IS_FALSE
    }
    for (method, fate), value, outcome in zip(
        fates, response, in_short(outcomes), strict=True
    ):
        if value is False and method in may_be_doubtful:
            assert outcome == DOUBT
        elif fate == FAILS:
            assert isinstance(outcome, Code)
        else:
            assert outcome == value


@given(fates, st.data())
def test_no_call_gets_the_entry_of_another_when_entries_are_lost_or_corrupt(
    fates: list[tuple[str, str]], data: st.DataObject
) -> None:
    response, whole = response_to(fates)
    errors: list[Any] = []
    is_lost = dict.fromkeys(METHODS, False)
    for entry in whole:
        fate = data.draw(st.sampled_from(["kept", "kept", "spoilt", "odd"]))
        errors.append(
            {
                "kept": entry,
                "spoilt": {k: v for k, v in entry.items() if k != "error_code"},
                "odd": data.draw(
                    st.sampled_from([None, 5, "no", [], {}, error("x.y")])
                ),
            }[fate]
        )
        is_lost[entry["method"]] |= fate != "kept"
    outcomes = read(calls(*(method for method, _ in fates)), response, errors)
    assert len(outcomes) == len(fates)
    for (method, fate), outcome in zip(fates, outcomes, strict=True):
        if fate == FAILS:
            assert isinstance(outcome, Failure)  # never a success
            if isinstance(outcome.error, APIError):
                assert not is_lost[method] or outcome.error.code >= 1000
        elif fate != IS_FALSE and fate != IS_NULL:
            assert isinstance(outcome, Success)
    lost = {method for method, is_it in is_lost.items() if is_it}
    falses = {method for method, fate in fates if fate == IS_FALSE}
    if not lost & falses:
        assert_no_outcome_is_anothers(outcomes)


json_values: Any = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 1100) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["method", "error_code", "error_msg", "0", "captcha_ts"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(st.lists(st.sampled_from(METHODS), min_size=1, max_size=5), st.data())
def test_whatever_vk_returns_each_call_has_one_outcome(
    methods: list[str], data: st.DataObject
) -> None:
    entry = st.fixed_dictionaries(
        {"method": st.sampled_from([*METHODS, "execute", "", 7, None])},
        optional={
            "error_code": st.sampled_from([100, 14, 6, 10, None, "5", True]),
            "error_msg": json_values,
            "captcha_ts": json_values,
        },
    )
    size = st.just(len(methods)) | st.integers(0, 6)
    response = data.draw(
        json_values
        | size.flatmap(lambda n: st.lists(json_values, min_size=n, max_size=n))
    )
    errors = data.draw(json_values | st.lists(entry | json_values, max_size=5))
    requests = calls(*methods)
    outcomes = read(requests, response, errors)
    assert len(outcomes) == len(requests)
    fits = isinstance(response, list) and len(response) == len(methods)
    for i, outcome in enumerate(outcomes):
        if isinstance(outcome, Success):
            assert fits
            assert outcome.value == response[i]
        elif isinstance(outcome.error, APIError):
            assert fits
            assert response[i] is False
            assert outcome.error.params == {"id": i}
            named = [e for e in errors if isinstance(e, dict)]
            assert outcome.error.code in [e.get("error_code") for e in named]
        else:
            assert outcome.maybe_carried_out
            assert not fits or response[i] in (False, None)
