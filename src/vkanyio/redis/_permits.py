"""The permits that one process got from Redis, as arithmetic.

It owns those that are not used yet, and what Redis must hear about permits: which were
not used, and which requests leave later than Redis knows.
"""

from __future__ import annotations

import math
from collections import deque
from typing import final

from .._limiter import Permit, PermitState

MIN_LATE = 0.005
"""Of a window: a request that is as late counts as in time, as the margin allows."""
LOOK_AGAIN = 0.1
"""Of a window: a permit that lies further ahead is looked at again before its time."""
MAX_UNUSED = 0.1
"""Of a window: a permit that is older was not needed."""
MAX_LEAVING = 0.01
"""Of a window: a request that has not left by then is waiting for something."""
LEAVES_LATER = 0.25
"""Of a window: it is taken to leave by then."""


@final
class SharedPermit(Permit):
    """A permit from Redis: the request may start at ``due``.

    :ivar name: by which Redis knows it
    :ivar known: when its request starts, as far as Redis knows
    :ivar is_sure: whether it has been looked at shortly before its time
    """

    __slots__ = ("is_sure", "known", "name")

    def __init__(self, name: str, due: float) -> None:
        super().__init__(due, due)
        self.name: str = name
        self.known: float = due
        self.is_sure: bool = False


@final
class Permits:
    """The permits of this process; all times are those of the event loop's clock.

    :param window: the window of the limit, in seconds
    :ivar unknown: what Redis does not know yet: the names of permits, each with the
        time at which its request starts, or None if it was not used
    :ivar unused: how many permits were not used
    :ivar late: how many requests left, or arrived, so late that it is reported to Redis
    """

    def __init__(self, window: float) -> None:
        self._window = window
        self._held: deque[SharedPermit] = deque()
        self._leaving: set[SharedPermit] = set()
        self.unknown: dict[str, float | None] = {}
        self.unused: int = 0
        self.late: int = 0

    def __bool__(self) -> bool:
        return bool(self._held)

    @property
    def is_any_leaving(self) -> bool:
        """Whether requests are about to leave."""
        return bool(self._leaving)

    def add(self, name: str, due: float, now: float) -> None:
        """Hold a new permit."""
        permit = SharedPermit(name, due)
        self._held.append(permit)
        self.place(permit, due, now)

    def place(self, permit: SharedPermit, due: float, now: float) -> None:
        """Note when the request of a permit may start, according to Redis."""
        permit.due = permit.known = due
        permit.is_sure = due - now <= LOOK_AGAIN * self._window

    def move(self, change: float) -> None:
        """Note that the clock of Redis is known better, by some seconds."""
        for permit in (*self._held, *self._leaving):
            permit.due += change
            permit.known += change

    def drop(self, permit: SharedPermit) -> None:
        """Forget a permit that is void."""
        if permit in self._held:
            self._held.remove(permit)

    def clear(self) -> None:
        """Forget the permits that are held: they may be void."""
        self._held.clear()

    def give_back(self) -> None:
        """Give back the permits that are held."""
        self.unused += len(self._held)
        self.unknown.update((permit.name, None) for permit in self._held)
        self._held.clear()

    def ready_at(self) -> float:
        """Return when the next request may start; infinite if that is not known."""
        if self._held and self._held[0].is_sure:
            return self._held[0].due
        return math.inf

    def start(self) -> SharedPermit:
        """Use the next permit."""
        permit = self._held.popleft()
        permit.state = PermitState.GRANTED
        self._leaving.add(permit)
        return permit

    def left(self, permit: SharedPermit, now: float, doubt: float = 0.0) -> None:
        """Note that the request of a permit is leaving now.

        :param doubt: by how many seconds that may be later than it seems
        """
        if permit in self._leaving:
            self._leaving.remove(permit)
            permit.state = PermitState.LEFT
            permit.left_at = now
            # A start that is a little late keeps the beat.
            at = now + doubt - MIN_LATE * self._window
            self._correct(permit, max(permit.due, at))

    def connecting(self, permit: SharedPermit) -> None:
        """Note that the request of a permit waits for a connection after all."""
        if permit.is_used:
            permit.state = PermitState.GRANTED
            self._leaving.add(permit)

    def arrived_late(self, permit: SharedPermit, late: float) -> None:
        """Note that the request of a permit may have arrived late.

        :param late: by how many seconds more than the margin allows for; it may be
            negative, since the request may have left late as well
        """
        self._correct(permit, max(permit.known, permit.left_at + late))

    def withdraw(self, permit: SharedPermit) -> bool:
        """Take back a permit whose request has not left and will not leave.

        :return: whether it was not back yet
        """
        if permit not in self._leaving:
            return False
        self._leaving.remove(permit)
        permit.state = PermitState.WITHDRAWN
        self._held.appendleft(permit)
        return True

    def settle(self, now: float) -> None:
        """Give back what was not used in time, and note what has not left in time."""
        while self._held and now >= self._expires_at(self._held[0]):
            self.unknown[self._held.popleft().name] = None
            self.unused += 1
        for permit in self._leaving:
            if now >= permit.known + MAX_LEAVING * self._window:
                self._correct(permit, now + LEAVES_LATER * self._window)

    def doubtful(self, now: float) -> SharedPermit | None:
        """Return the permit that must be looked at again now."""
        if self._held and self._look_at(self._held[0]) <= now:
            return self._held[0]
        return None

    def next_due(self) -> float:
        """Return when one of the permits needs something, or infinity."""
        due = math.inf
        if self._held:
            first = self._held[0]
            due = min(self._look_at(first), self._expires_at(first))
        for permit in self._leaving:
            due = min(due, permit.known + MAX_LEAVING * self._window)
        return due

    def _look_at(self, permit: SharedPermit) -> float:
        if permit.is_sure:
            return math.inf
        return permit.due - LOOK_AGAIN / 2 * self._window

    def _expires_at(self, permit: SharedPermit) -> float:
        return permit.due + MAX_UNUSED * self._window

    def _correct(self, permit: SharedPermit, at: float) -> None:
        if at != permit.known:
            permit.known = at
            self.unknown[permit.name] = at
            self.late += 1
