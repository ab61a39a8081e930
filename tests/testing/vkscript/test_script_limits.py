"""The limits of a script, and their effect on malicious scripts."""

from __future__ import annotations

import inspect
import sys
import time
import tracemalloc

import pytest
from _script_api import Api, evaluate

from vkanyio.testing.vkscript import ScriptSession, run

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("code", "cost"),
    [
        ("", 0),
        (";{};", 0),
        ("1;", 2),
        ("var v;", 1),
        ("var v=0;", 1),
        ("var a=1,b=2;", 2),
        ("var v=0; v=1;", 1 + 3),
        ("var v=0; return v;", 1 + 2),
        ("1+2;", 4),
        ("-1;", 3),
        ("1+2*3-4;", 8),
        ("1&&2;", 4),
        ("0&&2;", 3),
        ("0||2;", 4),
        ("1?2:3;", 5),
        ("0?2:3;", 4),
        ("if(1)2;", 4),
        ("if(0)2;", 2),
        ("if(1)2;else 3;", 5),
        ("if(0)2;else 3;", 4),
        ("Args.a;", 3),
        ("Args.a.b;", 4),
        ("Args[0];", 4),
        ("Args@.a;", 3),
        ("Args.a=1;", 1 + 2 + 1),
        ("var a={}; a.b=1; delete a.b; delete a;", 1 + 4 + 2 + 1),
        ("[1,2];", 4),
        ("({a:1,b:2});", 6),
        ("parseInt(1);", 3),
        ('"a".split(1);', 4),
        ("[].push(1);", 4),
        ("var a=[]; a.push(1);", 1 + 5),
        ("var a={b:[]}; a.b.push(1);", 3 + 7),
        ("API.test.echo();", 3),
        ("API.test.echo({a:1,b:-2});", 8),
        ("API.test.echo({a:1,b:(-2)});", 8),
        ("var v=0; while(v<5) v=v+1;", 1 + 5 * 10 + 4),
    ],
)
async def test_each_operation_has_its_cost(code: str, cost: int) -> None:
    session = ScriptSession(operations=cost)
    await run(code, call=Api(), session=session)
    assert session.operations == 0
    if cost:
        session = ScriptSession(operations=cost - 1)
        assert await evaluate(code, session=session) == "13 Too many operations"


async def test_a_script_has_ten_thousand_operations() -> None:
    # 1 to declare, 10 per iteration, 4 for the last test and 2 to return.
    turns = "var v=0; while(v<999) v=v+1; return v;"
    assert await evaluate(turns) == 999
    assert await evaluate("-1;" + turns) == 999
    assert await evaluate("1;1;" + turns) == "13 Too many operations"


async def test_a_script_has_twenty_five_calls() -> None:
    api = Api()
    code = "var i=0; while(i<N) { API.test.echo({i: i}); i=i+1; } return i;"
    assert await evaluate(code.replace("N", "25"), api) == 25
    assert await evaluate(code.replace("N", "26"), api) == "13 Too many API calls"
    assert [params["i"] for _, params in api.calls] == [str(n) for n in range(25)] * 2


