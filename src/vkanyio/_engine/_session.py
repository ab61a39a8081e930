"""What a client has while it is open.

It owns the task group, the transport, the lanes of all tokens and the live calls, and
it decides whether a call is taken. How users make calls is the business of ``_api``.
"""

from __future__ import annotations

import enum
import logging
import os
import sys
from contextlib import asynccontextmanager
from contextvars import copy_context
from functools import partial
from typing import TYPE_CHECKING, Any, Self, final

from anyio import (
    AsyncContextManagerMixin,
    CancelScope,
    Semaphore,
    current_time,
    get_current_task,
    get_running_tasks,
)
from anyio.lowlevel import current_token

from .._config import TYPED_VERSION
from .._errors import ClientClosedError, ClientUseError, ConnectionFailedError
from .._limiter import Limiter
from .._masking import Secrets
from .._outcome import Failure
from .._statistics import Counters, Statistics
from .._version import __version__
from ._delivery import Delivery
from ._lane import Lane
from ._live_calls import LiveCalls
from ._observer import Observer
from ._questions import Questions, in_handler
from ._sender import Sender
from ._service_group import ServiceGroup, crash_error
from ._transport import Transport

if TYPE_CHECKING:
    from collections.abc import (
        AsyncGenerator,
        AsyncIterable,
        Callable,
        Coroutine,
        Mapping,
    )
    from random import Random
    from types import TracebackType

    from .._config import Config
    from .._events import Event
    from .._rate_limiter import RateLimiter
    from .._request import APIRequest
    from .._response import Response


DEFAULT_HEADERS = {
    "user-agent": f"vkanyio/{__version__}",
    "accept": "application/json",
    "accept-encoding": "gzip, deflate",
    "content-type": "application/x-www-form-urlencoded",
}

MIN_LANES = 8
"""Other tokens whose lanes are kept without asking whether they are still in use."""

logger = logging.getLogger("vkanyio")


class Stage(enum.Enum):
    """How far a session has come."""

    ENTERING = "is being entered and takes no calls yet"
    OPEN = "is open"
    CLOSING = "is closing and takes no new calls"
    CLOSED = "has been closed: make a new one"


