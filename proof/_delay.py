"""A relay with the delay of a long way, in both directions."""

from __future__ import annotations

import math
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, final

import anyio
from anyio.abc import SocketAttribute

from ._relay import CHUNK, GONE

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from anyio.abc import SocketStream


@final
class Delay:
    """Passes bytes on after a while, and the end of a connection, too.

    :param port: the port of the server
    :param seconds: the delay in each direction
    """

    def __init__(self, port: int, seconds: float) -> None:
        self._port = port
        self._seconds = seconds

    @asynccontextmanager
    async def listening(self) -> AsyncGenerator[int]:
        """Listen for as long as the block lasts, and yield the port."""
        listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
        async with listener, anyio.create_task_group() as tg:
            tg.start_soon(listener.serve, self._accept)
            yield listener.extra(SocketAttribute.local_port)
            tg.cancel_scope.cancel()

    async def _accept(self, client: SocketStream) -> None:
        async with client:
            try:
                server = await anyio.connect_tcp("127.0.0.1", self._port)
            except OSError:
                return
            async with server, anyio.create_task_group() as tg:
                tg.start_soon(self._pass_on, client, server, tg.cancel_scope)
                tg.start_soon(self._pass_on, server, client, tg.cancel_scope)

    async def _pass_on(
        self, source: SocketStream, target: SocketStream, both: anyio.CancelScope
    ) -> None:
        send, receive = anyio.create_memory_object_stream[tuple[float, bytes]](math.inf)

        async def read() -> None:
            with send:
                try:
                    while True:
                        piece = await source.receive(CHUNK)
                        send.send_nowait((anyio.current_time(), piece))
                except GONE:
                    send.send_nowait((anyio.current_time(), b""))

        with receive:
            async with anyio.create_task_group() as tg:
                tg.start_soon(read)
                async for came, piece in receive:
                    await anyio.sleep_until(came + self._seconds)
                    if not piece:
                        break
                    try:
                        await target.send(piece)
                    except GONE:
                        break
                tg.cancel_scope.cancel()
        both.cancel()
