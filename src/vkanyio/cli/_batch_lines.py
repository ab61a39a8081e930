"""The input of ``vkanyio batch``: lines, and the calls in them."""

from __future__ import annotations

import hashlib
import json
import os
import stat
import sys
from typing import TYPE_CHECKING, Any, final

import anyio
import attrs

from .. import APIRequest
from .._known_parameters import expect
from .._similar import did_you_mean
from .._typeguards import is_dict
from ._common import WRONG_USAGE, CommandError
from ._params import problem_with

if TYPE_CHECKING:
    from collections.abc import Mapping

KEYS = ("method", "params", "id")
MAX_LINE_BYTES = 2**24
"""Limit of a line in bytes: a file without newlines is not read into memory."""

_CHUNK = 2**16
_LIKE = 'write a call like {"method": "users.get", "params": {}}'
_KINDS: Mapping[type, str] = {
    list: "a list",
    str: "a string",
    int: "a number",
    float: "a number",
    bool: "true or false",
    type(None): "null",
}
"""What values of JSON are called that are not objects."""


@final
class BadLine(Exception):
    """Raised for a line that is not a valid call; the message says why."""


@final
@attrs.frozen(kw_only=True)
class Line:
    """A line of the input.

    :ivar number: its number in the file, from 1
    :ivar digest: a hash to detect edited lines, never 0
    """

    number: int
    digest: int
    text: bytes

    @classmethod
    def from_bytes(cls, number: int, raw: bytes) -> Line:
        """Make a line from its raw bytes."""
        text = raw.strip()
        digest = hashlib.blake2b(text, digest_size=4).digest()
        return cls(number=number, digest=int.from_bytes(digest) or 1, text=text)


@final
@attrs.frozen(kw_only=True)
class BatchCall:
    """The call that a line describes.

    :ivar given: the ``id`` of the line, if it has one, for the record
    """

    line: Line
    method: str
    params: Mapping[str, Any]
    given: Mapping[str, Any]

    def request(self, random_id: int | None = None) -> APIRequest:
        """Return the request of the call.

        :param random_id: the key with which an earlier run sent it
        """
        more = {} if random_id is None else {"random_id": random_id}
        return APIRequest(self.method, {**self.params, **more})


def read_call(line: Line, *, checked: bool) -> BatchCall:
    """Read the call in a line, and check that it can be sent.

    :param checked: whether to check it against VK's schema
    :raises BadLine: if it is not a valid call
    """
    try:
        found = json.loads(line.text)
    except (ValueError, RecursionError) as error:
        message = f"not JSON: {error}"
        raise BadLine(message) from None
    if not is_dict(found):
        message = f"{_KINDS[type(found)]}, not an object: {_LIKE}"
        raise BadLine(message)
    for name in found:
        if name not in KEYS:
            known = f"; allowed keys: {', '.join(KEYS)}"
            message = f"unknown key {name!r}{did_you_mean(name, KEYS) or known}"
            raise BadLine(message)
    if "method" not in found:
        message = f'it has no "method": {_LIKE}'
        raise BadLine(message)
    method, params = found["method"], found.get("params")
    given = {"id": found["id"]} if "id" in found else {}
    if is_dict(params):
        expect(method, params)  # they are checked below
    try:
        APIRequest(method, params)
    except (TypeError, ValueError) as error:
        raise BadLine(str(error)) from None
    call = BatchCall(line=line, method=method, params=params or {}, given=given)
    problem = problem_with(method, call.params) if checked else None
    if problem is not None:
        raise BadLine(problem)
    return call


def too_long(number: int) -> CommandError:
    """Return the error for a line that is too long."""
    message = f"line {number} is longer than {MAX_LINE_BYTES >> 20} MB: not a call"
    return CommandError(message, WRONG_USAGE)


@final
class LineReader:
    """Reads lines from a file or a pipe without blocking the event loop.

    :param descriptor: the file descriptor to read; it is not closed
    :ivar number: the number of the last line read
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        mode = os.fstat(descriptor).st_mode
        is_pipe = stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)
        # Others, such as files and /dev/null, cannot be polled, and never block.
        self._may_block = is_pipe or os.isatty(descriptor)
        self._buffer = bytearray()
        self._searched = 0
        self._ended = False
        self.number: int = 0

    async def next(self) -> Line | None:
        """Return the next line, None at the end.

        :raises CommandError: if the line is too long
        """
        raw = await self._next_raw()
        if raw is None:
            return None
        self.number += 1
        return Line.from_bytes(self.number, raw)

    async def _next_raw(self) -> bytes | None:
        while (end := self._find()) < 0 and not self._ended:
            if len(self._buffer) > MAX_LINE_BYTES:
                raise too_long(self.number + 1)
            chunk = await self._read()
            self._buffer += chunk
            self._ended = not chunk
        if end < 0:
            end = len(self._buffer)
        if self._ended and not self._buffer:
            return None
        raw = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        self._searched = 0
        return raw

    def _find(self) -> int:
        end = self._buffer.find(b"\n", self._searched)
        if end < 0:
            self._searched = len(self._buffer)
        return end

    async def _read(self) -> bytes:
        if not self._may_block:
            return os.read(self._descriptor, _CHUNK)
        if sys.platform == "win32":
            return await anyio.to_thread.run_sync(
                os.read, self._descriptor, _CHUNK, abandon_on_cancel=True
            )
        await anyio.wait_readable(self._descriptor)
        return os.read(self._descriptor, _CHUNK)
