"""Where positions are kept between two lives of a program.

It saves what the position has become, at most once a second, and never hides that a
store fails.
"""

from __future__ import annotations

import logging
import os
import threading
from contextlib import suppress
from itertools import count
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Protocol, final, runtime_checkable

from anyio import CancelScope, Lock, current_time, move_on_after, to_thread

from ._errors import PositionError
from ._progress import UpdatesPosition

if TYPE_CHECKING:
    from collections.abc import Callable

SAVE_SECONDS = 1.0
"""Between two saves."""
SAVED_A_SECOND = 100_000
"""Characters. A position becomes longer and longer while a handler hangs, since it has
all that was handled meanwhile: it is saved less often then."""
RETRY_SECONDS = 10.0
"""Between two saves of a store that fails."""
MAX_FAILING_SECONDS = 180.0
"""For how long a store may fail: updates handled meanwhile may be delivered again."""
MAX_SAVE_SECONDS = 30.0
"""For one save: a store that takes longer has failed."""
CLOSE_SECONDS = 5.0
"""For the last save."""

logger = logging.getLogger("vkanyio")


@runtime_checkable
class PositionStore(Protocol):
    """Stores the position of updates, a short text, for example in a database."""

    async def load(self) -> str | None:
        """Return the text that was saved last, None if there is none."""
        ...

    async def save(self, position: str, /) -> None:
        """Save a text, in place of the one before.

        It is cancelled after 30 seconds, and has failed then.
        """
        ...


@final
class FilePosition:
    """Stores the position of updates in a file.

    A new position is written to another file beside it, which then replaces it, so the
    file is complete at any time, also if two processes write it during a restart.

    :param path: the file; it need not exist, but its directory must
    """

    __module__ = "vkanyio.updates"

    def __init__(self, path: str | os.PathLike[str]) -> None:
        if not isinstance(path, str | os.PathLike):
            message = f"path must be the path of a file, got {type(path).__name__}"
            raise TypeError(message)
        self._path = Path(os.fspath(path))
        self._saves = count(1)
        self._written = 0  # the number of the save that was written last
        self._writing = threading.Lock()

    def __repr__(self) -> str:
        return f"FilePosition({os.fspath(self._path)!r})"

    async def load(self) -> str | None:
        """Read the file, None if it does not exist."""
        return await to_thread.run_sync(self._read)

    async def save(self, position: str) -> None:
        """Replace the file."""
        # A cancellation leaves while a thread is at work, since a disk may hang. What
        # that one writes must not replace a later position.
        number = next(self._saves)
        await to_thread.run_sync(self._write, number, position, abandon_on_cancel=True)

    def _read(self) -> str | None:
        with suppress(FileNotFoundError):
            return self._path.read_text(encoding="utf-8")
        return None

    def _write(self, number: int, position: str) -> None:
        with self._writing:
            if number > self._written:
                self._replace(position)
                self._written = number

    def _replace(self, position: str) -> None:
        target = Path(os.path.realpath(self._path))  # a link stays one
        beside = target.with_name(f"{target.name}.{token_hex(4)}.new")
        try:
            with beside.open("w", encoding="utf-8") as file:
                file.write(position)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(target)
        except BaseException:
            beside.unlink(missing_ok=True)
            raise


@final
class PositionKeeper:
    """Saves a position as it changes.

    :param store: where to
    :param position: returns the position
    :param saved: the text that the store has, None if it has none
    """

    def __init__(
        self,
        store: PositionStore,
        position: Callable[[], UpdatesPosition],
        *,
        saved: str | None = None,
    ) -> None:
        self._store = store
        self._position = position
        self._saved = saved
        self._due_at = -float("inf")
        self._failing_since: float | None = None
        self._lock = Lock()

    @property
    def is_due(self) -> bool:
        """Whether there is something to save now."""
        return current_time() >= self._due_at and self.is_behind

    @property
    def is_behind(self) -> bool:
        """Whether the store has another position."""
        return self._saved != str(self._position())

    @property
    def seconds_until_due(self) -> float:
        """For how long nothing more is to be saved."""
        return max(self._due_at - current_time(), 0.0)

    async def save_if_due(self) -> None:
        """Save the position if it has changed, and the last save was a while ago.

        :raises PositionError: if the store has failed for three minutes
        """
        try:
            async with self._lock:
                if self.is_due:
                    await self._save()
        except Exception as error:
            now = current_time()
            self._due_at = now + RETRY_SECONDS
            if self._failing_since is None:
                self._failing_since = now
            if now - self._failing_since >= MAX_FAILING_SECONDS:
                raise self._failed(error) from error
            text = "the position of updates could not be saved, retrying: %s: %s"
            logger.warning(text, type(error).__name__, error)

    async def save_first(self) -> None:
        """Save the position where a program begins, unless it was loaded.

        :raises PositionError: if the store fails
        """
        try:
            async with self._lock:
                if self.is_behind:
                    await self._save()
        except Exception as error:
            raise self._failed(error) from error

    async def save_last(self) -> None:
        """Save the position of a program that ends, in bounded time.

        :raises PositionError: if the store fails, or takes too long
        """
        with CancelScope(shield=True), move_on_after(CLOSE_SECONDS):
            await self.save_first()
        if self.is_behind:
            raise self._failed(TimeoutError(f"it took over {CLOSE_SECONDS:g} s"))

    async def _save(self) -> None:
        text = str(self._position())
        with move_on_after(MAX_SAVE_SECONDS) as scope:
            await self._store.save(text)
        if scope.cancelled_caught:
            raise TimeoutError(f"it took over {MAX_SAVE_SECONDS:g} s")
        self._saved, self._failing_since = text, None
        seconds = max(SAVE_SECONDS, len(text) / SAVED_A_SECOND)
        self._due_at = current_time() + seconds

    def _failed(self, error: Exception) -> PositionError:
        reason = str(error) or type(error).__name__
        message = (
            f"{self._store!r} could not save the position of updates: {reason}."
            " Updates that were handled since the last save will be delivered again"
        )
        return PositionError(message)


def store_and_start(
    position: PositionStore | str | None,
) -> tuple[PositionStore | None, UpdatesPosition | None]:
    """Check what a user passed as a position.

    :return: the store, or the position that the text has
    """
    if isinstance(position, str):
        try:
            return None, UpdatesPosition.parse(position)
        except ValueError as problem:
            message = (
                "position must be the text of an earlier position, or a store such as"
                f" FilePosition({position[:40]!r}): {problem}"
            )
            raise ValueError(message) from None
    if position is None or isinstance(position, PositionStore):
        return position, None
    message = (
        "position must be a store such as FilePosition(path), the text of an earlier"
        f" position or None, got {type(position).__name__}"
    )
    raise TypeError(message)


async def load_position(store: PositionStore) -> UpdatesPosition | None:
    """Load a position; one that cannot be read stays as it is.

    :raises PositionError: if it cannot be loaded
    """
    try:
        text = await store.load()
    except Exception as error:
        reason = str(error) or type(error).__name__
        message = f"{store!r} could not load the position of updates: {reason}"
        raise PositionError(message) from error
    if text is None:
        return None
    try:
        return UpdatesPosition.parse(text)
    except ValueError as problem:
        message = (
            f"{store!r} contains no position of updates: {problem}. It was not"
            " changed; move it away to start with the next update"
        )
        raise PositionError(message) from None
