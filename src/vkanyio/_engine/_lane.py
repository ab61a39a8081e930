"""The calls of one token: their room, their line, and their tasks.

It owns the room (``max_waiting``) and the token's two service tasks. Sending is the
business of its ``Sender``, and the calls of all tokens together are in ``LiveCalls``.
"""

from __future__ import annotations

from contextlib import nullcontext
from functools import partial
from typing import TYPE_CHECKING, Any, final

from anyio import CancelScope, Semaphore, current_time

from .._errors import VKError
from ._batch_task import BatchTask
from ._call_task import CallTask
from ._collector import Collector
from ._gate import Gate
from ._packer import Packer
from ._questions import in_handler

if TYPE_CHECKING:
    from collections.abc import Callable

    from .._config import Config
    from .._limiter import Permit
    from .._request import APIRequest
    from ._live_calls import LiveCalls
    from ._questions import Questions
    from ._sender import Sender
    from ._service_group import ServiceGroup


@final
class Lane:
    """The line of calls that wait for one token.

    Each token has its own rate limit, so the calls of one do not delay those of
    another.

    :param sender: sends the requests of the token
    :param live: the live calls of the client
    :param services: where the tasks are started
    :param check_open: raises if the client takes no more calls
    """

    def __init__(
        self,
        config: Config,
        sender: Sender,
        *,
        live: LiveCalls,
        services: ServiceGroup,
        questions: Questions,
        check_open: Callable[[], None],
    ) -> None:
        self._sender = sender
        self._live = live
        self._services = services
        self._questions = questions
        self._check_open = check_open
        self._packer = Packer(config)
        self._gate = Gate(self._look_again)
        self._collector = Collector(
            sender.ticker, self._packer, self._gate, self._dispatch
        )
        self._room = Semaphore(config.max_waiting, fast_acquire=True)
        self._busy = 0
        self._scopes: list[CancelScope] = []

    def start(self) -> None:
        """Start the tasks of the token."""
        for task in (self._sender.ticker.run, self._collector.run):
            scope = CancelScope(shield=True)
            self._services.start_soon(task, scope=scope, endless=True)
            self._scopes.append(scope)

    def stop(self) -> None:
        """End the tasks of the token."""
        for scope in self._scopes:
            scope.cancel()

    def close(self) -> None:
        """Close the channel, after the tasks have ended or if they never started."""
        self._collector.close()

    def is_idle(self) -> bool:
        """Return whether it is not in use and remembers nothing important."""
        is_in_use = self._busy > 0 or self._gate.is_closed
        return not is_in_use and self._sender.is_idle(current_time())

    async def wait_for(self, request: APIRequest) -> Any:
        """Send a call in its turn, and wait for its outcome.

        A call that waits for room has not been accepted yet. One that helps to answer
        VK's question takes no room: the calls that fill it may wait for that answer.
        """
        self._busy += 1
        urgent = in_handler()
        try:
            async with nullcontext() if urgent else self._room:
                try:
                    self._check_open()
                except VKError as error:
                    request._pending.settle(error)
                else:
                    self._admit(request, urgent=urgent)
                await request._pending.wait_here()
                return request.result()
        finally:
            self._busy -= 1
            request._pending.give_up_unless_accepted()

    def take(self, request: APIRequest, on_end: Callable[[APIRequest], None]) -> None:
        """Accept a call that no task waits for; see :meth:`Caller.submit`."""
        self._admit(request, urgent=in_handler(), on_end=on_end)
        request._pending.hold()

    def _admit(
        self,
        request: APIRequest,
        *,
        urgent: bool,
        on_end: Callable[[APIRequest], None] | None = None,
    ) -> None:
        self._busy += 1
        request._pending.accept(
            self._live.add(request),
            urgent=urgent,
            on_end=partial(self._end_call, request, on_end),
        )
        self._collector.enqueue(request)

    def _end_call(
        self, request: APIRequest, on_end: Callable[[APIRequest], None] | None
    ) -> None:
        self._busy -= 1
        self._collector.drop(request)
        self._live.end(request)
        if on_end is not None:
            on_end(request)

    def _dispatch(self, requests: list[APIRequest], permit: Permit) -> None:
        """Start the task of one call, or of several in a batch."""
        sender, gate, start_soon = self._sender, self._gate, self._services.start_soon
        packer, questions = self._packer, self._questions
        calls = [CallTask(each, sender, gate, packer, questions) for each in requests]
        for call in calls:
            self._live.begin(call.request, call)
        if len(calls) == 1:
            [call] = calls
            start_soon(call.run, permit, scope=call.scope)
        else:
            batch = BatchTask(calls, sender, gate, packer, questions, start_soon)
            start_soon(batch.run, permit, scope=batch.scope)

    def _look_again(self) -> None:
        self._collector.look_again()
