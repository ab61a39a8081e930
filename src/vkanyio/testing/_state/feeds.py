"""The updates that long poll servers keep.

How many updates VK keeps, and for how long a key is valid, is not documented for
communities: the defaults are those reported for users.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, TypeAlias, final

import anyio
import attrs

if TYPE_CHECKING:
    from .._update_ledger import MadeUpdate, MailboxUpdate

    Record: TypeAlias = MadeUpdate | MailboxUpdate


@final
@attrs.define(eq=False, kw_only=True)
class PollLimits:
    """How generous the long poll servers are, as in ``Simulator.long_poll``."""

    key_seconds: float = 3600.0
    retention: int = 256
    most: int = 100
    history: int = 5000
    page: int = 1000

    def change(self, **given: float | None) -> None:
        """Change those that are not None."""
        for name, number in given.items():
            if number is None:
                continue
            if number <= 0:
                raise ValueError(f"{name} must be positive, not {number}")
            setattr(self, name, number)


@final
class History:
    """The lasting updates of a mailbox; their positions are called ``pts``.

    :param limits: how many updates it keeps
    """

    def __init__(self, limits: PollLimits) -> None:
        self.pts = 1
        """The position after the last update."""
        self._limits = limits
        self._kept: deque[MailboxUpdate] = deque()
        self._lost = 0  # the number of the last update that is not kept

    @property
    def oldest(self) -> int:
        """The lowest position that can be asked from."""
        return self._kept[0].pts - 1 if self._kept else self.pts

    def add(self, made: MailboxUpdate) -> None:
        """Keep an update, at the position ``pts + 1``."""
        self.pts = made.pts
        self._kept.append(made)
        while len(self._kept) > self._limits.history:
            self._lost = self._kept.popleft().number

    def after(self, pts: int) -> list[MailboxUpdate]:
        """List the updates after a position."""
        return [each for each in self._kept if each.pts > pts]

    def pts_at(self, ts: int) -> int:
        """Return the position after the update with a number.

        It is lower than the oldest one if updates after it are not kept.
        """
        before = [each.pts for each in self._kept if each.number <= ts]
        if before:
            return before[-1]
        return self.oldest if ts >= self._lost else self.oldest - 1


@final
class Feed:
    """The updates of a community, numbered, as its long poll server keeps them.

    :param number: the number of the server
    :param limits: how many updates it keeps and sends at once
    :param history: for a mailbox, its history
    """

    def __init__(
        self, number: int, limits: PollLimits, history: History | None = None
    ) -> None:
        self.number = number
        self.limits = limits
        self.history = history
        self.last = 1
        """The number of the last update; before the first one there is none with it."""
        self._kept: deque[Record] = deque()
        self._waiting: set[anyio.Event] = set()

    @property
    def oldest(self) -> int:
        """The lowest number that can be asked from: what came later is still kept."""
        return self._kept[0].number - 1 if self._kept else self.last

    def add(self, made: Record) -> None:
        """Keep an update, and end the polls that wait for one.

        :param made: the update, numbered ``last + 1``
        """
        self.last = made.number
        self._kept.append(made)
        self.forget(self.limits.retention)
        for event in self._waiting:
            event.set()

    def forget(self, kept: int = 0) -> None:
        """Forget the oldest updates.

        :param kept: how many to keep
        """
        while len(self._kept) > kept:
            self._kept.popleft().forgotten = True

    def after(self, ts: int, more: int = 0) -> list[Record]:
        """List the updates after a number, as many as are sent at once.

        :param more: how many more
        """
        later = [each for each in self._kept if each.number > ts]
        return later[: self.limits.most + more]

    async def wait_for_more(self, ts: int) -> None:
        """Wait until there are updates after a number."""
        while self.last <= ts:
            event = anyio.Event()
            self._waiting.add(event)
            try:
                await event.wait()
            finally:
                self._waiting.discard(event)
