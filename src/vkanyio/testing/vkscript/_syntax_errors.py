"""VK's texts for syntax errors: what was expected, and what was found."""

from __future__ import annotations

from typing import Any, Final

from lark import Token, UnexpectedInput
from lark.parsers.lalr_interactive_parser import InteractiveParser

MAX_TOKEN_LENGTH: Final = 50
"""Characters of the unexpected token that are shown."""

_CLOSING: Final = {
    "RPAR": ")",
    "RSQB": "]",
    "RBRACE": "}",
    "COLON": ":",
    "SEMICOLON": ";",
    "LPAR": "(",
}
_END: Final = "$END"


def describe(error: UnexpectedInput, text: str) -> str:
    """Describe a syntax error, such as "';' expected, '' found in line 1".

    :param error: the parser's error
    :param text: the script
    :return: the detail of an error 12
    """
    token = getattr(error, "token", None)
    if not isinstance(token, Token):
        found = text[error.pos_in_stream or 0]
    else:
        found = "" if token.type == _END else str(token)[:MAX_TOKEN_LENGTH]
    return f"{_expected(error)} expected, '{found}' found in line {error.line}"


def _expected(error: UnexpectedInput) -> str:
    """Name what was expected: above all a closing bracket, if one is open."""
    state: Any = error.state
    parser: Any = InteractiveParser(None, state, state.lexer)
    accepted: set[str] = parser.accepts()
    if _END in accepted:
        return "statement"
    if "NUMBER" in accepted and accepted.isdisjoint({"RPAR", "RSQB", "RBRACE"}):
        return "statement" if "SEMICOLON" in accepted else "expression"
    for name, sign in _CLOSING.items():
        if name in accepted:
            return f"'{sign}'"
    return "name"
