"""Handle 100,000 updates, and check that memory does not grow.

::

    uv run python -m proof.many_updates

The long poll server returns 100 new updates to each poll. They are handled by a loop,
and then by 20 workers, in virtual time. After each tenth of them, the program asks
Python how many blocks of memory are in use. The processor time of an update includes
the parsing of JSON.
"""

from __future__ import annotations

import gc
import json
import sys
import time
from typing import TYPE_CHECKING, Any, NamedTuple, final
from urllib.parse import parse_qs, urlsplit

import anyio

from vkanyio import VK

from ._clock import BACKENDS, run_in_virtual_time
from .updates import WAYS

if TYPE_CHECKING:
    from .updates import Way

UPDATES = 100_000
AT_ONCE = 100
PEERS = 50
WORKERS = 20
MAX_GROWTH = 10_000
"""Blocks: trio keeps up to a thousand deadlines that have passed."""
GROUP = 9
SERVER = {"server": "https://lp.vk.com/bot9", "key": "a-key", "ts": "0"}


class Response(NamedTuple):
    """What an HTTP client returns."""

    content: bytes
    status_code: int = 200


@final
class Feed:
    """An HTTP client for which VK always has more updates."""

    async def post(self, url: str, **_: Any) -> Response:
        """Answer a call of ``groups.getLongPollServer``, or a poll."""
        await anyio.sleep(0.01)
        if not url.startswith(SERVER["server"]):
            return Response(json.dumps({"response": SERVER}).encode())
        first = int(parse_qs(urlsplit(url).query)["ts"][0])
        updates = [_update(n) for n in range(first, first + AT_ONCE)]
        answer = {"ts": str(first + AT_ONCE), "updates": updates}
        return Response(json.dumps(answer).encode())


def _update(number: int) -> dict[str, Any]:
    message = {"id": number, "peer_id": number % PEERS, "text": f"No. {number}"}
    return {
        "type": "message_new",
        "event_id": f"{number:040x}",
        "v": "5.199",
        "group_id": GROUP,
        "object": {"message": message, "client_info": {}},
    }


async def read(way: Way, count: int) -> list[int]:
    """Read updates.

    :return: the blocks of memory in use after each tenth of them
    """
    blocks: list[int] = []
    seen = 0
    client = Feed()
    async with (
        VK("token", http_client=client) as api,
        api.bot_updates(GROUP) as updates,
    ):

        async def note(_: object) -> None:
            nonlocal seen
            seen += 1
            if seen % (count // 10) == 0:
                gc.collect()
                blocks.append(sys.getallocatedblocks())
            if seen == count:
                updates.stop()

        if way == "workers":
            await updates.handle(note, workers=WORKERS)
        else:
            async for update in updates:
                await note(update)
    return blocks


def main() -> None:
    """Read them in each way on each event loop, and exit with 1 if memory grows."""
    is_flat = True
    print(f"{UPDATES:,} updates: blocks of memory after a tenth, and at the end")
    for backend in BACKENDS:
        for way in WAYS:
            began = time.process_time()
            blocks = run_in_virtual_time(backend, read, way, UPDATES)
            used = (time.process_time() - began) / UPDATES
            is_flat = is_flat and blocks[-1] - blocks[0] < MAX_GROWTH
            print(
                f"{backend:8} {way:8} {blocks[0]:9,} {blocks[-1]:9,}"
                f"  {used * 1e6:5.1f} us an update",
                flush=True,
            )
    print("memory is flat" if is_flat else "BROKEN: memory grows")
    sys.exit(not is_flat)


if __name__ == "__main__":
    main()
