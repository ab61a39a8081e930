"""A bot that answers each message with its text, until it is killed."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import anyio

from vkanyio import VK
from vkanyio.updates import FilePosition, MessageNew

if TYPE_CHECKING:
    from vkanyio.updates import Gap, Update

TOKEN = "bot"


async def main(base_url: str, path: str, way: str) -> None:
    """Answer messages by a loop, or by workers."""
    async with (
        VK(TOKEN, base_url=base_url, limit=1000) as api,
        api.bot_updates(position=FilePosition(path)) as updates,
    ):

        async def answer(update: Update[Any] | Gap) -> None:
            if isinstance(update, MessageNew):
                message = update.object["message"]
                await api.messages.send(
                    peer_id=message["peer_id"],
                    message=message["text"],
                    random_id=update.random_id(),
                )

        if way == "workers":
            await updates.handle(answer, workers=10)
        async for update in updates:
            await answer(update)


if __name__ == "__main__":
    backend, base_url, path, way = sys.argv[1:]
    anyio.run(main, base_url, path, way, backend=backend)
