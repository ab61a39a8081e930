"""What is read of an error object, and kept: a bounded part of it.

VK's errors have a few hundred bytes, and those that repeat a large request a few MB. An
error may be kept for long, and a hostile one may be as large as any response.
"""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING, Any, final

from ._json import read_json
from ._typeguards import is_dict, is_list

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ._masking import Secrets

MAX_MESSAGE = 1000
"""Characters of VK's message: the longest known one has 200."""
MAX_KEPT = 64 * 1024
"""Characters that the fields of an error have together, about, as JSON. Those beyond it
are left out. VK's own have 2,000: a captcha with its address."""
MAX_QUESTION_FIELD = 64 * 1024
"""Characters of a field of :data:`QUESTION_FIELDS`. No browser opens a longer address,
and no form has a longer number."""
MAX_PARSED = 256 * 1024
"""Bytes of an error response that is parsed as a whole. Its objects may take twenty
times as much memory; a larger one is read field by field."""

QUESTION_FIELDS = frozenset(
    {
        "captcha_attempt",
        "captcha_img",
        "captcha_sid",
        "captcha_ts",
        "confirmation_text",
        "error_code",
        "error_subcode",
        "redirect_uri",
        "remixstlid",
    }
)
"""Fields that programs act upon. They are kept however large the others are."""

# Possessive, so that matching takes no memory, however long the text. What is repeated
# has no alternatives: before 3.11.5, Python matches those wrongly (gh-106052).
_STRING = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_BEGIN = re.compile(rb'\s*\{\s*"error"\s*:\s*(?=\{)')
_KEY = re.compile(rb"\s*(" + _STRING + rb")\s*:\s*", re.DOTALL)
_SCALAR = re.compile(_STRING + rb'|[^\s,\[\]{}"]++', re.DOTALL)
_BRACKETS = re.compile(_STRING + rb'|[\[{]+|[\]}]+|"', re.DOTALL)
"""A string, brackets of one kind in a row, or a string that does not end."""
_NEXT = re.compile(rb"\s*([,}])")
_NO_MEMBERS = re.compile(rb"\{\s*\}")
_REST = re.compile(rb"\s*")
_CAPTCHA_TS = re.compile(rb'"captcha_ts"\s*:\s*(-?[0-9][0-9.eE+-]*)')


def is_error(body: bytes) -> bool:
    """Return whether a body begins like an error response."""
    return _BEGIN.match(body) is not None


def read_large_error(body: bytes) -> dict[str, Any]:
    """Read the fields of a large error response, without those that are too large.

    Whether those that are left out are JSON is not checked.

    :raises ValueError: if the response is not JSON
    :raises RecursionError: if a field is nested too deeply
    """
    reader = _Reader(body, _match(_BEGIN, body, 0).end())
    fields: dict[str, Any] = {}
    left = MAX_KEPT
    for key, begin, end in reader.members():
        size = end - begin
        # Parsing each name would take long, if there were many.
        name = read_json(key) if left >= 0 else key[1:-1].decode("latin-1")
        if name == "error_msg" and body[begin] == ord('"'):
            fields[name] = read_json(body[begin:end])
        elif name in QUESTION_FIELDS:
            if size <= 6 * MAX_QUESTION_FIELD:  # `\u0020` is one character
                fields[name] = read_json(body[begin:end])
        elif name != "request_params":
            left -= size + len(key)
            if left >= 0:
                fields[name] = read_json(body[begin:end])
    for _ in reader.more_members():
        pass  # beside the error
    if _REST.fullmatch(body, reader.at) is None:
        raise ValueError("data after the response")
    return {"error": fields}


@final
class _Reader:
    """Finds the members of objects in JSON, without making objects of them.

    :ivar at: how far it has come
    """

    def __init__(self, body: bytes, at: int) -> None:
        self.at = at
        self._body = body

    def members(self) -> Iterator[tuple[bytes, int, int]]:
        """Find the members of the object that begins here.

        :return: for each its name, and where its value begins and ends
        """
        empty = _NO_MEMBERS.match(self._body, self.at)
        if empty is not None:
            self.at = empty.end()
            return
        self.at += 1
        yield self._member()
        yield from self.more_members()

    def more_members(self) -> Iterator[tuple[bytes, int, int]]:
        """Find the further members of an object, behind one of them."""
        while self._take(_NEXT)[1] == b",":
            yield self._member()

    def _member(self) -> tuple[bytes, int, int]:
        name = self._take(_KEY)[1]
        begin = self.at
        if self._body[begin : begin + 1] in (b"[", b"{"):
            self._skip_container()
        else:
            self._take(_SCALAR)
        return name, begin, self.at

    def _skip_container(self) -> None:
        depth = 0
        for found in _BRACKETS.finditer(self._body, self.at):
            begin, end = found.span()
            first = self._body[begin]
            if first in b"[{":
                depth += end - begin
            elif first in b"]}":
                if depth <= end - begin:
                    # In a row of them, the value ends at the one that closes it.
                    self.at = begin + depth
                    return
                depth -= end - begin
            elif end - begin == 1:
                break
        raise ValueError(f"not JSON: the value at {self.at} does not end")

    def _take(self, pattern: re.Pattern[bytes]) -> re.Match[bytes]:
        match = _match(pattern, self._body, self.at)
        self.at = match.end()
        return match


def _match(pattern: re.Pattern[bytes], body: bytes, at: int) -> re.Match[bytes]:
    match = pattern.match(body, at)
    if match is None:
        raise ValueError(f"not JSON at {at}")
    return match


def kept_fields(
    error: Mapping[str, Any], body: bytes, secrets: Secrets
) -> dict[str, Any]:
    """Return the fields of an error object that an error keeps, without secrets.

    :param body: the response that the object was in
    """
    kept: dict[str, Any] = {}
    left = MAX_KEPT
    for name, value in error.items():
        if name == "request_params":
            # They repeat the parameters; old versions of the API put the token there.
            continue
        if name == "error_msg" and isinstance(value, str):
            # First masked, so that no secret is cut in two.
            kept[name] = cut(secrets.hide_in_json(value))
            continue
        if name == "captcha_ts" and isinstance(value, float):
            value = _as_written(value, body)
        size = len(name) + _size(value, MAX_KEPT)
        if name in QUESTION_FIELDS:
            if size - len(name) > MAX_QUESTION_FIELD:
                continue
        else:
            left -= size
            if left < 0:
                continue
        kept[secrets.hide_in_json(name)] = secrets.hide_in_json(value)
    return kept


def cut(message: str) -> str:
    """Return a message, or its beginning if it is too long to be shown."""
    if len(message) <= MAX_MESSAGE:
        return message
    return f"{message[:MAX_MESSAGE]}..."


def _as_written(stamp: float, body: bytes) -> str | float:
    """Return a number as VK wrote it, since it is sent back exactly so."""
    for match in _CAPTCHA_TS.finditer(body):
        text = match[1].decode()
        with suppress(ValueError):
            if float(text) == stamp:
                return text
    return stamp


def _size(value: Any, limit: int) -> int:
    """Return about how many characters a value has as JSON, or more than the limit."""
    size, todo = 0, [value]
    while todo and size <= limit:
        one = todo.pop()
        size += len(one) + 2 if isinstance(one, str) else 4
        if is_list(one):
            todo += one[:limit]
        elif is_dict(one):
            for key in one:
                size += len(key)
            todo += list(one.values())[:limit]
    return size
