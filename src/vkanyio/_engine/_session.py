"""What a client has while it is open.

It owns the task group, the transport, the lanes of all tokens and the live calls, and
it decides whether a call is accepted. How users make calls is the business of ``_api``.
"""

from __future__ import annotations

import enum
import logging
import os
from contextlib import asynccontextmanager
from contextvars import copy_context
from functools import partial
from typing import TYPE_CHECKING, Any, Self, final

from anyio import (
    AsyncContextManagerMixin,
    Semaphore,
    current_time,
    get_current_task,
    get_running_tasks,
)
from anyio.lowlevel import current_token

from .._config import TYPED_VERSION
from .._errors import ClientClosedError, ClientUseError, copy_error
from .._limiter import Limiter
from .._masking import Secrets
from .._retry import Retries
from .._service_group import ServiceGroup, crash_error
from .._statistics import Counters
from .._version import __version__
from ._credentials import FixedToken, RenewableToken
from ._delivery import Delivery
from ._handling import in_handler
from ._lane import Lane
from ._lanes import Lanes, LaneSettings
from ._live_calls import LiveCalls
from ._misuse import closed_meanwhile, with_hint
from ._observer import Observer
from ._other_servers import OtherServers
from ._questions import Questions
from ._sender import Sender
from ._transport import Transport
from ._view import View

if TYPE_CHECKING:
    from collections.abc import (
        AsyncGenerator,
        AsyncIterable,
        Callable,
        Coroutine,
        Mapping,
    )
    from contextlib import AbstractContextManager
    from random import Random
    from types import TracebackType

    from .._caller import TokenCaller
    from .._config import Config
    from .._events import Event
    from .._outcome import Failure
    from .._request import APIRequest
    from .._response import Response
    from .._statistics import Statistics
    from .._token import TokenFunction
    from ._credentials import Credentials
    from ._sender import BeforeSending


DEFAULT_HEADERS = {
    "user-agent": f"vkanyio/{__version__}",
    "accept": "application/json",
    "accept-encoding": "gzip, deflate",
    "content-type": "application/x-www-form-urlencoded",
}

MAX_UPLOADS = 4
"""Files that a client sends at a time."""

logger = logging.getLogger("vkanyio")


class Stage(enum.Enum):
    """How far a session has come."""

    ENTERING = "is still being entered, and accepts no calls yet"
    OPEN = "is open"
    CLOSING = "is closing, and accepts no new calls"
    CLOSED = "has been closed: create a new one"


