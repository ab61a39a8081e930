"""The methods of arrays and strings."""

from __future__ import annotations

from typing import Any

import pytest
from _script_api import evaluate

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("receiver", "call", "value", "after"),
    [
        ("[1, 2]", "push(3)", 3, [1, 2, 3]),
        ("[1, 2]", "push([3])", 3, [1, 2, [3]]),
        ("[]", "push(null)", 1, [None]),
        ("{a: 1}", "push(2)", 2, {"a": 1, "0": 2}),
        ('{"7": 1, a: 2}', "push(3)", 3, {"7": 1, "a": 2, "8": 3}),
        ("[1, 2]", "pop()", 2, [1]),
        ("[]", "pop()", None, []),
        ('{b: 1, "0": 2, a: 3}', "pop()", 3, {"b": 1, "0": 2}),
        ("[1, 2]", "shift()", 1, [2]),
        ("[]", "shift()", None, []),
        ('{a: 1, "5": 2, "3": 3}', "shift()", 1, [2, 3]),
        ('{"5": 2, a: 1, "9": 3}', "shift()", 2, {"a": 1, "0": 3}),
        ("[1, 2]", "unshift(0)", 3, [0, 1, 2]),
        ('{a: 1, "5": 2}', "unshift(0)", 3, {"0": 0, "a": 1, "1": 2}),
        ("[1, 2, 3, 4]", "splice(1, 2)", [2, 3], [1, 4]),
        ("[1, 2, 3, 4]", "splice(2)", [3, 4], [1, 2]),
        ("[1, 2, 3, 4]", "splice(0, 0)", [], [1, 2, 3, 4]),
        ("[1, 2, 3, 4]", "splice(-1, 5)", [4], [1, 2, 3]),
        ("[1, 2, 3, 4]", "splice(9, 1)", [], [1, 2, 3, 4]),
        ("[1, 2, 3, 4]", "splice(-9, 1)", [1], [2, 3, 4]),
        ('{a: 1, "7": 2, b: 3}', "splice(1, 1)", [2], {"a": 1, "b": 3}),
        ("[1, 2, 3, 4]", "slice(1)", [2, 3, 4], None),
        ("[1, 2, 3, 4]", "slice(1, 3)", [2, 3], None),
        ("[1, 2, 3, 4]", "slice(-2)", [3, 4], None),
        ("[1, 2, 3, 4]", "slice(1, -1)", [2, 3], None),
        ("[1, 2, 3, 4]", "slice(3, 1)", [], None),
        ("[1, 2, 3, 4]", "slice(9)", [], None),
        ("[1, 2, 3, 4]", 'slice("1", 2.9)', [2], None),
        ("[1, 2, 3, 4]", "slice(2, null)", [3, 4], None),
        ('{a: 1, "7": 2, b: 3}', "slice(0, 2)", {"a": 1, "0": 2}, None),
        ("[1, 2, 3]", "indexOf(3)", 2, None),
        ("[1, 2, 3]", "indexOf(4)", -1, None),
        ('["a", null, [1], "2"]', "indexOf(2)", 3, None),
        ("[[1], 5]", "indexOf([1])", -1, None),
        ("[1, null]", "indexOf(null)", 1, None),
        ("{a: 5, b: 6}", "indexOf(6)", 1, None),
        ('"123"', "indexOf(2)", 1, None),
        ('"123"', 'indexOf("23")', 1, None),
        ('"123"', "indexOf(4)", -1, None),
        ('"hello"', "substr(1)", "ello", None),
        ('"hello"', "substr(1, 3)", "ell", None),
        ('"hello"', "substr(-3, 2)", "ll", None),
        ('"hello"', "substr(0, -1)", "hell", None),
        ('"hello"', "substr(9)", "", None),
        ('"привет"', "substr(1, 2)", "ри", None),
        ('"a,b,,c"', 'split(",")', ["a", "b", "", "c"], None),
        ('"abc"', 'split("")', ["a", "b", "c"], None),
        ('"a1b"', "split(1)", ["a", "b"], None),
        ('""', 'split(",")', [""], None),
    ],
)
async def test_a_method_gives_its_value_and_changes_its_array(
    receiver: str, call: str, value: Any, after: Any
) -> None:
    assert await evaluate(f"return {receiver}.{call};") == value
    whole = f"return [x.{call}, x];"
    before = await evaluate(f"return {receiver};")
    unchanged = before if after is None else after
    assert await evaluate(f"var x = {receiver}; {whole}") == [value, unchanged]
    path = f"var x = {{a: {{b: {receiver}}}}}; return [x.a.b.{call}, x.a.b];"
    assert await evaluate(path) == [value, unchanged]
    temporary = f"var x = [{receiver}]; return [x[0].{call}, x[0]];"
    assert await evaluate(temporary) == [value, before]


@pytest.mark.parametrize(
    ("expression", "detail"),
    [
        ("null.slice(1)", "Method slice requires an array"),
        ("false.slice(1)", "Method slice requires an array"),
        ('"abc".slice(1)', "Method slice requires an array"),
        ("5.push(1)", "Method push requires an array"),
        ("null.pop()", "Method pop requires an array"),
        ('"a".shift()', "Method shift requires an array"),
        ("true.unshift(1)", "Method unshift requires an array"),
        ("null.splice(1)", "Method splice requires an array"),
        ("null.indexOf(1)", "Method indexOf requires an array"),
        ("[].substr(1)", "Method substr requires a string"),
        ("5.split(1)", "Method split requires a string"),
        ("[].push()", "Bad argument count for method push"),
        ("[].push(1, 2)", "Bad argument count for method push"),
        ("[].pop(1)", "Bad argument count for method pop"),
        ("[].shift(1)", "Bad argument count for method shift"),
        ("[].unshift()", "Bad argument count for method unshift"),
        ("[].slice()", "Bad argument count for method slice"),
        ("[].slice(1, 2, 3)", "Bad argument count for method slice"),
        ("[].splice(1, 2, 3)", "Bad argument count for method splice"),
        ("[].indexOf()", "Bad argument count for method indexOf"),
        ('"".substr()', "Bad argument count for method substr"),
        ('"".split()', "Bad argument count for method split"),
        ("[].map(1)", "Bad method name"),
        ("[].join(1)", "Bad method name"),
        ('[1].slice("a")', "Numeric value is expected"),
        ('"a".substr([])', "Numeric value is expected"),
    ],
)
async def test_a_method_checks_its_receiver_and_arguments(
    expression: str, detail: str
) -> None:
    assert await evaluate(f"return {expression};") == f"13 {detail}"


async def test_an_array_reads_its_arguments_before_it_changes() -> None:
    code = "var x = [1, 2], y = 5; x.push(y = 6); x.unshift(x.pop() + y); return x;"
    assert await evaluate(code) == [12, 1, 2, 6]
