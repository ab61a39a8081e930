"""Small proxies on loopback sockets, which pass bytes on in both directions."""

from __future__ import annotations

import ssl
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
from anyio.abc import SocketAttribute
from anyio.streams.buffered import BufferedByteStream
from anyio.streams.tls import TLSStream

from ._relay import GONE

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

    from anyio.abc import ByteStream, SocketStream

CERTIFICATE = Path(__file__).with_name("localhost.pem")
"""Self-signed, for localhost and 127.0.0.1, with its key; valid for a century."""


@asynccontextmanager
async def http_proxy() -> AsyncGenerator[str]:
    """Run a proxy that makes tunnels (CONNECT), and yield its URL."""

    async def serve(socket: SocketStream) -> None:
        stream = BufferedByteStream(socket)
        head = await stream.receive_until(b"\r\n\r\n", 65536)
        host, port = head.split()[1].decode().rsplit(":", 1)
        async with await anyio.connect_tcp(host, int(port)) as target:
            await stream.send(b"HTTP/1.1 200 Connection established\r\n\r\n")
            await relay(stream, target)

    async with _listening(serve) as port:
        yield f"http://127.0.0.1:{port}"


@asynccontextmanager
async def socks_proxy() -> AsyncGenerator[str]:
    """Run a SOCKS5 proxy (RFC 1928) without a login, and yield its URL."""

    async def serve(socket: SocketStream) -> None:
        stream = BufferedByteStream(socket)
        _, methods = await stream.receive_exactly(2)
        await stream.receive_exactly(methods)
        await stream.send(b"\x05\x00")
        *_, kind = await stream.receive_exactly(4)
        if kind == 1:
            host = ".".join(map(str, await stream.receive_exactly(4)))
        else:
            [length] = await stream.receive_exactly(1)
            host = (await stream.receive_exactly(length)).decode()
        port = int.from_bytes(await stream.receive_exactly(2))
        async with await anyio.connect_tcp(host, port) as target:
            await stream.send(b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00")
            await relay(stream, target)

    async with _listening(serve) as port:
        yield f"socks5://127.0.0.1:{port}"


@asynccontextmanager
async def tls_proxy(target_port: int) -> AsyncGenerator[int]:
    """Accept TLS in front of a server that has none, and yield the port.

    A connection that the server does not accept is closed before its handshake.
    """
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(CERTIFICATE)

    async def serve(socket: SocketStream) -> None:
        async with await anyio.connect_tcp("127.0.0.1", target_port) as target:
            stream = await TLSStream.wrap(
                socket,
                server_side=True,
                ssl_context=context,
                standard_compatible=False,
            )
            await relay(stream, target)

    async with _listening(serve) as port:
        yield port


@asynccontextmanager
async def _listening(
    serve: Callable[[SocketStream], Awaitable[None]],
) -> AsyncGenerator[int]:
    """Serve the connections to a port for as long as the block lasts."""

    async def accept(socket: SocketStream) -> None:
        async with socket:
            with suppress(*GONE, anyio.IncompleteRead):
                await serve(socket)

    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    async with listener, anyio.create_task_group() as tg:
        tg.start_soon(listener.serve, accept)
        yield listener.extra(SocketAttribute.local_port)
        tg.cancel_scope.cancel()


async def relay(one: ByteStream, other: ByteStream) -> None:
    """Pass bytes on in both directions until one side has ended."""

    async def pass_on(source: ByteStream, target: ByteStream) -> None:
        with suppress(*GONE):
            while True:
                await target.send(await source.receive())
        tasks.cancel_scope.cancel()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(pass_on, one, other)
        tasks.start_soon(pass_on, other, one)
