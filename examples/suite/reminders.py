"""The code under test: reminders, each of which may fail by itself."""

from __future__ import annotations

import anyio

from vkanyio import VK, APIError, ErrorCode


async def remind(api: VK, user_ids: list[int], text: str) -> list[int]:
    """Send a reminder to each user; return those who do not accept messages."""
    unreached: list[int] = []
    async with anyio.create_task_group() as tg:
        for user_id in user_ids:
            tg.start_soon(_send, api, user_id, text, unreached)
    return unreached


async def _send(api: VK, user_id: int, text: str, unreached: list[int]) -> None:
    try:
        await api.messages.send(peer_id=user_id, message=text)
    except (
        APIError[ErrorCode.MESSAGES_DENY_SEND],
        APIError[ErrorCode.MESSAGES_PRIVACY],
    ):
        unreached.append(user_id)
