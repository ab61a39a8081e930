"""No connection stays open after its pool is closed, or its user is cancelled."""

from __future__ import annotations

from typing import Any

import anyio
import httpcore
import pytest

from _sockets import listening, port_of
from vkanyio._engine._delivery import Delivery
from vkanyio._engine._network import Network
from vkanyio._engine._pool import Pool, Pools

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"]),
]


class Interrupted(BaseException):
    """What a native cancellation is for a connection that is being closed."""


class FakeConnection:
    """A connection that has been idle, and can be interrupted while it closes."""

    def __init__(self, idle_since: float, *, interrupts: bool = False) -> None:
        self.idle_since = idle_since
        self.is_open = True
        self._interrupts = interrupts

    def is_reusable(self) -> bool:
        return True

    async def close(self) -> None:
        self.is_open = False
        if self._interrupts:
            raise Interrupted


def pool_of(*connections: FakeConnection) -> Pool:
    pool = Pool(lambda: pytest.fail("there is an idle connection"))
    idle: Any = pool.idle
    idle.extend(connections)
    return pool


async def request(pool: Pool) -> None:
    url = httpcore.URL("http://vk.test/")
    await pool.request(url, b"", [], Delivery(), careful=False)


async def test_all_connections_are_closed_though_closing_one_is_cancelled() -> None:
    now = anyio.current_time()
    connections = [FakeConnection(now, interrupts=i == 0) for i in range(3)]
    with pytest.raises(Interrupted):
        await pool_of(*connections).close()
    assert not any(each.is_open for each in connections)


async def test_a_cancellation_while_an_old_connection_closes_loses_none() -> None:
    now = anyio.current_time()
    old = FakeConnection(now - 10**6, interrupts=True)
    fresh = FakeConnection(now)
    pool = pool_of(old, fresh)
    with pytest.raises(Interrupted):
        await request(pool)
    await pool.close()
    assert not old.is_open
    assert not fresh.is_open


async def test_all_pools_are_closed_though_closing_one_is_cancelled() -> None:
    now = anyio.current_time()
    connections = [FakeConnection(now, interrupts=i == 0) for i in range(3)]
    pools = Pools()
    for number, connection in enumerate(connections):
        pool = await pools.take(f"http://server-{number}", pytest.fail)
        idle: Any = pool.idle
        idle.append(connection)
    with pytest.raises(Interrupted):
        await pools.close()
    assert not any(each.is_open for each in connections)


async def test_a_pool_that_is_closed_while_a_request_waits_sends_nothing() -> None:
    class Slow(FakeConnection):
        async def close(self) -> None:
            await pool.close()

    old: Any = Slow(anyio.current_time() - 10**6)
    pool = Pool(lambda: fresh)
    pool.idle.append(old)
    fresh: Any = FakeConnection(anyio.current_time())
    with pytest.raises(ConnectionError, match="closed"):
        await request(pool)


async def test_a_connection_of_a_closed_pool_is_not_kept() -> None:
    class Closing(FakeConnection):
        async def request(self, *_: Any) -> None:
            await pool.close()
            self.is_open = True  # it had not connected when the pool was closed

    connection = Closing(anyio.current_time())
    pool = pool_of(connection)
    await request(pool)
    assert not pool.idle
    assert not connection.is_open


async def test_a_connection_that_was_closed_while_it_connected_stays_closed() -> None:
    ended = anyio.Event()

    async def serve(stream: Any) -> None:
        with pytest.raises(anyio.EndOfStream):
            await stream.receive()
        ended.set()

    async with listening(serve) as url:
        network = Network()
        await network.close()
        with pytest.raises(httpcore.ConnectError):
            await network.connect_tcp("127.0.0.1", port_of(url))
        with anyio.fail_after(5):
            await ended.wait()


async def test_a_connection_is_closed_under_its_request_with_the_pool() -> None:
    class Hanging(FakeConnection):
        async def request(self, *_: Any) -> None:
            await anyio.sleep_forever()

    connection = Hanging(anyio.current_time())
    pool = pool_of(connection)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(request, pool)
        await anyio.wait_all_tasks_blocked()
        await pool.close()
        assert not connection.is_open
        tasks.cancel_scope.cancel()
