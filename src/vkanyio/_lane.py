"""All that belongs to one token: its limit, its line of calls, its room."""

from __future__ import annotations

import logging
import math
from contextlib import nullcontext
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, TypeVarTuple, Unpack, final

import attrs
from anyio import CancelScope, Event, Semaphore, current_time

from ._batch_dispatch import Batch
from ._collector import Collector
from ._dispatch import Exchange
from ._errors import VKError
from ._limiter import Limiter
from ._packer import Packer
from ._questions import in_handler
from ._slot import State
from ._statistics import Counters
from ._ticker import Ticker

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from random import Random

    from ._config import Config
    from ._encoding import Encoded
    from ._limiter import Start
    from ._questions import Questions
    from ._request import APIRequest
    from ._response import Success
    from ._services import Services
    from ._transport import Transport
    from ._watch import Watch


logger = logging.getLogger("vkanyio")

Args = TypeVarTuple("Args")

TOO_MANY_MEMORY = 60.0
"""Seconds after which an error 6 no longer tells anything of a method."""


@final
@attrs.define(eq=False, kw_only=True)
class Core:
    """What the lanes of a client have in common.

    :ivar live: the calls without an outcome, with the exchange of those on their way
    :ivar replaced_tokens: what a validation brought in place of a token
    :ivar drained: set when there is no live call left
    """

    config: Config
    services: Services
    transport: Transport
    connections: Semaphore
    headers: Mapping[str, str] = attrs.field(repr=False)
    questions: Questions
    watch: Watch
    check_open: Callable[[], None]
    random: Random
    live: dict[APIRequest, Exchange | None]
    counters: Counters = attrs.field(factory=Counters)
    drained: Event = attrs.field(factory=Event)
    replaced_tokens: dict[str, str] = attrs.field(factory=dict[str, str], repr=False)
    orders: count[int] = attrs.field(factory=count)

    def fail_all(self, error_for: Callable[[APIRequest], VKError]) -> None:
        """Fail every live call, each with an error of its own."""
        for request in tuple(self.live):
            request.slot.fail(error_for(request))


@final
class Lane:
    """The line of calls that one token waits in.

    Each token has a limit of its own, so the calls of one do not hold up another's.

    :ivar token: the token that is sent; a validation replaces it
    """

    def __init__(self, core: Core, token: str, limiter: Limiter | None = None) -> None:
        config = core.config
        self.token: str = core.replaced_tokens.get(token, token)
        self._token = token
        self.config = config
        self.counters: Counters = core.counters
        self.transport: Transport = core.transport
        self.questions: Questions = core.questions
        self.watch: Watch = core.watch
        self.random: Random = core.random
        self.limiter: Limiter = limiter or Limiter(
            config.limit, burst=config.request_mode == "burst"
        )
        self.ticker: Ticker = Ticker(self.limiter, core.connections)
        self.packer: Packer = Packer(config)
        self.collector: Collector = Collector(self.ticker, self.packer, self._begin)
        self.common_params: dict[str, Encoded] = {"v": config.version}
        if config.language is not None:
            self.common_params["lang"] = config.language
        self._core = core
        self._room = Semaphore(config.max_waiting, fast_acquire=True)
        self._busy = 0
        self._too_many: dict[str, tuple[int, float]] = {}
        self._scopes: list[CancelScope] = []

    def start(self) -> None:
        """Start the tasks of the token."""
        for task in (self.ticker.run, self.collector.run):
            scope = CancelScope(shield=True)
            self._core.services.start_soon(task, scope=scope, endless=True)
            self._scopes.append(scope)

    def stop(self) -> None:
        """End the tasks of the token."""
        for scope in self._scopes:
            scope.cancel()

    def replace_token(self, token: str) -> None:
        """Send another token from now on, for the calls of this one."""
        self.token = self._core.replaced_tokens[self._token] = token

    def slow_down(self, method: str, now: float) -> None:
        """Slow down, since VK answered error 6."""
        margin = self.limiter.margin(now)
        self.limiter.slow_down(now)
        if self.limiter.margin(now) > margin:  # once for a volley
            text = "error 6 for %s: %.0f %% of the limit is kept free from now on"
            logger.info(text, method, 100 * self.limiter.margin(now))

    def note_too_many(self, method: str, now: float) -> int:
        """Return for how many seconds a method has met error 6 and nothing else."""
        times, since = self._too_many.get(method, (0, -math.inf))
        if now - since > TOO_MANY_MEMORY:
            times = 0
        if now - since >= self.limiter.window:
            self._too_many[method] = (times + 1, now)
            return times + 1
        return times

    def note_accepted(self, method: str) -> None:
        """Note that a method met something else than error 6."""
        self._too_many.pop(method, None)

    def is_idle(self) -> bool:
        """Return whether it has nothing to do, and a limit with nothing to remember."""
        return not self._busy and self.limiter.is_idle(current_time())

    def headers(self, token: str, more: Mapping[str, str] | None) -> dict[str, str]:
        """Return the headers of a request."""
        headers = {**self._core.headers, "authorization": f"Bearer {token}"}
        for name, value in (more or {}).items():
            headers[name.lower()] = value
        return headers

    async def call(self, request: APIRequest) -> Success:
        """Send a call in its turn, and wait for the answer.

        A call that waits for room has not been accepted yet. One that helps to answer
        VK's question takes none: those that fill it may be waiting for that answer.
        """
        self._busy += 1
        try:
            async with nullcontext() if in_handler() else self._room:
                try:
                    self._core.check_open()
                except VKError as error:
                    request.slot.fail(error)
                else:
                    self._accept(request)
                answer: Success = await request.slot.outcome()
                return answer
        finally:
            self._busy -= 1
            request.slot.give_up_unless_accepted()

    def _accept(self, request: APIRequest) -> None:
        core, slot = self._core, request.slot
        slot.accept(
            next(core.orders),
            urgent=in_handler(),
            on_end=partial(self._end, request),
        )
        core.counters.calls += 1
        core.live[request] = None
        self.collector.submit(request)

    def _begin(self, requests: list[APIRequest], start: Start) -> None:
        exchanges = [Exchange(self, request) for request in requests]
        self._core.live.update(zip(requests, exchanges, strict=True))
        if len(exchanges) == 1:
            [exchange] = exchanges
            self.start_soon(exchange.run, start, scope=exchange.scope)
        else:
            batch = Batch(self, exchanges)
            self.start_soon(batch.run, start, scope=batch.scope)

    def start_soon(
        self,
        function: Callable[[Unpack[Args]], Awaitable[None]],
        *args: *Args,
        scope: CancelScope,
    ) -> None:
        """Start a task of a call, or of several."""

        async def run() -> None:
            self._busy += 1
            try:
                await function(*args)
            finally:
                self._busy -= 1

        run.__qualname__ = function.__qualname__
        self._core.services.start_soon(run, scope=scope)

    def _end(self, request: APIRequest) -> None:
        self.collector.drop(request)
        exchange = self._core.live.pop(request)
        if exchange is not None:
            if request.slot.state is State.GIVEN_UP:
                exchange.give_up()
            exchange.stop_answering()
        if not self._core.live:
            self._core.drained.set()
