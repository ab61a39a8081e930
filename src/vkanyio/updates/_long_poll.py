"""Updates by long poll, for one consumer.

The task that asks for the next update also polls: there is no task in the background
and no queue but what VK sent at once. So nothing is fetched while nobody asks, and a
wait that is cancelled loses nothing.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, final

from anyio import CancelScope, Event, sleep, sleep_forever

from .._errors import ClientUseError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ._poller import Poller
    from ._positions import PositionKeeper
    from ._progress import Progress
    from ._update import Item

SHORT_WAIT = 1
"""Seconds of a poll after which a position has to be saved."""


@final
class LongPollSource:
    """Implements :class:`~vkanyio.updates._handle.Source`.

    :param keeper: where the position is saved, None if it is not
    :param wait: for how many seconds VK may hold a poll
    :param is_wanted: whether an update or gap is delivered; others are acknowledged
    """

    def __init__(
        self,
        poller: Poller,
        progress: Progress,
        *,
        keeper: PositionKeeper | None,
        wait: int,
        is_wanted: Callable[[Item], bool],
    ) -> None:
        self.progress: Progress = progress
        self.is_taking: bool = False
        self._poller = poller
        self._keeper = keeper
        self._wait = wait
        self._is_wanted = is_wanted
        self._ready: deque[Item] = deque()
        self._scope: CancelScope | None = None
        self._is_stopped = self._is_closed = False
        self._is_attended = False
        self._change = Event()

    def stop(self) -> None:
        """End this wait and all others."""
        self._is_stopped = True
        if self._scope is not None:
            self._scope.cancel()

    def close(self) -> None:
        """End this wait and all others: with an error, unless it was stopped before."""
        self._is_closed = not self._is_stopped
        self.stop()

    async def take(self) -> Item:
        """Wait for the next update or gap; see :meth:`Source.take`.

        :raises ClientUseError: if the block of the updates is left meanwhile
        """
        if self.is_taking:
            raise two_consumers()
        self.is_taking = True
        try:
            while not self._is_stopped:
                if self._ready and not self._must_save():
                    return self._ready.popleft()
                with CancelScope() as self._scope:
                    await self._save_or_poll()
            if self._is_closed:
                raise left_meanwhile()
            raise StopAsyncIteration
        finally:
            self._scope = None
            self.is_taking = False

    def done(self, item: Item) -> None:
        """Acknowledge an update or a gap."""
        self.progress.done(item)
        self._change.set()

    def give_back(self, items: Sequence[Item]) -> None:
        """Take back what was not handled, in order."""
        self._ready.extendleft(reversed(items))

    async def attend(self) -> None:
        """Save the position while handlers work."""
        keeper = self._keeper
        if keeper is None:
            await sleep_forever()
            return
        self._is_attended = True
        try:
            while True:
                await keeper.save_if_due()
                if keeper.is_behind:
                    await sleep(keeper.seconds_until_due)
                else:
                    self._change = Event()
                    await self._change.wait()
        finally:
            self._is_attended = False

    async def _save_or_poll(self) -> None:
        """Bring the store up to date, or get something to deliver."""
        if self._keeper is not None and self._must_save():
            await self._keeper.save_if_due()
            return
        items = await self._poller.step(self.progress, self._next_wait())
        self._change.set()
        for item in items:
            if self._is_wanted(item):
                self._ready.append(item)
            else:
                self.progress.done(item)

    def _must_save(self) -> bool:
        keeper = self._keeper
        return keeper is not None and not self._is_attended and keeper.is_due

    def _next_wait(self) -> int:
        """Return for how long VK may hold a poll: not long if a save is due."""
        keeper = self._keeper
        if keeper is None or self._is_attended or not keeper.is_behind:
            return self._wait
        return min(self._wait, max(SHORT_WAIT, round(keeper.seconds_until_due)))


def left_meanwhile() -> ClientUseError:
    """Make the error of a task that waits for updates while their block is left."""
    return ClientUseError(
        "the block of these updates was left while this task waited for them: call"
        " `updates.stop()` and wait for the task before that"
    )


def two_consumers() -> ClientUseError:
    """Make the error of a second task that wants the same updates."""
    return ClientUseError(
        "another task is already waiting for these updates, and each update would"
        " reach only one of the two: use `updates.handle(...)`, which has workers"
    )
