"""Values: their types, how they are copied, and how they are returned."""

from __future__ import annotations

import json
from typing import Any

import pytest
from _script_api import Api, evaluate

from vkanyio.testing.vkscript import ScriptSession, run

pytestmark = pytest.mark.anyio

LARGEST = 2**63 - 1


@pytest.mark.parametrize(
    ("code", "response"),
    [
        ("return 007;", 7),
        ("return 1.50;", 1.5),
        (f"return {LARGEST};", LARGEST),
        (f"return {LARGEST + 1};", -LARGEST - 1),
        (f"return {2**64 + 5};", 5),
        (f"return {10**30 + 7};", (10**30 + 7 + 2**63) % 2**64 - 2**63),
        (f"return {'9' * 5000};", -1),
        (f"return {'9' * 400}.0;", None),
        ("return {};", []),
        ("return [];", []),
        ("return {a: []};", {"a": []}),
        ('return {"0": 1, "1": 2};', [1, 2]),
        ('return {"1": 1, "0": 2};', {"1": 1, "0": 2}),
        ('return {"0": 1, "2": 2};', {"0": 1, "2": 2}),
        ('return {"00": 1};', {"00": 1}),
        ("return {a: 1, a: 2};", {"a": 2}),
    ],
)
async def test_a_literal_is_a_value(code: str, response: Any) -> None:
    value = await evaluate(code)
    assert value == response
    assert type(value) is type(response)


@pytest.mark.parametrize("value", ["null", "false", "0", "0.0", '""', "[]", "{}"])
async def test_this_is_false(value: str) -> None:
    assert await evaluate(f"if ({value}) return 1; return 0;") == 0
    assert await evaluate(f"return !{value};") is True


@pytest.mark.parametrize("value", ["true", "1", "-1", "0.1", '"0"', '" "', "[0]"])
async def test_this_is_true(value: str) -> None:
    assert await evaluate(f"if ({value}) return 1; return 0;") == 1
    assert await evaluate(f"return !{value};") is False


@pytest.mark.parametrize(
    ("code", "response"),
    [
        ("var y = x; x.pop(); return [x, y];", [[1], [1, 2]]),
        ("var y = x; y.a = 3; return [x.length, y.length];", [2, 3]),
        ("var y = [x]; x.push(3); return y;", [[1, 2]]),
        ("var y = {a: x}; y.a.push(3); return [x, y.a];", [[1, 2], [1, 2, 3]]),
        ("var y = {a: {b: x}}, z = y.a; y.a.b = 1; return z.b;", [1, 2]),
        ("var y = {a: {b: 1}}, z = y; delete y.a.b; return z;", {"a": {"b": 1}}),
        ("x.push(x); return x;", [1, 2, [1, 2]]),
        ("x.push(x.pop()); return x;", [1, 2, 2]),
        ("return [x, x.push(3), x];", [[1, 2], 3, [1, 2, 3]]),
        ("x[0].push(3); return x;", "13 Method push requires an array"),
        ("var y = [x]; y[0].push(3); return y;", [[1, 2]]),
        ("var y = Args; y.a = 1; return [y.a, Args.a];", [1, None]),
        ("Args.a = 1; return Args;", {"a": 1}),
    ],
)
async def test_assignment_copies(code: str, response: Any) -> None:
    assert await evaluate(f"var x = [1, 2]; {code}") == response


async def test_a_script_does_not_modify_the_value_of_a_call() -> None:
    value = {"items": [{"id": 1}, {"id": 2}], "count": 2}
    before = json.loads(json.dumps(value))
    code = """
        var a = API.test.get(), b = a;
        a.items.pop(); a.items.push(5); a.count = 9; delete b.items; a.x.y = 1;
    """
    with pytest.raises(Exception, match="not array"):
        await run(code, call=lambda _method, _params: value)
    assert value == before


