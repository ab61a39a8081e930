"""Compile the text of a script to instructions.

Each rule of the grammar combines the instructions of its parts while the text is
parsed. Nothing here is recursive, so nested scripts cannot exhaust Python's stack.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from lark import Lark, Token, Transformer, UnexpectedInput

import vkanyio.testing.vkscript._operations as do

from ._arithmetic import inverted, negative
from ._code import Code, combine, declare_variables, either_way
from ._errors import ScriptCompileError
from ._grammar import COMMENT, DIGITS, GRAMMAR, IDENTIFIER, TEXT
from ._methods import METHODS
from ._syntax_errors import describe
from ._values import digits, parse_double, parse_int

if TYPE_CHECKING:
    from ._machine import Program

MAX_LENGTH: Final = 256 * 1024
"""Characters of a script. VK's limit is not known; this one bounds the time to parse a
script."""

MAX_CACHED_LENGTH: Final = 8 * 1024
"""Characters of a script that is cached. Longer ones are likely to be batches, which
are all different."""

_CONSTANTS: Final = {"true": True, "false": False, "null": None}
_SIGNS: Final = {"!": do.negate, "~": inverted, "-": negative}
_PARSERS: Final = {"parseInt": parse_int, "parseDouble": parse_double}
_ESCAPE: Final = re.compile(r"""\\(["'\\nr])""")
_ESCAPED: Final = {"n": "\n", "r": "\r"}
_MEMBERS: Final = re.compile(
    rf"({IDENTIFIER}|{TEXT})\s*+:\s*+(?:({TEXT})|(-?)({DIGITS})|([a-z]++))"
)
_GAP: Final = re.compile(rf"\s++|{COMMENT}")


def compile_code(text: str) -> Program:
    """Compile a script, or take it from the cache.

    :param text: its source
    :return: the program
    :raises ScriptCompileError: with VK's text, if the script is invalid
    """
    if len(text) > MAX_LENGTH:
        raise ScriptCompileError("code is too long")
    return _compile_once(text) if len(text) <= MAX_CACHED_LENGTH else _compile(text)


def _compile(text: str) -> Program:
    parser: Any = _lark()  # typed as returning a tree, but it returns a Code
    try:
        code: Code = parser.parse(text)
    except UnexpectedInput as error:
        raise ScriptCompileError(describe(error, text)) from None
    return declare_variables(code.instructions)


_compile_once = lru_cache(maxsize=64)(_compile)


@lru_cache(maxsize=1)
def _lark() -> Lark:
    return Lark(
        GRAMMAR,
        start="program",
        parser="lalr",
        transformer=_Compiler(),
        maybe_placeholders=False,
    )


def unquote(text: str) -> str:
    r"""Read a string literal.

    VK has only these escapes; in particular it leaves ``\uXXXX`` unchanged
    (python273/vk_api issue 19).

    :param text: the literal, with its quotes
    :return: its value
    """
    text = text[1:-1]
    if "\\" not in text:
        return text
    return _ESCAPE.sub(lambda match: _ESCAPED.get(match[1], match[1]), text)


def _number(text: str) -> int | float:
    return float(text) if "." in text else digits(text)


def _name(text: str) -> str:
    return unquote(text) if text[0] in "\"'" else str(text)


def _is_member(part: Any) -> bool:
    return isinstance(part, tuple)  # not the brace


class _Statements(Transformer[Any, Any]):
    """The rules of statements, which leave nothing on the stack."""

    def program(self, parts: list[Code]) -> Code:
        return Code.of(*parts)

    sequence = program

    def block(self, parts: list[Code]) -> Code:
        code = Code.simple(do.nothing, "{", 0)
        return code.then(*parts).add(do.nothing, "}", 0)

    def discard(self, parts: list[Code]) -> Code:
        return parts[0].add(do.pop)

    def declaration(self, parts: list[Any]) -> Code:
        name, *value = parts
        code = value[0] if value else Code.simple(do.push, None)
        return code.add(do.declare, name, 0)

    def leave(self, parts: list[Code]) -> Code:
        return parts[0].add(do.leave)

    def choice(self, parts: list[Code]) -> Code:
        return either_way(*parts)

    def loop(self, parts: list[Code]) -> Code:
        condition, body = parts
        condition.add(do.jump_unless, len(body) + 1).then(body)
        return condition.add(do.jump, -len(condition) - 1)

    def deletion(self, parts: list[Any]) -> Code:
        keyword, target = parts
        if target.path is None:
            raise ScriptCompileError(f"non-variable in delete in line {keyword.line}")
        name, *path = target.path
        if path:
            return Code.simple(do.delete_field, (name, path), 1 + len(path))
        return Code.simple(do.delete, name)


class _Operands(Transformer[Any, Any]):
    """The rules of operands."""

    def variable(self, parts: list[Token]) -> Code:
        code = Code.simple(do.load, parts[0])
        code.path = [parts[0]]
        return code

    def number(self, parts: list[Token]) -> Code:
        return Code.simple(do.push, _number(parts[0]))

    def string(self, parts: list[Token]) -> Code:
        return Code.simple(do.push, unquote(parts[0]))

    def constant(self, parts: list[Token]) -> Code:
        return Code.simple(do.push, _CONSTANTS[parts[0]])

    def array(self, parts: list[Code]) -> Code:
        return Code.of(*parts).add(do.make_array, len(parts))

    def member(self, parts: list[Any]) -> tuple[str, Code]:
        return _name(parts[0]), parts[1]

    def object_(self, parts: list[Any]) -> Code:
        members: list[tuple[str, Code]] = [*filter(_is_member, parts)]
        names = [name for name, _ in members]
        code = Code.of(*(value for _, value in members))
        return code.add(do.make_object, names, 1 + len(names))

    def field(self, parts: list[Any]) -> Code:
        base, name = parts
        path = base.path
        base.add(do.get_field, str(name))
        if path:
            path.append(str(name))
            base.path = path
        return base  # type: ignore[no-any-return]

    def projection(self, parts: list[Any]) -> Code:
        base, name = parts
        return base.add(do.project, str(name))  # type: ignore[no-any-return]

    def element(self, parts: list[Code]) -> Code:
        return Code.of(*parts).add(do.get_element)

    def method_call(self, parts: list[Any]) -> Code:
        base, name, *arguments = parts
        path = base.path
        code = Code.of(base, *arguments)
        code.add(do.call_method, (str(name), len(arguments)))
        method = METHODS.get(name)
        if path and method and method.changes:
            return code.add(do.put_back, (path[0], path[1:]), len(path))
        return code.add(do.pop, None, 0)

    def api_call(self, parts: list[Any]) -> Code:
        name, *arguments = parts
        method = _GAP.sub("", name).removeprefix("API.")
        code = Code.of(*arguments) if arguments else Code.simple(do.push, None)
        return code.add(do.call_api, method)

    def plain_call(self, parts: list[Token]) -> Code:
        """Compile a call that is one token like ``object_`` and ``api_call`` would."""
        method, _, members = parts[0].partition("(")
        code, names = Code(), list[str]()
        for name, text, sign, number, constant in _MEMBERS.findall(members):
            names.append(_name(name))
            if text:
                code.add(do.push, unquote(text))
            elif number:
                code.add(do.push, _number(number))
                if sign:
                    code.add(do.convert, negative)
            else:
                code.add(do.push, _CONSTANTS[constant])
        code.add(do.make_object, names, 1 + len(names))
        return code.add(do.call_api, method.removeprefix("API."))

    def parser_call(self, parts: list[Any]) -> Code:
        name, argument = parts
        return argument.add(do.convert, _PARSERS[name])  # type: ignore[no-any-return]


class _Compiler(_Statements, _Operands):
    """All rules: those of operations, and the inherited ones."""

    def signed(self, parts: list[Any]) -> Code:
        sign, operand = parts
        return operand.add(do.convert, _SIGNS[sign])  # type: ignore[no-any-return]

    def operations(self, parts: list[Any]) -> Code:
        return combine(parts)

    def conditional(self, parts: list[Code]) -> Code:
        return either_way(*parts)

    def assignment(self, parts: list[Any]) -> Code:
        target, sign, value = parts
        if target.path is None:
            raise ScriptCompileError(f"non-variable in assignment in line {sign.line}")
        name, *path = target.path
        if path:
            value.add(do.store_field, (name, path), 1 + len(path))
        else:
            value.add(do.store, name)
        return value  # type: ignore[no-any-return]
