"""HTTP: connections, the deadline of an attempt, and what its failures mean."""

from __future__ import annotations

import ssl
from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol, final
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import attrs
import httpx
from anyio import CancelScope, move_on_after, to_thread

from ._errors import ConnectionFailedError, RequestTimeoutError
from ._guards import is_group
from ._retry import Failure

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from ._config import Config

CONNECTIONS_PER_POOL = 10
"""httpx's pool costs O(connections) squared per request, so it is kept small."""
KEEPALIVE_SECONDS = 5.0
CLOSE_SECONDS = 1.0

# httpx and httpx2 have exceptions of the same names, but not the same classes.
_NEVER_SENT = frozenset({"ConnectError", "ConnectTimeout", "PoolTimeout", "ProxyError"})
_OF_THE_NETWORK = frozenset({"RequestError", "OSError"})
_HOPELESS = "CERTIFICATE_VERIFY_FAILED"


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
class Trace:
    """What is known of one attempt while it is on its way.

    :ivar sent: whether bytes of the request have begun to leave
    :param leaving: called when they do
    """

    __slots__ = ("_leaving", "_tcp_stream", "connecting", "failed_at_once", "sent")

    def __init__(self, leaving: Callable[[], None]) -> None:
        self._leaving = leaving
        self._tcp_stream: Any = None
        self.connecting = False
        self.failed_at_once = False
        self.sent = False

    async def __call__(self, event: str, info: dict[str, Any]) -> None:
        """Take note of an event of httpcore's.

        https://www.encode.io/httpcore/extensions/#trace
        """
        if event.endswith("connect_tcp.started"):
            self.connecting = True
        elif event.endswith("send_request_headers.started"):
            if info["request"].method != b"CONNECT":  # that one is for the proxy
                self.sent = True
                self._leaving()
        elif event.endswith("send_request_headers.failed") and self.sent:
            self.failed_at_once = True
        elif event.endswith("connect_tcp.complete"):
            self._tcp_stream = info["return_value"]
        elif event.endswith(("start_tls.failed", "setup_socks5_connection.failed")):
            # httpcore leaves the socket open when a handshake is cancelled or refused.
            with CancelScope(shield=True), move_on_after(CLOSE_SECONDS):
                await self._tcp_stream.aclose()

    def never_sent(self) -> bool:
        """Return whether it is certain that VK did not get the request."""
        return self.failed_at_once or (self.connecting and not self.sent)

    def reused_connection(self) -> bool:
        """Return whether the request went out on a connection that had served."""
        return self.sent and not self.connecting


def _reason(error: BaseException) -> str:
    """Return what the system said, rather than what was made of it on the way up."""
    cause: BaseException | None = error
    said = str(error) or type(error).__name__
    while cause is not None:
        if isinstance(cause, OSError) and cause.strerror:
            said = cause.strerror
        below = cause.__cause__ or cause.__context__
        cause = cause.exceptions[0] if is_group(cause) else below
    return said


@lru_cache(maxsize=1024)
def _parse_url(url: str) -> httpx.URL:
    return httpx.URL(url)


@final
@attrs.frozen
class _Answer:
    """An answer that needed no decoding."""

    status_code: int
    content: bytes


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


@final
class _Pool:
    """Few enough connections for httpx to stay quick.

    It stands below ``httpx.AsyncClient``, whose cookies, redirects and authentication
    would cost 100 us a request, and of which VK needs none.
    """

    __slots__ = ("_transport", "in_flight")

    def __init__(self, ssl_context: ssl.SSLContext, proxy: str | None) -> None:
        self._transport = httpx.AsyncHTTPTransport(
            verify=ssl_context,
            proxy=proxy,
            limits=httpx.Limits(
                max_connections=CONNECTIONS_PER_POOL,
                max_keepalive_connections=CONNECTIONS_PER_POOL,
                keepalive_expiry=KEEPALIVE_SECONDS,
            ),
        )
        self.in_flight = 0

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
        try:
            body = b"".join([part async for part in response.aiter_raw()])
        except BaseException:
            with CancelScope(shield=True):  # it only closes the socket
                await response.aclose()
            raise
        if "content-encoding" in response.headers:
            return httpx.Response(
                response.status_code, headers=response.headers, content=body
            )
        return _Answer(response.status_code, body)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._transport.aclose()


