"""Small servers on loopback sockets, for what the simulator cannot do."""

from __future__ import annotations

import re
import ssl
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

import anyio
from anyio.abc import SocketAttribute
from anyio.streams.buffered import BufferedByteStream
from anyio.streams.tls import TLSStream

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from anyio.abc import ByteStream, SocketStream

    Handle = Callable[[BufferedByteStream], Awaitable[None]]

FINE = b'HTTP/1.1 200 OK\r\ncontent-length: 14\r\n\r\n{"response":1}'
GONE = (
    anyio.BrokenResourceError,
    anyio.ClosedResourceError,
    anyio.EndOfStream,
    anyio.IncompleteRead,
    # A handshake that the client ends: the early releases of Python 3.11 raise it.
    ssl.SSLZeroReturnError,
)


@asynccontextmanager
async def listening(
    handle: Handle, tls: ssl.SSLContext | None = None
) -> AsyncIterator[str]:
    """Handle the connections to a port, and yield its base URL."""

    async def accept(stream: SocketStream) -> None:
        async with stream:
            with suppress(*GONE):
                await handle(BufferedByteStream(await secured(stream, tls)))

    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    async with listener, anyio.create_task_group() as tg:
        tg.start_soon(listener.serve, accept)
        scheme = "http" if tls is None else "https"
        port = listener.extra(SocketAttribute.local_port)
        yield f"{scheme}://127.0.0.1:{port}/method"
        tg.cancel_scope.cancel()


async def secured(stream: ByteStream, tls: ssl.SSLContext | None) -> ByteStream:
    """Wrap a connection in TLS, as the server, if there is a context."""
    if tls is None:
        return stream
    return await TLSStream.wrap(stream, server_side=True, ssl_context=tls)


@asynccontextmanager
async def closed_port() -> AsyncIterator[str]:
    """Yield the base URL of a closed port."""
    async with listening(never_respond) as base_url:
        pass
    yield base_url


async def read_request(stream: BufferedByteStream) -> bytes:
    """Read a request with its body."""
    head = await stream.receive_until(b"\r\n\r\n", 65536)
    length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
    body = await stream.receive_exactly(int(length[1])) if length else b""
    return head + b"\r\n\r\n" + body


def port_of(base_url: str) -> int:
    """Return the port of a base URL."""
    return int(base_url.split(":")[2].split("/")[0])


def collecting(requests: list[bytes]) -> Handle:
    """Collect requests, one of each connection, and return 1."""

    async def collect(stream: BufferedByteStream) -> None:
        requests.append(await read_request(stream))
        await stream.send(FINE)

    return collect


async def never_respond(stream: BufferedByteStream) -> None:
    """Accept a connection and never respond."""
    await anyio.sleep_forever()


async def always_succeed(stream: BufferedByteStream) -> None:
    """Return 1 for every request."""
    while True:
        await read_request(stream)
        await stream.send(FINE)
