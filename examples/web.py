"""A web application whose requests share one client, and thus one rate limit.

::

    hypercorn examples/web.py:app                 # asyncio
    hypercorn --worker-class trio examples/web.py:app

http://127.0.0.1:8000/users/1 returns a name. Any other ASGI server works, too.
"""

from __future__ import annotations

import os
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import anyio
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from vkanyio import VK, VKError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from starlette.requests import Request

BASE_URL = os.environ.get("VK_BASE_URL", "https://api.vk.ru/method")


@asynccontextmanager
async def lifespan(_app: Starlette) -> AsyncGenerator[dict[str, VK]]:
    """Keep a client open while the application runs."""
    async with VK(os.environ["VK_TOKEN"], base_url=BASE_URL) as api:
        yield {"api": api}


async def show_user(request: Request) -> JSONResponse:
    api: VK = request.state.api
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
    routes=[Route("/users/{user_id:int}", show_user)],
    lifespan=lifespan,
)
