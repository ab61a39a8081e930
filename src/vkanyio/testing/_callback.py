"""The Callback API: the simulator sends the updates of a community to a server.

How long VK waits for a response, how often and when it repeats, and when and for how
long it pauses is not documented. The numbers here are made up.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable
from contextlib import asynccontextmanager
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Self, TypeAlias, final

import anyio
import attrs
import httpx

from ._app_transport import AppTransport

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from ._errors import JSON
    from ._serve import Application
    from ._state.group_updates import GroupUpdates
    from ._update_ledger import MadeUpdate

Timeout: TypeAlias = float | Callable[[random.Random], float]

POSTPONING = (410, 429, 503)
"""The statuses for which VK reads ``Retry-After``, a date at most three hours ahead, as
SeverCloud's vksdk quotes VK (https://github.com/SeverCloud/vksdk, callback/context.go).
"""
MAX_POSTPONED = 3 * 3600.0
CONFIRM_SECONDS = 10.0
AT_ONCE = 20
"""Requests that are sent at once."""


@final
@attrs.frozen(kw_only=True)
class CallbackOptions:
    """Where VK sends updates, and how patient it is, as in ``Simulator.callback``."""

    url: str
    group_id: int
    code: str
    secret: str | None = attrs.field(repr=False)
    seed: int
    timeout: Timeout
    retries: int
    spacing: float
    errors: int
    pause: float


@final
class _Body(httpx.AsyncByteStream):
    """A request body without a generator, which a cancelled request would leave open.

    :param content: all of it
    """

    def __init__(self, content: bytes) -> None:
        self._pieces = iter([content])

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        for piece in self._pieces:
            return piece
        raise StopAsyncIteration


@final
class CallbackServer:
    """A server that gets the updates of a community, as VK sees it.

    :ivar status: "ok", "paused" after several errors in a row, or "removed" if it asked
        for that
    """

    def __init__(self, client: httpx.AsyncClient, options: CallbackOptions) -> None:
        self.status: str = "ok"
        self._client = client
        self._options = options
        self._random = random.Random(f"callback {options.seed}")
        self._limiter = anyio.CapacityLimiter(AT_ONCE)
        self._errors = 0
        self._resumes = 0.0
        self._pending = 0
        self._idle = anyio.Event()

    def __repr__(self) -> str:
        return f"<CallbackServer: {self.status}, {self._pending} updates pending>"

    async def delivered(self) -> None:
        """Wait until all updates so far are accepted or given up."""
        while self._pending:
            self._idle = anyio.Event()
            await self._idle.wait()

    async def confirm(self) -> None:
        """Ask the server for the confirmation code.

        :raises ValueError: if it returns anything else
        """
        group_id, code = self._options.group_id, self._options.code
        value = {"type": "confirmation", "group_id": group_id}
        response = await self._post(value, 0, CONFIRM_SECONDS)
        shown = "nothing" if response is None else repr(response.text[:100])
        if response is None or (response.status_code, response.text) != (200, code):
            status = "" if response is None else f" with status {response.status_code}"
            raise ValueError(
                f"the server did not confirm community {group_id}: it returned {shown}"
                f"{status} in place of {code!r}"
            )

    async def deliver(self, made: MadeUpdate) -> None:
        """Send an update until it is accepted, or has been sent too often."""
        try:
            async with self._limiter:
                for attempt in range(self._options.retries + 1):
                    await anyio.sleep_until(self._resumes)
                    if self.status == "removed":
                        return
                    made.sent += 1
                    limit = self._options.timeout
                    seconds = limit(self._random) if callable(limit) else limit
                    response = await self._post(made.value, attempt, seconds)
                    wait = self._judge(response)
                    if wait is None:
                        made.accepted = self.status == "ok"
                        return
                    if attempt < self._options.retries:
                        await anyio.sleep(wait)
        finally:
            self._pending -= 1
            self._idle.set()

    def begin(self) -> None:
        """Count an update that is about to be delivered."""
        self._pending += 1

    async def _post(
        self, value: dict[str, JSON], attempt: int, seconds: float
    ) -> httpx.Response | None:
        """Send a request.

        :return: the response, None if there was none in time
        """
        if self._options.secret is not None:
            value = {**value, "secret": self._options.secret}
        body = json.dumps(value).encode()
        headers = {"content-type": "application/json"}
        if attempt:
            headers["x-retry-counter"] = str(attempt)
        url = self._options.url
        request = self._client.build_request("POST", url, content=body, headers=headers)
        request.stream = _Body(body)
        with anyio.move_on_after(seconds):
            try:
                return await self._client.send(request)
            except httpx.TransportError:
                return None
        return None

    def _judge(self, response: httpx.Response | None) -> float | None:
        """Return after how many seconds to repeat, None for not at all."""
        if response is not None and response.status_code == 200:
            if response.text == "ok":
                self._errors, self.status = 0, "ok"
                return None
            if response.text == "remove":
                self.status = "removed"
                return None
        if response is not None and (wait := _postponed(response)) is not None:
            return wait
        self._errors += 1
        if self._errors >= self._options.errors:
            self._errors, self.status = 0, "paused"
            self._resumes = anyio.current_time() + self._options.pause
        return self._options.spacing


def _postponed(response: httpx.Response) -> float | None:
    """Return for how long a server asks not to be called, if it does."""
    if response.status_code not in POSTPONING:
        return None
    try:
        date = parsedate_to_datetime(response.headers.get("retry-after", ""))
    except ValueError:
        return None
    seconds = date.timestamp() - time.time()
    return max(seconds, 0.0) if seconds <= MAX_POSTPONED else None


@final
class CallbackSession(anyio.AsyncContextManagerMixin):
    """Delivers the updates of a community until its block is left."""

    def __init__(
        self, app: Application | str, updates: GroupUpdates, options: CallbackOptions
    ) -> None:
        self._app = app
        self._updates = updates
        self._options = options

    @asynccontextmanager
    async def __asynccontextmanager__(self) -> AsyncGenerator[CallbackServer]:
        app = self._app
        transport = None if isinstance(app, str) else AppTransport(app)
        failure: BaseException | None = None
        async with httpx.AsyncClient(transport=transport, timeout=None) as client:
            server = CallbackServer(client, self._options)
            await server.confirm()
            try:
                async with anyio.create_task_group() as tg:

                    def deliver(made: MadeUpdate) -> None:
                        server.begin()
                        tg.start_soon(server.deliver, made)

                    group_id = self._options.group_id
                    self._updates.listen(group_id, deliver)
                    try:
                        yield server
                    except anyio.get_cancelled_exc_class():
                        raise
                    except BaseException as exc:
                        # Do not let it reach the task group, which would wrap it.
                        failure = exc
                    finally:
                        self._updates.unlisten(group_id, deliver)
                        tg.cancel_scope.cancel()
            except anyio.get_cancelled_exc_class():
                # On asyncio a cancelled group raises this instead.
                if failure is None:
                    raise
        try:
            if failure is not None:
                raise failure
        finally:
            del failure
