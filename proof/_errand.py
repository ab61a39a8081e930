"""One call with its caller: what it should do, and how it ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

import attrs
from anyio import CancelScope, Event, current_time

if TYPE_CHECKING:
    from collections.abc import Callable

    from vkanyio import VK

    from ._kinds import Kind


@final
class Cancelled:
    """The outcome of a call whose caller was cancelled."""

    def __repr__(self) -> str:
        return "cancelled"


@final
class Nothing:
    """The outcome of a call that never ended."""

    def __repr__(self) -> str:
        return "no outcome"


@final
@attrs.define(eq=False)
class Errand:
    """A call and its caller.

    :ivar mark: identifies the call in requests and in the ledger
    :ivar kind: the kind of call
    :ivar patience: seconds after which the caller is cancelled
    :ivar outcome: what the call returned or raised, :class:`Cancelled` or
        :class:`Nothing`
    :ivar cancelled_at: when the caller was cancelled
    :ivar left_at: when the caller went on
    :ivar requests: number of requests sent by then
    :ivar ended: set when there is an outcome
    """

    mark: str
    kind: Kind
    patience: float | None = None
    outcome: Any = attrs.field(factory=Nothing)
    cancelled_at: float | None = None
    left_at: float = 0.0
    requests: int = 0
    ended: Event = attrs.field(factory=Event, repr=False)
    _scope: CancelScope = attrs.field(factory=CancelScope, repr=False)

    def __str__(self) -> str:
        return f"call {self.mark}, {self.kind.name}"

    def ending(self) -> str:
        """Return one line that says when and how the call ended."""
        outcome = self.outcome
        if isinstance(outcome, BaseException):
            outcome = f"{type(outcome).__name__}: {outcome}"
        return f"{self.left_at!r} {self.mark} {self.kind.name}: {outcome!r}"

    async def run(self, api: VK, requests: Callable[[], int] = int) -> None:
        """Make the call.

        :param requests: returns the number of requests sent so far
        """
        if self.patience is not None and self.cancelled_at is None:
            self._scope.deadline = self.cancelled_at = current_time() + self.patience
        try:
            with self._scope:
                self.outcome = await self.kind.call(api, self.mark)
            if self._scope.cancelled_caught:
                self.outcome = Cancelled()
        except Exception as error:
            self.outcome = error
        finally:
            self.left_at = current_time()
            self.requests = requests()
            self.ended.set()

    def cancel(self) -> None:
        """Cancel the caller."""
        if not self.ended.is_set() and not self._scope.cancel_called:
            self.cancelled_at = current_time()
            self._scope.cancel()
