"""One call with all its attempts: send it, judge the outcome, retry it, settle it.

It owns the retries of the call, and what was answered to VK's questions about it. When
a permit is granted, how an attempt is made and which delays the rules give is decided
elsewhere (``_ticker``, ``_sender``, ``_retry``).
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, final

from anyio import CancelScope, sleep

from .._errors import OutcomeUnknownError
from .._outcome import Failure, Success

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager

    from .._limiter import Permit
    from .._outcome import Outcome, Result
    from .._request import APIRequest
    from .._retry import Retries
    from ._gate import Gate
    from ._packer import Packer
    from ._questions import Questions
    from ._sender import Attempt, Sender


@final
class CallTask:
    """One call, from its first permit to its outcome.

    :ivar request: the call
    :ivar retries_used: the retries that it has used together with others, in a batch
    :ivar batch_give_up: what the batch does when nobody waits for the call any more,
        for as long as the call shares the batch
    :ivar captcha_answers: how many answers to captchas were sent with it
    :ivar extra: parameters that are sent with every further attempt
    :ivar answered_at_send: how many of VK's questions had been answered when the call
        was last sent
    :ivar origin: what its requests have in common with those of the calls that it
        shared a batch with
    """

    def __init__(
        self,
        request: APIRequest,
        sender: Sender,
        gate: Gate,
        packer: Packer,
        questions: Questions,
    ) -> None:
        self.request: APIRequest = request
        self.retries_used: int = 0
        self.batch_give_up: Callable[[], None] | None = None
        self.captcha_answers: int = 0
        self.extra: dict[str, Any] = {}
        self.answered_at_send: int = 0
        self.origin: object = object()
        self._sender = sender
        self._gate = gate
        self._packer = packer
        self._questions = questions
        self._token = ""  # the one that it was last sent with
        self._answering: CancelScope | None = None
        self._is_questioned = False  # others wait for the answer; this call does not

    @property
    def is_live(self) -> bool:
        """Whether somebody waits for the call."""
        return self.request._pending.is_live

    @property
    def is_urgent(self) -> bool:
        """Whether it helps to answer a question of VK."""
        return self.request._pending.urgent

    @cached_property
    def retries(self) -> Retries:
        """Its own retries, made when it first needs one."""
        return self._sender.new_retries(self.retries_used)

    @cached_property
    def scope(self) -> CancelScope:
        """The scope of its own task; it has none while it is in a batch."""
        return CancelScope(shield=True)

    def give_up(self) -> None:
        """Stop, since nobody waits for the call any more.

        A batch goes on for as long as somebody waits for one of its calls.
        """
        if self.batch_give_up is None:
            self.scope.cancel()  # else the batch learns of it at the end

    async def run(self, permit: Permit) -> None:
        """See the call through, beginning with the permit that it was taken for."""
        await self._finish(await self._carry_out({}, permit))

    async def go_on(self, failure: Failure) -> None:
        """See the call through alone, after a batch in which it failed."""
        await self._finish(await self._follow_up(failure, {}))

    async def go_alone(self) -> None:
        """See the call through alone, as if it had not been in a batch."""
        await self._gate.wait(self.request)
        await self.run(await self._next_permit())

    async def _finish(self, outcome: Outcome) -> None:
        if not isinstance(outcome, Success):
            self._is_questioned = True
            outcome = await self._questions.resolve(self, outcome)
        self.conclude(outcome)

    def conclude(self, outcome: Outcome) -> bool:
        """Give the outcome to those who wait for it.

        1. A value is passed on.
        2. So is an error, if VK certainly did not carry out the call, or if the call
           only reads.
        3. Any other error becomes the cause of an :exc:`OutcomeUnknownError`.
        """
        pending = self.request._pending
        if (
            isinstance(outcome, Success)
            or not pending.maybe_carried_out
            or self.request.reads()
        ):
            pending.settle(outcome)
        else:
            pending.settle(OutcomeUnknownError(outcome, method=self.request.method))
        return True

    def is_in_doubt(self) -> bool:
        """Return whether VK may have carried out what it may not get twice."""
        is_marked = self.request._pending.maybe_carried_out
        return is_marked and not self._sender.may_repeat(self.request)

    def note_sending(self) -> None:
        """Note that the call is about to be sent."""
        self.answered_at_send = self._questions.answered

    def note_attempt(self, attempt: Attempt) -> None:
        """Note the token that the call was last sent with."""
        self._token = attempt.secrets.token

    async def send_again(self, extra: Mapping[str, Any]) -> Outcome:
        """Send the call again, with parameters that answer VK's question."""
        return await self._carry_out(extra, await self._next_permit())

    def replace_token(self, token: str) -> None:
        """Use another token from now on, for all calls with the old one."""
        self._sender.replace_token(token)

    def holding_back(self) -> AbstractContextManager[None]:
        """Hold back calls that VK would count as a flood now."""
        return self._gate.closed(self.request.method)

    def asked(self) -> AbstractContextManager[None]:
        """Note that a question is open which holds back nothing."""
        return self._gate.asked()

    def answering(self) -> CancelScope:
        """Return a scope for sending an answer, which ends with the call.

        The user may send it in another task, which may outlive the call.
        """
        self._answering = CancelScope()
        return self._answering

    def end(self) -> None:
        """Cancel an answer that is being sent, and forget the batch.

        Called when the call has ended. A reference to the batch would keep it, and all
        its calls and values, alive until the garbage collector finds them.
        """
        batch_give_up, self.batch_give_up = self.batch_give_up, None
        if batch_give_up is not None:  # the batch has not ended the call itself
            batch_give_up()
        if self._answering is not None:
            self._answering.cancel()

    def is_cancelled(self) -> bool:
        """Return whether the call is being given up."""
        return self.scope.cancel_called

    async def _carry_out(self, extra: Mapping[str, Any], permit: Permit) -> Outcome:
        """Send until there is a value, a final error, or a question of VK."""
        return await self._follow_up(await self._attempt(extra, permit), extra)

    async def _follow_up(self, result: Result, extra: Mapping[str, Any]) -> Outcome:
        """Retry after an attempt, for as long as the rules allow."""
        method = self.request.method
        while True:
            if isinstance(result, Success):
                self._sender.forget_refusals(method)
                return result
            delay = self._sender.delay_after(
                method,
                result,
                self.retries,
                token=self._token,
                may_repeat=self._sender.may_repeat(self.request),
            )
            if delay is None:
                return result.error
            self._sender.note_retry(method, result, delay)
            await sleep(delay)
            if not self._is_questioned:
                await self._gate.wait(self.request)
            result = await self._attempt(extra, await self._next_permit())

    async def _next_permit(self) -> Permit:
        return await self._sender.ticker.acquire(retry_of=self.request._pending.order)

    async def _attempt(self, extra: Mapping[str, Any], permit: Permit) -> Result:
        self.note_sending()
        attempt = await self._sender.send(
            self.request,
            permit,
            extra={**self.extra, **extra},
            calls=[self.request],
            origin=self.origin,
            careful=not self._sender.may_repeat(self.request),
        )
        self.note_attempt(attempt)
        result = attempt.result
        if isinstance(result, Failure) and result.is_timeout:
            self._packer.forget(self.request.method)  # its batches were not too large
        return result
