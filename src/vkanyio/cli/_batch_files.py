"""The output of a command, and the journal of ``vkanyio batch`` beside it."""

from __future__ import annotations

import json
import os
import shlex
import stat
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Protocol, final

import anyio
from anyio import to_thread

from ._batch_book import Book
from ._common import WRONG_USAGE, CommandError
from ._output import to_json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._batch_lines import Line

try:
    import fcntl
except ModuleNotFoundError:  # Windows: the output is not locked
    fcntl = None  # type: ignore[assignment]

_PIPE_BYTES = 4096
"""How much a writable pipe takes without blocking: PIPE_BUF of POSIX, or less."""


def head_of(line: Line) -> dict[str, Any]:
    """Return the fields with which every record of a line begins."""
    return {"line": line.number, "digest": f"{line.digest:08x}"}


class Output(Protocol):
    """Where records go."""

    async def write(self, record: Any) -> None:
        """Write a record."""
        ...


@final
class StreamOutput:
    """Standard output, which cannot be resumed.

    :param descriptor: where to write
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        mode = os.fstat(descriptor).st_mode
        may_wait = stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)
        self._is_pipe = may_wait and sys.platform != "win32"
        self._turn = anyio.Lock()

    async def write(self, record: Any) -> None:
        """Write a record; a slow reader blocks this task, not the event loop."""
        data = memoryview(_encode(record))
        async with self._turn:
            while data:
                if self._is_pipe:
                    await anyio.wait_writable(self._descriptor)
                    written = os.write(self._descriptor, data[:_PIPE_BYTES])
                else:
                    written = os.write(self._descriptor, data)
                data = data[written:]


@final
class LineFile:
    """A file of JSON lines that survives a crash: it is read, repaired and appended to.

    :param path: the file; it is created if it does not exist, and then only its owner
        may read it
    :raises CommandError: if it cannot be used
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._file: IO[bytes]
        try:
            self._file = open(  # noqa: SIM115 - closed below
                path, "a+b", buffering=0, opener=open_private
            )
        except OSError as error:
            raise self._command_error(error) from None
        if not stat.S_ISREG(os.fstat(self._file.fileno()).st_mode):
            self._file.close()
            message = f"{path} is not a regular file: leave out --output"
            raise CommandError(message, WRONG_USAGE)
        self._written = self._synced = 0
        self._write_error: OSError | None = None
        self._sync_error: OSError | None = None
        self._turn = anyio.Lock()

    def lock(self) -> None:
        """Lock the file against other commands until it is closed.

        :raises CommandError: if another process holds the lock
        """
        if fcntl is None:
            return
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._file.close()
            message = f"{self.path} is being written by another vkanyio command"
            raise CommandError(message, WRONG_USAGE) from None

    def read(self) -> Iterator[bytes]:
        """Yield the lines, and repair the end of the file.

        The last line is incomplete if the machine crashed while writing it.
        """
        good, is_ended = 0, True
        with open(self.path, "rb") as file:
            for raw in file:
                is_ended = raw.endswith(b"\n")
                if not is_ended and not _is_whole(raw):
                    break
                good += len(raw)
                yield raw
            else:
                if not is_ended:
                    self._write(b"\n")
                return
        self._file.truncate(good)

    def size(self) -> int:
        """Return the size of the file in bytes."""
        return os.fstat(self._file.fileno()).st_size

    def cut(self, size: int) -> None:
        """Cut off what follows after so many bytes."""
        self._file.truncate(size)

    def append(self, record: Any) -> None:
        """Write a record, which then survives a crash of the process.

        :raises CommandError: if it cannot be written, for example to a full disk
        """
        self._write(_encode(record))

    async def write(self, record: Any) -> None:
        """Write a record, without a checkpoint: cancellation cannot lose it."""
        self.append(record)

    async def sync(self) -> None:
        """Wait until everything written survives a crash of the machine.

        Concurrent waiters share one `fsync`.
        """
        mine = self._written
        async with self._turn:
            if self._synced < mine:
                reached = self._written
                if self._sync_error is not None:
                    raise self._command_error(self._sync_error)
                try:
                    await to_thread.run_sync(os.fsync, self._file.fileno())
                except OSError as error:
                    # The kernel may have dropped the data, and a second `fsync` would
                    # then succeed (https://wiki.postgresql.org/wiki/Fsync_Errors).
                    self._sync_error = error
                    raise self._command_error(error) from None
                self._synced = reached

    def remove_if_empty(self) -> None:
        """Delete the file if it has nothing in it; it stays open."""
        path = Path(self.path)
        with suppress(OSError):  # another process may have removed it
            if not path.stat().st_size:
                path.unlink()

    def close(self) -> None:
        """Sync the file to disk and close it.

        :raises CommandError: if it cannot be synced
        """
        if self._file.closed:
            return
        try:
            os.fsync(self._file.fileno())
        except OSError as error:
            raise self._command_error(error) from None
        finally:
            self._file.close()

    def _write(self, data: bytes) -> None:
        """Write lines as a whole, or not at all.

        After a part of a line, further lines would make the file unreadable.
        """
        if self._write_error is not None:
            raise self._command_error(self._write_error)
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[self._file.write(rest) :]
        except OSError as error:
            try:
                self._file.truncate(self.size() - (len(data) - len(rest)))
            except OSError:
                self._write_error = error
            raise self._command_error(error) from None
        self._written += len(data)

    def _command_error(self, error: OSError) -> CommandError:
        message = f"cannot write {shlex.quote(self.path)}: {error.strerror}"
        return CommandError(message, WRONG_USAGE)


