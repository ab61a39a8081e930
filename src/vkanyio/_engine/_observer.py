"""Report calls and requests to ``on_event``.

It owns the spans of calls and requests that have not ended. It affects none of them:
what ``on_event`` raises is logged.
"""

from __future__ import annotations

import logging
from itertools import count
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, final

from anyio import current_time

from .._errors import APIError, VKError
from .._events import CallEnded, CallStarted, RequestEnded, RequestStarted
from .._outcome import Success

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Generator, Sequence
    from contextvars import Context

    from .._events import Ending, Event
    from .._outcome import Result
    from .._pending import Pending
    from .._request import APIRequest

logger = logging.getLogger("vkanyio")

Ended: TypeAlias = "tuple[Ending, str | None, int | None]"
"""How something ended, the name of its error, and VK's code of it."""

_call_numbers = count(1)
_request_numbers = count(1)


@final
class CallSpan:
    """What is known about a call while its caller waits."""

    def __init__(self) -> None:
        self.number = next(_call_numbers)
        self.began = current_time()
        self.waited: float | None = None
        self.requests = 0
        self.packed = False


class RequestSpan(NamedTuple):
    """An HTTP request in flight, which somebody observes.

    :ivar context: the context variables of its one caller
    """

    number: int
    method: str
    calls: tuple[int, ...]
    began: float
    context: Context | None


@final
class Observer:
    """Reports calls and requests, as long as somebody listens.

    :param on_event: the user's function
    :ivar is_on: whether somebody listens; if not, nothing else may be called
    """

    def __init__(self, on_event: Callable[[Event], object] | None) -> None:
        self.is_on: bool = on_event is not None
        self._on_event = on_event
        self._calls: dict[Pending, CallSpan] = {}

    async def observe(
        self, request: APIRequest, send: Callable[[APIRequest], Awaitable[Any]]
    ) -> Any:
        """Send a call, and report it in the task of its caller."""
        self.begin_call(request)
        ended: Ended = ("cancelled", None, None)
        try:
            value = await send(request)
            ended = ("value", None, None)
        except VKError as error:
            ended = _ended(error)
            raise
        else:
            return value
        finally:
            self._end_call(request, ended)

    def begin_call(self, request: APIRequest) -> None:
        """Report that a call has been made."""
        span = self._calls[request._pending] = CallSpan()
        self.report(CallStarted(span.number, request.method, at=span.began))

    def end_call(self, request: APIRequest) -> None:
        """Report the end of a call that no task waits for."""
        pending = request._pending
        self._end_call(request, _ended(pending.peek()), pending.context)

    def _end_call(
        self, request: APIRequest, ended: Ended, context: Context | None = None
    ) -> None:
        span = self._calls.pop(request._pending)
        now = current_time()
        ending, name, code = ended
        self.report(
            CallEnded(
                call=span.number,
                method=request.method,
                at=now,
                duration=now - span.began,
                waited=span.waited,
                requests=span.requests,
                packed=span.packed,
                ending=ending,
                error=name,
                code=code,
            ),
            context,
        )

    def begin(self, method: str, pending: Sequence[Pending]) -> RequestSpan:
        """Report that an HTTP request is about to be sent.

        :param pending: the pending results of the calls that it carries
        :return: what :meth:`end` needs
        """
        number, now = next(_request_numbers), current_time()
        calls = tuple(self._note_sent(pending, now))
        # A batch has several callers.
        context = pending[0].context if len(pending) == 1 else None
        self.report(RequestStarted(number, method, calls, at=now), context)
        return RequestSpan(number, method, calls, now, context)

    def end(self, span: RequestSpan, result: Result | None) -> None:
        """Report that an HTTP request has ended.

        :param result: what it brought, None if it was cancelled
        """
        now = current_time()
        ending, name, code = _ended(result)
        self.report(
            RequestEnded(
                request=span.number,
                method=span.method,
                calls=span.calls,
                at=now,
                duration=now - span.began,
                ending=ending,
                error=name,
                code=code,
            ),
            span.context,
        )

    def _note_sent(self, pending: Sequence[Pending], now: float) -> Generator[int]:
        for each in pending:
            span = self._calls.get(each)
            if span is not None:  # its caller has not left
                if span.waited is None:
                    span.waited = now - span.began
                span.requests += 1
                span.packed = span.packed or len(pending) > 1
                yield span.number

    def report(self, event: Event, context: Context | None = None) -> None:
        """Call the user's function.

        :param context: the context variables that it sees, None for those of this task
        """
        if self._on_event is not None:
            try:
                if context is None:
                    self._on_event(event)
                else:  # a copy, since a context cannot be entered twice at a time
                    context.copy().run(self._on_event, event)
            except Exception:
                logger.exception("on_event failed at %s", type(event).__name__)


def _ended(outcome: Result | VKError | None) -> Ended:
    if outcome is None:
        return "cancelled", None, None
    if isinstance(outcome, Success):
        return "value", None, None
    error = outcome if isinstance(outcome, VKError) else outcome.error
    code = error.code if isinstance(error, APIError) else None
    return "error", type(error).__name__, code
