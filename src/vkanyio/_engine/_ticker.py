"""The task that grants permits: it waits until the limiter allows a request.

``acquire`` grants one directly where nothing has to wait.

It owns the queue of those who want to send. While the token is being renewed it grants
nothing, also not to calls that read. It knows nothing of calls, only the place
in the order of arrival that a retry brings along.
"""

from __future__ import annotations

from contextlib import suppress
from heapq import heappop, heappush
from typing import TYPE_CHECKING, final

from anyio import Event, Semaphore, WouldBlock, current_time, move_on_at
from anyio.lowlevel import checkpoint

if TYPE_CHECKING:
    from .._limiter import Permit
    from .._rate_limiter import RateLimiter
    from ._credentials import Credentials


@final
class _Waiter:
    """A task that waits for a permit."""

    __slots__ = ("granted", "order", "permit", "withdrawn")

    def __init__(self, order: tuple[int, int]) -> None:
        self.order = order
        self.granted = Event()
        self.permit: Permit | None = None
        self.withdrawn = False

    def __lt__(self, other: _Waiter) -> bool:
        return self.order < other.order


@final
class Ticker:
    """Grants permits: the right to start one request, and a connection for it.

    Permits are granted on demand: while nobody waits for one, the task sleeps without a
    timer. Retries come before new requests, among themselves in the order in which
    their calls arrived, so that they do not overtake each other.

    :param limiter: when a request may start
    :param credentials: whether there is a token that can be sent
    :param connections: the connections, shared by all tokens of a client
    """

    def __init__(
        self, limiter: RateLimiter, credentials: Credentials, connections: Semaphore
    ) -> None:
        self._limiter = limiter
        self._credentials = credentials
        self._connections = connections
        self._waiters: list[_Waiter] = []
        self._wanted = Event()
        self._changed: Event | None = None  # while the limiter is waited for

    async def acquire(self, *, retry_of: int | None = None) -> Permit:
        """Wait for a permit.

        Every permit ends in :meth:`release`, unless `acquire` itself is cancelled.

        :param retry_of: for a retry, the place of its call in the order of arrival
        """
        # Retries go by the queue: those that start together may come here in any order.
        permit = self.acquire_nowait() if retry_of is None else None
        if permit is not None:
            return permit  # without the task
        # The collector asks for all new calls, one permit at a time.
        waiter = _Waiter((1, 0) if retry_of is None else (0, retry_of))
        heappush(self._waiters, waiter)
        self._wanted.set()
        try:
            await waiter.granted.wait()
        except BaseException:
            waiter.withdrawn = True
            if waiter.permit is not None:
                self.release(waiter.permit)
            raise
        assert waiter.permit is not None
        return waiter.permit

    def acquire_nowait(self) -> Permit | None:
        """Return a permit, or None if that has to wait."""
        if not self._somebody_waits():
            now = current_time()
            if self._credentials.are_usable(now) and self._limiter.ready_at(now) <= now:
                with suppress(WouldBlock):
                    self._connections.acquire_nowait()
                    return self._limiter.start(now)
        return None

    def release(self, permit: Permit) -> None:
        """Return the connection of a permit, and the permit if nothing was sent."""
        self._connections.release()
        if not permit.is_used:
            self._limiter.withdraw(permit)

    async def run(self) -> None:
        """Grant permits for ever."""
        with self._limiter.listening(self._look_again):
            while True:
                while not self._somebody_waits():
                    self._wanted = Event()
                    await self._wanted.wait()
                if self._credentials.are_usable(current_time()):
                    await self._grant_next()
                else:
                    await self._credentials.wait_for_change()

    async def _grant_next(self) -> None:
        """Grant the next permit, or return without if things changed meanwhile."""
        await self._wait_for_the_limiter()
        await self._connections.acquire()
        now = current_time()
        if not self._may_grant(now):
            self._connections.release()
            return
        waiter = heappop(self._waiters)
        waiter.permit = self._limiter.start(now)
        waiter.granted.set()
        # One at a time: trio runs tasks that wake together in any order.
        await checkpoint()

    def _may_grant(self, now: float) -> bool:
        return (
            self._somebody_waits()
            and self._limiter.ready_at(now) <= now
            and self._credentials.are_usable(now)
        )

    async def _wait_for_the_limiter(self) -> None:
        while (ready := self._limiter.ready_at(now := current_time())) > now:
            self._changed = Event()
            with move_on_at(ready):
                await self._changed.wait()
        self._changed = None

    def _look_again(self) -> None:
        if self._changed is not None:
            self._changed.set()

    def _somebody_waits(self) -> bool:
        while self._waiters and self._waiters[0].withdrawn:
            heappop(self._waiters)
        return bool(self._waiters)
