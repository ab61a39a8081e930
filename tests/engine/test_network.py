"""What has left, exactly: the stream below a connection, over a socket."""

from __future__ import annotations

import re
import socket
import ssl
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel
import httpcore
import pytest
from anyio import CancelScope
from anyio.abc import SocketAttribute

from _sockets import listening, never_respond, port_of
from vkanyio._engine._delivery import Delivery
from vkanyio._engine._network import MAX_GATHERED, Network, NetworkStream

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from anyio.streams.buffered import BufferedByteStream
    from httpcore import AsyncNetworkStream

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"]),
]


class Listener:
    """A server that notes each piece that it receives."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []
        self.answer: bytes | None = b"!"

    async def serve(self, stream: BufferedByteStream) -> None:
        while True:
            self.pieces.append(await stream.receive())
            if self.answer is not None:
                await stream.send(self.answer)


@asynccontextmanager
async def connected(
    listener: Listener, delivery: Delivery
) -> AsyncIterator[tuple[Network, AsyncNetworkStream]]:
    async with listening(listener.serve) as url:
        network = Network()
        network.delivery, network.carries_request = delivery, True
        yield network, await network.connect_tcp("127.0.0.1", port_of(url))
        await network.close()


async def test_what_is_written_leaves_in_one_piece_at_the_next_read() -> None:
    listener, delivery = Listener(), Delivery()
    async with connected(listener, delivery) as (_, stream):
        assert delivery.reached
        for piece in (b"head ", b"and ", b"body"):
            await stream.write(piece)
        await anyio.sleep(0.05)
        assert listener.pieces == []
        assert not delivery.sent
        assert await stream.read(100) == b"!"
        assert delivery.sent
        assert listener.pieces == [b"head and body"]


async def test_much_leaves_before_the_next_read() -> None:
    listener, delivery = Listener(), Delivery()
    async with connected(listener, delivery) as (_, stream):
        await stream.write(bytes(MAX_GATHERED))
        assert not delivery.sent
        await stream.write(b"1")
        assert delivery.sent
        with anyio.fail_after(5):
            while sum(map(len, listener.pieces)) < MAX_GATHERED + 1:
                await anyio.lowlevel.checkpoint()


async def test_the_handshake_with_a_proxy_is_not_the_request() -> None:
    listener, delivery = Listener(), Delivery()
    async with connected(listener, delivery) as (network, stream):
        network.carries_request = False
        await stream.write(b"CONNECT")
        assert await stream.read(100) == b"!"
        assert not delivery.sent
        network.carries_request = True
        await stream.write(b"POST")
        assert await stream.read(100) == b"!"
        assert delivery.sent


async def test_a_cancellation_before_the_first_byte_leaves_nothing_in_doubt() -> None:
    listener, delivery = Listener(), Delivery()
    async with connected(listener, delivery) as (network, stream):
        await stream.write(b"POST")
        with CancelScope() as scope:
            scope.cancel()
            await stream.read(100)
        assert scope.cancelled_caught
        assert not delivery.sent
        await network.close()
        await anyio.sleep(0.05)
        assert listener.pieces == []


async def test_a_connection_that_was_closed_by_force_is_closed_at_once() -> None:
    ended = anyio.Event()

    async def serve(stream: BufferedByteStream) -> None:
        try:
            await stream.receive()
        finally:
            ended.set()

    async with listening(serve) as url:
        network = Network()
        await network.connect_tcp("127.0.0.1", port_of(url))
        assert not network.is_readable
        with CancelScope() as scope:
            scope.cancel()
            await network.close()  # although this task is cancelled
        with anyio.fail_after(5):
            await ended.wait()
        assert network.is_readable  # nothing is there to be used


async def test_the_end_and_unasked_bytes_make_a_connection_readable() -> None:
    async def serve(stream: BufferedByteStream) -> None:
        await stream.receive()
        await stream.send(b"!")
        await stream.receive()

    async with listening(serve) as url:
        network = Network()
        stream = await network.connect_tcp("127.0.0.1", port_of(url))
        await stream.write(b"1")
        assert await stream.read(100) == b"!"
        assert not network.is_readable
        await stream.write(b"2")
        assert await stream.read(100) == b""  # the end
        assert network.is_readable
        await network.close()


class TLSServer:
    """A socket with a TLS server behind it, whose records arrive together."""

    def __init__(self, certificate: str, raw_socket: socket.socket) -> None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate)
        self._received, self._sent = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self._received, self._sent, server_side=True)
        self.extra_attributes = {SocketAttribute.raw_socket: lambda: raw_socket}

    def extra(self, attribute: Any) -> Any:
        return self.extra_attributes[attribute]()

    async def send(self, data: bytes) -> None:
        self._received.write(data)
        with suppress(ssl.SSLWantReadError):
            self.tls.do_handshake()

    async def receive(self, max_bytes: int = 65536) -> bytes:
        return self._sent.read(max_bytes)


@pytest.mark.parametrize("more", [b"", b"of another response"])
async def test_what_tls_has_already_received_is_found(
    certificate: str, more: bytes
) -> None:
    ours, theirs = socket.socketpair()  # nothing is ever sent over it
    with ours, theirs:
        server: Any = TLSServer(certificate, ours)
        stream = NetworkStream(server, Network())
        context = ssl.create_default_context(cafile=certificate)
        await stream.start_tls(context, "localhost")
        server.tls.write(b"response")
        if more:
            server.tls.write(more)
        assert await stream.read(65536) == b"response"
        assert stream.is_readable() is bool(more)


TLS_RECORD = 2**14
TLS_OVERHEAD = 22
"""Bytes of TLS 1.3 around each record."""


@pytest.mark.parametrize("more", [b"", b"of another response"])
@pytest.mark.parametrize("encrypted", [False, True], ids=["TCP", "TLS"])
async def test_what_the_event_loop_has_already_received_is_found(
    encrypted: bool, more: bytes, certificate: str, tls: ssl.SSLContext
) -> None:
    """A read gets 64 KiB, though asyncio has received more from the socket."""
    records = 65_536 // TLS_RECORD
    response = bytes(65_536 - TLS_OVERHEAD * records * encrypted)
    sent = anyio.Event()

    async def serve(stream: BufferedByteStream) -> None:
        assert await stream.receive() == b"1"
        await stream.send(b"1")  # whatever TLS sends after its handshake comes with it
        assert await stream.receive() == b"2"
        await stream.send(response)
        if more:
            await stream.send(more)
        sent.set()
        await anyio.sleep_forever()

    async with listening(serve, tls if encrypted else None) as url:
        network = Network()
        stream: Any = await network.connect_tcp("127.0.0.1", port_of(url))
        if encrypted:
            context = ssl.create_default_context(cafile=certificate)
            stream = await stream.start_tls(context, "localhost")
        await stream.write(b"1")
        assert await stream.read(65536) == b"1"
        await stream.write(b"2")
        await stream._flush()
        await sent.wait()
        await anyio.sleep(0.05)  # until all of it has arrived
        left = len(response)
        while left:
            left -= len(await stream.read(65536))
        assert network.is_readable is bool(more)
        await network.close()


FAILURES = [
    OSError(104, "Connection reset by peer"),
    ssl.SSLError(1, "[SSL] bad record mac"),
    ssl.SSLZeroReturnError(6, "TLS/SSL connection has been closed (EOF)"),
    anyio.BrokenResourceError("broken"),
    anyio.ClosedResourceError("closed"),
    anyio.EndOfStream("ended"),
]


class Failing:
    """A socket that fails."""

    def __init__(self, problem: Exception) -> None:
        self._problem = problem

    def extra(self, attribute: object) -> None:
        """It has no real socket."""

    async def send(self, data: bytes) -> None:
        raise self._problem

    async def receive(self, max_bytes: int = 65536) -> bytes:
        raise self._problem


@pytest.mark.parametrize("problem", FAILURES, ids=lambda each: type(each).__name__)
async def test_whatever_a_stream_raises_is_a_failure_of_the_connection(
    problem: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing: Any = Failing(problem)
    stream = NetworkStream(failing, Network())
    with pytest.raises(httpcore.WriteError, match=re.escape(str(problem))):
        await stream.write(bytes(MAX_GATHERED + 1))
    with pytest.raises(httpcore.ConnectError):
        await stream.start_tls(ssl.create_default_context(), "localhost")
    if isinstance(problem, anyio.EndOfStream):
        assert await stream.read(1) == b""
    else:
        with pytest.raises(httpcore.ReadError, match=re.escape(str(problem))):
            await stream.read(1)

    async def fail(*_: Any) -> None:
        raise problem

    monkeypatch.setattr(anyio, "connect_tcp", fail)
    with pytest.raises(httpcore.ConnectError, match=re.escape(str(problem))):
        await Network().connect_tcp("localhost", 80)


async def test_a_connection_that_is_closed_in_a_handshake_has_failed() -> None:
    async with listening(never_respond) as url, anyio.create_task_group() as tasks:
        network = Network()
        stream = await network.connect_tcp("127.0.0.1", port_of(url))

        async def connect() -> None:
            with pytest.raises(httpcore.ConnectError):
                await stream.start_tls(ssl.create_default_context(), "localhost")

        tasks.start_soon(connect)
        await anyio.wait_all_tasks_blocked()
        await network.close()
