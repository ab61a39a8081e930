"""A way from httpx to the simulator without a network."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, final

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
        return httpx.Response(
            answer.status,
            headers=answer.headers,
            content=answer.body,
            request=request,
        )

    async def _within_timeout(self, wire: Request, request: httpx.Request) -> Answer:
        timeout: dict[str, float | None] = request.extensions.get("timeout", {})
        seconds = timeout.get("read")
        with anyio.move_on_after(math.inf if seconds is None else seconds):
            return await self._handle(wire)
        raise httpx.ReadTimeout("the simulator kept silent", request=request)
