"""The client: its lifetime, and the ways to call VK."""

from __future__ import annotations

import enum
import logging
import os
import random
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Self, Unpack, final

from anyio import (
    TASK_STATUS_IGNORED,
    Event,
    Semaphore,
    current_time,
    get_current_task,
    sleep_forever,
)
from anyio.lowlevel import current_token

from ._checks import shown
from ._config import Config, Options
from ._errors import ClientClosedError, ClientUseError
from ._groups import MethodGroups
from ._lane import Core, Lane
from ._method_group import not_in_schema
from ._questions import Questions, in_handler
from ._request import APIRequest
from ._services import Services, crash_error
from ._statistics import Statistics
from ._transport import Transport
from ._version import __version__
from ._watch import Watch

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Coroutine, Mapping
    from types import TracebackType

    from anyio.abc import TaskStatus

    from ._execute import ExecuteResult
    from ._response import Success


DEFAULT_HEADERS = {
    "user-agent": f"vkanyio/{__version__}",
    "accept": "application/json",
    "accept-encoding": "gzip, deflate",
    "content-type": "application/x-www-form-urlencoded",
}


logger = logging.getLogger("vkanyio")

FEW_LANES = 8
"""Tokens of calls that are kept without asking whether they are still in use."""


class _State(enum.Enum):
    NEW = "has not been entered: use it inside `async with VK(...) as api:`"
    ENTERING = "is being entered and takes no calls yet"
    OPEN = "is open"
    CLOSING = "is closing and takes no new calls"
    CLOSED = "has been closed: make a new one"


