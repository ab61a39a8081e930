"""Connections that a server closes just when they are used again."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from _probe import Probe
from _sockets import FINE, listening, read_request
from vkanyio import VK, OutcomeUnknownError

if TYPE_CHECKING:
    from anyio.streams.buffered import BufferedByteStream

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"]),
    pytest.mark.usefixtures("no_proxy_of_the_environment"),
]

READ = "users.get", {"user_ids": 1}
WRITE = "wall.post", {"message": "hello"}


def client(base_url: str, **options: Any) -> VK:
    return VK("a-token", base_url=base_url, limit=1000, wait=0, **options)


class Keeping:
    """A server that closes a connection when it has been idle for some time."""

    def __init__(self, seconds: float, *, mute: bool = False) -> None:
        self.connections = 0
        self.requests = 0
        self._seconds = seconds
        self._mute = mute  # swallow what comes too late, as over a long way

    async def serve(self, stream: BufferedByteStream) -> None:
        self.connections += 1
        seconds = math.inf  # the first request may be late on a busy machine
        while True:
            with anyio.move_on_after(seconds) as idle:
                await read_request(stream)
            seconds = self._seconds
            if idle.cancelled_caught:
                if self._mute:
                    await read_request(stream)
                return
            self.requests += 1
            await stream.send(FINE)


async def test_a_connection_that_the_server_has_closed_is_not_used() -> None:
    server = Keeping(0.05)
    async with listening(server.serve) as base_url, client(base_url) as api:
        for _ in range(3):
            await api.call(*WRITE)
            await anyio.sleep(0.15)
    assert server.connections == server.requests == 3
    assert api.statistics().retries == {}


async def test_a_write_takes_no_connection_that_has_been_idle_for_long() -> None:
    server = Keeping(60.0)
    async with listening(server.serve) as base_url, client(base_url) as api:
        await api.call(*WRITE)
        await api.call(*WRITE)
        assert server.connections == 1
        await anyio.sleep(0.6)
        await api.call(*READ)  # which may be repeated
        assert server.connections == 1
        await anyio.sleep(0.6)
        await api.call(*WRITE)
        assert server.connections == 2
        await api.call("wall.post", {"message": "with a key", "guid": "1"})
        assert server.connections == 2


async def test_a_read_that_was_lost_on_an_old_connection_teaches_the_client() -> None:
    server = Keeping(0.3, mute=True)
    async with listening(server.serve) as base_url, client(base_url) as api:
        await api.call(*READ)
        await anyio.sleep(0.4)
        await api.call(*READ)  # lost, and retried at once
        assert api.statistics().retries == {"ConnectionFailedError": 1}
        for _ in range(2):
            await anyio.sleep(0.8)  # more than was learned, also on a busy machine
            await api.call(*READ)  # on a new connection from now on
        assert api.statistics().retries == {"ConnectionFailedError": 1}


async def test_a_write_that_still_meets_a_closing_server_is_never_lost_silently() -> (
    None
):
    server = Keeping(0.1, mute=True)
    async with listening(server.serve) as base_url, client(base_url) as api:
        await api.call(*WRITE)
        await anyio.sleep(0.2)
        with pytest.raises(OutcomeUnknownError):
            await api.call(*WRITE)
        await api.call(*WRITE)
        for _ in range(3):  # the client has learned
            await anyio.sleep(0.2)
            await api.call(*WRITE)


async def test_what_the_server_sent_unasked_is_no_response() -> None:
    late = anyio.Event()

    async def serve(stream: BufferedByteStream) -> None:
        await read_request(stream)
        await stream.send(FINE)
        await late.wait()
        await stream.send(FINE.replace(b":1", b":2"))
        await anyio.sleep(60)

    async with listening(serve) as base_url, client(base_url) as api:
        assert await api.call(*READ) == 1
        late.set()
        await anyio.sleep(0.1)
        [connection] = Probe(api).idle_connections
        assert not connection.is_reusable()
        late = anyio.Event()
        assert await api.call(*READ) == 1


async def test_a_batch_with_a_write_is_as_careful_as_the_write() -> None:
    requests: list[bytes] = []
    connections = 0

    async def serve(stream: BufferedByteStream) -> None:
        nonlocal connections
        connections += 1
        while True:
            requests.append(await read_request(stream))
            await stream.send(FINE.replace(b"14", b"18").replace(b"1}", b"[1,1]}"))

    async def both(*calls: Any) -> None:
        async with anyio.create_task_group() as tasks:
            for call in calls:
                tasks.start_soon(api.call, *call)

    async with (
        listening(serve) as base_url,
        client(base_url, mode="parallel") as api,
    ):
        await both(READ, READ)
        await anyio.sleep(0.6)
        await both(READ, READ)
        assert connections == 1
        await anyio.sleep(0.6)
        await both(READ, WRITE)
        assert connections == 2
    assert len(requests) == 3
