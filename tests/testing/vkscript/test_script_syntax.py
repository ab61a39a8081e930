"""The syntax of VKScript, and the errors of invalid code."""

from __future__ import annotations

from typing import Any

import pytest
from _script_api import Api, evaluate

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("code", "response"),
    [
        ("", None),
        (";;;", None),
        ("1;", None),
        ("return 1; return 2;", 1),
        ("return 1;;", 1),
        ("{}{ ; }return 1;", 1),
        ("return/* a */1/**//* b\n*/+// c\n1;", 2),
        ("return 1; // the end", 1),
        ("/* /* */ return 1;", 1),
        ('return "//" + "/*";', "///*"),
        ("return a_1Z_;", "12 undefined identifier 'a_1Z_' in line 1"),
        ("var _a1 = 1; return _a1;", 1),
        ("var a, b = 1, c = b + 1; return [a, b, c];", [None, 1, 2]),
        ("var variable = 1, nullable = 2; return variable + nullable;", 3),
        ("return true;", True),
        ("return [false, null];", [False, None]),
        ("return [1,];", [1]),
        ("return {a: 1,};", {"a": 1}),
        ("return {a: {b: Args,},};", {"a": {"b": []}}),
        ("return {if: 1, 'b c': 2, \"d\": 3};", {"if": 1, "b c": 2, "d": 3}),
        ("return {/* x */ a /* y */ : /* z */ 1 /* , */};", {"a": 1}),
        ("return (((1)));", 1),
        ("return API.test.echo();", []),
        ("return API.test.echo(null);", []),
        ('return API . test /* a.b */ . echo ({"a": 1});', {"a": "1"}),
        ("return API.test.echo({a: 1, 'b': 'x'});", {"a": "1", "b": "x"}),
        ("return API.test.echo({c: -1.5, d: true});", {"c": "-1.5", "d": "1"}),
        ("return API.test.echo({e: null, f: false,});", {"f": "0"}),
        ("var API_ = 1; return API_;", 1),
        ("return parseInt ( '7' ) + parseDouble('0.5');", 7.5),
        ("var a = {return: 1}; return a.return;", 1),
        ("return [{a: 1}]\n@.a;", [1]),
        ("if (1) return 1; else return 2;", 1),
        ("if (0) return 1; else return 2;", 2),
        ("if (0) return 1; return 3;", 3),
        ("if (1) if (0) return 1; else return 2; return 3;", 2),
        ("if (0) if (0) return 1; else return 2; return 3;", 3),
        ("if (0) return 1; else if (1) return 2; else return 3;", 2),
        ("if (1) { return 1; };", 1),
        ("{} -null; {} !1; {} [1]; {} (1); {} 'a'; return 1;", 1),
        ("if (0) {} else {}\n-1; return 1;", 1),
        ("var i = 0; while (i < 3) i = i + 1; return i;", 3),
        ("var i = 0; while (true) { i = i + 1; if (i > 4) return i; }", 5),
        ("while (false) return 1;", None),
        ("return 1 ? 2 : 3;", 2),
        ("return 0 ? 2 : 1 ? 4 : 5;", 4),
        ("return 1 ? 0 ? 6 : 7 : 5;", 7),
        ("var a, b; a = b = 2; return [a, b];", [2, 2]),
        ("var a, b; return 0 ? a : b = 3;", 3),
        ("var a = 1; var a = 2; return a;", 2),
        ("var a = 1; { var a = 2; a = 3; } return a;", 1),
        ("var a = 1; { a = 2; } return a;", 2),
        ("var a = 1; { var b = a; a = b + 1; } return a;", 2),
        (
            "var i = 0, a; while (i < 2) { var v; a = v; v = 1; i = i + 1; } return a;",
            None,
        ),
    ],
)
async def test_this_is_vkscript(code: str, response: Any) -> None:
    assert await evaluate(code) == response


@pytest.mark.parametrize(
    ("literal", "text"),
    [
        (r'"a\"b"', 'a"b'),
        (r"'a\'b'", "a'b"),
        (r"'a\"b'", 'a"b'),
        (r'"\\n"', "\\n"),
        (r'"\n\r"', "\n\r"),
        (r'"\u0041"', r"\u0041"),
        (r'"\t\/\x"', r"\t\/\x"),
        ('"\\\\"', "\\"),
        ('"héllo, мир 🎉"', "héllo, мир 🎉"),
        ("''", ""),
        ('"it\'s"', "it's"),
    ],
)
async def test_a_string_knows_few_escapes(literal: str, text: str) -> None:
    assert await evaluate(f"return {literal};") == text
    assert await evaluate(f"return API.test.echo({{a: {literal}}}).a;") == text
    assert await evaluate(f"return {{{literal}: Args.x}};") == {text: None}
    assert await evaluate(f"return API.test.echo({{{literal}: 1}});") == {text: "1"}