@pytest.mark.parametrize(
    ("code", "response"),
    [
        ("return x.a;", 1),
        ("return x.missing;", None),
        ('return x["a"];', 1),
        ('return x["list"][1];', 6),
        ('return x.list["1"];', 6),
        ("return x.list[1.9];", 6),
        ("return x.list[true];", 6),
        ("return x.list[2];", None),
        ("return x.list[-1];", None),
        ('return x.list["01"];', None),
        (f'return x.list["{"1" * 5000}"];', None),
        ("return x.list[null];", None),
        ("return x.list[[]];", "13 Illegal offset type"),
        ("return x.list[1/3*0];", 5),
        ("return x.list[1.5 * 1" + "0" * 308 + ".0];", 5),
        ("return x.a.b.c;", None),
        ("return false.items;", None),
        ("return null.items;", None),
        ("return API.test.fail().items;", None),
        ('return "abc".length;', 3),
        ('return "abc".size;', None),
        ('return "abc"[0];', None),
        ("return x.length;", 2),
        ("return x.list.length;", 2),
        ("return [].length;", 0),
        ("return null.length;", None),
        ("x.list.length = 7; return x.list.length;", 7),
        ("x.list.length = 7; return x.list;", {"0": 5, "1": 6, "length": 7}),
        ("x.list.b = 7; return x.list.length;", 3),
        ("x.a = 7; x.c = 8; return x;", {"a": 7, "list": [5, 6], "c": 8}),
        ("x.list.a = 7; return x.list;", {"0": 5, "1": 6, "a": 7}),
        ("return x.a = 5;", 5),
        ("x.a.b = 1;", "13 setting field [b] on not array variable"),
        ("x.b.c = 1;", "13 setting field [c] on not array variable"),
        ("x = null; x.c = 1;", "13 setting field [c] on not array variable"),
        ("delete x; return x;", None),
        ("delete x.a; return x;", {"list": [5, 6]}),
        ("delete x.b; return x.length;", 2),
        ("delete x.list.b; return x.list;", [5, 6]),
        ("delete x.a.b;", "13 deleting field [b] on not array variable"),
        ("delete x.b.c;", "13 deleting field [c] on not array variable"),
        ("return x@.a;", [None, None]),
        ("return [x, x]@.a;", [1, 1]),
        ("return [x, 5, null, [1]]@.list@.length;", [2, None, None, None]),
        ("return [x, {}]@.list;", [[5, 6], None]),
        ("return {a: {b: 1}, c: {b: 2}}@.b;", [1, 2]),
        ('return ["ab", "c"]@.length;', [2, 1]),
        ('return "ab"@.length;', []),
        ("return null@.a;", []),
        ("return false@.a;", []),
    ],
)
async def test_fields_and_elements(code: str, response: Any) -> None:
    assert await evaluate(f"var x = {{a: 1, list: [5, 6]}}; {code}") == response


@pytest.mark.parametrize(
    ("argument", "text"),
    [
        ("5", "5"),
        ("-5", "-5"),
        ("1.5", "1.5"),
        ("2.0", "2"),
        ("1000000000000000000000.0", "1e+21"),
        ("true", "1"),
        ("false", "0"),
        ('"a,b"', "a,b"),
        ("[]", ""),
        ("[1, 2]", "1,2"),
        ('[1, "a", true, null, 2.5]', "1,a,1,,2.5"),
        ('{"0": 7, "1": 8}', "7,8"),
        ("[{a: [1]}, [2, 3]]", '{"a":[1]},[2,3]'),
        ('{a: "ы\\"", b: {}}', '{"a":"ы\\"","b":[]}'),
        ("{b: null}", '{"b":null}'),
    ],
)
async def test_a_parameter_is_text(argument: str, text: str) -> None:
    api = Api()
    await evaluate(f"var a = {argument}; API.test.echo({{p: a}});", api)
    await evaluate(f"API.test.echo({{p: {argument}}});", api)
    assert api.calls == [("test.echo", {"p": text})] * 2


async def test_a_parameter_that_is_null_is_left_out() -> None:
    api = Api()
    await evaluate("API.test.echo({a: null, b: Args.c, d: 1});", api)
    assert api.calls == [("test.echo", {"d": "1"})]


@pytest.mark.parametrize("argument", ["1", '"a"', "null", "false"])
async def test_an_argument_that_is_not_an_object_gives_no_parameters(
    argument: str,
) -> None:
    api = Api()
    await evaluate(f"API.test.echo({argument});", api)
    assert api.calls == [("test.echo", {})]


async def test_arguments_are_text() -> None:
    args = {"code": "c", "n": "5"}
    assert await evaluate("return Args;", args=args) == args
    assert await evaluate("return Args.n + 1;", args=args) == "51"
    assert await evaluate("return parseInt(Args.n) + 1;", args=args) == 6
    assert await evaluate("return Args.missing;", args=args) is None


async def test_the_value_of_a_call_can_be_any_python_object() -> None:
    value = {1: (2, 3), "n": 2**64 + 1, "f": float("inf"), "o": bytes}
    code = "var a = API.a.b(); return [a[1], a.n, a.f, a.o, a];"
    response = (await run(code, call=lambda _method, _params: value)).response
    assert response[:3] == [[2, 3], 1, None]
    assert response[4] == {"1": [2, 3], "n": 1, "f": None, "o": response[3]}
    assert json.dumps(response)


async def test_the_response_is_a_copy() -> None:
    value: list[Any] = [{"a": [1]}]
    result = await run("return API.a.b();", call=lambda _method, _params: value)
    result.response[0]["a"].append(2)
    assert value == [{"a": [1]}]


async def test_a_response_has_a_size() -> None:
    for value in ('"' + "x" * 200 + '"', "[" + "1," * 60 + "]", "{a: {b: {}}}"):
        code = f"var a = {value}; return [a, a, a, {{a: a}}];"
        assert isinstance(await evaluate(code), list)
        small = ScriptSession(response_size=40)
        assert await evaluate(code, session=small) == "13 response size is too big"
    long_key = "{" + "k" * 100 + ": 1}"
    small = ScriptSession(response_size=90)
    failed = await evaluate(f"return {long_key};", session=small)
    assert failed == "13 response size is too big"
