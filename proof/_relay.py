"""A relay between client and server that resets connections and stalls."""

from __future__ import annotations

import random
import socket
import struct
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, final

import anyio
from anyio.abc import SocketAttribute

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from anyio.abc import SocketStream

GONE = (
    anyio.BrokenResourceError,
    anyio.ClosedResourceError,
    anyio.EndOfStream,
    OSError,
)
CHUNK = 65536
RECONNECT = 0.05
"""Seconds between two attempts to reach the server."""


@final
class Relay:
    """Relays bytes, and injects faults.

    :param port: the port of the server
    :param seed: seeds the faults
    :param rate: probability of each kind of fault, for each piece of data
    :param stall: duration of a stall in seconds
    :ivar resets: number of connections reset in the middle of a response
    :ivar cuts: number of connections reset in the middle of a request
    :ivar stalls: number of stalls
    """

    def __init__(self, port: int, seed: int, rate: float, stall: float) -> None:
        self.resets = self.cuts = self.stalls = 0
        self._port = port
        self._chance = random.Random(f"relay {seed}")
        self._rate = rate
        self._stall = stall

    @asynccontextmanager
    async def listening(self) -> AsyncGenerator[int]:
        """Relay the connections to a port for as long as the block lasts."""
        listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
        async with listener, anyio.create_task_group() as tg:
            tg.start_soon(listener.serve, self._accept)
            yield listener.extra(SocketAttribute.local_port)
            tg.cancel_scope.cancel()

    async def _accept(self, client: SocketStream) -> None:
        async with client:
            server = await self._connect()
            async with server, anyio.create_task_group() as tg:
                tg.start_soon(self._pass_requests, client, server, tg.cancel_scope)
                tg.start_soon(self._pass_responses, server, client, tg.cancel_scope)

    async def _connect(self) -> SocketStream:
        while True:
            try:
                return await anyio.connect_tcp("127.0.0.1", self._port)
            except OSError:
                await anyio.sleep(RECONNECT)  # the server has been killed

    async def _pass_requests(
        self, client: SocketStream, server: SocketStream, both: anyio.CancelScope
    ) -> None:
        try:
            while True:
                piece = await client.receive(CHUNK)
                if self._happens():
                    self.cuts += 1
                    await server.send(piece[: len(piece) // 2])
                    _reset_on_close(client)
                    break
                await server.send(piece)
        except GONE:
            pass
        both.cancel()

    async def _pass_responses(
        self, server: SocketStream, client: SocketStream, both: anyio.CancelScope
    ) -> None:
        try:
            while True:
                piece = await server.receive(CHUNK)
                if self._happens():
                    self.stalls += 1
                    await anyio.sleep(self._stall)
                if self._happens():
                    self.resets += 1
                    await client.send(piece[: len(piece) // 2])
                    _reset_on_close(client)
                    break
                await client.send(piece)
        except GONE:
            pass
        both.cancel()

    def _happens(self) -> bool:
        return self._chance.random() < self._rate


def _reset_on_close(stream: SocketStream) -> None:
    """Make closing this stream send a reset instead of an end of file."""
    raw = stream.extra(SocketAttribute.raw_socket)
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
