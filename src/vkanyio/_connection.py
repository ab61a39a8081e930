"""HTTP clients: what vkanyio needs of one, and its own."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, final

import httpx
from anyio import CancelScope, current_time

from ._body import read_body, unpacked

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator

KEEPALIVE_SECONDS = 5.0
"""Shorter than servers keep idle connections, so that they are not closed under us."""


class HTTPResponse(Protocol):
    """What vkanyio needs of an HTTP answer."""

    @property
    def status_code(self) -> int:
        """The status."""
        ...

    @property
    def content(self) -> bytes:
        """The whole body."""
        ...


class Answer(NamedTuple):
    """An HTTP answer that has been read."""

    status_code: int
    content: bytes


class HTTPClient(Protocol):
    """What vkanyio needs of an HTTP client: one method.

    ``httpx.AsyncClient`` has it, and so has ``httpx2.AsyncClient``.
    """

    async def post(
        self,
        url: str,
        *,
        content: bytes,
        headers: dict[str, str],
        follow_redirects: bool,
        timeout: None,  # noqa: ASYNC109 - httpx's own parameter, switched off
        extensions: dict[str, Any],
    ) -> HTTPResponse:
        """Send a POST request and read the whole answer."""
        ...


@final
class Connection:
    """A connection, made when it is first used and anew when it was closed.

    It is a pool of httpx's for one: the cost of a request grows with the connections of
    its pool, by a fifth at ten of them. And it stands below ``httpx.AsyncClient``,
    whose cookies, redirects and authentication would cost 100 us a request, and of
    which VK needs none.

    :param most: bytes of an answer that are read; one that has more is cut
    :ivar used_at: when it was used last, by the clock of the event loop
    """

    __slots__ = ("_most", "_transport", "used_at")

    def __init__(
        self, ssl_context: ssl.SSLContext, proxy: str | None, most: int
    ) -> None:
        self._transport = httpx.AsyncHTTPTransport(
            verify=ssl_context,
            proxy=None if proxy is None else _Proxy(proxy),
            limits=httpx.Limits(
                max_connections=1,
                max_keepalive_connections=1,
                keepalive_expiry=KEEPALIVE_SECONDS,
            ),
        )
        self._most = most
        self.used_at: float = -math.inf

    def has_expired(self, now: float) -> bool:
        """Return whether it would be closed and made anew if it were used."""
        return now - self.used_at > KEEPALIVE_SECONDS

    async def post(
        self,
        url: str,
        *,
        content: bytes,
        headers: dict[str, str],
        follow_redirects: bool,  # noqa: ARG002 - it never does
        timeout: None,  # noqa: ARG002, ASYNC109 - the attempt has a scope of its own
        extensions: dict[str, Any],
    ) -> HTTPResponse:
        """Send a POST request and read the whole answer."""
        try:
            return await self._post(url, content, headers, extensions)
        finally:
            self.used_at = current_time()

    async def _post(
        self,
        url: str,
        content: bytes,
        headers: dict[str, str],
        extensions: dict[str, Any],
    ) -> HTTPResponse:
        target = _parse_url(url)
        headers["host"] = target.netloc.decode("ascii")
        headers["content-length"] = str(len(content))
        request = httpx.Request(
            "POST",
            target,
            headers=headers,
            stream=_Body(content),
            extensions={"timeout": {}, **extensions},
        )
        response = await self._transport.handle_async_request(request)
        stream: Any = response.stream
        try:
            body = await read_body(stream, self._most)
            _refuse_more(stream)
        finally:
            with CancelScope(shield=True):  # it only closes the socket
                await response.aclose()
        encoding = response.headers.get("content-encoding", "")
        return Answer(response.status_code, unpacked(body, encoding, self._most))

    async def aclose(self) -> None:
        """Close it."""
        await self._transport.aclose()


@final
class _Proxy(httpx.Proxy):
    """A proxy whose password httpcore cannot log: it logs that of SOCKS at DEBUG."""

    @property
    def raw_auth(self) -> tuple[bytes, bytes] | None:
        """The name and the password, if there are any."""
        auth = super().raw_auth
        return None if auth is None else (auth[0], _Password(auth[1]))


@final
class _Password(bytes):
    """A password that does not show itself."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "b'***'"


@final
class _Body(httpx.AsyncByteStream):
    """The body of a request, without an async generator.

    trio warns of each of those that a cancellation leaves unfinished.
    """

    def __init__(self, content: bytes) -> None:
        self._content: bytes | None = content

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        content, self._content = self._content, None
        if content is None:
            raise StopAsyncIteration
        return content


def _refuse_more(stream: Any) -> None:
    """Have a connection closed on which bytes came behind an answer.

    The next call on it would take them for the answer to itself. httpcore does not look
    for them, and has no public name for where they are; should it rename that, a test
    tells.
    """
    try:
        state = stream._httpcore_stream._stream._connection._h11_state
    except AttributeError:
        return
    more, _ = state.trailing_data
    if more:
        state.send_failed()  # what httpcore closes a connection for


@lru_cache(maxsize=1024)  # parsing takes 20 us, and there are few methods
def _parse_url(url: str) -> httpx.URL:
    return httpx.URL(url)
