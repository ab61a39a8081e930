"""Several calls in one ``execute``: sent, retried and split together.

It owns the membership of its calls, for as long as they share requests, and the retries
of the batch. Which outcome belongs to which call is the business of ``_batch``; a call
that leaves the batch goes on in its own ``CallTask``.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, final

from anyio import CancelScope, current_time, sleep

from .._batch import read_batch, to_code
from .._encoding import without_secrets
from .._errors import (
    APIError,
    CompileError,
    ScriptRuntimeError,
    TransportError,
    VKError,
    copy_error,
)
from .._outcome import Success
from .._request import APIRequest

if TYPE_CHECKING:
    from collections.abc import Callable

    from .._limiter import Permit
    from .._outcome import Failure
    from .._retry import Retries
    from ._call_task import CallTask
    from ._gate import Gate
    from ._packer import Packer
    from ._sender import Attempt, Sender

NO_EXECUTE_CODES = frozenset({3, 15, 23, 27, 28})
"""Errors by which VK refuses ``execute`` to a token altogether."""

EXECUTE = "execute"


@final
class BatchTask:
    """Several calls on their way in one ``execute``, for as long as they share it.

    A call leaves it with its outcome, or to go on alone where VK returned an error to
    which a plain call would react.

    :param calls: the calls, two or more
    :param start_soon: starts the task of a call that goes on alone
    :ivar scope: the scope of its task
    """

    def __init__(
        self,
        calls: list[CallTask],
        sender: Sender,
        gate: Gate,
        packer: Packer,
        start_soon: Callable[..., None],
    ) -> None:
        self.scope: CancelScope = CancelScope(shield=True)
        self._members = dict.fromkeys(calls)
        self._sender = sender
        self._gate = gate
        self._packer = packer
        self._start_soon = start_soon
        for call in calls:
            call.batch_give_up = self._give_up_if_idle

    def _give_up_if_idle(self) -> None:
        """Cancel the task if nobody waits for any of the calls any more."""
        if not self._live(self._members):
            self.scope.cancel()

    async def run(self, permit: Permit) -> None:
        """Send the calls together, until none of them is left."""
        groups = deque([[*self._members]])
        unused: Permit | None = permit
        while groups:
            group = self._live(groups.popleft())
            if len(group) > 1:
                groups.extend(await self._send_group(group, unused))
                unused = None
            elif group:
                self._leave(group[0])
        if unused is not None:
            self._sender.ticker.release(unused)

    def _live(self, calls: dict[CallTask, None] | list[CallTask]) -> list[CallTask]:
        return [
            call
            for call in calls
            if call in self._members and call.request._pending.is_live
        ]

    async def _send_group(
        self, group: list[CallTask], permit: Permit | None
    ) -> list[list[CallTask]]:
        """Send calls together, and retry them while the rules allow.

        :return: the groups in which the calls have to be sent instead
        """
        retries = self._sender.new_retries(max(call.retries_used for call in group))
        while len(group) > 1:
            permit = permit or await self._next_permit(group)
            group = self._ready(group)
            if len(group) < 2:
                self._sender.ticker.release(permit)
                break
            attempt = await self._attempt_group(group, permit)
            permit = None
            if isinstance(attempt.result, Success):
                self._deliver(group, attempt, attempt.result)
                return []
            if attempt.result.is_lasting:
                return self._take_apart(group, attempt.result)
            group = await self._wait_to_retry(group, attempt, attempt.result, retries)
        return [group]

    async def _next_permit(self, group: list[CallTask]) -> Permit:
        order = group[0].request._pending.order
        return await self._sender.ticker.acquire(retry_of=order)

    def _ready(self, group: list[CallTask]) -> list[CallTask]:
        """Return the calls that may still be sent together, now that there is a permit.

        Some may have been cancelled meanwhile, others have to wait for a captcha.
        """
        for call in group:
            if not self._gate.is_open_to(call.request):
                self._leave(call)
        return self._live(group)

    async def _attempt_group(self, group: list[CallTask], permit: Permit) -> Attempt:
        requests = [call.request for call in group]
        for call in group:
            call.note_sending()
        attempt = await self._sender.send(
            APIRequest(EXECUTE, {"code": to_code(requests)}),
            permit,
            extra={},
            pending=[request._pending for request in requests],
            careful=not all(map(self._sender.may_repeat, requests)),
        )
        for call in group:
            call.note_attempt(attempt)
        return attempt

    async def _wait_to_retry(
        self,
        group: list[CallTask],
        attempt: Attempt,
        failure: Failure,
        retries: Retries,
    ) -> list[CallTask]:
        """Fail the calls that may not be retried, and wait until the others may be.

        :return: the calls that are left
        """
        delay = self._sender.delay_after(
            EXECUTE,
            failure,
            retries,
            token=attempt.secrets.token,
            may_repeat=True,  # decided call by call
        )
        for call in group:
            call.retries_used = retries.used
            may_repeat = self._sender.may_repeat(call.request)
            if delay is None or (failure.maybe_carried_out and not may_repeat):
                self._fail(call, failure.error)
        group = self._live(group)
        if delay is not None and group:
            self._sender.note_retry(EXECUTE, failure, delay)
            await sleep(delay)
        return self._live(group)

    def _deliver(
        self, group: list[CallTask], attempt: Attempt, success: Success
    ) -> None:
        """Settle each call, or let it react to its own error alone."""
        requests = [call.request for call in group]
        results = read_batch(requests, success, attempt.body, attempt.secrets)
        for call, doubt, result in zip(group, attempt.doubts, results, strict=True):
            if isinstance(result, Success):
                self._sender.forget_refusals(call.request.method)
                call.conclude(result)
            else:
                if not result.maybe_carried_out:
                    call.request._pending.restore_mark(doubt)
                self._leave(call, result)

    def _leave(self, call: CallTask, failure: Failure | None = None) -> None:
        del self._members[call]
        call.batch_give_up = None
        if not call.request._pending.is_live:
            return
        if failure is None:
            self._start_soon(call.go_alone, scope=call.scope)
        else:
            self._start_soon(call.go_on, failure, scope=call.scope)

    def _take_apart(
        self, group: list[CallTask], failure: Failure
    ) -> list[list[CallTask]]:
        """Take apart a batch that VK does not run as a whole.

        1. The error concerns ``execute`` itself: the calls go alone. Where VK refuses
           ``execute`` altogether, nothing is packed any more.
        2. The script does not compile: nothing was run. Halving it isolates the call
           that is at fault.
        3. The values were too large, or the work too much: VK gave up part-way, so any
           of the calls may have been carried out. Those that may not be repeated fail,
           the others are sent in halves.

        :return: the halves
        """
        error = failure.error
        is_too_much = failure.is_too_large or isinstance(error, ScriptRuntimeError)
        if not is_too_much and not isinstance(error, CompileError):
            if isinstance(error, APIError) and error.code in NO_EXECUTE_CODES:
                self._packer.stop(error)
            for call in group:
                self._leave(call)
            return []
        self._sender.note_split()
        if is_too_much:
            requests = [call.request for call in group]
            self._packer.note_too_large(requests, current_time())
            for call in group:
                call.request._pending.mark_maybe_carried_out()
                if not self._sender.may_repeat(call.request):
                    self._fail(call, error)
        group = self._live(group)
        middle = (len(group) + 1) // 2
        return [group[:middle], group[middle:]]

    def _fail(self, call: CallTask, error: VKError) -> None:
        """Settle a call with the error of its batch, as its own."""
        own = copy_error(error)
        if isinstance(own, APIError | TransportError):
            own.method = call.request.method
        if isinstance(own, APIError):
            own.params = dict(without_secrets(call.request.params))
        call.conclude(own)
