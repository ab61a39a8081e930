"""A source of updates that a test fills by hand."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from anyio import Event, sleep_forever

from vkanyio.updates import Gap
from vkanyio.updates._parse import parse_update

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vkanyio.updates import Update


def message(n: int, peer: int = 1) -> Update[Any]:
    found = {"message": {"peer_id": peer, "text": str(n)}, "client_info": {}}
    raw = {"type": "message_new", "object": found, "event_id": f"e{n}", "group_id": 7}
    return parse_update(raw, 7)


def text_of(update: Update[Any]) -> int:
    return int(update.object["message"]["text"])


GAP = Gap(reason="outdated", before="5", after="9")


class HandSource:
    """Implements ``Source``.

    :ivar ready: what :meth:`take` returns
    :ivar handled: what was acknowledged
    :ivar asked: how often :meth:`take` was called
    """

    def __init__(self, *items: Update[Any] | Gap) -> None:
        self.ready = deque(items)
        self.handled: list[Update[Any] | Gap] = []
        self.asked = 0
        self.error: Exception | None = None
        self.attended = False
        self._stopped = False
        self._change = Event()

    def stop(self) -> None:
        self._stopped = True
        self._change.set()

    def add(self, *items: Update[Any] | Gap) -> None:
        self.ready.extend(items)
        self._change.set()

    def fail(self, error: Exception) -> None:
        self.error = error
        self._change.set()

    async def take(self) -> Update[Any] | Gap:
        self.asked += 1
        while not self.ready or self._stopped:
            if self._stopped:
                raise StopAsyncIteration
            if self.error is not None:
                raise self.error
            self._change = Event()
            await self._change.wait()
        return self.ready.popleft()

    def done(self, item: Update[Any] | Gap) -> None:
        self.handled.append(item)

    def give_back(self, items: Sequence[Update[Any] | Gap]) -> None:
        self.ready.extendleft(reversed(items))

    async def attend(self) -> None:
        self.attended = True
        try:
            await sleep_forever()
        finally:
            self.attended = False
