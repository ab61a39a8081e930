"""A uvloop whose clock jumps, like that of ``VirtualClockLoop``."""

from __future__ import annotations

import asyncio
import time
from heapq import heappop, heappush
from itertools import count
from typing import TYPE_CHECKING, TypeVarTuple, Unpack, final

import uvloop

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextvars import Context

Args = TypeVarTuple("Args")

GRACE = 3.0
"""Real seconds that a loop with nothing to do waits for a thread."""


@final
class VirtualUVLoop(uvloop.Loop):
    """uvloop with a clock that jumps.

    The clock of libuv cannot be set, so timers are kept here. A callback that keeps
    rescheduling itself at the end of the queue sees whether anything else was in it: if
    not, no task can run, and the clock jumps to the next timer.
    """

    def __init__(self) -> None:
        super().__init__()
        self._now = 1000.0
        self._timers: list[tuple[float, int, asyncio.TimerHandle]] = []
        self._numbers = count()
        self._calls = 0
        self._is_pumping = False
        self._idle_since: float | None = None

    def time(self) -> float:
        """Return the virtual time."""
        return self._now

    def call_soon(
        self,
        callback: Callable[[Unpack[Args]], object],
        *args: *Args,
        context: Context | None = None,
    ) -> asyncio.Handle:
        """Call a function in this turn of the loop, or the next."""
        self._calls += 1
        if not self._is_pumping:
            self._is_pumping = True
            super().call_soon(self._pump, 0)
        return super().call_soon(callback, *args, context=context)

    def call_later(
        self,
        delay: float,
        callback: Callable[[Unpack[Args]], object],
        *args: *Args,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """Call a function after some virtual seconds."""
        return self.call_at(self._now + delay, callback, *args, context=context)

    def call_at(
        self,
        when: float,
        callback: Callable[[Unpack[Args]], object],
        *args: *Args,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """Call a function at a virtual time."""
        timer = asyncio.TimerHandle(when, callback, args, self, context)
        heappush(self._timers, (when, next(self._numbers), timer))
        return timer

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """Do nothing: a cancelled timer is skipped when its time comes."""

    def _pump(self, calls: int) -> None:
        while self._timers and self._timers[0][2].cancelled():
            heappop(self._timers)
        if calls != self._calls:
            self._idle_since = None
        elif self._timers:
            self._now = max(self._now, self._timers[0][0])
        else:
            self._wait_for_a_thread()
        while self._timers and self._timers[0][0] <= self._now:
            timer = heappop(self._timers)[2]
            if not timer.cancelled():
                self.call_soon(timer._run)
        super().call_soon(self._pump, self._calls)

    def _wait_for_a_thread(self) -> None:
        now = time.monotonic()
        self._idle_since = self._idle_since or now
        if now - self._idle_since > GRACE:
            raise RuntimeError("deadlock: no task can run, and no timer is set")
        time.sleep(0.001)
