"""The rate limit of one token that many processes share: ``RedisLimiter``.

It owns the task that asks Redis. What is asked, and what follows from the answer, is
decided by the ``SharedLimit``.
"""

from __future__ import annotations

import enum
import logging
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import TYPE_CHECKING, Any, Self, final
from uuid import uuid4

from anyio import (
    TASK_STATUS_IGNORED,
    AsyncContextManagerMixin,
    CancelScope,
    Event,
    current_time,
    get_cancelled_exc_class,
    move_on_after,
    move_on_at,
    sleep_forever,
    sleep_until,
)
from anyio.lowlevel import current_token

from .._async_use import EnteredByAsyncWith
from .._errors import ClientUseError
from .._masking import mask
from .._service_group import ServiceGroup
from . import _link
from ._checks import check_arguments
from ._errors import RedisRefusedError
from ._events import RedisBack
from ._link import LinkError
from ._script import PROCESSES, keys_of
from ._shared_limit import WINDOW, SharedLimit

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator

    from anyio.abc import TaskStatus

    from .._limiter import Permit, RequestMode
    from ._events import RedisAway, RedisEvent
    from ._link import Link
    from ._script import Question
    from ._statistics import RedisStatistics

FAREWELL = 0.5
"""Seconds that leaving may take while Redis does not answer."""

logger = logging.getLogger("vkanyio")


class LimiterStage(enum.Enum):
    """How far a limiter has come."""

    NEW = (
        "has not been entered: use it inside `async with RedisLimiter(...) as limiter:`"
    )
    OPEN = "is open"
    CLOSED = "has been closed: close it after the clients that use it"


