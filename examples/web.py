"""A web application and a bot in one, which share a client, and thus a rate limit.

::

    pip install vkanyio starlette hypercorn
    export VK_TOKEN=... VK_GROUP_ID=... VK_SECRET=...
    hypercorn --bind 127.0.0.1:0 examples/web.py:app  # any free port, which it prints

``--worker-class trio`` runs it on trio. Any other ASGI server works, too. ``/users/1``
returns a name, and ``/vk`` is the address to enter in the Callback API settings of the
community, with the secret key that is in ``VK_SECRET``.
"""

from __future__ import annotations

import logging
import os
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import anyio
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from vkanyio import VK, VKError
from vkanyio.updates import CallbackReceiver, MessageNew, Update

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from starlette.requests import Request

BASE_URL = os.environ.get("VKANYIO_BASE_URL", "https://api.vk.ru/method")
GROUP_ID = int(os.environ["VK_GROUP_ID"])

api = VK(os.environ["VK_TOKEN"], base_url=BASE_URL)
receiver = CallbackReceiver(secrets={GROUP_ID: os.environ["VK_SECRET"]}, api=api)


async def answer(update: Update[Any]) -> None:
    """Answer a message; if this fails, VK gets no "ok", and sends the update again."""
    match update:
        case MessageNew(object={"message": message}):
            text = f"You wrote: {message['text']}"
            # The deduplication key: VK delivers the message once, even if sent twice.
            key = update.random_id()
            await api.messages.send(
                peer_id=message["peer_id"], message=text, random_id=key
            )


def report(update: Update[Any], error: Exception) -> None:
    """Report an update that cannot be handled, and go on with the next one."""
    logging.error("%s %s: %s", update.type, update.event_id, error)


@asynccontextmanager
async def lifespan(_app: Starlette) -> AsyncGenerator[None]:
    """Keep the client open and the bot running while the application runs."""
    async with api, receiver.updates() as updates, anyio.create_task_group() as tg:

        async def handle() -> None:
            await updates.handle(answer, workers=20, on_error=report)

        tg.start_soon(handle)
        yield
        updates.stop()  # what was begun is finished


async def show_user(request: Request) -> JSONResponse:
    user_id: int = request.path_params["user_id"]
    try:
        with anyio.fail_after(5):  # includes the time in the queue
            users = await api.users.get(user_ids=[user_id])
    except VKError as error:
        return JSONResponse({"error": str(error)}, 503 if error.is_transient else 502)
    except TimeoutError:  # of fail_after
        return JSONResponse({"error": "VK does not respond"}, 503)
    if not users:
        return JSONResponse({"error": "no such user"}, 404)
    [user] = users
    return JSONResponse({"name": f"{user['first_name']} {user['last_name']}"})


app = Starlette(
    routes=[Route("/users/{user_id:int}", show_user), Route("/vk", receiver)],
    lifespan=lifespan,
)
