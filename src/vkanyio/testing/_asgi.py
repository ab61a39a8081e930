"""ASGI 3 around a function from a request to an answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias

import anyio

from ._wire import Answer, Request

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
Handle: TypeAlias = Callable[[Request], Awaitable[Answer]]


async def run_asgi(handle: Handle, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer one ASGI scope.

    :param handle: what answers requests; its exceptions leave as they are
    :param scope: an ASGI scope, "http" or "lifespan"
    :param receive: the scope's events
    :param send: takes the events of the answer
    """
    if scope["type"] == "lifespan":
        await _lifespan(receive, send)
        return
    if scope["type"] != "http":
        raise NotImplementedError(f"the simulator does not speak {scope['type']!r}")
    request = await _read(scope, receive)
    answer = request and await _while_connected(handle, request, receive)
    if answer:
        headers = [
            (name.encode("latin-1"), value.encode("latin-1"))
            for name, value in answer.headers.items()
        ]
        start = {"type": "http.response.start", "status": answer.status}
        await send({**start, "headers": headers})
        await send({"type": "http.response.body", "body": answer.body})


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
    handle: Handle, request: Request, receive: Receive
) -> Answer | None:
    """Work on an answer for as long as there is somebody to get it.

    :return: the answer, or None if the client has gone away
    """
    answer: Answer | None = None
    failure: Exception | None = None
    async with anyio.create_task_group() as tg:
        tg.start_soon(_cancel_on_disconnect, receive, tg.cancel_scope)
        try:
            answer = await handle(request)
        except Exception as exc:
            # Kept out of the group, which would wrap it.
            failure = exc
        tg.cancel_scope.cancel()
    if failure is not None:
        raise failure
    return answer


async def _cancel_on_disconnect(receive: Receive, scope: anyio.CancelScope) -> None:
    # Once the body has been read, nothing but "http.disconnect" can follow.
    await receive()
    scope.cancel()
