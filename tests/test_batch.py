"""Calls packed into one ``execute``: the code, and whose answer is whose."""

from __future__ import annotations

import json
from typing import Any

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vkanyio import APIRequest
from vkanyio._batch import FORGET_SECONDS, BatchSizes, read_batch, to_code
from vkanyio._response import Success
from vkanyio._retry import Failure
from vkanyio.testing.vkscript import run

TOKEN = "vk1.a.the-secret-token"


def batch(methods: str) -> list[APIRequest]:
    return [APIRequest(method, {"n": n}) for n, method in enumerate(methods.split())]


def entry(method: str, code: int = 100, **more: Any) -> dict[str, Any]:
    return {"method": method, "error_code": code, "error_msg": "no", **more}


def read(methods: str, response: Any, errors: Any = ()) -> list[Any]:
    """Return a value, a code or "?" for each call."""
    body = json.dumps({"response": response, "execute_errors": list(errors)}).encode()
    outcomes = read_batch(batch(methods), Success(response, errors), body, TOKEN)
    return [shown(outcome) for outcome in outcomes]


def shown(outcome: Success | Failure) -> Any:
    if isinstance(outcome, Success):
        return outcome.response
    if outcome.maybe_carried_out and outcome.retry_at_once:
        return "?"
    return f"error {outcome.error.code}"  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("methods", "response", "errors", "expected"),
    [
        ("a.a b.b", [1, {"x": 2}], [], [1, {"x": 2}]),
        ("a.a b.b", [None, []], [], [None, []]),
        # A method may answer false of its own.
        ("a.a a.a", [False, 1], [], [False, 1]),
        ("a.a b.b", [False, False], [entry("b.b")], [False, "error 100"]),
        # Errors go by method and order.
        (
            "a.a b.b a.a",
            [False, False, False],
            [entry("a.a", 1), entry("b.b", 2), entry("a.a", 3)],
            ["error 1", "error 2", "error 3"],
        ),
        (
            "a.a b.b a.a",
            [False, False, False],
            [entry("b.b", 2), entry("a.a", 1), entry("a.a", 3)],
            ["error 1", "error 2", "error 3"],
        ),
        ("a.a b.b", [False, 5], [entry("a.A", 7)], ["error 7", 5]),
        # VK once added a copy of the last error for `execute` itself.
        (
            "a.a b.b",
            [1, False],
            [entry("b.b", 2), entry("execute", 2)],
            [1, "error 2"],
        ),
        ("a.a b.b", [False, 1], [entry("execute", 2)], [False, 1]),
        # An entry is missing: which one failed, and which one answered false?
        ("a.a a.a b.b", [False, False, False], [entry("a.a")], ["?", "?", False]),
        # An entry too many, or about nothing that was called.
        ("a.a b.b", [False, False], [entry("a.a"), entry("a.a")], ["?", False]),
        ("a.a b.b", [False, False], [entry("c.c")], ["?", "?"]),
        ("a.a b.b", [False, 1], [{"error_code": 1}], ["?", 1]),
        ("a.a b.b", [False, 1], ["nonsense"], ["?", 1]),
        ("a.a b.b", [False, 1], [{"method": "a.a"}], ["?", 1]),
        ("a.a b.b", [None, 1], [entry("a.a")], ["?", 1]),
        ("a.a b.b", [1, 2], [entry("a.a")], [1, 2]),
        # Not a value for each.
        ("a.a b.b", [1], [], ["?", "?"]),
        ("a.a b.b", [1, 2, 3], [], ["?", "?"]),
        ("a.a b.b", [], [], ["?", "?"]),
        ("a.a b.b", None, [], ["?", "?"]),
        ("a.a b.b", False, [], ["?", "?"]),
        ("a.a b.b", {"0": 1, "1": 2}, [], ["?", "?"]),
        ("a.a b.b", 5, [], ["?", "?"]),
        ("a.a b.b", "ab", [], ["?", "?"]),
    ],
)
def test_each_call_gets_its_own_answer_or_none(
    methods: str, response: Any, errors: Any, expected: list[Any]
) -> None:
    assert read(methods, response, errors) == expected


def test_an_error_of_a_batch_is_as_full_as_that_of_a_plain_call() -> None:
    requests = batch("a.a b.b")
    captcha = entry("b.b", 14, captcha_sid="5", captcha_ts=1.5, redirect_uri="u")
    body = b'{"response":[1,false],"execute_errors":[{"captcha_ts":1.50}]}'
    _, outcome = read_batch(requests, Success([1, False], [captcha]), body, TOKEN)
    assert isinstance(outcome, Failure)
    error: Any = outcome.error
    assert (error.code, error.method, error.params) == (14, "b.b", {"n": 1})
    assert error.raw["redirect_uri"] == "u"
    assert error.raw["captcha_ts"] == "1.50"  # just as VK wrote it
    assert not outcome.maybe_carried_out


def test_the_token_is_masked_in_errors_of_a_batch() -> None:
    failed = entry("a.a", 5, error_text=f"bad {TOKEN}")
    body = json.dumps({"response": [False, 1], "execute_errors": [failed]}).encode()
    [outcome, _] = read_batch(
        batch("a.a b.b"), Success([False, 1], [failed]), body, TOKEN
    )
    assert isinstance(outcome, Failure)
    assert TOKEN not in repr(outcome.error.__dict__)


