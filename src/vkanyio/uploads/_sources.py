"""Where the bytes of a file come from: a path, bytes, or an object that is read.

It checks a file before anything is sent, and reads it in threads, a chunk at a time.
"""

from __future__ import annotations

import io
import os
import stat
from inspect import iscoroutinefunction
from typing import IO, TYPE_CHECKING, Any, Protocol, TypeAlias, cast, final

import anyio
import attrs
from anyio import to_thread

from .._wire_checks import shown

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, AsyncIterator

    from ._kinds import FileKind

CHUNK = 256 * 1024
"""Bytes that are sent at once: progress is that such a chunk has been taken."""
READ_AHEAD = 4 * CHUNK
"""Bytes that a thread reads at once, since to go to a thread takes time."""

Content: TypeAlias = (
    "str | os.PathLike[str] | bytes | bytearray | IO[bytes] | AsyncIterable[bytes]"
)


@final
@attrs.frozen
class File:
    """A file to upload, if a path or bytes do not say enough.

    A file object is read from its current position, in a thread, and is not closed. It,
    a path and bytes can be sent again if the connection is lost; an asynchronous
    iterator cannot, but other asynchronous iterables are iterated over again.

    :param content: a path; bytes; a binary file object; or an asynchronous iterable of
        bytes, which needs ``size``
    :param name: the name that VK gets, with a suffix; by default that of the path, or
        of the file object
    :param size: the number of bytes
    """

    __module__ = "vkanyio.uploads"

    content: Content = attrs.field(repr=False)
    name: str | None = attrs.field(default=None, kw_only=True)
    size: int | None = attrs.field(default=None, kw_only=True)

    def __attrs_post_init__(self) -> None:
        if self.name is not None and not isinstance(self.name, str):
            message = f"name must be a str, got {shown(self.name)}"
            raise TypeError(message)
        if self.name is not None and not self.name.strip():
            message = f"name must be the name of a file, got {self.name!r}"
            raise ValueError(message)
        if self.size is not None:
            is_int = isinstance(self.size, int) and not isinstance(self.size, bool)
            message = f"size must be a number of bytes, got {shown(self.size)}"
            if not is_int:
                raise TypeError(message)
            if self.size < 0:
                raise ValueError(message)


AnyFile: TypeAlias = "str | os.PathLike[str] | bytes | bytearray | IO[bytes] | File"
"""What the methods of ``api.upload`` take as a file."""


class OpenFile(Protocol):
    """A file that is being read: the owner closes it, at any time."""

    async def read(self) -> bytes:
        """Return the next chunk; no bytes at the end."""
        ...

    def close(self) -> None:
        """End the reading; it does not wait."""
        ...


@final
@attrs.frozen(kw_only=True)
class FileSource:
    """A file that has been checked.

    :ivar name: the name that VK gets
    :ivar size: the number of bytes
    :ivar is_repeatable: whether it can be read a second time
    """

    name: str
    size: int
    is_repeatable: bool
    _content: Any = attrs.field(repr=False, alias="content")
    _start: int = attrs.field(default=0, alias="start")

    def open(self) -> OpenFile:
        """Begin to read it from its beginning."""
        content = self._content
        if isinstance(content, bytes | bytearray):
            return _BytesReading(content)
        if hasattr(content, "__aiter__"):
            return _AsyncReading(content)
        start = self._start if self.is_repeatable else None
        return _ThreadReading(content, start)


async def check_file(parameter: str, file: Any, kind: FileKind | None) -> FileSource:
    """Check a file before anything is sent.

    :param parameter: the parameter, for errors
    :param kind: what VK takes, None if that is not known
    :raises OSError: if there is no such file, or it cannot be read
    :raises TypeError: if it is not a file
    :raises ValueError: if it is empty, too large, or has a wrong suffix
    """
    given = file if isinstance(file, File) else File(_check_type(parameter, file))
    content = _check_type(parameter, given.content)
    name, size, start, is_repeatable = given.name, given.size, 0, True
    if isinstance(content, bytes | bytearray):
        found = len(content)
    elif isinstance(content, str | os.PathLike):
        path = os.fsdecode(cast("Any", content))
        name = os.path.basename(path) if name is None else name
        found = await to_thread.run_sync(_size_of_path, parameter, path)
    elif hasattr(content, "__aiter__"):
        is_repeatable = not hasattr(content, "__anext__")
        found = _size_given(parameter, size, "it is an asynchronous iterable")
    else:
        own_name = getattr(content, "name", None)
        if name is None and isinstance(own_name, str):
            name = os.path.basename(own_name)
        found, start, is_repeatable = await to_thread.run_sync(
            _size_of_file_object, parameter, content, size
        )
    if size is not None and size != found:
        message = f"{parameter} must have {size} bytes, as its size says, got {found}"
        raise ValueError(message)
    name = _checked_name(parameter, name, kind)
    _check_size(parameter, name, found, kind)
    return FileSource(
        name=name,
        size=found,
        is_repeatable=is_repeatable,
        content=content,
        start=start,
    )


def _size_given(parameter: str, size: int | None, reason: str) -> int:
    if size is None:
        message = f"{parameter} must have a size, as {reason}: File(content, size=...)"
        raise ValueError(message)
    return size


