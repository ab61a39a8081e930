"""HTTP: connections, the deadline of an attempt, and what its failures mean.

It owns the idle connections. It knows neither calls nor retries: it reports whether a
request may have been sent, and leaves the conclusion to its caller.
"""

from __future__ import annotations

import os
import ssl
from collections import deque
from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING, Any, final
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx
from anyio import CancelScope, current_time, move_on_after, to_thread

from .._errors import ConnectionFailedError, RequestTimeoutError
from .._option_validators import check_proxy
from .._outcome import Failure
from .._typeguards import is_group
from ._connection import Connection, Response

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .._config import Config
    from .._http_client import HTTPClient
    from .._limiter import Limiter, Permit
    from .._secrets import Secrets

CLOSE_SECONDS = 1.0
"""The time that closing connections may take."""
MAX_REASON = 200
"""Characters of an HTTP client's message that an error repeats."""

# httpx and httpx2 have exceptions of the same names, but not the same classes.
_NEVER_SENT = frozenset({"ConnectError", "ConnectTimeout", "PoolTimeout", "ProxyError"})
_NETWORK_ERRORS = frozenset({"RequestError", "OSError"})
_BAD_CERTIFICATE = "CERTIFICATE_VERIFY_FAILED"


@final
class Transport:
    """Sends requests over its own connections, or by the user's HTTP client.

    Every sender holds one of ``max_connections`` permits, so no request ever waits for
    a connection inside httpx: cancelling one there loses the connection permanently.

    :ivar traces: whether the HTTP client is known to report when a request leaves
    """

    def __init__(self, config: Config) -> None:
        self._config = config
        self._client = config.http_client
        self._host = httpx.URL(config.base_url).netloc.decode()
        self._proxy = config.proxy
        self._ssl_context: ssl.SSLContext | None = None
        self._idle: deque[Connection] = deque()  # the most recently used one last
        self.traces: bool = self._client is None

    async def open(self) -> None:
        """Prepare in a thread what takes time.

        Loading the TLS certificates takes 0.1 s, and the first connection of a process
        imports half of httpx.
        """
        self._proxy = self._proxy or environment_proxy(self._config.base_url)
        if self._client is None:
            first = await to_thread.run_sync(self._connect, abandon_on_cancel=True)
            self._idle.append(first)

    async def close(self) -> None:
        """Close the connections, in bounded time; a user's client stays open."""
        with CancelScope(shield=True), move_on_after(CLOSE_SECONDS):
            while self._idle:
                await _close(self._idle.pop())

    async def exchange(
        self,
        method: str,
        body: bytes,
        headers: Mapping[str, str],
        trace: Trace,
        secrets: Secrets,
    ) -> Response | Failure:
        """Send one request and read its response, within ``timeout`` seconds.

        :param method: the VK method, which becomes part of the URL
        :param trace: records when the request leaves
        :param secrets: the secrets of the request, to be kept out of errors
        :return: the response, or why there is none and whether VK may have got the
            request; nothing but a cancellation is raised
        """
        url = f"{self._config.base_url.rstrip('/')}/{method}"
        response: Response | None = None
        try:
            with move_on_after(self._config.timeout):
                if self._client is None:
                    response = await self._request(url, body, dict(headers), trace)
                else:
                    post = _post(self._client, url, body, dict(headers), trace)
                    response = await post
        except Exception as error:
            return self._failure(error, method, trace, secrets)
        self.traces = self.traces or trace.sent
        return self._timeout(method, trace) if response is None else response

    async def _request(
        self, url: str, body: bytes, headers: dict[str, str], trace: Trace
    ) -> Response:
        if len(self._idle) > 1 and self._idle[0].has_expired(current_time()):
            await self._close_oldest()
        connection = self._idle.pop() if self._idle else self._connect()
        try:
            return await connection.request(url, body, headers, {"trace": trace})
        finally:
            self._idle.append(connection)

    async def _close_oldest(self) -> None:
        """Close a connection from a busier time; its server has closed it by now."""
        with CancelScope(shield=True), move_on_after(CLOSE_SECONDS):
            await _close(self._idle.popleft())

    def _connect(self) -> Connection:
        if self._ssl_context is None:
            if self._config.base_url.startswith("https:"):
                files = os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")
                self._ssl_context = _ssl_context(files)
            else:
                self._ssl_context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        return Connection(self._ssl_context, self._proxy, self._config.max_answer)

    def _timeout(self, method: str, trace: Trace) -> Failure:
        seconds = self._config.timeout
        if trace.never_sent():
            return Failure(
                ConnectionFailedError(
                    f"no connection to {self._host} within {seconds:g} s",
                    method=method,
                ),
                maybe_carried_out=False,
                is_transient=True,
            )
        return Failure(
            RequestTimeoutError(f"no response within {seconds:g} s", method=method),
            maybe_carried_out=True,
            is_transient=True,
        )

    def _failure(
        self, error: Exception, method: str, trace: Trace, secrets: Secrets
    ) -> Failure:
        names = {cls.__name__ for cls in type(error).__mro__}
        never_sent = trace.never_sent() or bool(names & _NEVER_SENT)
        is_network_error = bool(names & _NETWORK_ERRORS)
        reason = _reason(error)
        shown = secrets.hide(reason)[:MAX_REASON]  # it may quote the response
        if not is_network_error:
            message = f"the HTTP client failed with {type(error).__name__}: {shown}"
        elif never_sent:
            message = f"could not connect to {self._host}: {shown}"
        else:
            message = f"lost the connection to {self._host}: {shown}"
        return Failure(
            ConnectionFailedError(message, method=method),
            maybe_carried_out=not never_sent,
            is_transient=is_network_error and _BAD_CERTIFICATE not in reason,
            # The server closed a connection that was kept for later requests.
            retry_at_once=is_network_error and trace.reused_connection(),
        )