METHODS = st.sampled_from(["a.a", "b.b", "c.c"])
JUNK: st.SearchStrategy[Any] = st.one_of(
    st.none(), st.integers(), st.text(), st.just({}), st.builds(dict, method=st.text())
)


@given(st.lists(st.tuples(METHODS, st.sampled_from(["value", "false", "error"]))))
def test_whatever_vk_answers_in_order_comes_to_the_right_call(
    plan: list[tuple[str, str]],
) -> None:
    failing = {method for method, what in plan if what == "error"}
    # A method that both answers false and fails cannot be told apart.
    plan = [(m, "value" if w == "false" and m in failing else w) for m, w in plan]
    response = [
        {"n": n} if what == "value" else False for n, (_, what) in enumerate(plan)
    ]
    errors = [
        entry(method, 1000 + n)
        for n, (method, what) in enumerate(plan)
        if what == "error"
    ]
    found = read(" ".join(method for method, _ in plan), response, errors)
    assert found == [
        {"value": {"n": n}, "false": False, "error": f"error {1000 + n}"}[what]
        for n, (_, what) in enumerate(plan)
    ]


@given(
    st.lists(METHODS, min_size=1),
    st.one_of(JUNK, st.lists(st.one_of(st.just(False), st.integers(), st.none()))),
    st.lists(st.one_of(JUNK, st.builds(entry, METHODS, st.integers(1, 999)))),
)
def test_every_call_has_one_outcome_whatever_comes(
    methods: list[str], response: Any, errors: list[Any]
) -> None:
    found = read(" ".join(methods), response, errors)
    assert len(found) == len(methods)
    is_whole = isinstance(response, list) and len(response) == len(methods)
    for n, outcome in enumerate(found):
        if (is_whole and response[n] not in (False, None)) or response == []:
            continue
        if not is_whole:
            assert outcome == "?"
        elif isinstance(outcome, str) and outcome.startswith("error"):
            code = int(outcome.removeprefix("error "))
            assert any(
                isinstance(each, dict)
                and each.get("method") == methods[n]
                and each.get("error_code") == code
                for each in errors
            )
        else:
            assert outcome in ("?", response[n])


# The code


@given(
    st.lists(
        st.dictionaries(
            st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(
                lambda name: name not in ("access_token", "0")
            ),
            st.text(st.characters(exclude_categories=["Cs"])) | st.integers(),
            max_size=4,
        ),
        min_size=1,
        max_size=5,
    )
)
def test_vk_reads_the_parameters_of_each_call_just_as_they_are(
    calls: list[dict[str, Any]],
) -> None:
    arrived: list[dict[str, str]] = []

    def call(method: str, params: dict[str, str]) -> int:
        assert method == "test.echo"
        arrived.append(params)
        return len(arrived)

    async def main() -> Any:
        code = to_code([APIRequest("test.echo", params) for params in calls])
        return (await run(code, call=call)).response

    assert anyio.run(main) == [*range(1, len(calls) + 1)]
    assert arrived == [
        {name: str(value) for name, value in params.items()} for params in calls
    ]


@pytest.mark.parametrize(
    "text",
    [
        '"}),API.wall.post({"message":"x',
        "'});return 1;//",
        "\\",
        '\\"',
        "\\u0022})",
        "a\nb\rc\u2028d\x00\t",
        "*/ /*",
        "${x}",
    ],
)
def test_nothing_breaks_out_of_the_code(text: str) -> None:
    arrived: list[Any] = []

    def call(method: str, params: dict[str, str]) -> int:
        arrived.append((method, params))
        return 1

    async def main() -> None:
        request = APIRequest("test.echo", {text: text, "list": [text]})
        await run(to_code([request, APIRequest("test.end")]), call=call)

    anyio.run(main)
    assert arrived == [("test.echo", {text: text, "list": text}), ("test.end", {})]


@pytest.mark.parametrize(
    "method", ["a.b({});API.wall.post", 'a["b"]', "a.b ", "a.b\n", "ж.ж", "a..b"]
)
def test_a_name_that_could_break_out_is_refused(method: str) -> None:
    with pytest.raises(ValueError, match="method"):
        APIRequest(method)


# Sizes


def test_what_was_too_large_is_learned_and_slowly_forgotten() -> None:
    sizes = BatchSizes(25)
    assert sizes.most_with("a.a", 0) == 25
    sizes.note_too_large(batch("a.a " * 24), 0)
    assert sizes.most_with("a.a", 0) == 12
    assert sizes.most_with("b.b", 0) == 25
    sizes.note_too_large(batch("a.a " * 12), 1)
    assert sizes.most_with("a.a", 1) == 6
    sizes.note_too_large(batch("a.a " * 25), 2)  # of an older batch: no way back
    assert sizes.most_with("a.a", 2) == 6
    assert sizes.most_with("a.a", 2 + FORGET_SECONDS) == 12
    assert sizes.most_with("a.a", 2 + 2 * FORGET_SECONDS) == 24
    assert sizes.most_with("a.a", 2 + 3 * FORGET_SECONDS) == 25
    assert sizes.most_with("a.a", 3) == 25  # forgotten for good


def test_the_least_batch_that_can_be_learned_is_one_call() -> None:
    sizes = BatchSizes(25)
    for now in range(9):
        sizes.note_too_large(batch("a.a b.b"), now)
    assert sizes.most_with("a.a", 9) == 1