@final
class Session(AsyncContextManagerMixin):
    """A client while it is open; it implements :class:`~vkanyio._caller.Caller`.

    :param generator: the source of the jitter of back-offs
    :ivar stage: how far it has come
    """

    def __init__(self, config: Config, generator: Random) -> None:
        self.stage: Stage = Stage.ENTERING
        self._config = config
        self._generator = generator
        self._loop_token = current_token()
        self._process = os.getpid()
        self._task = get_current_task().id
        self._closed_at: float | None = None
        self._counters = Counters()
        self._live = LiveCalls()
        self._services = ServiceGroup(self._fail_crashed)
        self._transport = Transport(config)
        self._observer = Observer(config.on_event)
        self._questions = Questions(config)
        self._keeps_context = self._observer.is_on or self._questions.are_answered
        self._connections = Semaphore(config.max_connections, fast_acquire=True)
        headers = {**DEFAULT_HEADERS, **config.headers}
        self._headers = {name.lower(): value for name, value in headers.items()}
        self._replaced_tokens: dict[str, str] = {}
        self._limiter = config.limiter or self._make_limiter()
        self._limiter.check_usable()
        self._lane = self._make_lane(config.token, self._limiter)
        self._lanes: dict[str, Lane] = {}  # those of other tokens
        self._max_lanes = MIN_LANES
        self._posts: set[CancelScope] = set()  # requests to other servers
        self._held = 0  # connections that are held for such requests

    def perform(self, request: APIRequest) -> Coroutine[Any, Any, Any]:
        """Send a call in its turn, and wait for its outcome."""
        # Not `async`: that would keep one more coroutine alive per waiting call.
        self.check_usable()
        lane = self._claim(request)
        if self._observer.is_on:
            return self._observer.observe(request, lane.wait_for)
        return lane.wait_for(request)

    def submit(self, request: APIRequest, on_end: Callable[[APIRequest], None]) -> None:
        """Accept a call that no task waits for; see :meth:`Caller.submit`."""
        self.check_open()
        lane = self._claim(request)
        if self._observer.is_on:
            self._observer.begin_call(request)
            on_end = partial(self._report_end, on_end)
        lane.take(request, on_end)

    def _report_end(
        self, on_end: Callable[[APIRequest], None], request: APIRequest
    ) -> None:
        self._observer.end_call(request)
        on_end(request)

    @property
    def config(self) -> Config:
        """The options of the client."""
        return self._config

    @property
    def calls_a_second(self) -> float:
        """How many calls VK takes in a second; see :attr:`Caller.calls_a_second`."""
        is_packing = self._config.mode != "sequential"
        calls = self._config.execute_count if is_packing else 1
        return calls * self._limiter.limit / self._limiter.window

    async def post(
        self,
        url: str,
        body: bytes | AsyncIterable[bytes],
        *,
        length: int,
        headers: Mapping[str, str],
        secret: str = "",
    ) -> Response | Failure:
        """Send a POST request to another server; see :meth:`Caller.post`."""
        self.check_usable()
        with CancelScope() as scope:
            self._posts.add(scope)
            try:
                return await self._transport.post(
                    url,
                    body,
                    length=length,
                    headers={**self._headers, **headers},
                    delivery=Delivery(),
                    secrets=Secrets(self._config.token, {"secret_key": secret}),
                )
            finally:
                self._posts.discard(scope)
        closed = ConnectionFailedError("the client closed the connection")
        return Failure(closed, maybe_carried_out=True)

    @asynccontextmanager
    async def hold_connection(self) -> AsyncGenerator[None]:
        """Hold a connection; see :meth:`Caller.hold_connection`."""
        if self._config.http_client is None:
            yield
            return
        if self._held + 1 >= self._config.max_connections:
            message = (
                f"max_connections must be more than {self._held + 1}: a long poll holds"
                " a connection of `http_client`, and calls need another"
            )
            raise ClientUseError(message)
        self._held += 1
        try:
            async with self._connections:
                yield
        finally:
            self._held -= 1

    def report(self, event: Event) -> None:
        """Report an event to ``on_event``."""
        self._observer.report(event)

    def give_up(self, request: APIRequest) -> None:
        """Abandon a call that was submitted, unless it has its outcome."""
        request._pending.give_up()

    def statistics(self) -> Statistics:
        """Return what the client has done so far."""
        is_open = self.stage in (Stage.OPEN, Stage.CLOSING)
        if not is_open and self._closed_at is None:  # it never was
            raise self._closed_error()
        counters = self._counters
        now = current_time() if self._closed_at is None else self._closed_at
        return Statistics(
            waiting=self._live.waiting,
            in_flight=counters.in_flight,
            calls=self._live.total,
            sent=counters.batches.total(),
            batches=dict(counters.batches),
            split=counters.split,
            retries=dict(counters.retries),
            too_many_requests=counters.too_many_requests,
            margin=self._limiter.margin(now),
        )

    async def leave(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        """Close the session, in the task that entered it.

        1. This is the task that entered.
        2. It is another one, and the one that entered has ended, so that it cannot
           leave any more: the session is closed, and an error raised.
        3. It is another one: an error is raised, and the session stays open.
        """
        __tracebackhide__ = True  # pytest shows the user's own line instead
        if get_current_task().id == self._task:
            return await self.__aexit__(kind, error, traceback)
        self._check_same_loop()
        if self._task not in {task.id for task in get_running_tasks()}:
            self._services.is_orphaned = True
            await self.__aexit__(kind, error, traceback)
        message = (
            "the client must be left by the task that entered it: where that is not"
            " possible, use `await task_group.start(api.run)`"
        )
        raise ClientUseError(_with_hint(message))

    def check_usable(self) -> None:
        """Raise unless calls can be made here; see :meth:`Caller.check_usable`."""
        self.check_open()
        self._check_same_loop()

    def check_open(self) -> None:
        """Raise if no calls are accepted now."""
        # Accepted calls are finished, and may need the answer to a captcha for that.
        is_finishing = self.stage is Stage.CLOSING and in_handler()
        if self.stage is not Stage.OPEN and not is_finishing:
            raise self._closed_error()
        if self._services.crash is not None:
            raise crash_error(self._services.crash)

    def _closed_error(self) -> ClientClosedError:
        return ClientClosedError(f"the client {self.stage.value}")

    def _claim(self, request: APIRequest) -> Lane:
        """Claim a call, and return the lane of its token."""
        request._pending.claim(self._loop_token)
        if self._keeps_context:
            request._pending.context = copy_context()
        token = request._own_token
        if token is None or token == self._config.token:
            return self._lane
        lane = self._lanes.get(token)
        if lane is None:
            if len(self._lanes) >= self._max_lanes:
                self._drop_idle_lanes()
            lane = self._lanes[token] = self._make_lane(token, self._make_limiter())
            lane.start()
        return lane

    def _check_same_loop(self) -> None:
        if self._process != os.getpid() or self._loop_token != current_token():
            message = (
                "the client belongs to another event loop, thread or process: make one"
                " here, or call it by `anyio.from_thread.run`"
            )
            raise ClientUseError(_with_hint(message))

    def _make_limiter(self) -> Limiter:
        config = self._config
        return Limiter(config.limit, request_mode=config.request_mode)

    def _make_lane(self, token: str, limiter: RateLimiter) -> Lane:
        config = self._config
        sender = Sender(
            config,
            token,
            limiter=limiter,
            connections=self._connections,
            transport=self._transport,
            observer=self._observer,
            counters=self._counters,
            headers=self._headers,
            replaced_tokens=self._replaced_tokens,
            generator=self._generator,
        )
        return Lane(
            config,
            sender,
            live=self._live,
            services=self._services,
            questions=self._questions,
            check_open=self.check_open,
        )

    def _drop_idle_lanes(self) -> None:
        # A service that sees many tokens over the weeks keeps only those in use.
        for token, lane in tuple(self._lanes.items()):
            if lane.is_idle():
                lane.stop()
                del self._lanes[token]
        self._max_lanes = max(2 * len(self._lanes), MIN_LANES)

    @asynccontextmanager
    async def __asynccontextmanager__(self) -> AsyncGenerator[Self]:
        """Open the session, and close it in one of these ways.

        1. Opening fails: nothing is left behind.
        2. The body ends: calls that were accepted are finished first.
        3. The body raises or is cancelled: calls in flight are cancelled, and tasks
           that still wait get an error.
        """
        try:
            await self._transport.open()
            async with self._services:
                try:
                    self._lane.start()
                    self.stage = Stage.OPEN
                    self._log_opened()
                    yield self
                    self.stage = Stage.CLOSING
                    await self._live.wait_for_the_end()
                finally:
                    self.stage = Stage.CLOSED
                    self._closed_at = current_time()
                    self._live.fail_all(_closed_meanwhile)
                    for scope in self._posts:
                        scope.cancel()
        finally:
            self.stage = Stage.CLOSED
            for lane in (self._lane, *self._lanes.values()):
                lane.close()
            await self._transport.close()
            if self._closed_at is not None:
                self._log_closed()

    def _fail_crashed(self, cause: Exception) -> None:
        self._live.fail_all(lambda _: crash_error(cause))

    def _log_opened(self) -> None:
        limiter, config = self._limiter, self._config
        text = "open: up to %d requests in %g s, mode %s, version %s"
        logger.info(text, limiter.limit, limiter.window, config.mode, config.version)
        if config.is_older_than_types:
            text = "version %s is older than the types, which describe version %s"
            logger.warning(text, config.version, TYPED_VERSION)

    def _log_closed(self) -> None:
        made = self.statistics()
        text = "closed: calls %d, requests %d, retries %d"
        logger.info(text, made.calls, made.sent, sum(made.retries.values()))


def _with_hint(message: str) -> str:
    """Add what to use instead of pytest-asyncio, if that is in use.

    It may run the parts of a fixture, and a test, in several tasks and event loops.
    """
    if "pytest_asyncio" not in sys.modules:
        return message
    instead = "`@pytest.mark.anyio` and the fixtures of vkanyio.testing.pytest_plugin"
    return f"{message}; instead of pytest-asyncio, use {instead}"


def _closed_meanwhile(request: APIRequest) -> ClientClosedError:
    maybe_carried_out = request.maybe_carried_out
    fate = "may have carried it out" if maybe_carried_out else "did not carry it out"
    message = f"the client was closed before {request.method} ended: VK {fate}"
    return ClientClosedError(message, maybe_carried_out=maybe_carried_out)
