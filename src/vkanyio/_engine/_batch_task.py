"""Several calls in one ``execute``: sent, repeated and taken apart together.

It owns the membership of its calls, for as long as they share requests, and the retries
of the batch. What a failure of the whole means, and which outcome belongs to which
call, is decided by ``_batch``; a call that leaves the batch continues in its own
``CallTask``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

from anyio import CancelScope, current_time, sleep

from .._batch import (
    NO_EXECUTE_CODES,
    Remedy,
    is_too_much,
    read_batch,
    remedy_for,
    to_code,
)
from .._encoding import without_secrets
from .._errors import APIError, ScriptRuntimeError, TransportError, copy_error
from .._outcome import Success
from .._request import APIRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager

    from .._errors import VKError
    from .._limiter import Permit
    from .._outcome import Failure, Outcome
    from ._call_task import CallTask
    from ._gate import Gate
    from ._packer import Packer
    from ._questions import Questions
    from ._sender import Attempt, Sender

EXECUTE = "execute"


@final
class BatchTask:
    """Several calls on their way in one ``execute``, for as long as they share it.

    A call leaves it with its outcome, to go on alone where VK returned an error to
    which a plain call would react, or with the other calls of its half.

    :param calls: the calls, two or more
    :param start_soon: starts the task of a half, or of a call that goes on alone
    :param whole: for a part, the batch that it was taken from
    :ivar scope: the scope of its task
    :ivar request: the last ``execute``
    :ivar captcha_answers: how many answers to captchas were sent with it
    :ivar extra: parameters that are sent with every further attempt
    :ivar answered_at_send: how many of VK's questions had been answered when it was
        last sent
    """

    def __init__(
        self,
        calls: list[CallTask],
        sender: Sender,
        gate: Gate,
        packer: Packer,
        questions: Questions,
        start_soon: Callable[..., None],
        *,
        whole: BatchTask | None = None,
    ) -> None:
        self.scope: CancelScope = CancelScope(shield=True)
        self.request: APIRequest = APIRequest(EXECUTE)
        self.captcha_answers: int = 0 if whole is None else whole.captcha_answers
        self.extra: dict[str, Any] = {} if whole is None else dict(whole.extra)
        self.answered_at_send: int = 0
        self._members = dict.fromkeys(calls)
        self._sender = sender
        self._gate = gate
        self._packer = packer
        self._questions = questions
        self._start_soon = start_soon
        self._retries = sender.new_retries(max(call.retries_used for call in calls))
        # An object of its own: a reference to the batch would be a cycle.
        self._origin: object = object() if whole is None else whole._origin
        self._repeats = 0  # those that the calls are not charged for
        self._is_part = whole is not None
        self._failure: Failure | None = None
        self._is_questioned = False
        self._answering: CancelScope | None = None
        for call in calls:
            call.batch_give_up = self._give_up_if_idle
            call.origin = self._origin

    @property
    def is_live(self) -> bool:
        """Whether somebody waits for one of the calls."""
        return bool(self._live())

    @property
    def is_urgent(self) -> bool:
        """Whether it helps to answer a question of VK: such calls are not packed."""
        return False

    def _live(self) -> list[CallTask]:
        return [call for call in self._members if call.request._pending.is_live]

    def _give_up_if_idle(self) -> None:
        """Cancel the task if nobody waits for any of the calls any more."""
        if not self.is_live:
            self.scope.cancel()
            if self._answering is not None:
                self._answering.cancel()

    async def run(self, permit: Permit | None = None) -> None:
        """Send the calls together, until each has its outcome or has left."""
        outcome = await self._carry_out({}, permit)
        if outcome is None:
            return
        if not isinstance(outcome, Success):
            self._is_questioned = True
            outcome = await self._questions.resolve(self, outcome)
        self.conclude(outcome)

    async def send_again(self, extra: Mapping[str, Any]) -> Outcome:
        """Send the calls again, with parameters that answer VK's question."""
        outcome = await self._carry_out(extra, None)
        if outcome is None:  # nobody waits any more
            assert self._failure is not None  # VK's question
            return self._failure.error
        return outcome

    def replace_token(self, token: str) -> None:
        """Use another token from now on, for all calls with the old one."""
        self._sender.replace_token(token)

    def holding_back(self) -> AbstractContextManager[None]:
        """Hold back calls that VK would count as a flood now."""
        return self._gate.closed(EXECUTE)

    def asked(self) -> AbstractContextManager[None]:
        """Note that a question is open which holds back nothing."""
        return self._gate.asked()

    def answering(self) -> CancelScope:
        """Return a scope for sending an answer, which ends with the calls."""
        self._answering = CancelScope()
        return self._answering

    def is_cancelled(self) -> bool:
        """Return whether all calls are being given up."""
        return self.scope.cancel_called

    async def _carry_out(
        self, extra: Mapping[str, Any], permit: Permit | None
    ) -> Outcome | None:
        """Send until there is a value, or an error that is not met by repeating.

        :param permit: the permit for the first attempt, if there is one already
        :return: None if there is nothing left to be sent together
        """
        while True:
            if permit is None:
                await self._wait_at_gate()
                permit = await self._next_permit()
            group = self._ready()
            if not group:
                self._sender.ticker.release(permit)
                return None
            attempt = await self._attempt_together(group, permit, extra)
            permit = None
            if isinstance(attempt.result, Success):
                self._sender.forget_refusals(EXECUTE)
                self._deliver(group, attempt, attempt.result)
                return attempt.result
            self._failure = failure = self._note_failure(group, attempt.result)
            delay = self._delay_after(failure, attempt.secrets.token)
            if delay is None and failure.retry_after is not None:
                await sleep(failure.retry_after)  # before its calls go in parts
            if delay is None or not self.is_live:
                return failure.error
            self._sender.note_retry(EXECUTE, failure, delay)
            await sleep(delay)

    async def _next_permit(self) -> Permit:
        first = next(iter(self._members))
        return await self._sender.ticker.acquire(retry_of=first.request._pending.order)

    async def _wait_at_gate(self) -> None:
        """Wait while a captcha holds back all of the calls.

        VK's question about this batch does not hold back its own calls.
        """
        while live := self._live():
            if self._is_questioned or any(map(self._may_go, live)):
                return
            await self._gate.wait(live[0].request)

    def _may_go(self, call: CallTask) -> bool:
        return self._is_questioned or self._gate.is_open_to(call.request)

    def _ready(self) -> list[CallTask]:
        """Return the calls that are sent together now that there is a permit.

        1. Calls may have been cancelled meanwhile: they are left out.
        2. A captcha holds back others: they leave, together.
        3. A single call is left: it goes alone, unless it answers VK's question.
        """
        self._start_part([call for call in self._live() if not self._may_go(call)])
        group = self._live()
        if len(group) == 1 and not self._is_questioned:
            self._leave(group.pop())
        return group

    async def _attempt_together(
        self, group: list[CallTask], permit: Permit, extra: Mapping[str, Any]
    ) -> Attempt:
        requests = [call.request for call in group]
        self.request = APIRequest(EXECUTE, {"code": to_code(requests)})
        self.answered_at_send = self._questions.answered
        for call in group:
            call.note_sending()
        attempt = await self._sender.send(
            self.request,
            permit,
            extra={**self.extra, **extra},
            calls=requests,
            origin=self._origin,
            careful=not all(map(self._sender.may_repeat, requests)),
        )
        for call in group:
            call.note_attempt(attempt)
        return attempt

    def _note_failure(self, group: list[CallTask], failure: Failure) -> Failure:
        """Learn from a failure of the whole, and fail the calls that end with it.

        Those are the calls that VK may have carried out and may not get twice.

        :param group: the calls that were sent
        :return: the failure, as seen by the calls
        """
        if is_too_much(failure):
            requests = [call.request for call in group]
            self._packer.note_too_much(requests, current_time())
        if isinstance(failure.error, ScriptRuntimeError):  # VK gave up part-way
            failure = failure._replace(maybe_carried_out=True)
            for call in group:
                call.request._pending.mark_maybe_carried_out()
        if failure.maybe_carried_out:
            for call in self._live():
                if not self._sender.may_repeat(call.request):
                    self._fail(call, failure.error)
        return failure

    def _delay_after(self, failure: Failure, token: str) -> float | None:
        """Return the seconds until all calls are sent again, or None if they are not.

        The calls are charged for the retries only where the batch was certainly not at
        fault: if it was not sent.

        :param token: the token that they were sent with
        """
        was_replaced = self._sender.has_other_token(failure, token)
        remedy = self._remedy_for(failure, was_replaced=was_replaced)
        if remedy is not Remedy.REPEAT or (self._is_part and failure.maybe_carried_out):
            return None
        delay = self._sender.delay_after(
            EXECUTE, failure, self._retries, token=token, may_repeat=True
        )
        if failure.maybe_carried_out:
            self._repeats += 1
        else:
            for call in self._members:
                call.retries_used = self._retries.used - self._repeats
        return delay

    def _is_outage(self, failure: Failure) -> bool:
        return self._sender.outage.is_on(failure, self._origin, current_time())

    def _remedy_for(self, failure: Failure, *, was_replaced: bool = False) -> Remedy:
        return remedy_for(
            failure,
            was_repeated=self._is_part or self._repeats > 0,
            is_outage=self._is_outage(failure),
            token_was_replaced=was_replaced,
        )

    def _deliver(
        self, group: list[CallTask], attempt: Attempt, success: Success
    ) -> None:
        """Settle each call, or let it react to its own error alone."""
        requests = [call.request for call in group]
        results = read_batch(requests, success, attempt.body, attempt.secrets)
        for call, doubt, result in zip(group, attempt.doubts, results, strict=True):
            call.batch_give_up = None
            if isinstance(result, Success):
                self._sender.forget_refusals(call.request.method)
                call.conclude(result)
            else:
                if not result.maybe_carried_out:
                    call.request._pending.restore_mark(doubt)
                self._leave(call, result)

    def is_in_doubt(self) -> bool:
        """Return whether VK may have carried out what it may not get twice."""
        return any(call.is_in_doubt() for call in self._live())

    def conclude(self, outcome: Outcome) -> bool:
        """Take the batch apart after an error of the whole; see :class:`Remedy`.

        After a success there is nothing to do: each call has its outcome, or has left.

        :return: whether the calls have ended; they may go on in other requests
        """
        failure, group = self._failure, self._live()
        if isinstance(outcome, Success) or failure is None or not group:
            return True
        remedy = self._remedy_for(failure)
        if remedy is Remedy.REPEAT:  # but the retries are used up
            remedy = Remedy.ALONE if failure.maybe_carried_out else Remedy.FAIL
        if remedy is Remedy.HALVE and self._repeats > 1:
            remedy = Remedy.ALONE  # repeating it has cost as much as halving
        if remedy is Remedy.FAIL:
            for call in group:
                self._fail(call, outcome)
        elif remedy is Remedy.ALONE:
            error = failure.error
            if isinstance(error, APIError) and error.code in NO_EXECUTE_CODES:
                self._packer.stop(error)
            for call in group:
                self._leave(call)
        else:
            self._halve(group)
        return remedy is Remedy.FAIL

    def _halve(self, group: list[CallTask]) -> None:
        """Go on with two halves, side by side."""
        if len(group) > 1:
            self._sender.note_split()
        middle = (len(group) + 1) // 2
        self._start_part(group[:middle])
        self._start_part(group[middle:])

    def _start_part(self, calls: list[CallTask]) -> None:
        """Go on with some of the calls separately; a single call is not a batch."""
        if len(calls) == 1:
            self._leave(calls[0])
        elif calls:
            for call in calls:
                del self._members[call]
            batch = BatchTask(
                calls,
                self._sender,
                self._gate,
                self._packer,
                self._questions,
                self._start_soon,
                whole=self,
            )
            self._start_soon(batch.run, scope=batch.scope)

    def _leave(self, call: CallTask, failure: Failure | None = None) -> None:
        del self._members[call]
        call.batch_give_up = None
        if not call.request._pending.is_live:
            return
        if failure is None:
            self._start_soon(call.go_alone, scope=call.scope)
        else:
            self._start_soon(call.go_on, failure, scope=call.scope)

    def _fail(self, call: CallTask, error: VKError) -> None:
        """Settle a call with the error of its batch, as its own."""
        call.batch_give_up = None
        own = copy_error(error)
        if isinstance(own, APIError | TransportError):
            own.method = call.request.method
        if isinstance(own, APIError):
            own.params = dict(without_secrets(call.request.params))
        call.conclude(own)
