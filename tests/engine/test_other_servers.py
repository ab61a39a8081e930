"""Requests to other servers than VK's API: uploads and long polls will make them."""

from __future__ import annotations

import ssl
import threading
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

import anyio
import anyio.from_thread
import anyio.lowlevel
import anyio.to_thread
import httpx
import pytest
from proof._proxies import socks_proxy

from _helpers import own_tasks
from _probe import Probe
from _sockets import FINE, always_succeed, closed_port, listening, read_request
from vkanyio import VK, ClientClosedError, ConnectionFailedError
from vkanyio._engine._connection import Connector
from vkanyio._outcome import Failure
from vkanyio._response import Response

if TYPE_CHECKING:
    from anyio.streams.buffered import BufferedByteStream

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"]),
    pytest.mark.usefixtures("no_proxy_of_the_environment"),
]

CHUNK = bytes(range(256)) * 256
TYPE = {"content-type": "application/octet-stream"}


class Chunks:
    """A body in chunks, which may do something before each of them."""

    def __init__(self, number: int, before_each: Any = lambda: None) -> None:
        self._left = number
        self._before_each = before_each

    def __aiter__(self) -> Chunks:
        return self

    async def __anext__(self) -> bytes:
        self._before_each()
        if not self._left:
            raise StopAsyncIteration
        self._left -= 1
        return CHUNK


class Receiver:
    """A server that keeps what it gets, and the numbers of connections to it.

    :param expected: connections that must be there before it responds
    """

    def __init__(self, expected: int = 1) -> None:
        self.requests: list[bytes] = []
        self.connections = 0
        self.open = 0
        self._expected = expected
        self._complete = anyio.Event()

    async def serve(self, stream: BufferedByteStream) -> None:
        self.connections += 1
        self.open += 1
        if self.connections == self._expected:
            self._complete.set()
        try:
            while True:
                self.requests.append(await read_request(stream))
                await self._complete.wait()
                await stream.send(FINE)
        finally:
            self.open -= 1


async def post(api: VK, url: str, body: Any = b"text", length: int = 4) -> Any:
    caller = Probe(api).caller
    return await caller.post(url, body, length=length, headers=TYPE)


async def test_a_request_to_another_server_needs_no_permit_and_brings_no_token() -> (
    None
):
    server = Receiver()
    async with (
        listening(server.serve) as url,
        listening(always_succeed) as base_url,
        VK("the-secret-token", base_url=base_url, limit=1) as api,
    ):
        with anyio.fail_after(3.5):  # five permits would take 4 s
            for _ in range(5):
                response = await post(api, url)
        assert isinstance(response, Response)
        assert (response.status_code, response.content) == (200, b'{"response":1}')
        assert await api.call("users.get") == 1
    assert server.connections == 1
    assert len(server.requests) == 5
    assert all(request.endswith(b"text") for request in server.requests)
    assert b"the-secret-token" not in b"".join(server.requests)
    assert b"content-type: application/octet-stream" in server.requests[0]
    assert api.statistics().sent == 1


@pytest.mark.parametrize("own_client", [False, True], ids=["ours", "httpx"])
async def test_a_body_in_chunks_has_its_length_and_is_sent_once(
    own_client: bool,
) -> None:
    server = Receiver()
    async with listening(server.serve) as url, httpx.AsyncClient() as http_client:
        options: Any = {"http_client": http_client} if own_client else {}
        async with VK("a-token", base_url=url, **options) as api:
            response = await post(api, url, Chunks(8), 8 * len(CHUNK))
    assert response.status_code == 200
    [request] = server.requests
    head, _, body = request.partition(b"\r\n\r\n")
    assert body == CHUNK * 8
    assert b"chunked" not in head


async def test_a_deadline_moves_with_the_chunks_and_ends_a_stalled_upload() -> None:
    stalled = anyio.Event()

    async def serve(stream: BufferedByteStream) -> None:
        for _ in range(80):
            await stream.receive_exactly(len(CHUNK))
            await anyio.sleep(0.03)
        stalled.set()
        await anyio.sleep(60)

    async with listening(serve) as url, VK("a-token", base_url=url) as api:
        with anyio.move_on_after(2.0) as scope:

            def move() -> None:
                scope.deadline = anyio.current_time() + 2.0

            await post(api, url, Chunks(4000, move), 4000 * len(CHUNK))
        assert stalled.is_set()
        assert scope.cancelled_caught
    assert own_tasks() == []


async def test_after_a_cancelled_upload_the_next_one_works() -> None:
    server = Receiver()
    async with listening(server.serve) as url, VK("a-token", base_url=url) as api:
        for seconds in (0.0, 0.001, 0.003):
            with anyio.move_on_after(seconds):
                await post(api, url, Chunks(4000), 4000 * len(CHUNK))
            response = await post(api, url, Chunks(2), 2 * len(CHUNK))
            assert response.status_code == 200


async def test_other_servers_are_reached_by_the_proxy_as_well() -> None:
    server = Receiver()
    async with (
        socks_proxy() as proxy,
        listening(server.serve) as url,
        VK("a-token", base_url=url, proxy=proxy) as api,
    ):
        response = await post(api, url)
    assert response.status_code == 200
    assert len(server.requests) == 1


