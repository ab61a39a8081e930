"""Statistics of a program that listens for updates."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, final

import attrs
from anyio import current_time

if TYPE_CHECKING:
    from collections.abc import Mapping


@final
@attrs.frozen(kw_only=True)
class UpdateStatistics:
    """A snapshot of the numbers of polls and updates, from ``updates.statistics()``.

    :ivar polls: requests for updates that were made
    :ivar failures: how many of them failed, by the reason: "failed 1" to "failed 3" are
        VK's numbers, all others are names of errors
    :ivar updates: updates that arrived, without those that VK sent again
    :ivar duplicates: updates that VK sent again
    :ivar gaps: how often VK has lost updates
    :ivar servers: how often a server and a key were requested
    :ivar since_answer: seconds since VK last answered, None before that
    :ivar since_update: seconds since the last update arrived, None before that
    """

    __module__ = "vkanyio.updates"

    polls: int
    failures: Mapping[str, int]
    updates: int
    duplicates: int
    gaps: int
    servers: int
    since_answer: float | None
    since_update: float | None


@final
@attrs.frozen(kw_only=True)
class CallbackStatistics:
    """A snapshot of what VK has delivered, from ``receiver.statistics()``.

    :ivar received: updates that were accepted, each counted once
    :ivar handled: how many of them were handled
    :ivar waiting: updates that wait or are being handled now
    :ivar repeated: requests with an update that was being handled, or was handled
    :ivar late: requests that were answered before their update was handled
    :ivar refused: requests that were refused, by the reason: "path", "method", "length"
        and "slow" (of the body), "not an update", "secret", "confirmation" (the code is
        not known), "closed" (nobody takes updates), "full" (``max_pending``), "not
        handled" (a handler failed, or the program stopped), "store" (it failed)
    :ivar store_failures: how often the store of handled updates has failed
    :ivar since_update: seconds since the last update arrived, None before that
    """

    __module__ = "vkanyio.updates"

    received: int
    handled: int
    waiting: int
    repeated: int
    late: int
    refused: Mapping[str, int]
    store_failures: int
    since_update: float | None


@final
class CallbackCounters:
    """The running totals behind :class:`CallbackStatistics`, of requests."""

    def __init__(self) -> None:
        self.repeated: int = 0
        self.late: int = 0
        self.refused: Counter[str] = Counter()
        self.updated_at: float | None = None


@final
class UpdateCounters:
    """The running totals behind :class:`UpdateStatistics`."""

    def __init__(self) -> None:
        self.polls: int = 0
        self.failures: Counter[str] = Counter()
        self.updates: int = 0
        self.gaps: int = 0
        self.servers: int = 0
        self.answered_at: float | None = None
        self.updated_at: float | None = None

    def snapshot(self, duplicates: int) -> UpdateStatistics:
        """Return the numbers of now."""
        now = current_time()
        answered, updated = self.answered_at, self.updated_at
        return UpdateStatistics(
            polls=self.polls,
            failures=dict(self.failures),
            updates=self.updates,
            duplicates=duplicates,
            gaps=self.gaps,
            servers=self.servers,
            since_answer=None if answered is None else now - answered,
            since_update=None if updated is None else now - updated,
        )
