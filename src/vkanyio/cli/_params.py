"""Parameters on the command line: ``name=value``, ``name:=JSON``, ``name@FILE``."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .._similar import did_you_mean
from .._typeguards import is_dict
from . import _catalog as catalog
from ._common import TOKEN_VARIABLE, WRONG_USAGE, CommandError

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

_TOKEN_REFUSED = (
    "access_token is refused: the command line is visible in the shell history and the"
    f" process list; set {TOKEN_VARIABLE} instead"
)
_PAIR = re.compile(r"(?P<name>[^=@]*?)(?P<how>:=@|:=|=|@)(?P<value>.*)", re.DOTALL)


def parse_params(words: Sequence[str], method: str = "") -> dict[str, Any]:
    """Read parameters from the arguments of a command.

    ``name=text``; ``name:=JSON``; ``name@FILE``, the text of a file; ``name:=@FILE``,
    JSON from a file; ``@FILE``, a JSON object of parameters from a file. ``-`` as FILE
    is standard input.

    :param words: the arguments
    :param method: the method that they are for, if there is one, for errors
    :return: the parameters by name
    :raises CommandError: if an argument has none of these forms
    """
    params: dict[str, Any] = {}
    for place, word in enumerate(words):
        if _PAIR.fullmatch(word) is None and _is_name(word):
            raise CommandError(_how_to_write(words, place, method), WRONG_USAGE)
        for name, value in _read(word).items():
            if name.strip().lower() == "access_token":
                raise CommandError(_TOKEN_REFUSED, WRONG_USAGE)
            if name in params:
                message = f"{name!r} is given twice: separate its values with commas"
                raise CommandError(message, WRONG_USAGE)
            params[name] = value
    return params


def _is_name(word: str) -> bool:
    return re.fullmatch(r"[A-Za-z]\w*", word, re.ASCII) is not None


def _how_to_write(words: Sequence[str], place: int, method: str) -> str:
    """Return the error for a word that may be the name of a parameter."""
    word, rest = words[place], words[place + 1 :]
    if word.lower() == "access_token":
        return _TOKEN_REFUSED
    like = "user_ids=1"
    if place == 0 and method and "." not in method and _is_name(method):
        return f"{word!r} is not NAME=VALUE: is the method {method}.{word}?"
    if rest and _PAIR.fullmatch(rest[0]) is None:
        like = f"{word}={rest[0]}"
    return f"{word!r} is not NAME=VALUE: write it like {like}"


def _read(word: str) -> dict[str, Any]:
    match = _PAIR.fullmatch(word)
    if match is None or (not match["name"] and match["how"] != "@"):
        message = f"{word!r} is not NAME=VALUE: write it like user_ids=1"
        raise CommandError(message, WRONG_USAGE)
    name, how, value = match.groups()
    if how == "=":
        return {name: value}
    text = value if how == ":=" else read_text(value, word)
    if how == "@" and name:
        return {name: text}
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        message = f"{word!r} is not JSON: {error}"
        raise CommandError(message, WRONG_USAGE) from None
    if name:
        return {name: found}
    if not is_dict(found):
        message = f"{word!r} must contain a JSON object of parameters"
        raise CommandError(message, WRONG_USAGE)
    return found


def read_text(path: str, word: str) -> str:
    """Return the text of a file, or of standard input if the path is ``-``.

    A byte order mark, which some editors write, is not part of the text.

    :param word: the argument as the user wrote it, for errors
    :raises CommandError: if the file cannot be read
    """
    try:
        if path == "-":
            return sys.stdin.read().removeprefix("\ufeff")
        return Path(path).read_text(encoding="utf-8-sig")
    except OSError as error:
        message = f"{word!r}: cannot read {path!r}: {error.strerror}"
        raise CommandError(message, WRONG_USAGE) from None
    except UnicodeDecodeError:
        message = f"{word!r}: {path!r} is not UTF-8 text"
        raise CommandError(message, WRONG_USAGE) from None


def problem_with(method: str, params: Collection[str]) -> str | None:
    """Return why a call does not match the schema, None if it does.

    :param params: the names of the given parameters
    """
    if method == "execute" or method.startswith("execute."):
        return None
    known = catalog.find(method)
    if known is None:
        meant = catalog.similar_methods(method)
        return f"VK's schema has no method {method!r}{meant}"
    expected = [parameter.name for parameter in known.parameters]
    for name in params:
        if name not in expected and name not in catalog.FOR_ANY_METHOD:
            meant = did_you_mean(name, expected)
            return f"{method} has no parameter {name!r}{meant or _all(expected)}"
    missing = [p.name for p in known.parameters if p.required and p.name not in params]
    if missing:
        return f"{method} needs {' and '.join(missing)}"
    return None


def _all(names: Sequence[str]) -> str:
    return f"; it has {', '.join(names)}" if names else "; it has none"
