"""What goes into the next HTTP request."""

from __future__ import annotations

import logging
import math
from collections import Counter, OrderedDict
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, final

from anyio import (
    ClosedResourceError,
    Event,
    WouldBlock,
    create_memory_object_stream,
    current_time,
)
from anyio.lowlevel import checkpoint

from ._request import APIRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from ._limiter import Start
    from ._packer import Packer
    from ._ticker import Ticker


logger = logging.getLogger("vkanyio")


@final
class Collector:
    """Takes the calls of one token off their channel, in the order of arrival.

    It waits for a live call, then for a tick, and only then takes: what was cancelled
    meanwhile is never sent and costs nothing. No await stands between taking a call
    and starting it.

    Calls that may be packed are taken together, as many as wait by then. One that may
    not goes alone, when its turn comes: it is not held up by those that are packed.

    :param ticker: where the ticks come from
    :param packer: tells which calls are taken together
    :param begin: starts calls that share a request, synchronously
    """

    def __init__(
        self,
        ticker: Ticker,
        packer: Packer,
        begin: Callable[[list[APIRequest], Start], None],
    ) -> None:
        self._ticker = ticker
        self._packer = packer
        self._begin = begin
        # Unbounded, since back-pressure is a room token for each live call: entries of
        # calls that were given up would hold the places of a bounded stream.
        self._channel, self._arrivals = create_memory_object_stream[APIRequest | None](
            math.inf
        )
        # Not a dict: taking the first of 100,000 again and again is quadratic there.
        self._waiting: OrderedDict[APIRequest, None] = OrderedDict()
        self._packable: OrderedDict[APIRequest, None] = OrderedDict()
        self._held_back: Counter[str] = Counter()
        self._let_go = Event()

    def submit(self, request: APIRequest) -> None:
        """Put a call at the end of the line."""
        self._channel.send_nowait(request)

    def drop(self, request: APIRequest) -> None:
        """Forget a call that has ended, so that it takes no memory in the line."""
        self._waiting.pop(request, None)
        self._packable.pop(request, None)

    async def run(self) -> None:
        """Start calls for ever."""
        with self._channel, self._arrivals:
            await checkpoint()  # trio: the first calls come in any order with this task
            while True:
                while not self._has_work():
                    self._put(await self._arrivals.receive())
                start = await self._ticker.tick()
                requests = self._take()
                if not requests:
                    self._ticker.release(start)
                else:
                    self._begin(requests, start)
                    if self._waiting:
                        # One at a time: trio runs those that start together in any
                        # order.
                        await checkpoint()

    def close(self) -> None:
        """Close the channel, whether or not :meth:`run` has."""
        self._channel.close()
        self._arrivals.close()

    @contextmanager
    def holding_back(self, method: str) -> Generator[None]:
        """Let nothing through that changes anything, nor other calls of a method."""
        self._held_back[method] += 1
        logger.info("VK wants a captcha for %s: calls that write wait for it", method)
        try:
            yield
        finally:
            self._held_back[method] -= 1
            self._held_back += Counter()  # drops what is back at zero
            self._let_go.set()
            self._let_go = Event()
            with suppress(ClosedResourceError):  # the client may be closing
                self._channel.send_nowait(None)  # there may be work now

    async def wait_while_held_back(self, request: APIRequest) -> None:
        """Wait until a call that is under way may be sent again."""
        while not self.may_go(request):
            await self._let_go.wait()

    def _has_work(self) -> bool:
        self._drain()
        return any(self.may_go(request) for request in self._waiting)

    def _take(self) -> list[APIRequest]:
        self._drain()
        for first in self._waiting:
            if self.may_go(first):
                taken = [first]
                if first in self._packable:
                    ready = filter(self.may_go, self._packable)
                    taken = self._packer.choose(ready, current_time())
                for request in taken:
                    self.drop(request)
                return taken
        return []

    def _drain(self) -> None:
        """Take what is on the channel into the line."""
        while True:
            try:
                self._put(self._arrivals.receive_nowait())
            except WouldBlock:
                return

    def _put(self, request: APIRequest | None) -> None:
        if request is not None and request.slot.is_live:
            self._waiting[request] = None
            if self._packer.may_pack(request):
                self._packable[request] = None

    def may_go(self, request: APIRequest) -> bool:
        """Return whether no captcha holds a call back."""
        if not self._held_back or request.slot.urgent:
            return True
        return request.method not in self._held_back and request.reads()