def _check_type(parameter: str, content: Any) -> Any:
    """Return the content of a file if it is of a known type."""
    is_known = isinstance(content, str | bytes | bytearray | os.PathLike)
    is_known = is_known or hasattr(content, "__aiter__") or _is_file_object(content)
    if isinstance(content, File) or not is_known:
        message = (
            f"{parameter} must be a path, bytes, a binary file object or a"
            f" vkanyio.uploads.File, got {type(content).__name__}"
        )
        if hasattr(content, "read"):
            message += ", whose `read` is async: pass the `file` in it, or its bytes"
        raise TypeError(message)
    if isinstance(content, str) and content.startswith(("http://", "https://")):
        message = (
            f"{parameter} must be a local file, got a URL: fetch it first, and pass"
            " its bytes or a File of its chunks"
        )
        raise ValueError(message)
    if isinstance(content, anyio.AsyncFile):  # it is iterated over in lines
        content = cast("Any", content).wrapped
    if isinstance(content, io.TextIOBase):
        message = f'{parameter} must be opened as binary, open(path, "rb"), got text'
        raise TypeError(message)
    return content


def _is_file_object(content: Any) -> bool:
    read = getattr(content, "read", None)
    return callable(read) and not iscoroutinefunction(read)


def _size_of_path(parameter: str, path: str | os.PathLike[str]) -> int:
    # Before it is opened: a named pipe would wait for somebody who writes to it. What
    # is wrong with a directory, opening it says.
    mode = os.stat(path).st_mode
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        message = f"{parameter} must be a regular file, got {os.fspath(path)!r}"
        raise ValueError(message)
    with open(path, "rb") as file:
        return os.fstat(file.fileno()).st_size


def _size_of_file_object(
    parameter: str, file: Any, size: int | None
) -> tuple[int, int, bool]:
    """Return how many bytes a file object has, where it stands, and if it goes back."""
    try:
        is_seekable = bool(file.seekable())
    except AttributeError:
        is_seekable = False
    if not is_seekable:
        return _size_given(parameter, size, "it cannot be rewound"), 0, False
    start: int = file.tell()
    end: int = file.seek(0, os.SEEK_END)
    file.seek(start)
    return end - start, start, True


def _checked_name(parameter: str, name: str | None, kind: FileKind | None) -> str:
    suffixes = kind.suffixes if kind is not None else ()
    if name is None:
        if not suffixes:
            message = (
                f"{parameter} must have a name with a suffix, which VK shows:"
                ' File(content, name="report.pdf")'
            )
            raise ValueError(message)
        return f"file.{suffixes[0]}"
    stem, dot, suffix = name.rpartition(".")
    suffix = suffix.lower() if dot and stem else ""
    if kind is None:
        return name
    if suffixes and not suffix:
        return f"{name}.{suffixes[0]}"
    if suffixes and suffix not in suffixes:
        message = (
            f"{parameter} must have one of the suffixes {', '.join(suffixes)} for"
            f" upload.{kind.name}, got {name!r}: if only its name is wrong, rename it,"
            f" or pass File(..., name={f'{stem}.{suffixes[0]}'!r})"
        )
        raise ValueError(message)
    if suffix in kind.refused_suffixes:
        message = (
            f"{parameter} must not have one of the suffixes"
            f" {', '.join(kind.refused_suffixes)} for upload.{kind.name}, which VK"
            f" refuses, got {name!r}: put it into an archive"
        )
        raise ValueError(message)
    return name


def _check_size(parameter: str, name: str, size: int, kind: FileKind | None) -> None:
    if size == 0:
        message = f"{parameter} must not be empty, got {name!r} of 0 bytes"
        raise ValueError(message)
    if kind is not None and kind.max_size is not None and size > kind.max_size:
        message = (
            f"{parameter} must have at most {kind.max_size:,} bytes for"
            f" upload.{kind.name}, got {name!r} of {size:,}"
        )
        raise ValueError(message)


@final
class _BytesReading:
    def __init__(self, content: bytes | bytearray) -> None:
        self._content = memoryview(content)
        self._position = 0

    async def read(self) -> bytes:
        chunk = bytes(self._content[self._position : self._position + CHUNK])
        self._position += len(chunk)
        return chunk

    def close(self) -> None:
        self._content.release()


@final
class _AsyncReading:
    """Reads an asynchronous iterable, which its author closes."""

    def __init__(self, content: AsyncIterable[bytes]) -> None:
        self._chunks: AsyncIterator[bytes] = aiter(content)

    async def read(self) -> bytes:
        while True:
            try:
                chunk = await anext(self._chunks)
            except StopAsyncIteration:
                return b""
            if chunk:  # an empty one is not the end
                return chunk

    def close(self) -> None:
        """Do nothing: the iterable is the user's."""


@final
class _ThreadReading:
    """Reads a path or a file object in threads.

    A native cancellation of asyncio leaves while a thread is at work. Whoever is last,
    that thread or :meth:`close`, closes the file: so no descriptor is used after it was
    closed, and none is left open.
    """

    def __init__(self, content: Any, start: int | None) -> None:
        self._content = content
        self._start = start
        self._file: IO[bytes] | None = None
        self._is_own = not hasattr(content, "read")
        self._is_at_work = False
        self._is_closed = False
        self._block = b""
        self._position = 0  # in the block

    async def read(self) -> bytes:
        if self._position >= len(self._block):
            self._block = await to_thread.run_sync(self._read)
            self._position = 0
        chunk = self._block[self._position : self._position + CHUNK]
        self._position += len(chunk)
        return chunk

    def close(self) -> None:
        self._is_closed = True
        if not self._is_at_work:
            self._close()

    def _close(self) -> None:
        if self._file is not None and self._is_own:
            self._file.close()

    def _read(self) -> bytes:
        self._is_at_work = True
        try:
            return b"" if self._is_closed else self._opened().read(READ_AHEAD)
        finally:
            self._is_at_work = False
            if self._is_closed:
                self._close()

    def _opened(self) -> IO[bytes]:
        if self._file is None:
            if self._is_own:
                self._file = open(self._content, "rb", buffering=0)  # noqa: SIM115
            else:
                self._file = self._content
                if self._start is not None:
                    self._content.seek(self._start)
        assert self._file is not None
        return self._file
