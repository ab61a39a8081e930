"""The parts of HTTP over ASGI 3 that a receiver needs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from typing import Any, TypeAlias, final

import attrs

ASGIMessage: TypeAlias = MutableMapping[str, Any]
ASGIReceive: TypeAlias = Callable[[], Awaitable[ASGIMessage]]
ASGISend: TypeAlias = Callable[[ASGIMessage], Awaitable[None]]


@final
@attrs.frozen
class PlainResponse:
    """A response with a text."""

    status: int
    text: str
    headers: dict[str, str] = attrs.field(factory=dict[str, str])

    async def send(self, send: ASGISend) -> None:
        """Send it; a client that has disconnected gets nothing, which is not an
        error."""
        body = self.text.encode()
        named = {
            "content-type": "text/plain; charset=utf-8",
            "content-length": str(len(body)),
            **self.headers,
        }
        headers = [(name.encode(), value.encode()) for name, value in named.items()]
        start = {"type": "http.response.start", "status": self.status}
        with suppress(OSError):
            await send({**start, "headers": headers})
            await send({"type": "http.response.body", "body": body})


def header(scope: ASGIMessage, name: bytes) -> str:
    """Return a header of a request, empty if it has none."""
    found = [value for each, value in scope["headers"] if each.lower() == name]
    return str(found[-1], "latin-1") if found else ""


async def read_body(
    scope: ASGIMessage, receive: ASGIReceive, max_size: int
) -> bytes | None:
    """Read a body, but not much more of it than is allowed.

    :param max_size: how many bytes it may have
    :return: the bytes, None if there are too many
    :raises ConnectionError: if the client disconnects
    """
    length = header(scope, b"content-length")
    if length.isascii() and length.isdecimal() and int(length) > max_size:
        return None
    body = bytearray()
    more = True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            raise ConnectionError
        body += message.get("body", b"")
        if len(body) > max_size:
            return None
        more = message.get("more_body", False)
    return bytes(body)


async def answer_lifespan(receive: ASGIReceive, send: ASGISend) -> None:
    """Complete the events of an ASGI lifespan."""
    while True:
        event = (await receive())["type"]
        await send({"type": f"{event}.complete"})
        if event == "lifespan.shutdown":
            return
