"""The calls of a client that have no outcome yet.

It owns their order of arrival, and knows the task of each. It starts no
tasks, and settles calls only when the client ends. When a call is given up, it has the
task cancelled.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from anyio import Event

from .._pending import PendingState

if TYPE_CHECKING:
    from collections.abc import Callable

    from .._errors import VKError
    from .._request import APIRequest
    from ._call_task import CallTask


@final
class LiveCalls:
    """The calls of all tokens that have no outcome yet, in the order of arrival.

    :ivar total: how many calls there have been
    """

    def __init__(self) -> None:
        self.total: int = 0
        self._calls: dict[APIRequest, CallTask | None] = {}
        self._drained = Event()

    def __len__(self) -> int:
        return len(self._calls)

    def add(self, request: APIRequest) -> int:
        """Add a call, and return its place in the order of arrival."""
        self._calls[request] = None
        order, self.total = self.total, self.total + 1
        return order

    def is_waiting(self, request: APIRequest) -> bool:
        """Return whether a call is there that has not been taken for a request yet."""
        return self._calls.get(request, request) is None

    def begin(self, request: APIRequest, task: CallTask) -> None:
        """Note that a call has been taken for a request."""
        self._calls[request] = task

    def end(self, request: APIRequest) -> bool:
        """Remove a call that has ended; if it was given up, cancel its task.

        :return: whether it had been taken for a request
        """
        task = self._calls.pop(request)
        if task is not None:
            if request._pending.state is PendingState.GIVEN_UP:
                task.give_up()
            task.end()
        if not self._calls:
            self._drained.set()
        return task is not None

    def fail_all(self, error_for: Callable[[APIRequest], VKError]) -> None:
        """Fail every call, each with its own error."""
        for request in tuple(self._calls):
            request._pending.settle(error_for(request))

    async def wait_for_the_end(self) -> None:
        """Wait until every call has its outcome."""
        while self._calls:
            self._drained = Event()
            await self._drained.wait()