@final
class VK(MethodGroups):
    """A client of the VK API for one access token.

    ::

        async with VK(token, limit=20) as api:
            [user] = await api.users.get(user_ids=[1])

    It lives as long as its ``async with`` block, once, and may be used by any number
    of tasks of the same event loop. Leaving the block normally finishes the calls that
    were accepted; leaving it by an exception or a cancellation gives them up.

    The options that programs set most: ``limit`` (3 for a user token, 20 for a
    community token), ``request_mode`` ("sequential" or "burst"), ``timeout`` and
    ``retry_limit``, ``language``, ``proxy`` and ``on_captcha``.

    All methods of VK are found by their names: ``api.users.get``,
    ``api.groups.getById`` or, in snake_case, ``api.groups.get_by_id``. A call may be
    cancelled at any time, and ``anyio.fail_after`` bounds it as a whole.

    :param token: an access token of a user, a community or a service
    :param options: see :class:`~vkanyio.Config`
    :raises TypeError: for an unknown option, or a value of the wrong type
    :raises ValueError: for a value that is not allowed
    """

    _state = _State.NEW  # also where an option is wrong, so that its repr works there

    def __init__(self, token: str, **options: Unpack[Options]) -> None:
        self._setup(Config.from_options(token, options))

    @classmethod
    def from_config(cls, config: Config) -> Self:
        """Make a client from a configuration."""
        if not isinstance(config, Config):
            message = f"config must be a vkanyio.Config, got {type(config).__name__}"
            raise TypeError(message)
        client = cls.__new__(cls)
        client._setup(config)
        return client

    def _setup(self, config: Config) -> None:
        self._config = config
        # Seeded by the global one, so that seeding that still repeats a program.
        self._random = random.Random(random.random())
        self._closed_at: float | None = None

    def __repr__(self) -> str:
        return f"<vkanyio.VK, {self._state.name.lower()}>"

    if not TYPE_CHECKING:  # where it would let every name through

        def __getattr__(self, name: str) -> Any:
            raise not_in_schema(
                self, name, f"group of methods {name}", f'"{name}.get", '
            )

    @property
    def config(self) -> Config:
        """The options of this client, which do not change."""
        return self._config

    async def call(self, method: str, params: Mapping[str, Any] | None = None) -> Any:
        """Call a method by its name, as VK spells it: ``"users.get"``.

        It is sent again only where that cannot carry it out twice, see
        :class:`~vkanyio.APIRequest`, which also tells how values are encoded.

        :param params: the parameters, by VK's names; ``None`` is not sent
        :return: VK's answer: a dict, list, int or str, just as it came
        :raises TypeError: if a parameter is of a type that has no form in VK's API
        :raises ValueError: if the name or a parameter is one that cannot be sent
        :raises APIError: if VK answers with an error
        :raises TransportError: if no usable answer came
        :raises OutcomeUnknownError: if that leaves open whether VK carried it out
        :raises ClientClosedError: before and after the client's block, or if that ends
        :raises ClientUseError: from another event loop, thread or process
        """
        return (await self._send(APIRequest(method, params))).response

    async def call_with_request(self, request: APIRequest) -> Any:
        """Send a request that was made before, once.

        :return: VK's answer; any other task gets it by ``await request.wait()``
        :raises VKError: as :meth:`call` does
        """
        if not isinstance(request, APIRequest):
            kind = type(request).__name__
            message = f"request must be a vkanyio.APIRequest, got {kind}"
            raise TypeError(message)
        return (await self._send(request)).response

    async def execute(self, code: str, /, **args: Any) -> ExecuteResult:
        """Run VKScript on VK's side: up to 25 calls in one request.

        It is sent again only if all calls that the code names merely read.

        :param code: the script (https://dev.vk.com/method/execute)
        :param args: what the script finds in ``Args``, each as a string
        :return: what the script returned, and which of its calls failed; it unpacks
            into ``response, errors``
        :raises CompileError: if VK cannot read the script; nothing of it was run
        :raises ScriptRuntimeError: if it failed while it ran
        :raises VKError: as :meth:`call` does
        """
        if not isinstance(code, str):
            message = f"code must be VKScript, a str, got {type(code).__name__}"
            raise TypeError(message)
        if not code.strip():
            message = "code must be VKScript, got nothing but spaces"
            raise ValueError(message)
        if "code" in args:
            message = "args must not hold `code`, which is the script itself"
            raise TypeError(message)
        answer = await self._send(APIRequest("execute", {**args, "code": code}))
        return answer.to_execute_result()

    async def procedure(self, name: str, /, **params: Any) -> ExecuteResult:
        """Run a procedure that is stored in the application: ``execute.name``.

        What it does is not known here, so it is never repeated after a doubtful end.

        :param name: its name, without ``execute.``
        :param params: what it finds in ``Args``, each as a string
        :return: as :meth:`execute`
        :raises VKError: as :meth:`call` does
        """
        if not isinstance(name, str) or not name.isidentifier() or not name.isascii():
            message = f"name must be the name of a stored procedure, got {shown(name)}"
            raise ValueError(message)
        answer = await self._send(APIRequest(f"execute.{name}", params))
        return answer.to_execute_result()

    def statistics(self) -> Statistics:
        """Return what the client has done so far.

        :raises ClientClosedError: before the client was entered
        """
        is_open = self._state in (_State.OPEN, _State.CLOSING)
        if not is_open and self._closed_at is None:  # it never was
            raise self._closed_error()
        core = self._core
        counters = core.counters
        now = current_time() if self._closed_at is None else self._closed_at
        return Statistics(
            waiting=sum(exchange is None for exchange in core.live.values()),
            in_flight=counters.in_flight,
            calls=counters.calls,
            sent=counters.batches.total(),
            batches=dict(counters.batches),
            split=counters.split,
            retries=dict(counters.retries),
            too_many_requests=counters.too_many_requests,
            margin=self._lane.limiter.margin(now),
        )

    async def run(self, *, task_status: TaskStatus[Any] = TASK_STATUS_IGNORED) -> None:
        """Keep the client open until it is cancelled: ``await tg.start(api.run)``.

        For programs that cannot stay inside an ``async with`` block, such as the start
        and stop hooks of a framework. Cancelling it gives up the calls in flight.
        """
        async with self:
            task_status.started(self)
            await sleep_forever()

    def _send(self, request: APIRequest) -> Coroutine[Any, Any, Success]:
        # No coroutine of its own: of these, each waiting call would keep one more.
        self._check_open()
        self._check_home()
        request.slot.claim(self._home[1])
        lane = self._lane_of(request.own_token)
        watch = self._core.watch
        return (
            watch.call(request, lane.call) if watch.sees_calls else lane.call(request)
        )

    def _lane_of(self, token: str | None) -> Lane:
        if token is None or token == self._config.token:
            return self._lane
        lane = self._lanes.get(token)
        if lane is None:
            if len(self._lanes) >= self._most_lanes:
                self._drop_idle_lanes()
            lane = self._lanes[token] = Lane(self._core, token)
            lane.start()
        return lane

    def _drop_idle_lanes(self) -> None:
        # A service that sees many tokens over the weeks keeps only those at work.
        for token, lane in tuple(self._lanes.items()):
            if lane.is_idle():
                lane.stop()
                del self._lanes[token]
        self._most_lanes = max(2 * len(self._lanes), FEW_LANES)

    def _check_open(self) -> None:
        # What was accepted is finished, and may need an answer to a captcha for that.
        finishing = self._state is _State.CLOSING and in_handler()
        if self._state is not _State.OPEN and not finishing:
            raise self._closed_error()
        if self._core.services.crash is not None:
            raise crash_error(self._core.services.crash)

    def _check_home(self) -> None:
        if self._home[0] != os.getpid() or self._home[1] != current_token():
            message = (
                "the client lives in another event loop, thread or process: make one"
                " there, or come back by `anyio.from_thread.run`"
            )
            raise ClientUseError(message)

    def _closed_error(self) -> ClientClosedError:
        return ClientClosedError(f"the client {self._state.value}")

    # anyio's mixin for this would not let the errors of misuse be vkanyio's own.
    async def __aenter__(self) -> Self:
        if self._state is not _State.NEW:
            message = f"the client {self._state.value}; it is entered once"
            raise ClientUseError(message)
        self._state = _State.ENTERING
        self._home = (os.getpid(), current_token())
        self._task = get_current_task().id
        self._life = self._live()
        try:
            return await self._life.__aenter__()
        except BaseException:
            self._state = _State.CLOSED
            raise

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        if get_current_task().id != self._task:
            message = (
                "the client must be left by the task that entered it: where that cannot"
                " be, use `await task_group.start(api.run)`"
            )
            raise ClientUseError(message)
        return await self._life.__aexit__(kind, error, traceback)

    @asynccontextmanager
    async def _live(self) -> AsyncGenerator[Self]:
        config, transport = self._config, Transport(self._config)
        await transport.open()
        services = Services(self._fail_crashed)
        self._core = self._make_core(services, transport)
        self._lane = Lane(self._core, config.token, config.limiter)
        self._lanes: dict[str, Lane] = {}
        self._most_lanes = FEW_LANES
        try:
            async with services:
                try:
                    self._lane.start()
                    self._state = _State.OPEN
                    self._log_opened()
                    yield self
                    self._state = _State.CLOSING
                    await self._finish()
                finally:
                    self._state = _State.CLOSED
                    self._closed_at = current_time()
                    self._core.fail_all(_closed_meanwhile)
        finally:
            self._state = _State.CLOSED
            for lane in (self._lane, *self._lanes.values()):
                lane.collector.close()
            await transport.close()
            self._log_closed()

    def _make_core(self, services: Services, transport: Transport) -> Core:
        config = self._config
        headers = {**DEFAULT_HEADERS, **config.headers}
        return Core(
            config=config,
            services=services,
            transport=transport,
            connections=Semaphore(config.max_connections, fast_acquire=True),
            questions=Questions(config),
            watch=Watch(config.on_event),
            headers={name.lower(): value for name, value in headers.items()},
            check_open=self._check_open,
            random=self._random,
            live={},
        )

    async def _finish(self) -> None:
        """Wait until every call that was accepted has its outcome."""
        core = self._core
        while core.live:
            core.drained = Event()
            await core.drained.wait()

    def _log_opened(self) -> None:
        limiter = self._lane.limiter
        text = "open: up to %d requests in %g s, mode %s, version %s"
        mode, version = self._config.mode, self._config.version
        logger.info(text, limiter.limit, limiter.window, mode, version)

    def _log_closed(self) -> None:
        made = self.statistics()
        text = "closed: calls %d, requests %d, sent again %d"
        logger.info(text, made.calls, made.sent, sum(made.retries.values()))

    def _fail_crashed(self, cause: Exception) -> None:
        self._core.fail_all(lambda _: crash_error(cause))


def _closed_meanwhile(request: APIRequest) -> ClientClosedError:
    maybe_carried_out = request.slot.maybe_carried_out
    fate = "may have carried it out" if maybe_carried_out else "did not carry it out"
    message = f"the client was closed before {request.method} ended: VK {fate}"
    return ClientClosedError(message, maybe_carried_out=maybe_carried_out)
