"""What tests of the Callback API do: VK sends events, and a handler notes them."""

from __future__ import annotations

import json
import time
from contextlib import asynccontextmanager
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

import anyio
import httpx
from anyio import sleep

from _helpers import settle
from vkanyio.updates import CallbackReceiver

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from vkanyio.updates import Update

SECRET = "the-callback-secret"
GROUP = 9


def receiver(**options: Any) -> CallbackReceiver:
    return CallbackReceiver(
        **{"secrets": {GROUP: SECRET}, "confirmations": {GROUP: "1a2b3c"}, **options}
    )


def event(n: int = 1, peer: int = 1, **more: Any) -> dict[str, Any]:
    message = {"id": n, "peer_id": peer, "text": str(n)}
    return {
        "type": "message_new",
        "group_id": GROUP,
        "event_id": f"e{n}",
        "v": "5.199",
        "object": {"message": message},
        "secret": SECRET,
        **more,
    }


async def post(
    app: CallbackReceiver, content: Any = None, url: str = "/vk", **options: Any
) -> httpx.Response:
    """Send one request as VK does."""
    body = content if isinstance(content, bytes) else json.dumps(content or event())
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://bot") as vk:
        return await vk.request(
            options.pop("verb", "POST"), url, content=body, **options
        )


class Handled:
    """A handler that takes some seconds, and notes what it has handled."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds = seconds
        self.begun: list[str] = []
        self.ended: list[str] = []
        self.attempts: list[int] = []

    async def __call__(self, update: Update[Any]) -> None:
        self.begun.append(update.event_id)
        self.attempts.append(update.attempt)
        await sleep(self.seconds)
        self.ended.append(update.event_id)


@asynccontextmanager
async def handled_by(handler: Handled) -> AsyncIterator[CallbackReceiver]:
    """Return a receiver whose updates are handled."""
    app = receiver()
    async with app.updates() as updates, anyio.create_task_group() as tg:
        tg.start_soon(updates.handle, handler)
        await settle()
        yield app
        updates.stop()


def is_asked_to_repeat(response: httpx.Response) -> bool:
    date = parsedate_to_datetime(response.headers["retry-after"])
    assert 0 <= date.timestamp() - time.time() <= 11
    return response.status_code == 503


class Table:
    """A store of handled updates that may be slow, or fail.

    :ivar seconds: how long each call takes
    :ivar slow: the same for some event ids alone
    """

    def __init__(self) -> None:
        self.ids: set[tuple[int, str]] = set()
        self.seconds = 0.0
        self.slow: dict[str, float] = {}
        self.add_seconds = 0.0
        self.error: Exception | None = None
        self.add_error: Exception | None = None

    async def contains(self, group_id: int, event_id: str) -> bool:
        await sleep(self.slow.get(event_id, self.seconds))
        if self.error is not None:
            raise self.error
        return (group_id, event_id) in self.ids

    async def add(self, group_id: int, event_id: str) -> None:
        await sleep(self.add_seconds or self.seconds)
        if (error := self.add_error or self.error) is not None:
            raise error
        self.ids.add((group_id, event_id))
