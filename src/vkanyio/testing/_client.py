"""A way from httpx to the simulator without a network."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Self, final

import anyio
import httpx

from ._errors import ConnectionDropped, ConnectionRefused
from ._wire import Answer, Request

if TYPE_CHECKING:
    from ._asgi import Handle


@final
class InProcessTransport(httpx.AsyncBaseTransport):
    """Hand requests over by a function call.

    Whatever host a request is for, it comes to the simulator.

    :param handle: what answers requests
    """

    def __init__(self, handle: Handle) -> None:
        self._handle = handle

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request, as httpx does."""
        wire = Request(
            verb=request.method,
            path=request.url.path,
            query=request.url.query,
            headers=request.headers,
            body=await request.aread(),
            scheme=request.url.scheme,
        )
        try:
            answer = await self._within_timeout(wire, request)
        except ConnectionRefused:
            message = "the simulator refused the connection"
            raise httpx.ConnectError(message, request=request) from None
        except ConnectionDropped:
            message = "the simulator dropped the connection"
            raise httpx.ReadError(message, request=request) from None
        plain = answer.cut is None and not answer.lasting
        return httpx.Response(
            answer.status,
            headers=answer.headers,
            content=answer.body if plain else None,
            stream=None if plain else _Body(answer, request),
            request=request,
        )

    async def _within_timeout(self, wire: Request, request: httpx.Request) -> Answer:
        with anyio.move_on_after(_patience(request)):
            return await self._handle(wire)
        raise httpx.ReadTimeout("the simulator kept silent", request=request)


@final
class _Body(httpx.AsyncByteStream):
    """A body that comes by and by, or not as a whole."""

    def __init__(self, answer: Answer, request: httpx.Request) -> None:
        self._pieces = iter(answer.pieces())
        self._cut = answer.cut is not None
        self._request = request

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        for pause, piece in self._pieces:
            with anyio.move_on_after(_patience(self._request)):
                await anyio.sleep(pause)
                return piece
            raise httpx.ReadTimeout("the simulator is slow", request=self._request)
        if self._cut:
            message = "peer closed connection without sending complete message body"
            raise httpx.RemoteProtocolError(message, request=self._request)
        raise StopAsyncIteration


def _patience(request: httpx.Request) -> float:
    timeout: dict[str, float | None] = request.extensions.get("timeout", {})
    seconds = timeout.get("read")
    return math.inf if seconds is None else seconds
