"""How the parts of vkanyio that make calls reach an open client.

They import this module, never the client: the client imports them.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Callable, Coroutine, Mapping
    from contextlib import AbstractAsyncContextManager, AbstractContextManager

    from ._config import Config
    from ._events import Event
    from ._outcome import Failure
    from ._request import APIRequest
    from ._response import Response
    from ._retry import Retries
    from ._statistics import Statistics
    from ._token import TokenFunction


class SendPost(Protocol):
    """Sends a POST request to another server than VK's API: :meth:`Caller.post`."""

    def __call__(
        self,
        url: str,
        body: bytes | AsyncIterable[bytes],
        *,
        length: int,
        headers: Mapping[str, str],
        secret: str = "",
    ) -> Coroutine[Any, Any, Response | Failure]:
        """Send a request, and read the response."""
        ...


posting: ContextVar[SendPost | None] = ContextVar("posting", default=None)
"""Set while a token function runs: the connections of the client that asks it."""


class Caller(Protocol):
    """An open client, as seen by code that makes calls."""

    @property
    def config(self) -> Config:
        """The options of the client."""
        ...

    def perform(self, request: APIRequest, /) -> Coroutine[Any, Any, Any]:
        """Send a request in its turn, and wait for its outcome.

        :return: the value, as :meth:`APIRequest.result` returns it
        :raises VKError: the error of the call, or of a client that is not open
        """
        ...

    def submit(
        self, request: APIRequest, on_end: Callable[[APIRequest], None], /
    ) -> None:
        """Accept a request without a task that waits for it.

        It takes no room: the caller bounds how many it submits, and has called
        :meth:`check_usable` in the same event loop.

        :param on_end: called once, synchronously, when the request is settled or given
            up; it must not raise
        :raises ClientClosedError: if the client is not open
        :raises ClientUseError: if the request was sent before
        """
        ...

    def check_usable(self) -> None:
        """Raise unless calls can be made here and now.

        :raises ClientClosedError: if the client is not open
        :raises ClientUseError: from another event loop, thread or process
        """
        ...

    @property
    def calls_a_request(self) -> int:
        """How many calls a request carries, if all are packed that may be."""
        ...

    @property
    def calls_a_second(self) -> float:
        """How many calls VK takes in a second, if all are packed that may be."""
        ...

    async def post(
        self,
        url: str,
        body: bytes | AsyncIterable[bytes],
        *,
        length: int,
        headers: Mapping[str, str],
        secret: str = "",
    ) -> Response | Failure:
        """Send a POST request to another server than VK's API, and read the response.

        It uses the client's connections and proxy, but not its token, and is not
        subject to the rate limit. There is no deadline: the caller has a cancel scope,
        and may move its deadline with each chunk of the body. Leaving the client's
        block closes the connection.

        :param body: the body, or its chunks; nothing whole is sent of one whose length
            is wrong
        :param length: the number of bytes in the body
        :param headers: the headers, ``content-type`` among them
        :param secret: what errors must not show, such as a key in the URL
        :return: the response, whatever its status, or why there is none; this includes
            a connection that the client closes
        :raises ClientClosedError: if the client is not open
        :raises TypeError: if the body or one of its chunks is not bytes
        :raises ValueError: if the URL cannot be used, or the body has another length
        :raises Exception: whatever the chunks raise, as it is
        """
        ...

    def polling(self) -> AbstractContextManager[None]:
        """Count a long poll, which keeps a connection busy.

        It matters for the connections of the user's HTTP client, which are limited in
        number.

        :raises ClientUseError: if none would be left for calls
        """
        ...

    def report(self, event: Event, /) -> None:
        """Report an event to ``on_event``."""
        ...

    def retries(self) -> Retries:
        """Return the retries of something new, by the options of the client."""
        ...

    def uploading(self) -> AbstractAsyncContextManager[object]:
        """Wait for a place among the files that the client sends at a time.

        Calls can be made in its block. It is left in any way, also by a cancellation.
        """
        ...

    def give_up(self, request: APIRequest, /) -> None:
        """Abandon a request that was submitted, unless it has its outcome."""
        ...

    @property
    def is_questioned(self) -> bool:
        """Whether VK has a question about the token that nobody has answered yet."""
        ...

    def watching(
        self, on_change: Callable[[], None], /
    ) -> AbstractContextManager[None]:
        """Have a function called when :attr:`is_questioned` changes, for a block.

        :param on_change: called synchronously; it must not raise
        """
        ...

    def is_waiting(self, request: APIRequest, /) -> bool:
        """Return whether a request that was submitted has not been sent yet."""
        ...

    def as_token(
        self, token: str | TokenFunction, options: Mapping[str, Any], /
    ) -> TokenCaller:
        """Return a caller for another token, with a lane of its own.

        :param token: the token, masked, or a function that returns it
        :param options: the options that differ from those of the client
        :raises ClientClosedError: if the client is not open
        :raises TypeError: for a value of the wrong type
        :raises ValueError: for a value that is not allowed, or if the token is in use
            with other options
        """
        ...


class TokenCaller(Caller, Protocol):
    """An open client, as seen by code that makes calls with one token."""

    def statistics(self) -> Statistics:
        """Return what was done with the token so far."""
        ...

    async def hold(self) -> None:
        """Keep the lane of the token, and get its token if there is none yet.

        :raises ClientClosedError: if the client is not open, or closed meanwhile
        :raises TokenRenewalError: if there is no token
        """
        ...

    def release(self) -> None:
        """Keep the lane no longer."""
        ...
