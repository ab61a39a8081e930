"""Where the outcome of one call is put, exactly once."""

from __future__ import annotations

import enum
import math
from typing import TYPE_CHECKING, Any, final

from anyio import Event, current_effective_deadline, get_cancelled_exc_class
from anyio.lowlevel import current_token

from ._errors import ClientUseError, VKError, copy_error

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from anyio.lowlevel import EventLoopToken


class State(enum.Enum):
    """How far a call has come."""

    NEW = "not sent yet"
    CLAIMED = "waiting for room"
    LIVE = "waiting for its outcome"
    SETTLED = "settled"
    GIVEN_UP = "given up by all who waited for it"


@final
class Slot:
    """The outcome of one call: a result, an error of its own, or nobody's interest.

    Settling is synchronous, idempotent and cannot fail, so that it can stand in any
    clean-up.

    :ivar order: the place of the call in the order of arrival
    :ivar urgent: whether it serves to answer VK's question about another call
    :ivar maybe_carried_out: whether VK may have carried it out; false again once VK
        has said that it did not
    """

    __slots__ = (
        "_done",
        "_error",
        "_error_given",
        "_home",
        "_on_end",
        "_value",
        "_waiters",
        "maybe_carried_out",
        "order",
        "state",
        "urgent",
    )

    def __init__(self) -> None:
        self.state: State = State.NEW
        self.order: int = 0
        self.urgent: bool = False
        self.maybe_carried_out: bool = False
        self._on_end: Callable[[], None] | None = None
        self._done: Event | None = None
        self._home: EventLoopToken | None = None
        self._waiters = 0
        self._value: Any = None
        self._error: VKError | None = None
        self._error_given = False

    @property
    def is_live(self) -> bool:
        """Whether the client owes somebody an outcome."""
        return self.state is State.LIVE

    def claim(self, home: EventLoopToken) -> None:
        """Take the call for sending, which is done once.

        :param home: the event loop of this task
        """
        self._settle_down(home)
        if self.state is not State.NEW:
            message = "this request was sent before: make a new APIRequest"
            raise ClientUseError(message)
        self.state = State.CLAIMED

    def accept(self, order: int, *, urgent: bool, on_end: Callable[[], None]) -> None:
        """Let the call into the line."""
        self.state = State.LIVE
        self.order = order
        self.urgent = urgent
        self._on_end = on_end

    def give_up_unless_accepted(self) -> None:
        """Give up a call that did not get into the line."""
        if self.state is State.CLAIMED:
            self._end(State.GIVEN_UP)

    def settle(self, value: Any) -> None:
        """Settle the call with its result."""
        if self.is_live:
            self._value = value
            self._end(State.SETTLED)

    def fail(self, error: VKError) -> None:
        """Settle the call with an error that no other call has."""
        if self.is_live or self.state is State.CLAIMED:
            self._error = error
            self._end(State.SETTLED)

    def _end(self, state: State) -> None:
        assert self._done is not None  # it was claimed
        self.state = state
        self._done.set()
        if self._on_end is not None:
            self._on_end()
            self._on_end = None

    def wait(self) -> Coroutine[Any, Any, Any]:
        """Wait for the outcome, in any task of the event loop.

        When the last task that waits for it is cancelled, the call is given up.
        """
        self._settle_down(current_token())
        return self.outcome()

    async def outcome(self) -> Any:
        """Wait for the outcome, in the task that claimed the call."""
        assert self._done is not None  # it was claimed
        self._waiters += 1
        try:
            await self._done.wait()
        except get_cancelled_exc_class():
            # A result that came in the tick of the deadline wins. The cancellation of
            # a scope is delivered again at the next checkpoint; a task's own
            # (asyncio's `Task.cancel`) would be lost, and goes on. Where both come in
            # the same tick as the result, asyncio makes one of them, and the task's
            # own cannot be told from it.
            if self.state is not State.SETTLED or not _is_in_cancelled_scope():
                raise
        finally:
            self._waiters -= 1
            if not self._waiters and self.is_live:
                self._end(State.GIVEN_UP)
        return self._take()

    def _settle_down(self, here: EventLoopToken) -> None:
        """Make the event that tells of the outcome, and keep to one event loop."""
        if self._done is None:
            self._done, self._home = Event(), here
        elif self._home != here:
            message = "a request is waited for in one event loop and thread only"
            raise ClientUseError(message)

    def _take(self) -> Any:
        if self.state is State.GIVEN_UP:
            message = "this request was given up: the task that sent it was cancelled"
            raise ClientUseError(message)
        if self._error is None:
            return self._value
        if self._error_given:  # raising writes into the error: nobody shares one
            raise copy_error(self._error)
        self._error_given = True
        raise self._error


def _is_in_cancelled_scope() -> bool:
    return current_effective_deadline() == -math.inf
