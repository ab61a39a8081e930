"""Small proxies on loopback sockets, which hand bytes on in both directions."""

from __future__ import annotations

from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

import anyio

from _sockets import GONE, listening

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from anyio.abc import ByteStream
    from anyio.streams.buffered import BufferedByteStream


@asynccontextmanager
async def http_proxy() -> AsyncIterator[str]:
    """Run a proxy that makes tunnels (CONNECT), and yield its URL."""

    async def serve(stream: BufferedByteStream) -> None:
        head = await stream.receive_until(b"\r\n\r\n", 65536)
        host, port = head.split()[1].decode().rsplit(":", 1)
        async with await anyio.connect_tcp(host, int(port)) as target:
            await stream.send(b"HTTP/1.1 200 Connection established\r\n\r\n")
            await relay(stream, target)

    async with listening(serve) as address:
        yield address.removesuffix("/method")


@asynccontextmanager
async def socks_proxy() -> AsyncIterator[str]:
    """Run a SOCKS5 proxy (RFC 1928) without a login, and yield its URL."""

    async def serve(stream: BufferedByteStream) -> None:
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

    async with listening(serve) as address:
        yield address.removesuffix("/method").replace("http://", "socks5://")


async def relay(one: ByteStream, other: ByteStream) -> None:
    """Hand bytes on in both directions until one side has ended."""

    async def hand_on(source: ByteStream, target: ByteStream) -> None:
        with suppress(*GONE):
            while True:
                await target.send(await source.receive())
        tasks.cancel_scope.cancel()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(hand_on, one, other)
        tasks.start_soon(hand_on, other, one)
