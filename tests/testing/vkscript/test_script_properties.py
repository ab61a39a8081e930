"""Random scripts, run by the interpreter and by a second one."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from _reference import (
    TIGHTNESS,
    Broken,
    Returned,
    Tree,
    quote,
    run_statements,
    to_json,
    write_statement,
)
from _script_api import Api, evaluate
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from vkanyio.testing.vkscript import (
    ScriptCompileError,
    ScriptSession,
    compile_script,
    run,
)

pytestmark = pytest.mark.anyio

VARIABLES = ["a", "b", "c"]
FIELDS = ["a", "x", "length", "items"]


def _trees(*parts: Any) -> st.SearchStrategy[Tree]:
    kind, *rest = parts
    return st.tuples(st.just(kind), *rest)


names = st.sampled_from(VARIABLES).map(lambda name: ("name", name))
fields = st.sampled_from(FIELDS)
operators = st.sampled_from([*TIGHTNESS])
keys = st.sampled_from([*FIELDS, "0", "1", "7", "-3", "01", "", "é\n\"'\\"])
texts = st.sampled_from(["", "a", "b", "0", "12", "-7", "x y"]) | st.text(
    max_size=3
).map(lambda text: text.replace(".", ""))
integers = st.integers(-4, 4) | st.integers(-(2**66), 2**66)
literals = st.builds(
    lambda value: ("value", value),
    st.none() | st.booleans() | integers | texts,
)
paths = st.recursive(
    names, lambda inner: st.tuples(st.just("field"), inner, fields), max_leaves=3
)


def deeper(inner: st.SearchStrategy[Tree]) -> st.SearchStrategy[Tree]:
    """Combine expressions into larger ones."""
    return st.one_of(
        _trees("list", st.lists(inner, max_size=3)),
        _trees("object", st.lists(st.tuples(keys, inner), max_size=3)),
        _trees("binary", operators, inner, inner),
        _trees("binary", operators, inner, inner),
        _trees("unary", st.sampled_from(["!", "-", "~"]), inner),
        _trees("choice", inner, inner, inner),
        _trees("field", inner, fields),
        _trees("project", inner, fields),
        _trees("element", inner, inner),
        _trees("assign", paths, inner),
        _trees(
            "method",
            inner | paths,
            st.just("push"),
            st.lists(inner, min_size=1, max_size=1),
        ),
        _trees("method", inner | paths, st.sampled_from(["pop", "shift"]), st.just([])),
    )


expressions = st.recursive(literals | names | paths, deeper, max_leaves=8)
simple_statements = st.one_of(
    st.tuples(st.just("do"), expressions),
    st.tuples(st.just("do"), st.tuples(st.just("assign"), paths, expressions)),
    st.tuples(st.just("var"), st.sampled_from(VARIABLES), expressions),
    st.tuples(st.just("delete"), paths),
    st.tuples(st.just("return"), expressions),
)
statements = st.recursive(
    simple_statements,
    lambda inner: st.one_of(
        st.tuples(
            st.just("if"),
            expressions,
            st.lists(inner, max_size=3),
            st.lists(inner, max_size=3),
        ),
        st.tuples(st.just("repeat"), st.integers(0, 3), st.lists(inner, max_size=3)),
    ),
    max_leaves=4,
)


async def agree(script: list[Tree]) -> None:
    """Check that both interpreters agree, including the order of keys."""
    lines = "\n".join(map(write_statement, script))
    result = await evaluate(
        f"var a, b = {{x: [1]}}, c = [];\n{lines}\nreturn [a, b, c];"
    )
    scopes: list[dict[str, Any]] = [
        {"a": None, "b": {"x": {"0": 1}}, "c": {}},
    ]
    try:
        run_statements(script, scopes)
        expected: Any = [to_json(scopes[0][name]) for name in VARIABLES]
    except Returned as returned:
        expected = to_json(returned.args[0])
    except Broken as broken:
        expected = f"13 {broken}"
    except NotImplementedError:
        assume(False)
    assert json.dumps(result) == json.dumps(expected), lines


SLOW = settings(
    max_examples=100, suppress_health_check=[HealthCheck.too_slow], deadline=None
)


@SLOW
@given(expressions)
async def test_both_interpreters_give_an_expression_the_same_value(
    expression: Tree,
) -> None:
    await agree([("return", expression)])


@SLOW
@given(st.lists(statements, max_size=8))
async def test_both_interpreters_give_a_script_the_same_value(
    script: list[Tree],
) -> None:
    await agree(script)


@given(st.text())
async def test_any_text_can_be_written_as_a_string(text: str) -> None:
    assert await evaluate(f"return {quote(text)};") == text
    # In a call with literals, strings are parsed by different code.
    echo = await evaluate(f"return API.test.echo({{{quote(text)}: {quote(text)}}});")
    assert echo == ([text] if text == "0" else {text: text})


plain_values = st.none() | st.booleans() | st.text() | st.integers(-(10**20), 10**20)


def literal(value: Any) -> str:
    if isinstance(value, str):
        return quote(value)
    return str(value).lower().replace("none", "null")


@given(st.lists(st.tuples(st.text(), plain_values), min_size=1))
async def test_a_call_of_literals_is_like_any_other(
    params: list[tuple[str, Any]],
) -> None:
    plain = ", ".join(f"{quote(name)}: {literal(value)}" for name, value in params)
    other = ", ".join(f"{quote(name)}: ({literal(value)})" for name, value in params)
    calls, costs = [], []
    for members in (plain, other):
        api, session = Api(), ScriptSession()
        await run(f"API.test.echo({{{members}}});", call=api, session=session)
        calls.append(api.calls)
        costs.append(session.operations)
    assert calls[0] == calls[1]
    assert costs[0] == costs[1]


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(keys | st.text(), inner),
    max_leaves=20,
)


def as_vk_writes(value: Any) -> Any:
    if isinstance(value, list):
        return [as_vk_writes(item) for item in value]
    if isinstance(value, dict):
        if [*value] == [str(index) for index in range(len(value))]:
            return [as_vk_writes(item) for item in value.values()]
        return {key: as_vk_writes(item) for key, item in value.items()}
    return value


@given(json_values)
async def test_the_value_of_a_call_passes_through_a_script(value: Any) -> None:
    result = await run("var a = API.a.b(); return a;", call=lambda _m, _p: value)
    assert json.dumps(result.response) == json.dumps(as_vk_writes(value))


WORDS = """
    var if else while return delete true null a b API Args parseInt . @. , ; : ? = == !
    - + * / % & && | || < << ( ) [ ] { } 1 2.5 'x' "y" // /* */ \\ ` ^
    API.a.b( API.a.b({a:1}) {a:
"""
words = st.sampled_from([*WORDS.split(), "\n"])


@settings(max_examples=500)
@given(st.lists(words, max_size=30).map(" ".join) | st.text())
def test_any_text_is_a_script_or_a_compile_error(text: str) -> None:
    with suppress(ScriptCompileError):
        compile_script(text)


@given(st.lists(words, max_size=12).map(" ".join))
async def test_a_script_of_any_words_ends(text: str) -> None:
    result = await evaluate(text)
    assert result is None or json.dumps(result)
