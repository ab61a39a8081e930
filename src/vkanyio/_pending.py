"""The pending result of one call.

It holds the outcome of a call, exactly once, and whether VK may have carried the call
out. It neither sends anything nor knows who does.
"""

from __future__ import annotations

import enum
import math
from typing import TYPE_CHECKING, final

from anyio import Event, current_effective_deadline, get_cancelled_exc_class
from anyio.lowlevel import current_token

from ._errors import ClientUseError, VKError, copy_error
from ._outcome import Success

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from contextvars import Context
    from typing import Any

    from anyio.lowlevel import EventLoopToken

    from ._outcome import Outcome


class PendingState(enum.Enum):
    """How far a call has come."""

    NEW = "not submitted yet"
    CLAIMED = "waiting for room"
    LIVE = "waiting for its outcome"
    SETTLED = "settled"
    GIVEN_UP = "abandoned by every task that waited for it"


@final
class Pending:
    """A one-shot result of one call: a value, an error, or abandoned.

    Settling is synchronous, idempotent and cannot fail, so that it is safe in any
    clean-up.

    :ivar state: how far the call has come
    :ivar order: the place of the call in the order of arrival
    :ivar urgent: whether it helps to answer VK's question about another call
    :ivar context: the context variables of the caller, if a user function is to see
        them
    """

    __slots__ = (
        "_done",
        "_error_raised",
        "_loop_token",
        "_maybe_carried_out",
        "_on_end",
        "_outcome",
        "_waiters",
        "context",
        "order",
        "state",
        "urgent",
    )

    def __init__(self) -> None:
        self.state: PendingState = PendingState.NEW
        self.order: int = 0
        self.urgent: bool = False
        self.context: Context | None = None
        self._maybe_carried_out = False
        self._on_end: Callable[[], None] | None = None
        self._done: Event | None = None
        self._loop_token: EventLoopToken | None = None
        self._waiters = 0
        self._outcome: Outcome | None = None
        self._error_raised = False

    @property
    def is_live(self) -> bool:
        """Whether the client still owes somebody an outcome."""
        return self.state is PendingState.LIVE

    @property
    def maybe_carried_out(self) -> bool:
        """Whether VK may have carried out the call."""
        return self._maybe_carried_out

    def mark_maybe_carried_out(self) -> None:
        """Note that VK may carry out the call from now on, or may have."""
        self._maybe_carried_out = True

    def restore_mark(self, before: bool) -> None:
        """Note that VK did not carry out the call the last time that it was sent.

        :param before: whether it may have carried it out before that
        """
        self._maybe_carried_out = before

    def claim(self, loop_token: EventLoopToken) -> None:
        """Claim the call, which is done once.

        :param loop_token: the event loop of this task
        :raises ClientUseError: if it was claimed before, or in another event loop
        """
        self._bind_to_loop(loop_token)
        if self.state is not PendingState.NEW:
            message = "this request has already been submitted: create a new APIRequest"
            raise ClientUseError(message)
        self.state = PendingState.CLAIMED

    def accept(self, order: int, *, urgent: bool, on_end: Callable[[], None]) -> None:
        """Accept the call: from now on it has an outcome sooner or later.

        :param on_end: called once, synchronously, when it is settled or given up
        """
        self.state = PendingState.LIVE
        self.order = order
        self.urgent = urgent
        self._on_end = on_end

    def hold(self) -> None:
        """Keep the call alive, whether or not a task waits for it."""
        self._waiters += 1

    def settle(self, outcome: Outcome) -> None:
        """Settle the call.

        :param outcome: the value, or an error that no other call shares
        """
        if self.is_live or (
            self.state is PendingState.CLAIMED and isinstance(outcome, VKError)
        ):
            self._outcome = outcome
            self._close(PendingState.SETTLED)

    def give_up(self) -> None:
        """Abandon the call, unless it has ended."""
        if self.is_live:
            self._close(PendingState.GIVEN_UP)

    def give_up_unless_accepted(self) -> None:
        """Abandon a call that was claimed, but not accepted."""
        if self.state is PendingState.CLAIMED:
            self._close(PendingState.GIVEN_UP)

    def _close(self, state: PendingState) -> None:
        self.state = state
        if self._done is not None:
            self._done.set()
        if self._on_end is not None:
            self._on_end()
            self._on_end = None

    def wait(self) -> Coroutine[Any, Any, None]:
        """Wait until the call has ended, in any task of the event loop.

        When the last task that waits for it is cancelled, the call is given up.
        """
        self._bind_to_loop(current_token())
        return self.wait_here()

    async def wait_here(self) -> None:
        """Wait until the call has ended, in the task that claimed it.

        If this is the last task that waits and it is cancelled, the call is given up.
        """
        if self._done is None:
            self._done = Event()
            if self.state in (PendingState.SETTLED, PendingState.GIVEN_UP):
                self._done.set()
        self._waiters += 1
        try:
            await self._done.wait()
        except get_cancelled_exc_class():
            # An outcome that arrives in the same tick as the deadline wins:
            #
            # 1. Cancelled by a scope: it delivers the cancellation again at the next
            #    checkpoint, so nothing is lost by returning the outcome.
            # 2. Cancelled natively (asyncio's `Task.cancel`): that would be lost, so it
            #    is raised.
            # 3. By both in the same tick: asyncio merges them, and the native one
            #    cannot be recognized.
            settled = self.state is PendingState.SETTLED
            if not settled or not is_in_cancelled_scope():
                raise
        finally:
            self._waiters -= 1
            if not self._waiters and self.is_live:
                self._close(PendingState.GIVEN_UP)

    def peek(self) -> Outcome | None:
        """Return the outcome, None if the call has none."""
        return self._outcome

    def unwrap(self) -> Success:
        """Return the value of a settled call.

        :raises VKError: the error of the call: each time another instance
        :raises ClientUseError: if it is not settled
        """
        outcome = self._outcome
        if isinstance(outcome, Success):
            return outcome
        if outcome is None:
            raise ClientUseError(_NO_OUTCOME[self.state])
        if self._error_raised:  # raising changes an exception, so nobody shares one
            raise copy_error(outcome)
        self._error_raised = True
        raise outcome

    def _bind_to_loop(self, loop_token: EventLoopToken) -> None:
        """Keep the event loop of the first use, and refuse a second one."""
        if self._loop_token is None:
            self._loop_token = loop_token
        elif self._loop_token != loop_token:
            message = "a request can be awaited only in one event loop and thread"
            raise ClientUseError(message)


_NOT_SETTLED = "this request has no result yet: `await request.wait()`"
_NO_OUTCOME = {
    PendingState.NEW: (
        "this request was not submitted: `await api.call_with_request(...)`"
    ),
    PendingState.CLAIMED: _NOT_SETTLED,
    PendingState.LIVE: _NOT_SETTLED,
    PendingState.GIVEN_UP: "this request was abandoned before it had an outcome",
}


def is_in_cancelled_scope() -> bool:
    """Return whether a scope, not asyncio's ``Task.cancel``, cancels this task."""
    return current_effective_deadline() == -math.inf
