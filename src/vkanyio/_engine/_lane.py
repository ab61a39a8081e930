"""The calls of one token: their room, their queue, and their tasks.

It owns the room (``max_waiting``) and the token's two service tasks. Sending is the
business of its ``Sender``, and the calls of all tokens together are in ``LiveCalls``.
"""

from __future__ import annotations

from contextlib import nullcontext
from contextvars import copy_context
from functools import partial
from typing import TYPE_CHECKING, Any, final

from anyio import CancelScope, Semaphore, current_time, get_current_task

from .._errors import ClientUseError, VKError
from ._batch_task import BatchTask
from ._call_task import CallTask
from ._collector import Collector
from ._gate import Gate
from ._handling import handles, in_handler
from ._packer import Packer

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from .._config import Config
    from .._limiter import Permit
    from .._request import APIRequest
    from .._service_group import ServiceGroup
    from .._statistics import Counters
    from ._credentials import Credentials
    from ._live_calls import LiveCalls
    from ._questions import Questions
    from ._sender import Sender


@final
class Lane:
    """The queue of calls of one token.

    Each token has its own rate limit, so the calls of one do not delay those of
    another.

    :param sender: sends the requests of the token
    :param credentials: the token
    :param live: the live calls of the client
    :param services: where the tasks are started
    :param watchers: called when VK asks a question, and when it has been answered
    :param check_open: raises if the client takes no more calls
    :ivar counters: the totals of the lane
    :ivar keeps_context: whether a user's function is to see the caller's context
        variables
    """

    def __init__(
        self,
        config: Config,
        sender: Sender,
        *,
        credentials: Credentials,
        counters: Counters,
        live: LiveCalls,
        services: ServiceGroup,
        questions: Questions,
        keeps_context: bool,
        watchers: Collection[Callable[[], None]],
        check_open: Callable[[], None],
    ) -> None:
        self.counters: Counters = counters
        self.keeps_context: bool = keeps_context
        self._sender = sender
        self._credentials = credentials
        self._live = live
        self._services = services
        self._questions = questions
        self._check_open = check_open
        self._packer = Packer(config)
        self._gate = Gate(self._note_question)
        self._watchers = watchers
        self._collector = Collector(
            sender.ticker, self._packer, self._gate, self._dispatch
        )
        self._room = Semaphore(config.max_waiting, fast_acquire=True)
        self._busy = 0
        self._context = copy_context()
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

    def check_claim(self) -> None:
        """Raise if a call would wait for itself.

        :raises ClientUseError: in the token function that its token comes from
        """
        if handles(self._credentials):
            message = (
                "the token function cannot make calls with the token that it returns:"
                " they would wait for it"
            )
            raise ClientUseError(message)

    def is_idle(self) -> bool:
        """Return whether it is not in use and remembers nothing important."""
        # The request of a call that was given up may take a moment to end.
        is_in_use = self._busy > 0 or self.counters.in_flight > 0
        is_in_use = is_in_use or self._gate.is_closed
        is_in_use = is_in_use or not self._credentials.is_at_rest
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
        self.counters.calls += 1
        self.counters.waiting += 1
        request._pending.accept(
            self._live.add(request),
            urgent=urgent,
            on_end=partial(self._end_call, request, on_end),
        )
        is_only = len(self._live) == 1  # others could be overtaken
        try:
            if not (is_only and self._begin_now(request)):
                self._collector.enqueue(request)
        except Exception as error:  # a bug, as in a task: not the caller's error
            self._services.note_crash(error)

    def _begin_now(self, request: APIRequest) -> bool:
        """Start the task of the only call there is, unless it has to wait.

        :return: whether it was started
        """
        if get_current_task().has_pending_cancellation():
            return False  # natively: the call would be sent before its caller leaves
        permit = self._collector.permit_now()
        if permit is not None:
            call = self._make_call(request)
            # With the context variables that it would get from the collector's task.
            start_soon = partial(self._services.start_soon, scope=call.scope)
            self._context.run(start_soon, call.run, permit)
        return permit is not None

    def _end_call(
        self, request: APIRequest, on_end: Callable[[APIRequest], None] | None
    ) -> None:
        self._busy -= 1
        self._collector.drop(request)
        if not self._live.end(request):
            self.counters.waiting -= 1
        if on_end is not None:
            on_end(request)

    def _dispatch(self, requests: list[APIRequest], permit: Permit) -> None:
        """Start the task of one call, or of several in a batch."""
        calls = [self._make_call(each) for each in requests]
        start_soon = self._services.start_soon
        if len(calls) == 1:
            [call] = calls
            start_soon(call.run, permit, scope=call.scope)
        else:
            batch = BatchTask(
                calls,
                self._sender,
                self._gate,
                self._packer,
                self._questions,
                start_soon,
            )
            start_soon(batch.run, permit, scope=batch.scope)

    def _make_call(self, request: APIRequest) -> CallTask:
        call = CallTask(
            request, self._sender, self._gate, self._packer, self._questions
        )
        self._live.begin(request, call)
        self.counters.waiting -= 1
        return call

    @property
    def is_questioned(self) -> bool:
        """Whether VK has a question about the token that nobody has answered yet."""
        return self._gate.questions > 0

    def _note_question(self) -> None:
        self._collector.look_again()
        for on_change in tuple(self._watchers):
            on_change()
