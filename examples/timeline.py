"""See where the time goes: a line for each call, from the events of ``on_event``.

Dots are time in the queue, equal signs are HTTP. The first request is sent at once,
with one call; the calls that arrive in the meantime share the next requests.
"""

from __future__ import annotations

import os

import anyio

from vkanyio import VK, CallEnded, CallStarted, Event, RequestStarted

BASE_URL = os.environ.get("VKANYIO_BASE_URL", "https://api.vk.ru/method")
COLUMNS_A_SECOND = 20


class Timeline:
    """Draws the calls of a client, one per line."""

    def __init__(self) -> None:
        self._began: float | None = None
        self._sent = 0
        self._requests: dict[int, int] = {}

    def __call__(self, event: Event) -> None:
        """Handle an event, and draw a call when it has ended."""
        match event:
            case CallStarted(at=at) if self._began is None:
                self._began = at
            case RequestStarted(calls=calls):
                self._sent += 1
                self._requests.update(dict.fromkeys(calls, self._sent))
            case CallEnded():
                print(self._line(event))
            case _:
                return

    def _line(self, call: CallEnded) -> str:
        began = call.at - call.duration - (self._began or 0.0)
        waited = call.duration if call.waited is None else call.waited
        bar = " " * columns(began) + "." * columns(waited)
        bar += "=" * max(1, columns(call.duration - waited))
        request = self._requests.get(call.call, "-")
        ending = call.error or call.ending
        return f"{call.method:18} {bar:44} request {request}: {ending}"


def columns(seconds: float) -> int:
    return round(seconds * COLUMNS_A_SECOND)


async def main() -> None:
    async with VK(
        os.environ["VK_TOKEN"],
        base_url=BASE_URL,
        limit=2,
        mode="parallel",
        on_event=Timeline(),
    ) as api:
        await api.utils.getServerTime()
        async with anyio.create_task_group() as tg:
            for user_id in range(1, 5):
                tg.start_soon(api.call, "users.get", {"user_ids": user_id})
            await anyio.sleep(0.75)
            tg.start_soon(api.call, "groups.getById", {"group_id": 1})


if __name__ == "__main__":
    anyio.run(main)
