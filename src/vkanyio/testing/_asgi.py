"""An ASGI 3 adapter for a function that takes a request and returns a response."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from functools import partial
from typing import Any, TypeAlias, TypeVar

import anyio

from ._errors import ConnectionDropped
from ._wire import Request, SimulatedResponse

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
T = TypeVar("T")
Handle: TypeAlias = Callable[[Request], Awaitable[SimulatedResponse]]


async def run_asgi(handle: Handle, scope: Scope, receive: Receive, send: Send) -> None:
    """Process one ASGI scope.

    :param handle: returns the response to a request; its exceptions propagate unchanged
    :param scope: an ASGI scope, "http" or "lifespan"
    :param receive: returns the events of the scope
    :param send: receives the events of the response
    """
    if scope["type"] == "lifespan":
        await _lifespan(receive, send)
        return
    if scope["type"] != "http":
        raise NotImplementedError(f"the simulator does not support {scope['type']!r}")
    request = await _read(scope, receive)
    if request is None:
        return
    response = await _while_connected(partial(handle, request), receive)
    if response is None:
        return
    if response.lasting:
        await _while_connected(partial(_send, response, send), receive)
    else:
        await _send(response, send)


async def _send(response: SimulatedResponse, send: Send) -> None:
    headers = [
        (name.encode("latin-1"), value.encode("latin-1"))
        for name, value in response.headers.items()
    ]
    start = {"type": "http.response.start", "status": response.status}
    await send({**start, "headers": headers})
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


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        event = (await receive())["type"]
        await send({"type": f"{event}.complete"})
        if event == "lifespan.shutdown":
            return


async def _read(scope: Scope, receive: Receive) -> Request | None:
    body = bytearray()
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return Request(
        verb=scope["method"],
        path=scope["path"],
        query=scope["query_string"],
        headers={
            name.decode("latin-1").lower(): value.decode("latin-1")
            for name, value in scope["headers"]
        },
        body=bytes(body),
        scheme=scope.get("scheme", "http"),
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