HOSTILE = {
    "parentheses": "return " + "(" * 4_000 + "1" + ")" * 4_000 + ";",
    "open parentheses": "return " + "(" * 25_000,
    "arrays": "return " + "[" * 4_000 + "]" * 4_000 + ";",
    "objects": "return " + "{a:" * 3_000 + "1" + "}" * 3_000 + ";",
    "blocks": "{" * 4_000 + "}" * 4_000,
    "minus signs": "return " + "- " * 4_000 + "1;",
    "sums to the right": "return " + "1+(" * 3_000 + "1" + ")" * 3_000 + ";",
    "sums to the left": "return " + "(" * 3_000 + "1" + "+1)" * 3_000 + ";",
    "a sum": "return " + "1+" * 4_000 + "1;",
    "disjunctions": "return " + "0||" * 3_000 + "1;",
    "ternaries": "return " + "1?2:" * 3_000 + "1;",
    "assignments": "var a;" + "a=" * 4_000 + "1;",
    "ifs": "if(1)" * 3_000 + ";",
    "elses": "if(0);else " * 2_000 + ";",
    "whiles": "while(1)" * 2_000 + ";",
    "fields": "return Args" + ".a" * 4_000 + ";",
    "a long path": "Args" + ".a" * 4_000 + "=1;",
    "elements": "return Args" + "[0]" * 3_000 + ";",
    "elements within elements": "return " + "Args[" * 3_000 + "0" + "]" * 3_000 + ";",
    "calls within calls": (
        "return " + "API.a.b({a:" * 2_000 + "1" + "})" * 2_000 + ";"
    ),
    "variables": "".join(f"var a{n};" for n in range(2_000)),
    "one long name": "x" * 25_000,
    "one long number": "return " + "9" * 25_000 + ";",
    "one long double": "return " + "9" * 12_500 + "." + "9" * 12_500 + ";",
    "one long string": 'return "' + "x" * 25_000,
    "backslashes": 'return "' + "\\" * 25_001,
    "open comments": "return 1" + "/*" * 12_500,
    "stars": "return 1 /" + "*" * 25_000,
    "spaces": "return 1" + " " * 25_000,
    "spaces in a call": "return API" + " " * 25_000,
    "comments in a call": "return API" + "/**/" * 3_000 + ".a",
    "members": "return API.a.b({" + "a:1," * 3_000,
    "nearly plain calls": ("API.a.b({" + "a:1," * 50 + "a:Args});") * 100,
    "too much code": ";" * 300_000,
    "an endless loop": "while(1);",
    "an endless loop in a loop": "while(1) while(1) {}",
    "a doubling string": 'var s="0123456789"; while(1) s=s+s;',
    "a doubling list": "var a=[1,2,3]; while(1) a=a+a;",
    "a doubling object": "var a={a:1}; while(1) { a.push(a); a=a+[1,2]+a; }",
    "a growing object": "var a={x:1}; while(1) a.push(1);",
    "a doubling tree": "var a=[1],i=0; while(i<300) { a=[a,a]; i=i+1; } return a;",
    "a tree of nothing": "var a=[],i=0; while(i<199) { a=[a,a]; i=i+1; } return a;",
    "a tree of keys": "var a={},i=0; while(i<150) { a={a:a,b:a}; i=i+1; } return a;",
    "a tree as a parameter": (
        "var a=[1],i=0; while(i<99) { a=[a,a]; i=i+1; } API.test.echo({a:a});"
    ),
    "a tree as text": "var a=[1],i=0; while(i<99) { a=[a,a]; i=i+1; } return ''+a;",
    "a deep value": "var a=[1],i=0; while(i<600) { a=[a]; i=i+1; } return a;",
    "a deep parameter": (
        "var a={},i=0; while(i<600) { a={a:a}; i=i+1; } API.test.echo({a:a});"
    ),
    "a deep path": (
        "var a={b:1},i=0; while(i<500) { a={b:a}; i=i+1; } "
        "a" + ".b" * 500 + "=1; return a;"
    ),
    "large strings in a list": (
        'var s="0123456789",a=[],i=0; while(i<18) { s=s+s; i=i+1; } '
        "while(1) a.push(s+1);"
    ),
    "splitting": (
        'var s="0123456789",i=0; while(i<16) { s=s+s; i=i+1; } while(1) s.split("");'
    ),
    "searching": (
        'var s="aaaaaaaaaa",i=0; while(i<16) { s=s+s; i=i+1; } '
        'while(1) s.indexOf(s+"b");'
    ),
    "shifting": "var a=[1],i=0; while(i<15) { a=a+a; i=i+1; } while(1) a.shift();",
    "executing itself": 'API.execute({code: "while(1);"}); while(1);',
}


@pytest.mark.parametrize("name", HOSTILE)
async def test_a_hostile_script_ends_soon(name: str) -> None:
    began = time.process_time()
    session = ScriptSession(response_size=400_000)
    result = await evaluate(HOSTILE[name], session=session)
    assert time.process_time() - began < 10
    assert not isinstance(result, str) or result[:2] in ("12", "13")


@pytest.mark.parametrize(
    "name",
    [
        "a doubling string",
        "a doubling list",
        "a growing object",
        "large strings in a list",
        "splitting",
    ],
)
async def test_a_hostile_script_does_not_fill_the_memory(name: str) -> None:
    tracemalloc.start()
    try:
        result = await evaluate(HOSTILE[name])
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert result is not None
    assert peak < 200e6


async def test_a_response_is_not_nested_deeper_than_json_can_write() -> None:
    code = "var a=[1],i=0; while(i<N) { a=[a]; i=i+1; } return a;"
    assert isinstance(await evaluate(code.replace("N", "199")), list)
    assert (
        await evaluate(code.replace("N", "200")) == "13 response is nested too deeply"
    )


async def test_a_deep_script_takes_none_of_pythons_stack() -> None:
    code = f"return {'-(' * 400}1{')' * 400};"
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack(0)) + 60)
    try:
        result = await evaluate(code)
    finally:
        sys.setrecursionlimit(limit)
    assert result == 1
