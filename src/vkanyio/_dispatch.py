"""One call on its way: send it, judge the answer, send it again, settle it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, final

from anyio import CancelScope, current_time, sleep
from anyio.lowlevel import checkpoint_if_cancelled

from ._answer import Answer, read_answer
from ._errors import APIError, CaptchaError, OutcomeUnknownError, VKError
from ._retry import Failure, back_off
from ._transport import Trace

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ._lane import Lane
    from ._limiter import Start
    from ._request import APIRequest
    from ._transport import HTTPResponse

logger = logging.getLogger("vkanyio")

TOO_MANY_REQUESTS = 6
TOKEN_REFUSED = frozenset({5, 1117})
REFUSED_PATIENCE = 60.0
"""Seconds for which error 6 is kept from the caller."""
REFUSED_MOST_DELAY = 8.0


@final
class Exchange:
    """One call on its way to VK and back, with all its attempts.

    :ivar request: the call
    :ivar scope: what to cancel it by
    :ivar answers: how many answers to captchas were sent with it
    :ivar extra: parameters that go with every further attempt
    :ivar answered_before: how many of VK's questions had been answered when the last
        attempt was sent
    """

    def __init__(self, lane: Lane, request: APIRequest) -> None:
        self.request = request
        self.scope = CancelScope(shield=True)
        self.answers = 0
        self.extra: dict[str, Any] = {}
        self.answered_before = 0
        self._lane = lane
        self._token = lane.token
        self._tries = 0
        self._refusals = 0
        self._first_refusal = 0.0

    async def run(self, start: Start) -> None:
        """See the call through, beginning with the tick that it was taken for."""
        questions = self._lane.questions
        outcome = await self._carry_out({}, start)
        if isinstance(outcome, CaptchaError):
            # What is sent while VK wants a captcha solved meets flood control.
            with self._lane.collector.holding_back(self.request.method):
                outcome = await questions.resolve(self, outcome)
        else:
            outcome = await questions.resolve(self, outcome)
        self.settle(outcome)

    def is_cancelled(self) -> bool:
        """Return whether the call is being given up."""
        return self.scope.cancel_called

    def settle(self, outcome: Answer | VKError) -> None:
        """Give the outcome to those who wait for it."""
        slot = self.request.slot
        if isinstance(outcome, Answer):
            slot.settle(outcome)
        elif slot.maybe_sent and not self.request.reads():
            slot.fail(OutcomeUnknownError(outcome, method=self.request.method))
        else:
            slot.fail(outcome)

    async def send_again(self, answer: Mapping[str, Any]) -> Answer | VKError:
        """Send the call again, with an answer to VK's question."""
        return await self._carry_out(answer, await self._next_tick())

    def replace_token(self, token: str) -> None:
        """Use another token from now on, for all calls of the old one."""
        self._lane.replace_token(token)

    async def _carry_out(
        self, answer: Mapping[str, Any], start: Start
    ) -> Answer | VKError:
        """Send until there is a result, an error for good, or a question of VK's."""
        while True:
            outcome = await self._attempt(answer, start)
            if isinstance(outcome, Answer):
                return outcome
            delay = self._plan_retry(outcome)
            if delay is None:
                return outcome.error
            self._note_retry(outcome.error, delay)
            await sleep(delay)
            start = await self._next_tick()

    async def _next_tick(self) -> Start:
        return await self._lane.ticker.tick(again=self.request.slot.order)

    async def _attempt(
        self, answer: Mapping[str, Any], start: Start
    ) -> Answer | Failure:
        lane, slot = self._lane, self.request.slot
        maybe_sent_before = slot.maybe_sent
        lane.counters.in_flight += 1
        try:
            reply = await self._send(answer, start)
        finally:
            lane.counters.in_flight -= 1
            lane.ticker.release(start)
        if isinstance(reply, Failure):
            outcome: Answer | Failure = reply
        else:
            outcome = read_answer(
                reply.status_code, reply.content, self.request, self._token
            )
        if isinstance(outcome, Failure) and not outcome.maybe_carried_out:
            slot.maybe_sent = maybe_sent_before
        return outcome

    async def _send(
        self, answer: Mapping[str, Any], start: Start
    ) -> HTTPResponse | Failure:
        await checkpoint_if_cancelled()  # nothing leaves that nobody waits for
        lane = self._lane
        self._token = lane.token
        self.answered_before = lane.questions.answered
        form = self.request.form(lane.common_params, {**self.extra, **answer})
        headers = lane.headers(self._token, self.request.headers)
        trace = Trace(lambda: lane.limiter.left(start, current_time()))
        if not lane.transport.traces:
            lane.limiter.left(start, current_time())
        self.request.slot.maybe_sent = True
        lane.counters.sent += 1
        began = current_time()
        reply = await lane.transport.send(self.request.method, form, headers, trace)
        if not isinstance(reply, Failure):
            lane.limiter.left(start, began)  # unless it is known better
            lane.limiter.observe(current_time() - start.at)
        return reply

    def _plan_retry(self, failure: Failure) -> float | None:
        """Return the seconds until the next attempt, None if there is to be none."""
        code = failure.error.code if isinstance(failure.error, APIError) else None
        if code == TOO_MANY_REQUESTS:
            return self._plan_after_refusal()
        if code in TOKEN_REFUSED and self._token != self._lane.token:
            return 0.0  # the token was replaced meanwhile
        config = self._lane.config
        may_repeat = config.retry_unsafe or self.request.may_be_repeated()
        if not failure.may_pass or (failure.maybe_carried_out and not may_repeat):
            return None
        if self._tries == config.retry_limit:
            return None
        self._tries += 1
        if failure.at_once and self._tries == 1:
            return 0.0
        return back_off(config.wait, self._tries)

    def _plan_after_refusal(self) -> float | None:
        # The first time the whole token pauses, and its calls keep their order. A call
        # that is refused on and on makes way for the others.
        now = current_time()
        self._lane.counters.refused += 1
        self._lane.limiter.refused(now)
        self._refusals += 1
        if self._refusals == 1:
            self._first_refusal = now
            return 0.0
        delay = min(2.0 ** (self._refusals - 2), REFUSED_MOST_DELAY)
        waited = now + delay - self._first_refusal
        return None if waited > REFUSED_PATIENCE else delay

    def _note_retry(self, error: VKError, delay: float) -> None:
        name = type(error).__name__
        self._lane.counters.retries[name] += 1
        logger.debug(
            "%s is sent again in %.1f s after %s", self.request.method, delay, name
        )
