"""What one process may start by itself while Redis cannot be reached, as arithmetic.

All processes together never start more than the limit: each uses its share, which
begins when no permit can be in use any more, and ends before new ones are.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, final

from .._limiter import Limiter

if TYPE_CHECKING:
    from .._limiter import Permit, RequestMode

PATIENCE = 0.5
"""Seconds in which Redis must answer."""
PROBE = 0.25
"""Seconds between two attempts to reach Redis."""
VALID = PATIENCE + PROBE
"""Seconds for which an attempt that failed shows that Redis cannot be reached: after a
stall of the process, its share is not valid before the next one."""
GRACE = PATIENCE + VALID
"""Seconds after which no process uses its share any more, when Redis is back. One that
cannot know yet began its last failed attempt before that."""
WINDOWS_BEFORE = 3.0
"""Windows between the first failed attempt and the begin of the share."""
WINDOWS_AFTER = 1.25
"""Windows between the end of the shares and the next permit: requests may be late."""


def silence(window: float) -> float:
    """Return the seconds without permits after which a limit is known to be free."""
    return GRACE + WINDOWS_AFTER * window


def max_gap(window: float) -> float:
    """Return the seconds in which Redis need not be asked to know that it is there.

    If it was away for less, no process uses its share before it knows that Redis is
    back.
    """
    return WINDOWS_BEFORE * window - GRACE


@final
class Share:
    """The part of a limit that this process may use while Redis is away.

    :param limit: the limit of all processes together
    :param window: its window, in seconds
    :ivar limit: how many requests in a window it allows, since Redis went away
    """

    def __init__(self, limit: int, window: float, request_mode: RequestMode) -> None:
        self._limit = limit
        self._window = window
        self._request_mode: RequestMode = request_mode
        self._limiter = Limiter(limit, request_mode=request_mode, window=window)
        self._begins = self._ends = math.inf
        self._valid_until = -math.inf
        self._last_start = -math.inf
        self.limit: int = 0

    @property
    def is_on(self) -> bool:
        """Whether Redis is away, or has been back for a moment only."""
        return self._begins < math.inf

    def begin(self, now: float, processes: int) -> None:
        """Note that Redis has gone away.

        :param processes: how many share the limit, 0 if that is not known
        """
        # With more processes than the limit, each has nothing: they cannot take turns.
        self.limit = self._limit // processes if processes else 0
        self._limiter = Limiter(
            max(self.limit, 1), request_mode=self._request_mode, window=self._window
        )
        self._begins, self._ends = now + WINDOWS_BEFORE * self._window, math.inf

    def confirm(self, now: float) -> None:
        """Note that an attempt to reach Redis has failed."""
        self._valid_until = now + VALID

    def end(self, now: float, resume: float) -> None:
        """Note that Redis is back.

        :param resume: when it grants permits again, by the event loop's clock
        """
        self._ends = resume - WINDOWS_AFTER * self._window
        self._valid_until = self._ends
        if self._last_start < self._begins or now >= self._ends:
            self._begins = math.inf

    def was_used(self, now: float) -> bool:
        """Return whether requests that it allowed may still count."""
        return self._last_start + WINDOWS_AFTER * self._window > now

    def ready_at(self, now: float) -> float:
        """Return when a request may start; infinite if that is not known."""
        if now >= self._ends:
            self._begins = math.inf
        if not self.limit or not self.is_on:
            return math.inf
        ready = max(self._begins, self._limiter.ready_at(now))
        return ready if max(ready, now) < self._valid_until else math.inf

    def start(self, now: float) -> Permit:
        """Grant a permit."""
        self._last_start = now
        return self._limiter.start(now)

    def left(self, permit: Permit, now: float) -> None:
        """Note that the request of a permit is leaving now."""
        self._last_start = max(self._last_start, now)
        self._limiter.left(permit, now)

    def connecting(self, permit: Permit) -> None:
        """Note that the request of a permit waits for a connection after all."""
        self._limiter.connecting(permit)

    def withdraw(self, permit: Permit) -> None:
        """Take back a permit whose request has not left and will not leave."""
        self._limiter.withdraw(permit)

    def slow_down(self, now: float) -> None:
        """Slow down, since VK has refused a request."""
        self._limiter.slow_down(now)

    def pause(self, now: float, seconds: float) -> None:
        """Grant no permit for some seconds."""
        self._limiter.pause(now, seconds)
