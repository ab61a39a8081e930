"""Who watches a client: a function of the user's, and the log."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from itertools import count
from typing import TYPE_CHECKING, final

from anyio import current_time

from ._errors import APIError, VKError
from ._events import CallEnded, CallStarted, RequestEnded, RequestStarted
from ._response import Success

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Generator, Sequence

    from ._events import Event, Outcome
    from ._request import APIRequest
    from ._retry import Failure
    from ._slot import Slot

logger = logging.getLogger("vkanyio")

_calls = count(1)
_requests = count(1)


@final
class _Call:
    """What is known of a call while its caller waits."""

    def __init__(self) -> None:
        self.number = next(_calls)
        self.began = current_time()
        self.waited: float | None = None
        self.requests = 0
        self.packed = False


@final
class Sent:
    """An HTTP request that is under way.

    :ivar outcome: what came of it, None until that is known
    """

    def __init__(self) -> None:
        self.outcome: Success | Failure | None = None


@final
class Watch:
    """Tells of calls and requests, as long as somebody wants to know.

    :param on_event: the user's function; what it raises is logged, and goes no further
    """

    def __init__(self, on_event: Callable[[Event], object] | None) -> None:
        self._on_event = on_event
        self._calls: dict[Slot, _Call] = {}

    @property
    def sees_calls(self) -> bool:
        """Whether calls have to go through :meth:`call`."""
        return self._on_event is not None

    async def call(
        self, request: APIRequest, send: Callable[[APIRequest], Awaitable[Success]]
    ) -> Success:
        """Send a call, and tell of it in the task of its caller."""
        call = self._calls[request.slot] = _Call()
        method = request.method
        self._tell(CallStarted(call=call.number, method=method, at=call.began))
        ending: tuple[Outcome, str | None, int | None] = ("cancelled", None, None)
        try:
            answer = await send(request)
            ending = ("value", None, None)
        except VKError as error:
            ending = _ending(error)
            raise
        else:
            return answer
        finally:
            del self._calls[request.slot]
            now = current_time()
            outcome, name, code = ending
            self._tell(
                CallEnded(
                    call=call.number,
                    method=method,
                    at=now,
                    duration=now - call.began,
                    waited=call.waited,
                    requests=call.requests,
                    packed=call.packed,
                    outcome=outcome,
                    error=name,
                    code=code,
                )
            )

    @contextmanager
    def request(self, method: str, slots: Sequence[Slot]) -> Generator[Sent]:
        """Tell of an HTTP request.

        :param slots: those of the calls that it carries
        """
        if self._on_event is None and not logger.isEnabledFor(logging.DEBUG):
            yield Sent()
            return
        number, began, sent = next(_requests), current_time(), Sent()
        calls = tuple(self._note_sent(slots, began))
        self._tell(RequestStarted(request=number, method=method, calls=calls, at=began))
        try:
            yield sent
        finally:
            now = current_time()
            outcome, name, code = _ending(sent.outcome)
            logger.debug(
                "%s, carrying %d: %s in %.3f s",
                method,
                len(slots),
                name or outcome,
                now - began,
            )
            self._tell(
                RequestEnded(
                    request=number,
                    method=method,
                    calls=calls,
                    at=now,
                    duration=now - began,
                    outcome=outcome,
                    error=name,
                    code=code,
                )
            )

    def _note_sent(self, slots: Sequence[Slot], now: float) -> Generator[int]:
        for slot in slots:
            call = self._calls.get(slot)
            if call is not None:  # calls are seen where somebody listens
                if call.waited is None:
                    call.waited = now - call.began
                call.requests += 1
                call.packed = call.packed or len(slots) > 1
                yield call.number

    def _tell(self, event: Event) -> None:
        if self._on_event is not None:
            try:
                self._on_event(event)
            except Exception:
                logger.exception("on_event has failed at %s", type(event).__name__)


def _ending(
    outcome: Success | Failure | VKError | None,
) -> tuple[Outcome, str | None, int | None]:
    if outcome is None:
        return "cancelled", None, None
    if isinstance(outcome, Success):
        return "value", None, None
    error = outcome if isinstance(outcome, VKError) else outcome.error
    code = error.code if isinstance(error, APIError) else None
    return "error", type(error).__name__, code
