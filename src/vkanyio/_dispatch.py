"""One call on its way: send it, judge the answer, send it again, settle it."""

from __future__ import annotations

import logging
from functools import cached_property
from typing import TYPE_CHECKING, Any, final

from anyio import CancelScope, current_time, sleep

from ._attempt import attempt
from ._errors import (
    AuthError,
    OutcomeUnknownError,
    TokenExpiredError,
    TooManyRequestsError,
    VKError,
)
from ._response import Success
from ._retry import back_off

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractContextManager

    from ._attempt import Attempt
    from ._batch_dispatch import Batch
    from ._lane import Lane
    from ._limiter import Start
    from ._request import APIRequest
    from ._response import Outcome
    from ._retry import Failure

logger = logging.getLogger("vkanyio")

TOO_MANY_PATIENCE = 60.0
"""Seconds for which error 6, answered again and again, is kept from the caller."""
TOO_MANY_OF_A_METHOD = 2
"""Seconds in a row with error 6 for a method that the whole token slows down for."""
TOO_MANY_MOST_DELAY = 8.0
"""Seconds that a call waits at most before it tries again after error 6."""


@final
class Exchange:
    """One call on its way to VK and back, with all its attempts.

    :ivar request: the call
    :ivar batch: the batch that it shares with others, for as long as it does
    :ivar captcha_answers: how many answers to captchas were sent with it
    :ivar tries: how often it was sent again, as far as that is limited
    :ivar extra: parameters that go with every further attempt
    :ivar answered_at_send: how many of VK's questions had been answered when the last
        attempt was sent
    """

    def __init__(self, lane: Lane, request: APIRequest) -> None:
        self.request = request
        self.batch: Batch | None = None
        self.captcha_answers = 0
        self.tries: int = 0
        self.extra: dict[str, Any] = {}
        self.answered_at_send: int = 0
        self._answering: CancelScope | None = None
        self._lane = lane
        self._token = lane.token
        self._asks = False  # a question of VK's: others wait for it, it does not
        self._too_many = 0  # times in a row
        self._too_many_since = 0.0

    @cached_property
    def scope(self) -> CancelScope:
        """What to cancel it by: not needed for as long as it is in a batch."""
        return CancelScope(shield=True)

    async def run(self, start: Start) -> None:
        """See the call through, beginning with the tick that it was taken for."""
        await self._finish(await self._carry_out({}, start))

    async def go_on(self, outcome: Failure) -> None:
        """See the call through by itself, after a batch in which it failed."""
        await self._finish(await self._follow_up(outcome, {}))

    async def go_alone(self) -> None:
        """See the call through by itself, as if it had not been in a batch."""
        await self._lane.collector.wait_while_held_back(self.request)
        await self.run(await self._next_tick())

    def note_attempt(self, made: Attempt) -> None:
        """Note with what the call was sent last."""
        self._token, self.answered_at_send = made.secrets.token, made.answered

    async def _finish(self, outcome: Outcome) -> None:
        self._asks = True
        self.settle(await self._lane.questions.resolve(self, outcome))

    def holding_back(self) -> AbstractContextManager[None]:
        """Let no calls through that VK would take for a flood now."""
        return self._lane.collector.holding_back(self.request.method)

    def give_up(self) -> None:
        """Stop, as nobody waits any more: a batch goes on while somebody does."""
        if self.batch is None:
            self.scope.cancel()
        else:
            self.batch.give_up_if_idle()

    def answering(self) -> CancelScope:
        """Return a scope for sending an answer, which ends with the call at the latest.

        The user may send it in a task of their own, which goes on after the call.
        """
        self._answering = CancelScope()
        return self._answering

    def stop_answering(self) -> None:
        """Send no more, as the call has ended."""
        if self._answering is not None:
            self._answering.cancel()

    def is_cancelled(self) -> bool:
        """Return whether the call is being given up."""
        return self.scope.cancel_called

    def settle(self, outcome: Outcome) -> None:
        """Give the outcome to those who wait for it."""
        slot = self.request.slot
        if isinstance(outcome, Success):
            slot.settle(outcome)
        elif slot.maybe_carried_out and not self.request.reads():
            slot.fail(OutcomeUnknownError(outcome, method=self.request.method))
        else:
            slot.fail(outcome)

    async def send_again(self, extra: Mapping[str, Any]) -> Outcome:
        """Send the call again, with parameters that answer VK's question."""
        return await self._carry_out(extra, await self._next_tick())

    def replace_token(self, token: str) -> None:
        """Use another token from now on, for all calls of the old one."""
        self._lane.replace_token(token)
        logger.info("on_validation has brought a new token")

    async def _carry_out(self, extra: Mapping[str, Any], start: Start) -> Outcome:
        """Send until there is a result, an error for good, or a question of VK's."""
        return await self._follow_up(await self._attempt(extra, start), extra)

    async def _follow_up(
        self, outcome: Success | Failure, extra: Mapping[str, Any]
    ) -> Outcome:
        """Send again after an attempt, for as long as that is called for."""
        while True:
            if isinstance(outcome, Success):
                self._lane.note_accepted(self.request.method)
                return outcome
            delay = self.plan_retry(outcome)
            if delay is None:
                return outcome.error
            self.note_retry(outcome.error, delay)
            await sleep(delay)
            if not self._asks:
                await self._lane.collector.wait_while_held_back(self.request)
            outcome = await self._attempt(extra, await self._next_tick())

    async def _next_tick(self) -> Start:
        return await self._lane.ticker.tick(again=self.request.slot.order)

    async def _attempt(
        self, extra: Mapping[str, Any], start: Start
    ) -> Success | Failure:
        extra = {**self.extra, **extra}
        slots = [self.request.slot]
        made = await attempt(self._lane, self.request, start, extra=extra, slots=slots)
        self.note_attempt(made)
        return made.outcome

    def plan_retry(self, failure: Failure) -> float | None:
        """Return the seconds until the next attempt, None if there is to be none."""
        error = failure.error
        if isinstance(error, TooManyRequestsError):
            return self._plan_after_too_many()
        self._too_many = 0
        self._lane.note_accepted(self.request.method)
        bad_token = isinstance(error, AuthError | TokenExpiredError)
        if bad_token and self._token != self._lane.token:
            return 0.0  # it was replaced meanwhile
        config = self._lane.config
        may_repeat = config.retry_unsafe or self.request.may_be_repeated()
        if not failure.is_transient or (failure.maybe_carried_out and not may_repeat):
            return None
        if self.tries == config.retry_limit:
            return None
        self.tries += 1
        if failure.retry_at_once and self.tries == 1:
            return 0.0
        return back_off(config.wait, self.tries, self._lane.random)

    def _plan_after_too_many(self) -> float | None:
        # The first time the whole token pauses, and its calls keep their order. A call
        # that meets it on and on makes way for the others, and so does a method: then
        # it is that method's trouble, and not the token's.
        now = current_time()
        lane = self._lane
        lane.counters.too_many_requests += 1
        in_a_row = lane.note_too_many(self.request.method, now)
        if in_a_row <= TOO_MANY_OF_A_METHOD:
            lane.slow_down(self.request.method, now)
        self._too_many += 1
        if self._too_many == 1:
            self._too_many_since = now
        times = max(self._too_many, in_a_row - TOO_MANY_OF_A_METHOD)
        if times == 1:
            return 0.0
        delay = min(2.0 ** (times - 2), TOO_MANY_MOST_DELAY)
        waited = now + delay - self._too_many_since
        return None if waited > TOO_MANY_PATIENCE else delay

    def note_retry(self, error: VKError, delay: float) -> None:
        """Note that the request is sent again."""
        name = type(error).__name__
        self._lane.counters.retries[name] += 1
        logger.debug(
            "%s is sent again in %.1f s after %s", self.request.method, delay, name
        )
