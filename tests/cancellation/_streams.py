"""Streams and gatherings that are cancelled at one step, and what must hold then."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, Any, final

import anyio
import attrs
import pytest
from anyio import get_running_tasks

from _helpers import assert_gone, own_tasks, settle
from vkanyio import VK, ClientUseError, OutcomeUnknownError, VKError
from vkanyio._pending import PendingState
from vkanyio._reading._stream import CallStream
from vkanyio.testing import Simulator, faults

from ._backends import seed_trio
from ._calls import (
    CANCELLED,
    MESSAGE,
    OTHER,
    READ,
    WRITE,
    Call,
    Kind,
    Wire,
    assert_promises,
    make_simulator,
)
from ._play import BOUND, LATENCY, OPTIONS, assert_quiet, works_as_before
from ._steps import Steps
from ._ways import WAYS, Order, by_deadline, by_scope

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from vkanyio import APIRequest, SettledCall

    from ._tally import Tally

READER = "the reader, inside the block"
BLOCK = "the whole block"
FEEDER = "the feeder, by asyncio"
GATHERING = "a gathering"
VICTIMS = (READER, BLOCK, FEEDER, GATHERING)


@attrs.frozen
class StreamScenario:
    """Calls of a stream, and their faults.

    :ivar options: of the client
    :ivar how: of the stream
    :ivar is_async: whether the calls come by and by
    :ivar is_shared: whether the calls are shared with another token
    :ivar errors: that the calls may raise
    """

    name: str
    calls: tuple[Kind, ...]
    options: Mapping[str, Any] = attrs.field(kw_only=True, factory=dict)
    how: Mapping[str, Any] = attrs.field(kw_only=True, factory=dict)
    faults: Callable[[Simulator], None] | None = attrs.field(kw_only=True, default=None)
    is_async: bool = attrs.field(kw_only=True, default=False)
    is_shared: bool = attrs.field(kw_only=True, default=False)
    errors: tuple[type[VKError], ...] = attrs.field(kw_only=True, default=())

    def __str__(self) -> str:
        return self.name


PACKED = {"mode": "parallel", "execute_count": 2}
FOUR = (READ, WRITE, READ, WRITE)

STREAMS = [
    StreamScenario("plain calls", FOUR),
    StreamScenario("little room", FOUR, how={"max_pending": 1}),
    StreamScenario("batches", (*FOUR, READ), options=PACKED, how={"max_pending": 4}),
    StreamScenario(
        "in order",
        FOUR,
        options=PACKED,
        how={"ordered": True, "max_pending": 3},
        faults=lambda simulator: simulator.fault(faults.refuse(), times=1),
    ),
    StreamScenario("calls that come by and by", FOUR, is_async=True),
    StreamScenario(
        "batches that are lost",
        (READ, WRITE, MESSAGE),
        options=PACKED,
        faults=lambda simulator: simulator.fault(faults.drop_after(), times=2),
        errors=(OutcomeUnknownError,),
    ),
    StreamScenario("another token", (OTHER, READ, OTHER), options=PACKED),
    StreamScenario(
        "two tokens, one of which dies",
        (READ,) * 6,
        options={"mode": "parallel", "execute_count": 2},
        faults=lambda simulator: simulator.revoke("another-token"),
        is_shared=True,
    ),
]


class _Later:
    """Requests that come by and by; no generator, which would be left unfinished."""

    def __init__(self, requests: list[APIRequest]) -> None:
        self._requests = iter(requests)

    def __aiter__(self) -> _Later:
        return self

    async def __anext__(self) -> APIRequest:
        await anyio.sleep(0.25)
        for request in self._requests:
            return request
        raise StopAsyncIteration


@final
class StreamPlay:
    """One run, in which the victim is cancelled at a step of any task.

    :param way: how it is cancelled; the feeder always by asyncio
    """

    def __init__(
        self,
        scenario: StreamScenario,
        victim: str,
        way: str,
        step: int,
        *,
        thorough: bool = False,
    ) -> None:
        self.simulator = make_simulator(latency=LATENCY)
        self.wire = Wire(self.simulator)
        self.calls = [Call(i, kind) for i, kind in enumerate(scenario.calls)]
        self._scenario = scenario
        self._victim = victim
        self._way = WAYS[way]
        self._seed = step
        self._order = Order()
        self._steps = Steps(step, self._order.give, suspensions=thorough)
        options = {"http_client": self.wire, **OPTIONS, **scenario.options}
        self.client = VK("token", **options)

    async def run(self, tally: Tally) -> bool:
        """Play it, and check the calls.

        :return: whether there was anything left to cancel
        """
        random.seed(self._seed)
        seed_trio(self._seed)
        if self._scenario.faults is not None:
            self._scenario.faults(self.simulator)
        before = set(get_running_tasks())
        if self._seed == 0:
            self._order.give()
        with anyio.fail_after(BOUND), self._steps.of_client_tasks():
            async with self.client as api:
                with pytest.MonkeyPatch.context() as patch:
                    patch.setattr(CallStream, "_feed", self._feed_counted())
                    await self._read(api)
                self._give_up_others()
                await settle()
                assert_quiet(api)
                self._check()
                if self._steps.suspensions or self._seed % 3 == 0:  # it is slow
                    await works_as_before(api, self.wire)
        assert_gone(self.client)
        assert own_tasks() == []
        assert set(get_running_tasks()) == before
        tally.add(self._order.given, self.calls)
        return self._order.given

    def _feed_counted(self) -> Callable[[CallStream], Any]:
        feed = CallStream._feed

        async def counted(stream: CallStream) -> None:
            if self._victim == FEEDER:
                self._order.obey_by(_native_cancel())
            await self._steps.counted(feed(stream))
            if self._victim == FEEDER:
                self._order.close()

        return counted

    async def _read(self, api: VK) -> None:
        requests = [call.request for call in self.calls if call.request is not None]
        if self._victim == GATHERING:
            await self._way(
                self._order, lambda: self._steps.counted(self._gather(api, requests))
            )
        elif self._victim == BLOCK:
            await self._way(
                self._order, lambda: self._steps.counted(self._stream(api, requests))
            )
        else:
            await self._stream(api, requests)

    async def _gather(self, api: VK, requests: list[APIRequest]) -> None:
        outcomes = await api.gather(requests, return_exceptions=True)
        for call, outcome in zip(self.calls, outcomes, strict=True):
            call.note(outcome)

    async def _stream(self, api: VK, requests: list[APIRequest]) -> None:
        elements: Any = _Later(requests) if self._scenario.is_async else requests
        how = dict(self._scenario.how)
        if self._scenario.is_shared:
            how["views"] = [api, api.as_token("another-token")]
        async with api.stream(elements, **how) as settled:

            async def read() -> None:
                async for each in settled:
                    self._note(each)

            if self._victim == READER:
                await self._way(self._order, lambda: self._steps.counted(read()))
                await read()  # the rest: nothing is lost
                assert all(call.outcome is not None for call in self.calls)
            elif self._victim == FEEDER:
                await self._read_all_that_was_taken(self._steps.counted(read()))
            else:
                await read()

    async def _read_all_that_was_taken(self, reading: Any) -> None:
        try:
            await reading
        except ClientUseError:
            assert self._order.given
        for call in self.calls:
            was_taken = _state(call) is not PendingState.NEW
            assert was_taken == (call.outcome is not None), call

    def _note(self, settled: SettledCall) -> None:
        call = self.calls[settled.index]
        assert settled.request is call.request
        try:
            call.note(settled.result())
        except VKError as error:
            call.note(error)

    def _give_up_others(self) -> None:
        for call in self.calls:
            if call.outcome is None:
                assert self._order.given, (call, "was lost")
                call.note_cancelled(self.wire)

    def _check(self) -> None:
        assert_promises(self.calls, self.wire, self.simulator)
        self.wire.assert_paced(self.client.config.limit)
        for call in self.calls:
            expected = call.has_value or isinstance(call.outcome, self._scenario.errors)
            assert expected or call.outcome == CANCELLED, self.calls
        is_scope = self._way in (by_scope, by_deadline)
        if self._victim == GATHERING and is_scope:
            assert not all(call.was_settled for call in self.calls), "values were lost"


def _state(call: Call) -> PendingState:
    assert call.request is not None
    return call.request._pending.state


def _native_cancel() -> Callable[[], None]:
    task, loop = asyncio.current_task(), asyncio.get_running_loop()
    assert task is not None

    def cancel() -> None:
        # Another task cancels, which cannot happen while this one takes a step.
        if asyncio.current_task() is task:
            loop.call_soon(task.cancel)
        else:
            task.cancel()

    return cancel
