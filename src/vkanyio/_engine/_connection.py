"""One HTTP connection, over httpx.

It owns the socket and reads whole responses. Which request gets which connection, how
long that may take, and what a failure means is the business of ``_transport``.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple, final

import httpx
from anyio import CancelScope, current_time

from ._response_body import decompress_limited, read_limited

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator

KEEPALIVE_SECONDS = 5.0
"""Shorter than servers keep idle connections, so that they do not close one that is
about to be used."""


class Response(NamedTuple):
    """An HTTP response that has been read completely."""

    status_code: int
    content: bytes


@final
class Connection:
    """A connection, made when it is first used, and again after it was closed.

    It is an httpx pool with one connection: the cost of a request grows with the
    connections of its pool, by a fifth at ten of them. It works below
    ``httpx.AsyncClient``, whose cookies, redirects and authentication would cost 100 us
    a request and are of no use for VK.

    :param max_bytes: bytes of a response that are read; a larger one is cut
    :ivar used_at: when it was last used, by the clock of the event loop
    """

    __slots__ = ("_max_bytes", "_transport", "used_at")

    def __init__(
        self, ssl_context: ssl.SSLContext, proxy: str | None, max_bytes: int
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
        self._max_bytes = max_bytes
        self.used_at: float = -math.inf

    def has_expired(self, now: float) -> bool:
        """Return whether using it would close it and connect again."""
        return now - self.used_at > KEEPALIVE_SECONDS

    async def request(
        self, url: str, body: bytes, headers: dict[str, str], extensions: dict[str, Any]
    ) -> Response:
        """Send a POST request and read the whole response."""
        target = _parse_url(url)
        headers["host"] = target.netloc.decode("ascii")
        headers["content-length"] = str(len(body))
        request = httpx.Request(
            "POST",
            target,
            headers=headers,
            stream=_Body(body),
            extensions={"timeout": {}, **extensions},
        )
        try:
            response = await self._transport.handle_async_request(request)
            return await self._read(response)
        finally:
            self.used_at = current_time()

    async def _read(self, response: httpx.Response) -> Response:
        stream: Any = response.stream
        try:
            body = await read_limited(stream, self._max_bytes)
            _refuse_trailing_data(stream)
        finally:
            with CancelScope(shield=True):  # it only closes the socket
                await response.aclose()
        encoding = response.headers.get("content-encoding", "")
        content = decompress_limited(body, encoding, self._max_bytes)
        return Response(response.status_code, content)

    async def aclose(self) -> None:
        """Close it."""
        await self._transport.aclose()


@final
class _Proxy(httpx.Proxy):
    """A proxy whose password is masked in httpcore's log of SOCKS, at level DEBUG."""

    @property
    def raw_auth(self) -> tuple[bytes, bytes] | None:
        """The user name and the password, if there are any."""
        auth = super().raw_auth
        return None if auth is None else (auth[0], _Password(auth[1]))


@final
class _Password(bytes):
    """A password that masks itself."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "b'***'"


@final
class _Body(httpx.AsyncByteStream):
    """The body of a request, without an async generator.

    trio warns about async generators that a cancellation leaves unfinished.
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


def _refuse_trailing_data(stream: Any) -> None:
    """Force-close a connection that sent bytes after its response.

    The next request would read them as its own response (response desync). httpcore
    does not check for them and has no public access to them; if it renames its private
    attributes, a test fails.
    """
    try:
        state = stream._httpcore_stream._stream._connection._h11_state
    except AttributeError:
        return
    trailing_data, _ = state.trailing_data
    if trailing_data:
        state.send_failed()  # makes httpcore close the connection


@lru_cache(maxsize=1024)  # parsing takes 20 us, and there are few methods
def _parse_url(url: str) -> httpx.URL:
    return httpx.URL(url)