async def _post(
    client: HTTPClient, url: str, body: bytes, headers: dict[str, str], trace: Trace
) -> Response:
    response = await client.post(
        url,
        content=body,
        headers=headers,
        follow_redirects=False,
        timeout=None,
        extensions={"trace": trace},
    )
    # Convert here: an odd response of a foreign client must fail as a transport error,
    # not crash the task.
    return Response(int(response.status_code), bytes(response.content))


async def _close(connection: Connection) -> None:
    with suppress(Exception):  # a broken connection is closed anyway
        await connection.aclose()


@final
class Trace:
    """What is known about one attempt while it is in flight.

    It tells the limiter when the request leaves.

    :ivar connecting: whether a connection was made for it
    :ivar sent: whether bytes of the request have begun to leave
    :ivar sending_failed: whether not even its headers were sent completely
    """

    __slots__ = (
        "_limiter",
        "_permit",
        "_tcp_stream",
        "connecting",
        "sending_failed",
        "sent",
    )

    def __init__(self, limiter: Limiter, permit: Permit) -> None:
        self._limiter = limiter
        self._permit = permit
        self._tcp_stream: Any = None
        self.connecting: bool = False
        self.sending_failed: bool = False
        self.sent: bool = False

    async def __call__(self, event: str, info: dict[str, Any]) -> None:
        """Handle a trace event of httpcore, such as "connection.connect_tcp.started".

        https://www.encode.io/httpcore/extensions/#trace
        """
        if event.endswith("connect_tcp.started"):
            self.connecting = True
            self._limiter.connecting(self._permit)
        elif event.endswith("send_request_headers.started"):
            if info["request"].method != b"CONNECT":  # that one is for the proxy
                self.sent = True
                self._limiter.left(self._permit, current_time())
        elif event.endswith("send_request_headers.failed") and self.sent:
            self.sending_failed = True
        elif event.endswith("connect_tcp.complete"):
            self._tcp_stream = info["return_value"]
        elif event.endswith(("start_tls.failed", "setup_socks5_connection.failed")):
            # httpcore leaves the socket open when a handshake is cancelled or refused.
            with CancelScope(shield=True), move_on_after(CLOSE_SECONDS):
                await self._tcp_stream.aclose()

    def never_sent(self) -> bool:
        """Return whether it is certain that VK did not get the request."""
        return self.sending_failed or (self.connecting and not self.sent)

    def reused_connection(self) -> bool:
        """Return whether the request was sent on a connection that was used before."""
        return self.sent and not self.connecting


def environment_proxy(base_url: str) -> str | None:
    """Return the proxy that ``HTTPS_PROXY``, ``NO_PROXY`` and the like ask for.

    :raises ValueError: if it is not the URL of a proxy
    """
    url = urlsplit(base_url)
    proxies = getproxies()
    proxy = proxies.get(url.scheme) or proxies.get("all")
    if not proxy or proxy_bypass(url.hostname or ""):
        return None
    proxy = proxy if "://" in proxy else f"http://{proxy}"
    check_proxy(f"{url.scheme.upper()}_PROXY or ALL_PROXY in the environment", proxy)
    return proxy


@lru_cache(maxsize=2)
def _ssl_context(files: tuple[str | None, str | None]) -> ssl.SSLContext:  # noqa: ARG001
    """Make the context that all clients of the process share, since it takes 0.1 s.

    :param files: the certificate settings of the environment, part of the cache key
    """
    try:
        return httpx.create_ssl_context()
    except OSError as error:
        message = (
            "the certificates named by SSL_CERT_FILE or SSL_CERT_DIR in the environment"
            f" cannot be read: {error.strerror}"
        )
        raise ValueError(message) from None


def _reason(error: BaseException) -> str:
    """Return the text of the innermost OSError, not of its wrappers."""
    cause: BaseException | None = error
    reason = str(error) or type(error).__name__
    while cause is not None:
        if isinstance(cause, OSError) and cause.strerror:
            reason = cause.strerror
        below = cause.__cause__ or cause.__context__
        cause = cause.exceptions[0] if is_group(cause) else below
    return reason
