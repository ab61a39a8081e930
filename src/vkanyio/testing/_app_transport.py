"""An httpx transport that calls an ASGI application of the user directly."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, final

import anyio
import httpx

if TYPE_CHECKING:
    from ._asgi import Message
    from ._serve import Application

logger = logging.getLogger("vkanyio.testing")


@final
class AppTransport(httpx.AsyncBaseTransport):
    """Pass requests to an application; one that fails responds with status 500.

    Unlike httpx's own, it leaves nothing open if the application does not read the
    whole body.

    :param app: an ASGI application
    """

    def __init__(self, app: Application) -> None:
        self._app = app

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request; httpx calls this."""
        body: list[Message] = [{"type": "http.request", "body": await request.aread()}]
        sent: list[Message] = []

        async def receive() -> Message:
            if not body:
                await anyio.sleep_forever()
            return body.pop()

        async def send(message: Message) -> None:
            sent.append(message)

        path = request.url.path
        scope: Message = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": request.method,
            "scheme": request.url.scheme,
            "path": path,
            "raw_path": request.url.raw_path.split(b"?")[0],
            "query_string": request.url.query,
            "root_path": "",
            "headers": [(name.lower(), value) for name, value in request.headers.raw],
            "server": (request.url.host, request.url.port or 80),
            "client": ("127.0.0.1", 123),
        }
        try:
            await self._app(scope, receive, send)
        except Exception:
            logger.exception("the application failed to respond to %s", path)
            return httpx.Response(500, request=request)
        start: Message = sent[0] if sent else {"status": 500, "headers": []}
        content = b"".join(message.get("body", b"") for message in sent)
        return httpx.Response(
            start["status"], headers=start["headers"], content=content, request=request
        )
