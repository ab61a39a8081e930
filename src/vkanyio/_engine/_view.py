"""An open client as the calls of one token see it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, final

from .._caller import Caller

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Callable, Coroutine, Mapping
    from contextlib import AbstractAsyncContextManager, AbstractContextManager

    from .._caller import TokenCaller
    from .._config import Config
    from .._events import Event
    from .._outcome import Failure
    from .._request import APIRequest
    from .._response import Response
    from .._retry import Retries
    from .._statistics import Statistics
    from .._token import TokenFunction
    from ._lanes import LaneSettings


class ViewedSession(Caller, Protocol):
    """A session, as its views see it: it makes calls with their settings, too."""

    def perform(
        self, request: APIRequest, settings: LaneSettings | None = None, /
    ) -> Coroutine[Any, Any, Any]:
        """Send a call in its turn, and wait for its outcome."""
        ...

    def submit(
        self,
        request: APIRequest,
        on_end: Callable[[APIRequest], None],
        settings: LaneSettings | None = None,
        /,
    ) -> None:
        """Accept a call that no task waits for."""

    def margin_of(self, settings: LaneSettings, /) -> float:
        """Return the part of a rate limit that is kept free."""
        ...

    async def prepare(self, settings: LaneSettings, /) -> None:
        """Have a token function asked for the first token, and wait for it."""


@final
class View:
    """A client while it is open, for one token: a ``TokenCaller``.

    :param settings: those of the token's lane
    """

    def __init__(self, session: ViewedSession, settings: LaneSettings) -> None:
        self._session = session
        self._settings = settings
        self.polling: Callable[[], AbstractContextManager[None]] = session.polling
        self.report: Callable[[Event], None] = session.report

    def perform(self, request: APIRequest) -> Coroutine[Any, Any, Any]:
        """Send a request in its turn; see :meth:`Caller.perform`."""
        return self._session.perform(request, self._settings)

    def submit(self, request: APIRequest, on_end: Callable[[APIRequest], None]) -> None:
        """Accept a request that no task waits for; see :meth:`Caller.submit`."""
        self._session.submit(request, on_end, self._settings)

    def give_up(self, request: APIRequest) -> None:
        """Abandon a request that was submitted."""
        self._session.give_up(request)

    def check_usable(self) -> None:
        """Raise unless calls can be made here and now."""
        self._session.check_usable()

    @property
    def calls_a_request(self) -> int:
        """How many calls a request carries; see :attr:`Caller.calls_a_request`."""
        return self._settings.calls_a_request

    @property
    def calls_a_second(self) -> float:
        """How many calls VK takes in a second; see :attr:`Caller.calls_a_second`."""
        return self._settings.calls_a_second

    @property
    def is_questioned(self) -> bool:
        """Whether a question of VK is open; see :attr:`Caller.is_questioned`."""
        return self._settings.is_questioned

    def watching(self, on_change: Callable[[], None]) -> AbstractContextManager[None]:
        """Have a function called on questions; see :meth:`Caller.watching`."""
        return self._settings.watching(on_change)

    def is_waiting(self, request: APIRequest) -> bool:
        """Return whether a request has not been sent yet."""
        return self._session.is_waiting(request)

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
        return await self._session.post(
            url, body, length=length, headers=headers, secret=secret
        )

    @property
    def config(self) -> Config:
        """The options for the token."""
        return self._settings.config

    def retries(self) -> Retries:
        """Return the retries of something new."""
        return self._session.retries()

    def uploading(self) -> AbstractAsyncContextManager[object]:
        """Wait for a place among the files that the client sends at a time."""
        return self._session.uploading()

    def as_token(
        self, token: str | TokenFunction, options: Mapping[str, Any]
    ) -> TokenCaller:
        """Return the calls of another token."""
        return self._session.as_token(token, options)

    def statistics(self) -> Statistics:
        """Return what was done with the token so far."""
        margin = self._session.margin_of(self._settings)
        return self._settings.totals().snapshot(margin)

    async def hold(self) -> None:
        """Keep the lane of the token, and get its token if there is none yet."""
        self.check_usable()
        self._settings.holders += 1
        try:
            await self._session.prepare(self._settings)
        except BaseException:
            self._settings.holders -= 1
            raise

    def release(self) -> None:
        """Keep the lane no longer."""
        self._settings.holders -= 1