async def test_a_server_that_cannot_be_reached_is_named() -> None:
    async with (
        closed_port() as url,
        listening(always_succeed) as base_url,
        VK("a-token", base_url=base_url) as api,
    ):
        failure = await post(api, url)
    assert isinstance(failure, Failure)
    assert isinstance(failure.error, ConnectionFailedError)
    assert not failure.maybe_carried_out
    assert url.split("/")[2] in str(failure.error)


@pytest.mark.parametrize(
    "handled",
    [
        OSError(28, "No space left on device"),
        ssl.SSLError(1, "[SSL: CERTIFICATE_VERIFY_FAILED] of another connection"),
    ],
    ids=["OSError", "a certificate"],
)
async def test_an_error_that_the_caller_handles_is_not_the_reason(
    handled: OSError,
) -> None:
    async with (
        closed_port() as url,
        listening(always_succeed) as base_url,
        VK("a-token", base_url=base_url) as api,
    ):
        try:
            raise handled
        except OSError:
            refused = await post(api, url)
            async with listening(drop) as url:
                dropped = await post(api, url)
    for failure in (refused, dropped):
        assert (handled.strerror or "") not in str(failure.error)
        assert failure.is_transient


async def drop(stream: BufferedByteStream) -> None:
    await read_request(stream)


async def test_connections_to_servers_that_are_not_used_any_more_are_closed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("vkanyio._keep_alive.MAX_IDLE", 0.05)
    servers = [Receiver(expected=2) for _ in range(6)]
    async with AsyncExitStack() as stack:
        urls = [
            await stack.enter_async_context(listening(server.serve))
            for server in servers
        ]
        async with VK("a-token", base_url=urls[0]) as api:
            pools = Probe(api).other_pools
            async with anyio.create_task_group() as tasks:
                for url in 2 * urls:
                    tasks.start_soon(post, api, url)
            assert len(pools) == len(urls)
            assert sum(len(pool.idle) for pool in pools.values()) == 2 * len(urls)
            await anyio.sleep(0.1)
            for _ in range(2 * len(urls)):  # so many connections, and one each time
                await post(api, urls[-1])
            assert len(pools) == 1
            assert sum(len(pool.idle) for pool in pools.values()) == 1
        with anyio.fail_after(5):
            while any(server.open for server in servers):
                await anyio.lowlevel.checkpoint()


async def test_a_request_that_goes_on_keeps_its_pool() -> None:
    release, arrived = anyio.Event(), anyio.Event()
    other = Receiver()

    async def serve(stream: BufferedByteStream) -> None:
        await read_request(stream)
        arrived.set()
        await release.wait()
        await stream.send(FINE)
        await anyio.sleep(60)

    async with (
        listening(serve) as url,
        listening(other.serve) as another,
        VK("a-token", base_url=url) as api,
    ):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(post, api, url)
            await arrived.wait()
            for _ in range(4):
                await post(api, another)
            release.set()
        idle = [len(pool.idle) for pool in Probe(api).other_pools.values()]
    assert idle == [1, 1]


async def test_a_request_that_is_prepared_while_the_client_closes_is_not_sent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server, preparing, closed = Receiver(), anyio.Event(), threading.Event()
    failures: list[Any] = []

    def wait(_: Connector) -> None:
        anyio.from_thread.run_sync(preparing.set)
        closed.wait(5)

    monkeypatch.setattr(Connector, "lacks_certificates", lambda *_: True)
    monkeypatch.setattr(Connector, "load_certificates", wait)
    async with listening(server.serve) as url, anyio.create_task_group() as tasks:

        async def upload() -> None:
            failures.append(await post(api, url))

        async with VK("a-token", base_url=url) as api:
            pools = Probe(api).other_pools
            tasks.start_soon(upload)
            await preparing.wait()
        closed.set()
    [failure] = failures
    assert isinstance(failure.error, ConnectionFailedError)
    assert "the connection was closed" in str(failure.error)
    assert not failure.maybe_carried_out
    assert not any(pool.idle for pool in pools.values())
    assert server.connections == 0


async def test_requests_need_no_thread_which_the_program_may_have_used_up() -> None:
    threads = anyio.to_thread.current_default_thread_limiter()
    async with listening(always_succeed) as url, VK("a-token", base_url=url) as api:
        before, threads.total_tokens = threads.total_tokens, 1
        try:
            async with threads:
                with anyio.fail_after(5):
                    assert isinstance(await post(api, url), Response)
        finally:
            threads.total_tokens = before


async def test_leaving_the_client_ends_requests_of_other_tasks() -> None:
    ended: list[Any] = []

    async def serve(stream: BufferedByteStream) -> None:
        await read_request(stream)
        await anyio.sleep(60)

    async with listening(serve) as url, anyio.create_task_group() as tasks:

        async def upload() -> None:
            ended.append(await post(api, url))

        async with VK("a-token", base_url=url) as api:
            tasks.start_soon(upload)
            await anyio.sleep(0.2)
        with anyio.fail_after(5):
            while not ended:
                await anyio.lowlevel.checkpoint()
    [failure] = ended
    assert isinstance(failure, Failure)
    assert failure.maybe_carried_out
    with pytest.raises(ClientClosedError):
        await post(api, url)


@pytest.mark.parametrize("url", ["", "ftp://localhost/a", "http://", "http://a b/"])
async def test_a_url_that_names_no_server_is_refused(url: str) -> None:
    async with (
        listening(always_succeed) as base_url,
        VK("a-token", base_url=base_url) as api,
    ):
        with pytest.raises(ValueError, match="url must be"):
            await post(api, url)
