"""Processes that share a limit, in one event loop and in virtual time.

The script runs in a real Redis server, which is asked without the event loop: no time
passes meanwhile. Its clock is that of the event loop, and may be set.
"""

from __future__ import annotations

import math
import random
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any, final

import anyio
from anyio import Semaphore, current_time

from vkanyio._engine._credentials import FixedToken
from vkanyio._engine._ticker import Ticker
from vkanyio.redis import RedisLimiter
from vkanyio.redis._link import LinkError, link_error
from vkanyio.redis._script import ScriptAnswer, read_answer, read_script
from vkanyio.redis._share import PATIENCE

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    import pytest
    from anyio.abc import TaskGroup
    from proof._redis_server import Wire

EPOCH = 1_700_000_000.0
TIME = "local time = redis.call('TIME')"
TRIP = 0.0005
"""Seconds from a process to Redis, and back."""


@final
class VirtualRedis:
    """A Redis server whose clock is that of the event loop.

    :ivar clock: by how many seconds it is wrong
    :ivar trip: seconds there, and back
    :ivar reading: the names of processes, each with the seconds that it takes to look
        at an answer
    :ivar is_down: whether nobody can connect
    :ivar hangs_until: when it goes on after it was stopped
    :ivar asked: how often it was asked
    """

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.clock = 0.0
        self.trip = TRIP
        self.reading: dict[Any, float] = {}
        self.is_down = False
        self.hangs_until = -math.inf
        self.asked = 0
        text = read_script()
        assert TIME in text
        # The last two arguments look like a correction of an unknown permit.
        text = text.replace(TIME, "local time = {ARGV[#ARGV - 1], ARGV[#ARGV]}")
        self._sha = wire.command("SCRIPT", "LOAD", text).decode()

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Let all limiters connect to it."""
        monkeypatch.setattr("vkanyio.redis._link.connect", lambda _: self.connect())

    @asynccontextmanager
    async def connect(self) -> AsyncGenerator[VirtualRedis]:
        """Connect, as a limiter does."""
        yield self

    async def ask(self, keys: Sequence[str], arguments: Sequence[Any]) -> ScriptAnswer:
        """Run the script."""
        with anyio.move_on_after(PATIENCE):
            await anyio.sleep(self.trip)
            await anyio.sleep_until(max(self.hangs_until, current_time()))
            if self.is_down:
                raise LinkError("connection refused")
            now = round((EPOCH + self.clock + current_time()) * 1e6)
            values = self.run(keys, arguments, now)
            await anyio.sleep(self.trip + self.reading.get(arguments[0], 0.0))
            return read_answer(values)
        raise LinkError("no answer")

    def run(self, keys: Sequence[str], arguments: Sequence[Any], now: int) -> Any:
        """Run the script at a time, in microseconds."""
        self.asked += 1
        try:
            return self.wire.command(
                "EVALSHA",
                self._sha,
                len(keys),
                *keys,
                *arguments,
                now // 10**6,
                now % 10**6,
            )
        except ValueError as error:
            raise link_error(error) from None

    async def leave(self, processes: str, process: str) -> None:
        """Remove a process."""
        self.wire.command("ZREM", processes, process)


@final
class StrictServer:
    """A server that refuses what is above the limit, in whatever second."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.arrivals: list[float] = []
        self.refused = 0

    def arrive(self) -> bool:
        """Note that a request has arrived, and return whether it is refused."""
        now = current_time()
        self.arrivals.append(now)
        is_refused = sum(now - at < 1 for at in self.arrivals[-2 * self.limit :]) > (
            self.limit
        )
        self.refused += is_refused
        return is_refused

    def between(self, begin: float, end: float) -> int:
        """Return how many requests have arrived between two times."""
        return sum(begin <= at < end for at in self.arrivals)


@final
class Process:
    """One of the processes: it makes as many requests as it may, while there is work.

    :param seed: of the jitter of the network
    :ivar connecting: the seconds that its first request is under way for longer
    """

    def __init__(
        self, server: StrictServer, *, seed: int, processes: int | None, **options: Any
    ) -> None:
        options = {"name": "group 1", "limit": server.limit, **options}
        self.events: list[Any] = []
        self.limiter = RedisLimiter(
            "redis://localhost",
            processes=processes,
            on_event=self.events.append,
            **options,
        )
        self.made = 0
        self.connecting = 0.0
        self.work = anyio.Event()
        self.work.set()
        self._server = server
        self._random = random.Random(seed)
        self.scope = anyio.CancelScope()

    async def run(self, tasks: int = 4) -> None:
        """Make requests until it is ended."""
        with self.scope:
            async with self.limiter, anyio.create_task_group() as group:
                ticker = Ticker(self.limiter, FixedToken("a-token", {}), Semaphore(100))
                group.start_soon(ticker.run)
                for _ in range(tasks):
                    group.start_soon(self._work, ticker)

    async def _work(self, ticker: Ticker) -> None:
        limiter, jitter = self.limiter, self._random.expovariate
        while True:
            permit = await ticker.acquire()
            try:
                await anyio.sleep(jitter(1 / 0.0005))
                limiter.left(permit, current_time())
                self.made += 1
                is_first = self.made == 1
                await anyio.sleep(0.03 + jitter(1 / 0.002) + is_first * self.connecting)
                is_refused = self._server.arrive()
                await anyio.sleep(0.03)
                if is_refused:
                    limiter.slow_down(current_time())
                limiter.note_response(permit, current_time())
            finally:
                ticker.release(permit)
            await self.work.wait()


@asynccontextmanager
async def working(
    limit: int, count: int, **options: Any
) -> AsyncGenerator[tuple[StrictServer, list[Process], TaskGroup]]:
    """Have processes that share a limit at work."""
    server = StrictServer(limit)
    options = {"processes": count, **options}
    processes = [Process(server, seed=seed, **options) for seed in range(count)]
    with suppress(StopIteration):
        async with anyio.create_task_group() as group:
            for process in processes:
                group.start_soon(process.run)
            yield server, processes, group
            group.cancel_scope.cancel()
