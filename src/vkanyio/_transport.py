"""HTTP: connections, the deadline of an attempt, and what its failures mean."""

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

from ._connection import Answer, Connection
from ._errors import ConnectionFailedError, RequestTimeoutError
from ._guards import is_group
from ._retry import Failure
from ._validators import check_proxy

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ._config import Config
    from ._connection import HTTPClient
    from ._limiter import Limiter, Start
    from ._secrets import Secrets

CLOSE_SECONDS = 1.0
"""That closing connections may take."""
MOST_OF_REASON = 200
"""Characters of what an HTTP client says that an error repeats."""

# httpx and httpx2 have exceptions of the same names, but not the same classes.
_NEVER_SENT = frozenset({"ConnectError", "ConnectTimeout", "PoolTimeout", "ProxyError"})
_OF_THE_NETWORK = frozenset({"RequestError", "OSError"})
_BAD_CERTIFICATE = "CERTIFICATE_VERIFY_FAILED"


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
        self._idle: deque[Connection] = deque()  # the one that was used last at the end
        self.traces: bool = self._client is None
        """Whether the client is known to say when a request leaves."""

    async def open(self) -> None:
        """Make ready what takes time, in a thread.

        The certificates of TLS take 0.1 s, and a process's first connection imports the
        half of httpx.
        """
        if self._client is None:
            first = await to_thread.run_sync(self._connect, abandon_on_cancel=True)
            self._idle.append(first)

    async def close(self) -> None:
        """Close the connections, in bounded time; a client of the user's stays open."""
        with CancelScope(shield=True), move_on_after(CLOSE_SECONDS):
            while self._idle:
                await _close(self._idle.pop())

    async def send(
        self,
        method: str,
        body: bytes,
        headers: Mapping[str, str],
        trace: Trace,
        secrets: Secrets,
    ) -> Answer | Failure:
        """Make one attempt.

        :param secrets: what is not to be shown of it
        """
        url = f"{self._config.base_url.rstrip('/')}/{method}"
        answer: Answer | None = None
        try:
            with move_on_after(self._config.timeout):
                answer = await self._post(url, body, dict(headers), trace)
        except Exception as error:
            return self._failure(error, method, trace, secrets)
        self.traces = self.traces or trace.sent
        return self._timeout(method, trace) if answer is None else answer

    async def _post(
        self, url: str, body: bytes, headers: dict[str, str], trace: Trace
    ) -> Answer:
        if self._client is not None:
            return await _post(self._client, url, body, headers, trace)
        await self._close_unused()
        connection = self._idle.pop() if self._idle else self._connect()
        try:
            return await _post(connection, url, body, headers, trace)
        finally:
            self._idle.append(connection)

    async def _close_unused(self) -> None:
        """Close a connection of a busier time, which its server has closed by now."""
        if len(self._idle) > 1 and self._idle[0].has_expired(current_time()):
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
            RequestTimeoutError(f"no answer within {seconds:g} s", method=method),
            maybe_carried_out=True,
            is_transient=True,
        )

    def _failure(
        self, error: Exception, method: str, trace: Trace, secrets: Secrets
    ) -> Failure:
        names = {cls.__name__ for cls in type(error).__mro__}
        never_sent = trace.never_sent() or bool(names & _NEVER_SENT)
        of_the_network = bool(names & _OF_THE_NETWORK)
        reason = _reason(error)
        what = secrets.hide(reason)[:MOST_OF_REASON]  # it may quote what came
        if not of_the_network:
            message = f"the HTTP client failed with {type(error).__name__}: {what}"
        elif never_sent:
            message = f"could not connect to {self._host}: {what}"
        else:
            message = f"lost the connection to {self._host}: {what}"
        return Failure(
            ConnectionFailedError(message, method=method),
            maybe_carried_out=not never_sent,
            is_transient=of_the_network and _BAD_CERTIFICATE not in reason,
            # The server had closed a connection that was kept for later requests.
            retry_at_once=of_the_network and trace.reused_connection(),
        )


async def _post(
    client: HTTPClient, url: str, body: bytes, headers: dict[str, str], trace: Trace
) -> Answer:
    response = await client.post(
        url,
        content=body,
        headers=headers,
        follow_redirects=False,
        timeout=None,
        extensions={"trace": trace},
    )
    # What it is not, it is found out to be here, and not where that is a crash.
    return Answer(int(response.status_code), bytes(response.content))


async def _close(connection: Connection) -> None:
    with suppress(Exception):  # one that is lost is closed, too
        await connection.aclose()


@final
class Trace:
    """What is known of one attempt while it is on its way.

    It tells the limiter when the request leaves.

    :ivar connecting: whether a connection was made for it
    :ivar sent: whether bytes of the request have begun to leave
    :ivar sending_failed: whether not even its headers got away whole
    """

    __slots__ = (
        "_limiter",
        "_start",
        "_tcp_stream",
        "connecting",
        "sending_failed",
        "sent",
    )

    def __init__(self, limiter: Limiter, start: Start) -> None:
        self._limiter = limiter
        self._start = start
        self._tcp_stream: Any = None
        self.connecting: bool = False
        self.sending_failed: bool = False
        self.sent: bool = False

    async def __call__(self, event: str, info: dict[str, Any]) -> None:
        """Take note of an event of httpcore's, "connection.connect_tcp.started" say.

        https://www.encode.io/httpcore/extensions/#trace
        """
        if event.endswith("connect_tcp.started"):
            self.connecting = True
            self._limiter.connecting(self._start)
        elif event.endswith("send_request_headers.started"):
            if info["request"].method != b"CONNECT":  # that one is for the proxy
                self.sent = True
                self._limiter.left(self._start, current_time())
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
        """Return whether the request went out on a connection that had served."""
        return self.sent and not self.connecting


def environment_proxy(base_url: str) -> str | None:
    """Return the proxy that ``HTTPS_PROXY``, ``NO_PROXY`` and the like ask for.

    :raises ValueError: if it is not the address of a proxy
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
    """Make what all clients of the process share, since it takes 0.1 s.

    :param files: what the environment says of the certificates
    """
    try:
        return httpx.create_ssl_context()
    except OSError as error:
        message = (
            "the certificates that SSL_CERT_FILE or SSL_CERT_DIR in the environment"
            f" names cannot be read: {error.strerror}"
        )
        raise ValueError(message) from None


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