def environment_proxy(base_url: str) -> str | None:
    """Return the proxy that ``HTTPS_PROXY``, ``NO_PROXY`` and the like ask for."""
    url = urlsplit(base_url)
    if proxy_bypass(url.hostname or ""):
        return None
    proxies = getproxies()
    proxy = proxies.get(url.scheme) or proxies.get("all")
    return f"http://{proxy}" if proxy and "://" not in proxy else proxy


@final
class Transport:
    """Sends requests over httpx, or over the client that the user brought.

    Whoever sends holds one of ``max_connections``, so no request ever waits for a
    connection inside httpx: cancelling one there loses the connection for good.
    """

    def __init__(self, config: Config) -> None:
        self._config = config
        self._client = config.http_client
        self._host = httpx.URL(config.base_url).netloc.decode()
        self._proxy = config.proxy or environment_proxy(config.base_url)
        self._ssl_context: ssl.SSLContext | None = None
        self._pools: list[_Pool] = []
        self.traces = self._client is None
        """Whether the client is known to say when a request leaves."""

    async def open(self) -> None:
        """Make ready what takes time, in a thread.

        The certificates of TLS take 0.1 s, and the first connection pool of a process
        imports the half of httpx.
        """
        if self._client is None:
            pool = await to_thread.run_sync(self._new_pool, abandon_on_cancel=True)
            self._pools.append(pool)

    async def close(self) -> None:
        """Close the connections, in bounded time; a client of the user's stays open."""
        with CancelScope(shield=True), move_on_after(CLOSE_SECONDS):
            while self._pools:
                with suppress(Exception):  # a connection that is lost is closed, too
                    await self._pools.pop().aclose()

    async def send(
        self, method: str, body: bytes, headers: Mapping[str, str], trace: Trace
    ) -> HTTPResponse | Failure:
        """Make one attempt."""
        url = f"{self._config.base_url.rstrip('/')}/{method}"
        response: HTTPResponse | None = None
        try:
            with move_on_after(self._config.timeout):
                response = await self._post(url, body, dict(headers), trace)
        except Exception as error:
            return self._failure(error, method, trace)
        if trace.sent:
            self.traces = True
        return self._timeout(method, trace) if response is None else response

    async def _post(
        self, url: str, body: bytes, headers: dict[str, str], trace: Trace
    ) -> HTTPResponse:
        pool = None if self._client is not None else self._roomy_pool()
        client = pool or self._client
        assert client is not None
        if pool is not None:
            pool.in_flight += 1
        try:
            return await client.post(
                url,
                content=body,
                headers=headers,
                follow_redirects=False,
                timeout=None,
                extensions={"trace": trace},
            )
        finally:
            if pool is not None:
                pool.in_flight -= 1

    def _roomy_pool(self) -> _Pool:
        for pool in self._pools:
            if pool.in_flight < CONNECTIONS_PER_POOL:
                return pool
        self._pools.append(self._new_pool())
        return self._pools[-1]

    def _new_pool(self) -> _Pool:
        if self._ssl_context is None:
            if self._config.base_url.startswith("https:"):
                self._ssl_context = httpx.create_ssl_context()
            else:
                self._ssl_context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        return _Pool(self._ssl_context, self._proxy)

    def _timeout(self, method: str, trace: Trace) -> Failure:
        seconds = self._config.timeout
        if trace.never_sent():
            return Failure(
                ConnectionFailedError(
                    f"no connection to {self._host} within {seconds:g} s",
                    method=method,
                ),
                maybe_carried_out=False,
                may_pass=True,
            )
        return Failure(
            RequestTimeoutError(f"no answer within {seconds:g} s", method=method),
            maybe_carried_out=True,
            may_pass=True,
        )

    def _failure(self, error: Exception, method: str, trace: Trace) -> Failure:
        names = {cls.__name__ for cls in type(error).__mro__}
        never_sent = trace.never_sent() or bool(names & _NEVER_SENT)
        of_the_network = bool(names & _OF_THE_NETWORK)
        what = _reason(error)
        if not of_the_network:
            message = f"the HTTP client failed with {type(error).__name__}: {what}"
        elif never_sent:
            message = f"could not connect to {self._host}: {what}"
        else:
            message = f"lost the connection to {self._host}: {what}"
        return Failure(
            ConnectionFailedError(message, method=method),
            maybe_carried_out=not never_sent,
            may_pass=of_the_network and _HOPELESS not in what,
            # The server had closed a connection that was kept for later requests.
            at_once=of_the_network and trace.reused_connection(),
        )
