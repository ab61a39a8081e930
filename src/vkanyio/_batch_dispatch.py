"""Several calls on their way in one ``execute``."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, final

from anyio import CancelScope, current_time, sleep

from ._attempt import attempt
from ._batch import read_batch, to_code
from ._dispatch import Exchange
from ._errors import (
    APIError,
    CompileError,
    ScriptRuntimeError,
    TransportError,
    VKError,
    copy_error,
)
from ._request import APIRequest
from ._response import Success

if TYPE_CHECKING:
    from ._lane import Lane
    from ._limiter import Start
    from ._retry import Failure

NO_EXECUTE_CODES = frozenset({3, 15, 23, 27, 28})
"""Errors by which VK says that a token may not run ``execute`` at all."""


@final
class Batch:
    """Several calls on their way in one ``execute``, for as long as they share it.

    A call leaves it with its outcome, or to go on by itself where VK has said
    something about it that a plain call would act upon.

    :param exchanges: the calls, two or more
    :ivar scope: what to cancel it by
    """

    def __init__(self, lane: Lane, exchanges: list[Exchange]) -> None:
        self.scope: CancelScope = CancelScope(shield=True)
        self._lane = lane
        self._members = exchanges
        for exchange in exchanges:
            exchange.batch = self

    def give_up_if_idle(self) -> None:
        """Stop if nobody waits for any of the calls any more."""
        if not self._live(self._members):
            self.scope.cancel()

    async def run(self, start: Start) -> None:
        """Send the calls together, until none of them is left."""
        groups = deque([self._members])
        tick: Start | None = start
        while groups:
            group = self._live(groups.popleft())
            if len(group) > 1:
                groups.extend(await self._send(group, tick))
                tick = None
            elif group:
                self._leave(group[0])
        if tick is not None:
            self._lane.ticker.release(tick)

    def _live(self, exchanges: list[Exchange]) -> list[Exchange]:
        return [
            each
            for each in exchanges
            if each.batch is self and each.request.slot.is_live
        ]

    async def _next_tick(self, group: list[Exchange]) -> Start:
        return await self._lane.ticker.tick(again=group[0].request.slot.order)

    async def _send(
        self, group: list[Exchange], tick: Start | None
    ) -> list[list[Exchange]]:
        """Send calls together, and return the parts that are to be sent so instead."""
        leader = Exchange(self._lane, APIRequest("execute"))  # keeps count of attempts
        leader.tries = max(each.tries for each in group)
        while len(group) > 1:
            tick = tick or await self._next_tick(group)
            group = self._ready(group)
            if len(group) < 2:
                self._lane.ticker.release(tick)
                break
            leader.request = _script(group)
            requests = [each.request for each in group]
            slots = [request.slot for request in requests]
            doubts = [slot.maybe_carried_out for slot in slots]
            made = await attempt(
                self._lane, leader.request, tick, extra={}, slots=slots
            )
            for each in (leader, *group):
                each.note_attempt(made)
            if isinstance(made.outcome, Success):
                outcomes = read_batch(requests, made.outcome, made.body, made.secrets)
                for each, doubt, outcome in zip(group, doubts, outcomes, strict=True):
                    self._deliver(each, doubt, outcome)
                return []
            if made.outcome.is_final_word:
                return self._take_apart(group, made.outcome)
            group = await self._wait_to_repeat(leader, group, made.outcome)
            tick = None
        return [group]

    def _ready(self, group: list[Exchange]) -> list[Exchange]:
        """Return the calls that may still be sent together, now that there is a tick.

        Some may have been cancelled meanwhile, others have to wait for a captcha.
        """
        for each in group:
            if not self._lane.collector.may_go(each.request):
                self._leave(each)
        return self._live(group)

    async def _wait_to_repeat(
        self, leader: Exchange, group: list[Exchange], failure: Failure
    ) -> list[Exchange]:
        """Wait for the time to send calls again, and return those that may be."""
        delay = leader.plan_retry(failure)
        for each in group:
            each.tries = leader.tries
            may_repeat = not failure.maybe_carried_out or self._may_repeat(each)
            if delay is None or not may_repeat:
                self._fail(each, failure.error)
        group = self._live(group)
        if delay is not None and group:
            leader.note_retry(failure.error, delay)
            await sleep(delay)
        return self._live(group)

    def _may_repeat(self, exchange: Exchange) -> bool:
        return self._lane.config.retry_unsafe or exchange.request.may_be_repeated()

    def _deliver(
        self, exchange: Exchange, doubt: bool, outcome: Success | Failure
    ) -> None:
        """Give a call its outcome, or let it act upon it by itself."""
        if isinstance(outcome, Success):
            self._lane.note_accepted(exchange.request.method)
            exchange.settle(outcome)
            return
        if not outcome.maybe_carried_out:
            exchange.request.slot.maybe_carried_out = doubt
        self._leave(exchange, outcome)

    def _leave(self, exchange: Exchange, outcome: Failure | None = None) -> None:
        exchange.batch = None
        if not exchange.request.slot.is_live:
            return
        if outcome is None:
            self._lane.start_soon(exchange.go_alone, scope=exchange.scope)
        else:
            self._lane.start_soon(exchange.go_on, outcome, scope=exchange.scope)

    def _take_apart(
        self, group: list[Exchange], failure: Failure
    ) -> list[list[Exchange]]:
        """Take a batch apart that VK does not run, and return the parts."""
        error = failure.error
        is_too_much = failure.is_too_large or isinstance(error, ScriptRuntimeError)
        if not is_too_much and not isinstance(error, CompileError):
            # It is said of `execute`, and not of the calls: they go as plain ones do.
            if isinstance(error, APIError) and error.code in NO_EXECUTE_CODES:
                self._lane.packer.stop(error)
            for each in group:
                self._leave(each)
            return []
        self._lane.counters.split += 1
        if is_too_much:
            # Too large, or too much work: calls have been carried out.
            requests = [each.request for each in group]
            self._lane.packer.sizes.note_too_large(requests, current_time())
            for each in group:
                each.request.slot.maybe_carried_out = True
                if not self._may_repeat(each):
                    self._fail(each, error)
        group = self._live(group)
        middle = (len(group) + 1) // 2
        return [group[:middle], group[middle:]]

    def _fail(self, exchange: Exchange, error: VKError) -> None:
        """Give a call the error of its batch, as one of its own."""
        own = copy_error(error)
        if isinstance(own, APIError | TransportError):
            own.method = exchange.request.method
        if isinstance(own, APIError):
            own.params = dict(exchange.request.shown_params())
        exchange.settle(own)


def _script(group: list[Exchange]) -> APIRequest:
    """Make the call of ``execute`` that makes all calls of a group."""
    code = to_code([each.request for each in group])
    return APIRequest("execute", {"code": code}, repeatable=True)