@pytest.mark.parametrize(
    ("code", "detail"),
    [
        ("return 1", "';' expected, '' found in line 1"),
        ("\n\nreturn 1\n\n", "';' expected, '' found in line 3"),
        ("return 1;\n\nreturn (1];", "')' expected, ']' found in line 3"),
        ("return [1, 2", "']' expected, '' found in line 1"),
        ("return [1;", "']' expected, ';' found in line 1"),
        ("return {a: 1;", "'}' expected, ';' found in line 1"),
        ("return {a: 1 b: 2};", "'}' expected, 'b' found in line 1"),
        ("return 1 ? 2;", "':' expected, ';' found in line 1"),
        ("if 1 return 2;", "'(' expected, '1' found in line 1"),
        ("if (1) { return 2;", "'}' expected, '' found in line 1"),
        ("if (1)", "statement expected, '' found in line 1"),
        ("return 1; }", "statement expected, '}' found in line 1"),
        ("else return 1;", "statement expected, 'else' found in line 1"),
        ("return ;", "expression expected, ';' found in line 1"),
        ("return [,];", "']' expected, ',' found in line 1"),
        ("return {,};", "'}' expected, ',' found in line 1"),
        ("var 1 = 2;", "name expected, '1' found in line 1"),
        ("var if = 2;", "name expected, 'if' found in line 1"),
        ("return a.1;", "name expected, '1' found in line 1"),
        ("return 'a\nb';", "expression expected, ''' found in line 1"),
        ('return "a;', "expression expected, '\"' found in line 1"),
        ("return 1 /* 2;", "expression expected, '*' found in line 1"),
        ("return 1 ^ 2;", "';' expected, '^' found in line 1"),
        ("return `a`;", "expression expected, '`' found in line 1"),
        ("return 1 === 1;", "expression expected, '=' found in line 1"),
        ("return 1 !== 1;", "expression expected, '=' found in line 1"),
        ("return 1 >>> 1;", "expression expected, '>' found in line 1"),
        ("var a; a++;", "expression expected, '+' found in line 1"),
        ("var a; ++a;", "statement expected, '+' found in line 1"),
        ("var a; a += 1;", "expression expected, '=' found in line 1"),
        ("var a; for (a = 0; a < 1; a = 1) {}", "';' expected, '(' found in line 1"),
        ("do { } while (1);", "';' expected, '{' found in line 1"),
        ("switch (1) { }", "';' expected, '(' found in line 1"),
        ("function f() { }", "';' expected, 'f' found in line 1"),
        ("try { } ", "';' expected, '{' found in line 1"),
        ("return new X;", "';' expected, 'X' found in line 1"),
        ("return typeof 1;", "';' expected, '1' found in line 1"),
        ("return f(1);", "';' expected, '(' found in line 1"),
        ("return parseInt();", "expression expected, ')' found in line 1"),
        ("return API.users;", "undefined identifier 'API' in line 1"),
        ("return API.a.b.c();", "undefined identifier 'API' in line 1"),
        ("test;", "undefined identifier 'test' in line 1"),
        ("return 1;\nbreak;", "undefined identifier 'break' in line 2"),
        ("return 1; continue;", "undefined identifier 'continue' in line 1"),
        ("var a = a;", "undefined identifier 'a' in line 1"),
        ("{ var a; } return a;", "undefined identifier 'a' in line 1"),
        ("x = 1;", "undefined identifier 'x' in line 1"),
        ("x.y = 1;", "undefined identifier 'x' in line 1"),
        ("delete x;", "undefined identifier 'x' in line 1"),
        ("var a;\na[0] = 1;", "non-variable in assignment in line 2"),
        ("var a; a[0].b = 1;", "non-variable in assignment in line 1"),
        ("var a; a@.b = 1;", "non-variable in assignment in line 1"),
        ("1 = 2;", "non-variable in assignment in line 1"),
        ("var a; a + 1 = 2;", "non-variable in assignment in line 1"),
        ("var a; -a = 2;", "non-variable in assignment in line 1"),
        ("var a; a.pop() = 2;", "non-variable in assignment in line 1"),
        ("API.test.echo({}) = 2;", "non-variable in assignment in line 1"),
        ("var a; delete a[0];", "non-variable in delete in line 1"),
        ("delete 1;", "non-variable in delete in line 1"),
    ],
)
async def test_this_does_not_compile(code: str, detail: str) -> None:
    assert await evaluate(code) == f"12 {detail}"
    api = Api()
    assert await evaluate(f"API.test.echo({{}});{code}", api) == f"12 {detail}"
    assert api.calls == []


async def test_nothing_that_was_found_is_quoted_at_length() -> None:
    assert len(await evaluate(f"return 1 '{'x' * 10_000}';")) < 100
