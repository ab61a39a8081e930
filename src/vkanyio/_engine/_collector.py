"""Which calls go into the next HTTP request.

It owns the queue of calls that wait, in the order of arrival, and takes from it when
there is a permit. It sends nothing itself.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from contextlib import suppress
from typing import TYPE_CHECKING, final

from anyio import (
    ClosedResourceError,
    WouldBlock,
    create_memory_object_stream,
    current_time,
)
from anyio.lowlevel import checkpoint

from .._request import APIRequest

if TYPE_CHECKING:
    from collections.abc import Callable

    from .._limiter import Permit
    from ._gate import Gate
    from ._packer import Packer
    from ._ticker import Ticker


@final
class Collector:
    """Takes the calls of one token off their channel, in the order of arrival.

    It waits for a live call, then for a permit, and only then takes: a call that was
    cancelled meanwhile is never sent and costs nothing. No await comes between taking a
    call and starting it.

    Calls that may be packed are taken together, as many as are waiting by then. A call
    that may not be packed goes alone, when its turn comes: packed calls do not delay
    it.

    :param ticker: where the permits come from
    :param packer: which calls are taken together
    :param gate: which calls may go
    :param begin: starts calls that share a request, synchronously
    """

    def __init__(
        self,
        ticker: Ticker,
        packer: Packer,
        gate: Gate,
        begin: Callable[[list[APIRequest], Permit], None],
    ) -> None:
        self._ticker = ticker
        self._packer = packer
        self._gate = gate
        self._begin = begin
        # Unbounded: `Lane` applies back-pressure by its room. In a bounded stream the
        # entries of abandoned calls would occupy places.
        self._channel, self._arrivals = create_memory_object_stream[APIRequest | None](
            math.inf
        )
        self._awaits_permit = False
        # Not dicts: taking the first of 100,000 again and again is quadratic there.
        self._waiting: OrderedDict[APIRequest, None] = OrderedDict()
        self._packable: OrderedDict[APIRequest, None] = OrderedDict()

    def enqueue(self, request: APIRequest) -> None:
        """Put a call at the end of the queue."""
        if self._awaits_permit:
            # The channel is empty, and nobody looks at it: a permit may take hours, and
            # calls that end meanwhile would pile up there.
            self._put(request)
        else:
            self._channel.send_nowait(request)

    def permit_now(self) -> Permit | None:
        """Return a permit for the only call there is.

        :return: None if it has to wait, or may be packed with others that come now
        """
        if self._gate.is_closed or self._packer.is_on:
            return None
        return self._ticker.acquire_nowait()

    def drop(self, request: APIRequest) -> None:
        """Remove a call that has ended, so that it takes no memory in the queue."""
        self._waiting.pop(request, None)
        self._packable.pop(request, None)

    async def run(self) -> None:
        """Start calls for ever."""
        with self._channel, self._arrivals:
            await checkpoint()  # trio starts this task and the first calls in any order
            while True:
                while not self._has_work():
                    self._put(await self._arrivals.receive())
                self._awaits_permit = True
                self._begin_next(await self._ticker.acquire())
                if self._waiting:
                    # One at a time: trio runs tasks that start together in any order.
                    await checkpoint()

    def _begin_next(self, permit: Permit) -> None:
        """Start the next calls, which this task does not refer to any more."""
        self._awaits_permit = False
        requests = self._take()
        if requests:
            self._begin(requests, permit)
        else:
            self._ticker.release(permit)

    def look_again(self) -> None:
        """Look for calls that may go now, since the gate has opened."""
        with suppress(ClosedResourceError):  # the client may be closing
            self._channel.send_nowait(None)

    def close(self) -> None:
        """Close the channel, whether or not :meth:`run` has."""
        self._channel.close()
        self._arrivals.close()

    def _has_work(self) -> bool:
        self._drain()
        if not self._gate.is_closed:
            return bool(self._waiting)
        return any(map(self._gate.is_open_to, self._waiting))

    def _take(self) -> list[APIRequest]:
        """Take the first call that may leave the queue, and those packed with it.

        :return: calls for one request, none if no call may go
        """
        self._drain()
        gate = self._gate
        for first in self._waiting:
            if not gate.is_closed or gate.is_open_to(first):
                taken = [first]
                if first in self._packable:
                    ready = iter(self._packable)
                    if gate.is_closed:
                        ready = filter(gate.is_open_to, ready)
                    taken = self._packer.choose(ready, current_time())
                for request in taken:
                    self.drop(request)
                return taken
        return []

    def _drain(self) -> None:
        """Move what is in the channel into the queue."""
        while True:
            try:
                self._put(self._arrivals.receive_nowait())
            except WouldBlock:
                return

    def _put(self, request: APIRequest | None) -> None:
        if request is not None and request._pending.is_live:
            self._waiting[request] = None
            # The switch first, here and at the gate: most clients do not pack.
            if self._packer.is_on and self._packer.may_pack(request):
                self._packable[request] = None
