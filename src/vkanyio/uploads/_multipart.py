"""A form with files as the body of a request, a chunk at a time.

https://www.rfc-editor.org/rfc/rfc7578
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Literal, Self, TypeAlias, final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ._sources import FileSource, OpenFile

Stage: TypeAlias = Literal["reading", "sending", "sent"]

_ESCAPES = str.maketrans({'"': "%22", "\r": "%0D", "\n": "%0A"})
"""As browsers escape names
(https://html.spec.whatwg.org/multipage/form-control-infrastructure.html)."""


@final
class Multipart:
    """The body of one request. It is iterated over once, and closed by its owner.

    No content of a file can end its part early: the boundary is random.

    :param files: fields and their files
    :param form: further fields and their values
    :param on_progress: called with the bytes of the files that the connection has taken
    :ivar content_type: the header
    :ivar length: bytes of the whole body
    :ivar size: bytes of the files
    :ivar sent: bytes of the files that the connection has taken
    :ivar is_sent: whether nothing is left to hand over
    :ivar on_stage: called with "reading", "sending" or "sent": what is waited for
    """

    def __init__(
        self,
        files: Sequence[tuple[str, FileSource]],
        form: Mapping[str, str],
        on_progress: Callable[[int, int], object] | None,
    ) -> None:
        boundary = secrets.token_hex(16)
        self.content_type: str = f"multipart/form-data; boundary={boundary}"
        self.size: int = sum(source.size for _, source in files)
        self.sent: int = 0
        self.is_sent: bool = False
        self.on_stage: Callable[[Stage], object] = _ignore
        self._on_progress = on_progress
        self._parts: list[bytes | FileSource] = []
        opening = f"--{boundary}\r\n"
        for name, value in form.items():
            self._parts.append(
                f"{opening}{_disposition(name)}\r\n\r\n{value}\r\n".encode()
            )
        for name, source in files:
            head = (
                f'{opening}{_disposition(name)}; filename="{_escape(source.name)}"\r\n'
                "Content-Type: application/octet-stream\r\n\r\n"
            )
            self._parts += [head.encode("utf-8", "replace"), source, b"\r\n"]
        self._parts.append(f"--{boundary}--\r\n".encode())
        self.length: int = sum(
            len(part) if isinstance(part, bytes) else part.size for part in self._parts
        )
        self._next = 0
        self._reading: OpenFile | None = None
        self._left = 0  # bytes of the file that is being read
        self._handed_over = 0  # bytes of the files that are on their way

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        self._report()
        if self._reading is None:
            if self._next == len(self._parts):
                self.is_sent = True
                self.on_stage("sent")
                raise StopAsyncIteration
            part = self._parts[self._next]
            self._next += 1
            if isinstance(part, bytes):
                return part
            self._reading, self._left = part.open(), part.size
        return await self._read(self._reading)

    def _report(self) -> None:
        """Report what was handed over: the connection has taken it, and wants more."""
        if self._on_progress is not None and (
            self.sent != self._handed_over or not self._next
        ):
            self._on_progress(self._handed_over, self.size)
        self.sent = self._handed_over

    async def _read(self, reading: OpenFile) -> bytes:
        """Return the next chunk of a file; with the last one, make sure that it is."""
        chunk = await self._next_chunk(reading)
        self._left -= len(chunk)
        self._handed_over += len(chunk)
        if self._left < 0 or (not self._left and await self._next_chunk(reading)):
            message = "a file has more bytes than its size says, or had before"
            raise ValueError(message)
        if self._left and not chunk:
            message = "a file has fewer bytes than its size says, or had before"
            raise ValueError(message)
        if not self._left:
            self.close()
        return chunk

    async def _next_chunk(self, reading: OpenFile) -> bytes:
        self.on_stage("reading")
        chunk = await reading.read()
        self.on_stage("sending")
        if not isinstance(chunk, bytes | bytearray):
            message = f"a file must consist of bytes, got {type(chunk).__name__}"
            raise TypeError(message)
        return chunk

    def close(self) -> None:
        """Close the file that is being read."""
        if self._reading is not None:
            self._reading.close()
            self._reading = None


def _ignore(_: Stage) -> None:
    """Take no notice."""


def _disposition(name: str) -> str:
    return f'Content-Disposition: form-data; name="{_escape(name)}"'


def _escape(name: str) -> str:
    return name.translate(_ESCAPES)
