"""The one task that says when a request of a token may start."""

from __future__ import annotations

import math
from contextlib import suppress
from heapq import heappop, heappush
from typing import TYPE_CHECKING, final

from anyio import Event, Semaphore, WouldBlock, current_time, move_on_at
from anyio.lowlevel import checkpoint

if TYPE_CHECKING:
    from ._limiter import Limiter, Start


@final
class _Waiter:
    """A task that waits for its tick."""

    __slots__ = ("granted", "order", "start", "withdrawn")

    def __init__(self, order: tuple[int, int]) -> None:
        self.order = order
        self.granted = Event()
        self.start: Start | None = None
        self.withdrawn = False

    def __lt__(self, other: _Waiter) -> bool:
        return self.order < other.order


@final
class Ticker:
    """Offers ticks: the right to start one request, and the connection for it.

    A tick is an offer made on demand, not a beat: while nobody waits for one, the task
    sleeps without a timer. Requests that are sent again come before new ones, among
    themselves in the order in which their calls arrived, so that they do not overtake
    each other.

    :param limiter: when a request may start
    :param connections: the connections, shared by all tokens of a client
    """

    def __init__(self, limiter: Limiter, connections: Semaphore) -> None:
        self._limiter = limiter
        self._connections = connections
        self._waiters: list[_Waiter] = []
        self._wanted = Event()
        self._returned = Event()

    async def tick(self, *, again: int | None = None) -> Start:
        """Wait for a tick.

        Every tick ends in :meth:`release`, unless this call is cancelled.

        :param again: for a request that is sent again, its place in the order of
            arrival
        """
        if not self._somebody_waits() and self._window_is_open():
            with suppress(WouldBlock):
                self._connections.acquire_nowait()
                return self._limiter.start(current_time())  # no need for the task
        # The collector asks for all new calls, one tick at a time.
        waiter = _Waiter((1, 0) if again is None else (0, again))
        heappush(self._waiters, waiter)
        self._wanted.set()
        try:
            await waiter.granted.wait()
        except BaseException:
            waiter.withdrawn = True
            if waiter.start is not None:
                self.release(waiter.start)
            raise
        assert waiter.start is not None
        return waiter.start

    def release(self, start: Start) -> None:
        """Return the connection of a tick, and the tick itself if nothing left."""
        self._connections.release()
        if start.at == math.inf:
            self._limiter.withdraw(start)
            self._returned.set()

    async def run(self) -> None:
        """Grant ticks for ever."""
        while True:
            while not self._somebody_waits():
                self._wanted = Event()
                await self._wanted.wait()
            await self._window_opens()
            await self._connections.acquire()
            if not self._somebody_waits() or not self._window_is_open():
                self._connections.release()  # things changed while it waited
                continue
            waiter = heappop(self._waiters)
            waiter.start = self._limiter.start(current_time())
            waiter.granted.set()
            # One at a time: trio runs tasks that wake together in any order.
            await checkpoint()

    def _window_is_open(self) -> bool:
        now = current_time()
        return self._limiter.ready_at(now) <= now

    async def _window_opens(self) -> None:
        while (ready := self._limiter.ready_at(now := current_time())) > now:
            self._returned = Event()
            with move_on_at(ready):
                await self._returned.wait()

    def _somebody_waits(self) -> bool:
        while self._waiters and self._waiters[0].withdrawn:
            heappop(self._waiters)
        return bool(self._waiters)
