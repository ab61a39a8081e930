"""Make hundreds of calls at once, packed into requests of 25 calls each.

Counts the messages in each conversation of a community, and prints the longest ones.
A community token may make 20 requests a second: with packing, 500 calls.
"""

from __future__ import annotations

import os

import anyio

from vkanyio import VK, APIError

BASE_URL = os.environ.get("VKANYIO_BASE_URL", "https://api.vk.ru/method")


async def main() -> None:
    async with VK(
        os.environ["VK_TOKEN"],
        base_url=BASE_URL,
        limit=20,
        request_mode="burst",
        mode="parallel",
        timeout=30,  # VK needs longer for a request with 25 calls
    ) as api:
        conversations = await api.messages.getConversations(count=200)
        counts: dict[int, int] = {}
        async with anyio.create_task_group() as tg:
            for item in conversations["items"]:
                tg.start_soon(count, api, item["conversation"]["peer"]["id"], counts)
        done = api.statistics()
    for peer_id in sorted(counts, key=counts.__getitem__, reverse=True)[:5]:
        print(f"{counts[peer_id]:6} messages with {peer_id}")
    print(f"{done.calls} calls in {done.sent} requests")


async def count(api: VK, peer_id: int, counts: dict[int, int]) -> None:
    try:
        history = await api.messages.getHistory(peer_id=peer_id, count=1)
    except APIError as error:  # of this call only; the others continue
        print(error)
    else:
        counts[peer_id] = history["count"]


if __name__ == "__main__":
    anyio.run(main)