@final
class OutputFiles:
    """An output that can be resumed, and its journal.

    The journal has an entry for each call that must not be made twice, written just
    before its first request leaves. An entry without a record is a call in doubt.

    :param path: the output
    :raises CommandError: if it cannot be used
    """

    def __init__(self, path: str) -> None:
        journal = Path(f"{path}.journal")
        # Not Path.exists, which may raise an OSError; opening the output reports it.
        has_journal = os.path.exists(journal)
        if has_journal and not os.path.exists(path):
            message = (
                f"{journal} exists, but {path} does not: restore {path}, or remove the"
                " journal"
            )
            raise CommandError(message, WRONG_USAGE)
        self.records: LineFile = LineFile(path)
        self.records.lock()
        self._journal_path = journal
        self._journal: LineFile | None = None
        if has_journal:
            try:
                self._journal = LineFile(str(journal))
            except CommandError:
                self.records.close()
                raise

    def read(self, *, retry_errors: bool) -> Book:
        """Read the output and the journal of an earlier run."""
        book = Book()
        path = self.records.path
        book.read_records(path, self.records.read(), retry_errors=retry_errors)
        if self._journal is not None:
            book.read_journal(self._journal.path, self._journal.read())
        return book

    def note_start(self, line: Line, random_id: int | None) -> None:
        """Note that a call is about to be sent; follow with :meth:`sync_journal`."""
        if self._journal is None:
            self._journal = LineFile(str(self._journal_path))
            _sync_directory(self._journal_path.parent)
        key = {} if random_id is None else {"random_id": random_id}
        self._journal.append({**head_of(line), "started": int(time.time()), **key})

    def note_withdrawn(self, line: Line) -> None:
        """Note that a call was not sent after all."""
        assert self._journal is not None  # since the start was noted
        self._journal.append({**head_of(line), "started": False})

    async def sync_journal(self) -> None:
        """Wait until the journal survives a crash of the machine."""
        if self._journal is not None:
            await self._journal.sync()

    def close(self) -> None:
        """Close the files, and delete the output if it is empty."""
        if self._journal is None:
            self.records.remove_if_empty()
        try:
            self.records.close()
        finally:
            if self._journal is not None:
                self._journal.close()

    def finish(self) -> None:
        """Close the files and delete the journal, when no call is left."""
        self.close()
        with suppress(OSError):  # the directory may have become read-only
            self._journal_path.unlink(missing_ok=True)


def open_private(path: str, flags: int) -> int:
    """Open a file that only its owner may read, if it is created; for ``open``."""
    # Messages and passwords are not for other users. An existing file keeps its mode.
    return os.open(path, flags, 0o600)


def _encode(record: Any) -> bytes:
    return f"{to_json(record)}\n".encode()


def _is_whole(raw: bytes) -> bool:
    with suppress(ValueError, RecursionError):
        return isinstance(json.loads(raw), dict)
    return False


def _sync_directory(path: Path) -> None:
    if fcntl is None:
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
