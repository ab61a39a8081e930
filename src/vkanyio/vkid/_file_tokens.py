"""Tokens in a file, which several processes of a machine may share."""

from __future__ import annotations

import json
import os
import sys
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, final

from anyio import current_time, sleep, to_thread

from .._masking import mask
from ._tokens import StoredTokens, VKIDError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

LOCK_SECONDS = 60.0
"""Longer than a renewal takes: a process that holds the lock for so long hangs."""
MAX_PAUSE = 0.2
"""Seconds between two attempts to get the lock."""
PRIVATE = 0o600


@final
class FileTokens:
    """Tokens in a file that only its owner can read (mode 0600).

    The file has one JSON object::

        {
          "access_token": "vk2.a...", "refresh_token": "vk2.a...",
          "expires_at": "2026-12-01T12:00:00+00:00",
          "device_id": "...", "user_id": 1
        }

    It is replaced as a whole: written beside, flushed to the disk, renamed. Processes
    that share it also share the file with ``.lock`` after its name, by which one renews
    the tokens and the others find the new ones.

    :param path: the file; its directory exists
    :raises TypeError: if the path is of the wrong type
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        if not isinstance(path, str | os.PathLike):
            message = f"path must be a str or a path, got {type(path).__name__}"
            raise TypeError(message)
        self._path = Path(path)

    def __repr__(self) -> str:
        return f"FileTokens({str(self._path)!r})"

    @asynccontextmanager
    async def lock(self) -> AsyncGenerator[None]:
        """Wait for the lock, and hold it for the block.

        The operating system frees it when a process ends, however it does.

        :raises VKIDError: if another process has held it for a minute
        """
        target = self._target
        path = target.with_name(f"{target.name}.lock")
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, PRIVATE)
        try:
            began, pause = current_time(), 0.01
            while not _lock(descriptor):
                if current_time() - began > LOCK_SECONDS:
                    message = (
                        f"another process has held the lock {path} for"
                        f" {LOCK_SECONDS:.0f} s: it seems to hang"
                    )
                    raise VKIDError(message, is_transient=True)
                await sleep(pause)
                pause = min(2 * pause, MAX_PAUSE)
            yield
        finally:
            _unlock(descriptor)
            os.close(descriptor)

    async def load(self) -> StoredTokens | None:
        """Return the tokens, None if there is no file yet.

        :raises VKIDError: if the file has something else in it
        """
        try:
            content = mask(await to_thread.run_sync(self._path.read_bytes))
        except FileNotFoundError:
            return None
        try:
            return StoredTokens.from_json(json.loads(content))
        except json.JSONDecodeError:
            reason = "it is not JSON"
        except (TypeError, ValueError) as problem:
            reason = str(problem)
        message = f"{self._path} does not contain tokens of VK ID: {reason}"
        raise VKIDError(message)

    async def save(self, tokens: StoredTokens) -> None:
        """Replace the tokens."""
        await to_thread.run_sync(self._write, tokens)

    @property
    def _target(self) -> Path:
        """The file, or the one that a link leads to: the link stays one."""
        return Path(os.path.realpath(self._path))

    def _write(self, tokens: StoredTokens) -> None:
        target = self._target
        beside = target.with_name(f"{target.name}.new")
        beside.unlink(missing_ok=True)  # of a process that was killed
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        with os.fdopen(os.open(beside, flags, PRIVATE), "w", encoding="utf-8") as file:
            json.dump(tokens.to_json(), file, indent=2)
            file.write("\n")
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, target)
        if hasattr(os, "O_DIRECTORY"):  # the name has to survive, too
            directory = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(directory)
            finally:
                os.close(directory)


if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> bool:
        """Return whether the lock of a file was free, and is held now."""
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _unlock(_: int) -> None:
        """Do nothing: closing the file frees its lock."""

else:
    import fcntl

    def _lock(descriptor: int) -> bool:
        """Return whether the lock of a file was free, and is held now."""
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _unlock(descriptor: int) -> None:
        """Free the lock, also if a process that was forked has the file open, too."""
        fcntl.flock(descriptor, fcntl.LOCK_UN)