@final
class RedisLimiter(AsyncContextManagerMixin, EnteredByAsyncWith):
    """The rate limit of one token, shared by many processes through Redis.

    ::

        async with RedisLimiter(url, name="group 1", limit=20) as limiter:
            async with VK(token, limiter=limiter) as api:
                ...

    Enter it before the clients, and leave it after them; any number of clients in the
    same event loop may use it. All processes that use the token give the same name,
    limit and request mode. Redis sees only a hash of the name.

    Redis hands out permits, in the order in which processes ask. While it cannot be
    reached, each process uses its share, ``limit // processes``, from three seconds
    later on. After Redis was emptied, or its clock was set, it grants nothing for 2.5
    seconds, since it is unknown what was started before.

    :param url: ``redis://host:port/database``, ``rediss://`` for TLS, ``unix://`` for a
        socket; with ``user:password@`` before the host if it needs them
    :param name: any name for what has the limit, such as "group 1"; not the token,
        which may be replaced
    :param limit: requests a second, for all processes together
    :param request_mode: "sequential" spaces the starts evenly, "burst" starts up to
        ``limit`` requests at once
    :param processes: maximum number of processes. It is needed for the share before
        Redis has been reached for two seconds; without it nothing is sent then
    :param on_event: a function, not async, that is called with an event when Redis goes
        away and when it is back, see :class:`RedisAway` and :class:`RedisBack`
    :raises TypeError: for a value of the wrong type
    :raises ValueError: for a value that is not allowed
    """

    def __init__(
        self,
        url: str,
        *,
        name: str,
        limit: int,
        request_mode: RequestMode = "sequential",
        processes: int | None = None,
        on_event: Callable[[RedisEvent], object] | None = None,
    ) -> None:
        url = mask(url)
        check_arguments(url, name, processes, on_event)
        self._url = url
        self._name = name
        self._shared = SharedLimit(limit, request_mode, processes, self._look_again)
        self._given = processes
        self._on_event = on_event
        self._keys = keys_of(name)
        self._stage = LimiterStage.NEW
        self._loop_token: object = None
        self._crash: Exception | None = None
        self._refused: LinkError | None = None
        self._needed = Event()
        self._first_try = Event()
        self._listeners: list[Callable[[], None]] = []
        self._warned: set[object] = set()
        self.limit: int = limit
        self.window: float = WINDOW

    def __repr__(self) -> str:
        if not hasattr(self, "window"):  # an argument was refused
            return "<RedisLimiter, not complete>"
        return (
            f"<vkanyio.redis.RedisLimiter {self._name!r}, limit {self.limit},"
            f" {self._stage.name.lower()}>"
        )

    def statistics(self) -> RedisStatistics:
        """Return what this process has done so far."""
        return self._shared.statistics(current_time())

    async def run(self, *, task_status: TaskStatus[Any] = TASK_STATUS_IGNORED) -> None:
        """Keep it open until it is cancelled: ``await tg.start(limiter.run)``.

        For programs that cannot stay inside an ``async with`` block, such as the start
        and stop hooks of a framework.
        """
        async with self:
            task_status.started(self)
            await sleep_forever()

    # For clients, see RateLimiter.

    def check_usable(self) -> None:
        """Raise unless clients of this event loop can use it now."""
        if self._stage is not LimiterStage.OPEN:
            raise ClientUseError(f"the limiter {self._stage.value}")
        if self._loop_token != current_token():
            message = "the limiter belongs to another event loop: create one here"
            raise ClientUseError(message)
        if self._crash is not None:
            message = f"the limiter has crashed: {self._crash!r}"
            raise ClientUseError(message) from self._crash

    @contextmanager
    def listening(self, on_change: Callable[[], None]) -> Generator[None]:
        """Have a function called when a request may start sooner than it was said."""
        self._listeners.append(on_change)
        try:
            yield
        finally:
            self._listeners.remove(on_change)

    def margin(self, now: float) -> float:
        """Return the part of the window that is kept free, 0.02 being 2 %."""
        return self._shared.margin(now)

    def ready_at(self, now: float) -> float:
        """Return when a request may start; infinite if that is not known."""
        if self._stage is not LimiterStage.OPEN or self._crash is not None:
            self.check_usable()
        return self._shared.ready_at(now)

    def start(self, now: float) -> Permit:
        """Grant a permit."""
        return self._shared.start(now)

    def left(self, permit: Permit, now: float) -> None:
        """Note that the request of a permit is leaving now."""
        self._shared.left(permit, now)

    def connecting(self, permit: Permit) -> None:
        """Note that the request of a permit waits for a connection after all."""
        self._shared.connecting(permit)

    def note_response(self, permit: Permit, now: float) -> None:
        """Learn from the response to a request how long requests take."""
        self._shared.note_response(permit, now)

    def withdraw(self, permit: Permit) -> None:
        """Take back a permit whose request has not left and will not leave."""
        if self._shared.withdraw(permit):
            self._notify()

    def slow_down(self, now: float) -> None:
        """Slow all processes down, since VK returned error 6."""
        self._shared.slow_down(now)

    def pause(self, now: float, seconds: float) -> None:
        """Grant no process a permit for some seconds, since a gateway asks for it."""
        self._shared.pause(now, seconds)

    def is_idle(self, now: float) -> bool:  # noqa: ARG002  # as of any limiter
        """Return whether no request is about to leave."""
        return self._shared.is_idle()

    # The task

    @asynccontextmanager
    async def __asynccontextmanager__(self) -> AsyncGenerator[Self]:
        """Open it, when Redis has been asked once, and close it."""
        if self._stage is LimiterStage.CLOSED:
            message = (
                "the limiter has been closed, and can be entered only once: create a"
                " new one"
            )
            raise ClientUseError(message)
        self._stage = LimiterStage.OPEN
        self._loop_token = current_token()
        # Named here, since processes that are forked share what was made before.
        self._shared.process = uuid4().hex[:12]
        scope = CancelScope(shield=True)
        try:
            async with ServiceGroup(self._note_crash) as services:
                services.start_soon(self._keep_asking, scope=scope, endless=True)
                await self._first_try.wait()
                if self._refused is not None:
                    message = (
                        f"Redis cannot be used for {self._name!r}: {self._refused}"
                    )
                    raise RedisRefusedError(message)
                yield self
        finally:
            self._stage = LimiterStage.CLOSED

    async def _keep_asking(self) -> None:
        """Ask Redis until the limiter is closed, and say farewell."""
        try:
            while True:
                await self._ask_by_a_connection()
                await sleep_until(self._shared.next_due(current_time()))
        except get_cancelled_exc_class():
            if not self._shared.is_away:
                with CancelScope(shield=True), move_on_after(FAREWELL):
                    await self._say_farewell()
            raise

    async def _ask_by_a_connection(self) -> None:
        """Ask Redis until it does not answer."""
        try:
            async with _link.connect(self._url) as link:
                ended = await self._ask_until_it_fails(link)
        except ExceptionGroup:  # a task of coredis has crashed
            ended = LinkError("coredis has crashed")
            self._note_failure(None, ended)
        if not isinstance(ended, LinkError):
            raise ended

    async def _ask_until_it_fails(self, link: Link) -> Exception:
        """Ask Redis whenever something is needed.

        :return: why it ended; raised here, coredis would put it into a group
        """
        try:
            while True:
                await self._wait_for_need()
                await self._ask(link)
        except Exception as error:
            return error

    async def _wait_for_need(self) -> None:
        while (due := self._shared.next_due(now := current_time())) > now:
            self._needed = Event()
            with move_on_at(due):
                await self._needed.wait()

    async def _ask(self, link: Link) -> None:
        """Ask Redis once."""
        question = self._shared.ask(sent := current_time())
        try:
            answer = await link.ask(self._keys, question.arguments())
        except LinkError as error:
            self._note_failure(question, error)
            raise
        finally:
            self._first_try.set()
        back = self._shared.note_answer(question, answer, sent, current_time())
        if back is not None:
            self._report(back)
        if self._shared.silence:
            logger.info(
                "Redis is new, was away, emptied or restarted, or its clock was set:"
                " nothing is sent for %.1f s, since what was sent before is not known",
                self._shared.silence,
            )
        self._warn()
        self._notify()

    async def _say_farewell(self) -> None:
        """Give back what was not used: others need not wait for this process."""
        self._shared.give_back()
        with suppress(ExceptionGroup):
            async with _link.connect(self._url) as link:
                question = self._shared.ask(current_time())
                with suppress(LinkError):
                    await link.ask(self._keys, question.arguments())
                    await link.leave(self._keys[PROCESSES], self._shared.process)

    def _note_failure(self, question: Question | None, error: LinkError) -> None:
        if error.is_final and not self._first_try.is_set():
            self._refused = error
        away = self._shared.note_failure(
            question, current_time(), str(error), may_share=not error.is_foreign
        )
        if away is not None and self._refused is None:  # otherwise entering raises it
            self._report(away, "" if error.is_foreign else self._why_no_share())
        self._notify()

    def _why_no_share(self) -> str:
        """Say why this process has no share, if it has none while Redis is away."""
        processes = self._shared.processes
        if processes > self.limit:
            return f", since {processes} processes cannot share {self.limit} requests"
        return ", since the number of processes is not known: pass `processes`"

    def _report(self, event: RedisAway | RedisBack, why_no_share: str = "") -> None:
        log_event(event, self.limit, why_no_share)
        if self._on_event is not None:
            try:
                self._on_event(event)
            except Exception:
                logger.exception("on_event of the RedisLimiter failed")

    def _warn(self) -> None:
        """Warn, once each, of processes that were set up differently."""
        shared = self._shared
        if self._given is not None and shared.processes > self._given:
            self._warn_once(
                "processes is %d, but %d processes share %r: pass the larger number,"
                " or processes that start while Redis is away exceed the limit",
                self._given,
                shared.processes,
                self._name,
            )
        if shared.other_limit != self.limit:
            self._warn_once(
                "limit is %d, but another process has limit %d for %r",
                self.limit,
                shared.other_limit,
                self._name,
            )

    def _warn_once(self, text: str, *args: object) -> None:
        if (text, args) not in self._warned:
            self._warned.add((text, args))
            logger.warning(text, *args)

    def _look_again(self) -> None:
        self._needed.set()

    def _notify(self) -> None:
        for on_change in tuple(self._listeners):
            on_change()

    def _note_crash(self, crash: Exception) -> None:
        self._crash = crash
        self._first_try.set()
        self._notify()


def log_event(event: RedisAway | RedisBack, limit: int, why_no_share: str) -> None:
    """Log that Redis has gone away, or is back."""
    if isinstance(event, RedisBack):
        logger.info("Redis is back after %.1f s", event.duration)
    elif not event.limit:
        text = "Redis is away (%s): nothing is sent until it is back%s"
        logger.warning(text, event.reason, why_no_share)
    else:
        logger.warning(
            "Redis is away (%s): this process uses %d of %d requests a second until it"
            " is back",
            event.reason,
            event.limit,
            limit,
        )