@final
class Session(AsyncContextManagerMixin):
    """A client while it is open; it implements :class:`~vkanyio._caller.Caller`.

    :param generator: the source of the jitter of back-offs
    :param before_sending: see :class:`~vkanyio._engine._sender.Sender`
    :ivar stage: how far it has come
    """

    def __init__(
        self,
        config: Config,
        generator: Random,
        before_sending: BeforeSending | None = None,
    ) -> None:
        self.stage: Stage = Stage.ENTERING
        self._config = config
        self._generator = generator
        self._before_sending = before_sending
        self._loop_token = current_token()
        self._process = os.getpid()
        self._task = get_current_task().id
        self._closed_at: float | None = None
        self._live = LiveCalls()
        self._services = ServiceGroup(self._fail_crashed)
        self._transport = Transport(config)
        self._observer = Observer(config.on_event)
        self._questions = Questions(config)
        self._connections = Semaphore(config.max_connections, fast_acquire=True)
        self._uploads = Semaphore(MAX_UPLOADS)
        headers = {**DEFAULT_HEADERS, **config.headers}
        self._headers = {name.lower(): value for name, value in headers.items()}
        self._replaced_tokens: dict[str, str] = {}
        self._lanes = Lanes(config, self._make_settings, self._make_lane)
        self._main = self._lanes.main
        self._others = OtherServers(config, self._post, self._connections)

    def perform(
        self, request: APIRequest, settings: LaneSettings | None = None
    ) -> Coroutine[Any, Any, Any]:
        """Send a call in its turn, and wait for its outcome.

        :param settings: those of the view that makes the call, None for the client
        """
        # Not `async`: that would keep one more coroutine alive per waiting call.
        self.check_usable()
        lane = self._claim(request, settings)
        if self._observer.is_on:
            return self._observer.observe(request, lane.wait_for)
        return lane.wait_for(request)

    def submit(
        self,
        request: APIRequest,
        on_end: Callable[[APIRequest], None],
        settings: LaneSettings | None = None,
    ) -> None:
        """Accept a call that no task waits for; see :meth:`Caller.submit`."""
        self.check_open()
        lane = self._claim(request, settings)
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
    def calls_a_request(self) -> int:
        """How many calls a request carries; see :attr:`Caller.calls_a_request`."""
        return self._main.calls_a_request

    @property
    def calls_a_second(self) -> float:
        """How many calls VK takes in a second; see :attr:`Caller.calls_a_second`."""
        return self._main.calls_a_second

    @property
    def is_questioned(self) -> bool:
        """Whether a question of VK is open; see :attr:`Caller.is_questioned`."""
        return self._main.is_questioned

    def watching(self, on_change: Callable[[], None]) -> AbstractContextManager[None]:
        """Have a function called on questions; see :meth:`Caller.watching`."""
        return self._main.watching(on_change)

    def is_waiting(self, request: APIRequest) -> bool:
        """Return whether a request has not been sent yet."""
        return self._live.is_waiting(request)

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
        return await self._others.post(
            url, body, length=length, headers=headers, secret=secret
        )

    def polling(self) -> AbstractContextManager[None]:
        """Count a long poll; see :meth:`Caller.polling`."""
        return self._others.polling()

    def report(self, event: Event) -> None:
        """Report an event to ``on_event``."""
        self._observer.report(event)

    def _post(
        self,
        url: str,
        body: bytes | AsyncIterable[bytes],
        *,
        length: int,
        headers: Mapping[str, str],
        secret: str = "",
    ) -> Coroutine[Any, Any, Response | Failure]:
        credentials = self._main.credentials
        return self._transport.post(
            url,
            body,
            length=length,
            headers={**self._headers, **headers},
            delivery=Delivery(),
            secrets=Secrets(
                credentials.token, {"secret_key": secret}, others=credentials.others
            ),
        )

    def retries(self) -> Retries:
        """Return the retries of something new, by the options of the client."""
        config = self._config
        return Retries(config.retry_limit, config.wait, self._generator)

    def uploading(self) -> Semaphore:
        """Wait for a place among the files that the client sends at a time."""
        return self._uploads

    def give_up(self, request: APIRequest) -> None:
        """Abandon a call that was submitted, unless it has its outcome."""
        request._pending.give_up()

    def statistics(self) -> Statistics:
        """Return the numbers of the client's calls, requests and retries so far."""
        is_open = self.stage in (Stage.OPEN, Stage.CLOSING)
        if not is_open and self._closed_at is None:  # it never was
            raise self._closed_error()
        return self._lanes.totals().snapshot(self.margin_of(self._main))

    def margin_of(self, settings: LaneSettings) -> float:
        """Return the part of a rate limit that is kept free."""
        now = current_time() if self._closed_at is None else self._closed_at
        return settings.limiter.margin(now)

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
        raise ClientUseError(with_hint(message))

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

    def as_token(
        self, token: str | TokenFunction, options: Mapping[str, Any]
    ) -> TokenCaller:
        """Return the calls of a token; see :meth:`Caller.as_token`."""
        self.check_usable()
        return View(self, self._lanes.settings_for(token, options))

    async def prepare(self, settings: LaneSettings) -> None:
        """Have a token function asked for the first token, and wait for it.

        :raises ClientClosedError: if the client is closed meanwhile
        :raises TokenRenewalError: if there is no token
        """
        self._lanes.of(settings)
        credentials = settings.credentials
        while not credentials.are_usable(current_time()):
            await credentials.wait_for_change()
            self.check_open()
        if credentials.failure is not None:
            raise copy_error(credentials.failure)

    def _claim(self, request: APIRequest, settings: LaneSettings | None) -> Lane:
        """Claim a call, and return the lane of its token."""
        token = request._own_token
        if token is None and settings is not None:
            lane = self._lanes.of(settings)
        else:
            lane = self._lanes.of_token(token)
        lane.check_claim()
        request._pending.claim(self._loop_token)
        if lane.keeps_context:
            request._pending.context = copy_context()
        return lane

    def _check_same_loop(self) -> None:
        if self._process != os.getpid() or self._loop_token != current_token():
            message = (
                "the client belongs to another event loop, thread or process: create"
                " one here; or use `anyio.from_thread.run` in a thread of"
                " `anyio.to_thread`, and a blocking portal in any other thread (see the"
                ' guide "A synchronous program")'
            )
            raise ClientUseError(with_hint(message))

    def _make_settings(
        self, token: str | TokenFunction, config: Config
    ) -> LaneSettings:
        """Make the settings for a token.

        A limiter that was given belongs to the token that it was given with.
        """
        is_given = token == config.token
        limiter = config.limiter if is_given else None
        limiter = limiter or Limiter(config.limit, request_mode=config.request_mode)
        limiter.check_usable()
        credentials: Credentials
        if isinstance(token, str):
            credentials = FixedToken(token, self._replaced_tokens)
        else:
            start_soon = self._services.start_soon
            credentials = RenewableToken(token, self._post, start_soon)
        is_answered_alike = self._questions.have_functions_of(config)
        return LaneSettings(
            token,
            config,
            credentials,
            limiter,
            self._questions if is_answered_alike else Questions(config),
        )

    def _make_lane(self, settings: LaneSettings) -> Lane:
        counters = Counters()
        sender = Sender(
            settings.config,
            settings.credentials,
            limiter=settings.limiter,
            connections=self._connections,
            transport=self._transport,
            observer=self._observer,
            counters=counters,
            headers=self._headers,
            generator=self._generator,
            before_sending=self._before_sending,
        )
        return Lane(
            settings.config,
            sender,
            credentials=settings.credentials,
            counters=counters,
            live=self._live,
            services=self._services,
            questions=settings.questions,
            watchers=settings.watchers,
            keeps_context=self._observer.is_on or settings.questions.are_answered,
            check_open=self.check_open,
        )

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
                    await self._main.credentials.obtain()
                    self._lanes.of(self._main).start()
                    self.stage = Stage.OPEN
                    self._log_opened()
                    yield self
                    self.stage = Stage.CLOSING
                    await self._live.wait_for_the_end()
                finally:
                    self.stage = Stage.CLOSED
                    self._closed_at = current_time()
                    self._live.fail_all(closed_meanwhile)
                    self._others.cancel()
        finally:
            self.stage = Stage.CLOSED
            self._lanes.close()
            await self._transport.close()
            if self._closed_at is not None:
                self._log_closed()

    def _fail_crashed(self, cause: Exception) -> None:
        self._live.fail_all(lambda _: crash_error(cause))

    def _log_opened(self) -> None:
        limiter, config = self._main.limiter, self._config
        text = "open: up to %d requests in %g s, mode %s, version %s"
        logger.info(text, limiter.limit, limiter.window, config.mode, config.version)
        if config.is_older_than_types:
            text = "version %s is older than the types, which describe version %s"
            logger.warning(text, config.version, TYPED_VERSION)
        for name, value in config.probable_milliseconds.items():
            text = "%s=%g is in seconds, not in milliseconds: did you mean %g?"
            logger.warning(text, name, value, value / 1000)

    def _log_closed(self) -> None:
        made = self.statistics()
        text = "closed: calls %d, requests %d, retries %d"
        logger.info(text, made.calls, made.sent, sum(made.retries.values()))
