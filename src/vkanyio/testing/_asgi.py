"""An ASGI 3 adapter for a function that takes a request and returns a response."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import anyio

from ._errors import ConnectionDropped
from ._wire import Request, SimulatedResponse, max_body

if TYPE_CHECKING:
    from ._uploading import UploadBody

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
T = TypeVar("T")
Handle: TypeAlias = Callable[[Request], Awaitable[SimulatedResponse]]
Begin: TypeAlias = "Callable[[str, int], UploadBody | None]"

LINGER = 5.0
"""Seconds for which the rest of a body is discarded, nginx's `lingering_timeout`."""


async def run_asgi(
    handle: Handle, begin: Begin, scope: Scope, receive: Receive, send: Send
) -> None:
    """Process one ASGI scope.

    :param handle: returns the response to a request; its exceptions propagate unchanged
    :param begin: prepares for the body of a request
    :param scope: an ASGI scope, "http" or "lifespan"
    :param receive: returns the events of the scope
    :param send: receives the events of the response
    """
    if scope["type"] == "lifespan":
        await _lifespan(receive, send)
        return
    if scope["type"] != "http":
        raise NotImplementedError(f"the simulator does not support {scope['type']!r}")
    arriving = begin(scope["path"], _length(scope))
    body, is_whole = await _read(max_body(scope["path"]), receive, arriving)
    if isinstance(body, SimulatedResponse):
        await _refuse(body, receive, send)
    if not isinstance(body, bytes):
        return
    request = _request(scope, body, arriving)
    if not is_whole:
        await _refuse(await handle(request), receive, send)
        return
    response = await _while_connected(partial(handle, request), receive)
    if response is None:
        return
    if response.lasting:
        await _while_connected(partial(_send, response, send), receive)
    else:
        await _send(response, send)


def _start(response: SimulatedResponse) -> Message:
    headers = [
        (name.encode("latin-1"), value.encode("latin-1"))
        for name, value in response.headers.items()
    ]
    start = {"type": "http.response.start", "status": response.status}
    return {**start, "headers": headers}


async def _send(response: SimulatedResponse, send: Send) -> None:
    await send(_start(response))
    *pieces, (pause, last) = response.pieces()
    part = {"type": "http.response.body"}
    for seconds, piece in pieces:
        await anyio.sleep(seconds)
        await send({**part, "body": piece, "more_body": True})
    if pause:
        await anyio.sleep(pause)
    await send({**part, "body": last, "more_body": response.cut is not None})
    if response.cut is not None:
        raise ConnectionDropped


async def _refuse(response: SimulatedResponse, receive: Receive, send: Send) -> None:
    """Respond at once, then discard the rest of the body for a while, as nginx does.

    Most clients read the response only after they have sent everything: if the
    connection were closed before, they would see an error in its place.
    """
    part = {"type": "http.response.body"}
    await send(_start(response))
    await send({**part, "body": response.body, "more_body": True})
    with anyio.move_on_after(LINGER):
        while (await receive()).get("more_body", False):
            pass
    await send({**part, "body": b"", "more_body": False})


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        event = (await receive())["type"]
        await send({"type": f"{event}.complete"})
        if event == "lifespan.shutdown":
            return


async def _read(
    max_size: int, receive: Receive, arriving: UploadBody | None
) -> tuple[bytes | SimulatedResponse | None, bool]:
    """Read a body, but no more of it than what shows that it is too large.

    :param max_size: how many bytes it may have
    :param arriving: what takes the body of an upload
    :return: the bytes, and whether these are all. In place of the bytes: None if the
        client has disconnected; a response that does not wait for them
    """
    body = bytearray()
    more = True
    if arriving is not None and (early := await arriving.take(0)):
        return early, False
    while more and len(body) <= max_size:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None, False
        chunk = message.get("body", b"")
        body += chunk
        if arriving is not None and (early := await arriving.take(len(chunk))):
            return early, False
        more = message.get("more_body", False)
    return bytes(body), not more


def _length(scope: Scope) -> int:
    values = [
        value for name, value in scope.get("headers", ()) if name == b"content-length"
    ]
    return int(values[0]) if values else 0


def _request(scope: Scope, body: bytes, arriving: UploadBody | None) -> Request:
    return Request(
        verb=scope["method"],
        path=scope["path"],
        query=scope["query_string"],
        headers={
            name.decode("latin-1").lower(): value.decode("latin-1")
            for name, value in scope["headers"]
        },
        body=body,
        scheme=scope.get("scheme", "http"),
        arriving=arriving,
        peer=(scope.get("client") or ("",))[0],
    )


async def _while_connected(
    work: Callable[[], Awaitable[T]], receive: Receive
) -> T | None:
    """Run a function until the client disconnects.

    :return: what the function returns, or None if the client has disconnected
    """
    result: T | None = None
    failure: Exception | None = None
    async with anyio.create_task_group() as tg:
        tg.start_soon(_cancel_on_disconnect, receive, tg.cancel_scope)
        try:
            result = await work()
        except Exception as exc:
            # Do not let it reach the task group, which would wrap it.
            failure = exc
        tg.cancel_scope.cancel()
    if failure is not None:
        raise failure
    return result


async def _cancel_on_disconnect(receive: Receive, scope: anyio.CancelScope) -> None:
    # After the body only "http.disconnect" can follow.
    await receive()
    scope.cancel()
