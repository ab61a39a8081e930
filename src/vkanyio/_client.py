"""The client: its options, its lifetime, and its numbers.

It alone opens the engine: what it has while it is open is a ``Session``.
"""

from __future__ import annotations

import random
from random import Random
from typing import TYPE_CHECKING, Any, Never, Self, Unpack, final

from anyio import TASK_STATUS_IGNORED, sleep_forever

from ._api import API
from ._async_use import EnteredByAsyncWith
from ._config import OPTION_NAMES, Config, Options
from ._engine._session import Session
from ._errors import ClientClosedError, ClientUseError
from ._masking import kind_of, mask, mask_options, mask_token

if TYPE_CHECKING:
    from types import TracebackType

    from anyio.abc import TaskStatus

    from ._engine._sender import BeforeSending
    from ._statistics import Statistics
    from ._token import TokenFunction


@final
class _NotEntered:
    """The caller of a client that has not been entered: it refuses every call."""

    message = (
        "the client has not been entered: use it inside `async with VK(...) as api:`"
    )

    def perform(self, *_: object) -> Never:
        raise ClientClosedError(self.message)

    submit = give_up = check_usable = as_token = perform
    watching = is_waiting = retries = uploading = polling = report = perform
    calls_a_request, calls_a_second = 0, 0.0
    is_questioned = False

    @property
    def config(self) -> Never:
        raise ClientClosedError(self.message)

    async def post(self, *_: object, **__: object) -> Never:
        raise ClientClosedError(self.message)


class _Client(API, EnteredByAsyncWith):
    """What a client does; :class:`VK` is its public class.

    Editors list the names of a class itself, private ones too, before those that it
    inherits: so the groups of methods are not below the names in here.
    """

    # On the class, so that a half-made client has them, too.
    _session: Session | None = None
    _random: Random | None = None
    """Where the jitter of back-offs comes from; the soak of `proof` assigns it."""
    _before_sending: BeforeSending | None = None
    """Called with the calls of each request, and awaited, before it leaves; if it
    raises, nothing more is sent. The journal of the command line assigns it."""

    def __init__(self, token: str | TokenFunction, **options: Unpack[Options]) -> None:
        # First, so that no traceback with local variables shows a secret.
        token, options = mask_token(token), mask_options(options, OPTION_NAMES)
        self._setup(Config(token, **options))

    # Python's errors about the arguments name it, when the token is missing, say.
    __init__.__qualname__ = "VK"

    @classmethod
    def from_config(cls, config: Config) -> Self:
        """Make a client from a configuration."""
        if not isinstance(config, Config):
            config = mask(config)  # a token, perhaps
            message = f"config must be a vkanyio.Config, got {kind_of(config)}"
            raise TypeError(message)
        client = cls.__new__(cls)
        client._setup(config)
        return client

    def _setup(self, config: Config) -> None:
        super().__init__(_NotEntered())
        self._config = config

    def __repr__(self) -> str:
        session = self._session
        stage = "new" if session is None else session.stage.name.lower()
        return f"<vkanyio.VK, {stage}>"

    @property
    def config(self) -> Config:
        """The options of this client, which do not change."""
        return self._config

    def statistics(self) -> Statistics:
        """Return the numbers of the client's calls, requests and retries so far.

        :raises ClientClosedError: before the client was entered
        """
        return self._entered_session().statistics()

    async def run(self, *, task_status: TaskStatus[Any] = TASK_STATUS_IGNORED) -> None:
        """Keep the client open until it is cancelled: ``await tg.start(api.run)``.

        For programs that cannot stay inside an ``async with`` block, such as the start
        and stop hooks of a framework. Cancelling it abandons the calls in flight.
        """
        async with self:
            task_status.started(self)
            await sleep_forever()

    def _entered_session(self) -> Session:
        if self._session is None:
            raise ClientClosedError(_NotEntered.message)
        return self._session

    # The session is a context manager by anyio's mixin; here that would raise its own
    # errors for misuse instead of vkanyio's.
    async def __aenter__(self) -> Self:
        if self._session is not None:
            message = (
                f"the client {self._session.stage.value}; a client can be entered only"
                " once"
            )
            raise ClientUseError(message)
        # Made here, so that clients that were made before a fork do not move in step.
        # `random.seed` repeats it.
        generator = self._random or Random(random.random())
        session = Session(self._config, generator, self._before_sending)
        self._caller = self._session = session
        await session.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        return await self._entered_session().leave(kind, error, traceback)


@final
class VK(_Client):
    """A client of the VK API for one access token.

    ::

        async with VK(token, limit=20) as api:
            [user] = await api.users.get(user_ids=[1])

    It is open inside its ``async with`` block, and can be entered once. Any number of
    tasks of the same event loop may use it. Leaving the block normally finishes the
    calls that were accepted; leaving it by an exception or a cancellation abandons
    them.

    The options that programs set most: ``limit`` (3 for a user token, 20 for a
    community token), ``request_mode`` ("sequential" or "burst"), ``timeout`` and
    ``retry_limit``, ``language``, ``proxy`` and ``on_captcha``.

    All methods of VK are found by their names: ``api.users.get``,
    ``api.groups.getById`` or, in snake_case, ``api.groups.get_by_id``. A call may be
    cancelled at any time, and ``anyio.fail_after`` bounds it as a whole.

    :param token: an access token of a user, a community or a service, or an async
        function that returns one
    :param options: see :class:`~vkanyio.Config`
    :raises TypeError: for an unknown option, or a value of the wrong type
    :raises ValueError: for a value that is not allowed
    """
