"""An httpx transport that calls the simulator directly, without a network."""

from __future__ import annotations

import math
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Self, cast, final

import anyio
import httpx

from ._errors import ConnectionDropped, ConnectionRefused
from ._wire import Request, SimulatedResponse

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, AsyncIterator

    from ._asgi import Begin, Handle


@final
class InProcessTransport(httpx.AsyncBaseTransport):
    """Pass requests to the simulator by a function call, whatever their host.

    :param handle: returns the response to a request
    :param begin: prepares for the body of a request
    """

    def __init__(self, handle: Handle, begin: Begin) -> None:
        self._handle = handle
        self._begin = begin

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request; httpx calls this."""
        try:
            response = await self._respond(request)
        except ConnectionRefused:
            message = "the simulator refused the connection"
            raise httpx.ConnectError(message, request=request) from None
        except ConnectionDropped:
            message = "the simulator dropped the connection"
            raise httpx.ReadError(message, request=request) from None
        plain = response.cut is None and not response.lasting
        return httpx.Response(
            response.status,
            headers=response.headers,
            content=response.body if plain else None,
            stream=None if plain else _SimulatedBody(response, request),
            request=request,
        )

    async def _respond(self, request: httpx.Request) -> SimulatedResponse:
        length = int(request.headers.get("content-length", 0))
        arriving = self._begin(request.url.path, length)
        if arriving is None:
            body = await request.aread()
        else:
            received = bytearray()
            if early := await arriving.take(0):
                return early
            chunks = cast("AsyncIterable[bytes]", request.stream)
            async with _closing(aiter(chunks)) as stream:
                async for chunk in stream:
                    received += chunk
                    if early := await arriving.take(len(chunk)):
                        return early
            body = bytes(received)
        wire = Request(
            verb=request.method,
            path=request.url.path,
            query=request.url.query,
            headers=request.headers,
            body=body,
            scheme=request.url.scheme,
            arriving=arriving,
        )
        return await self._within_timeout(wire, request)

    async def _within_timeout(
        self, wire: Request, request: httpx.Request
    ) -> SimulatedResponse:
        with anyio.move_on_after(_read_timeout(request)):
            return await self._handle(wire)
        raise httpx.ReadTimeout(
            "the simulator did not respond in time", request=request
        )


@asynccontextmanager
async def _closing(
    stream: AsyncIterator[bytes],
) -> AsyncGenerator[AsyncIterator[bytes], None]:
    """Close what httpx iterates with: trio warns of generators left half-way."""
    try:
        yield stream
    finally:
        if isinstance(stream, AsyncGenerator):
            await stream.aclose()


@final
class _SimulatedBody(httpx.AsyncByteStream):
    """A response body that arrives slowly or incompletely."""

    def __init__(self, response: SimulatedResponse, request: httpx.Request) -> None:
        self._pieces = iter(response.pieces())
        self._cut = response.cut is not None
        self._request = request

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        for pause, piece in self._pieces:
            with anyio.move_on_after(_read_timeout(self._request)):
                await anyio.sleep(pause)
                return piece
            raise httpx.ReadTimeout(
                "the simulator did not send more of the body in time",
                request=self._request,
            )
        if self._cut:
            message = "peer closed connection without sending complete message body"
            raise httpx.RemoteProtocolError(message, request=self._request)
        raise StopAsyncIteration


def _read_timeout(request: httpx.Request) -> float:
    timeout: dict[str, float | None] = request.extensions.get("timeout", {})
    seconds = timeout.get("read")
    return math.inf if seconds is None else seconds
