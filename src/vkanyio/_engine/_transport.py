"""HTTP: connections, the deadline of an attempt, and what its failures mean.

It owns the idle connections. It knows neither calls nor retries: it reports whether a
request may have been sent, and leaves the conclusion to its caller.
"""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING, final

from anyio import CancelScope, move_on_after, to_thread

from .._address import parse_address
from .._errors import ConnectionFailedError, RequestTimeoutError
from .._http_client import check_http_client
from .._outcome import Failure
from .._typeguards import is_group
from ._delivery import CLOSE_SECONDS
from ._foreign_client import ClientTrace, post
from ._pool import Pool, Pools, close_all
from ._request_body import ChunkedBody, check_body

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Mapping

    import httpcore

    from .._address import Address
    from .._config import Config
    from .._masking import Secrets
    from .._response import Response
    from ._connection import Connection, Connector, Proxy
    from ._delivery import Delivery

MAX_REASON = 200
"""Characters of an HTTP client's message that an error repeats."""
MAX_URLS = 1000
"""URLs of methods that are remembered: VK has fewer methods."""


# httpx and httpx2 have exceptions of the same names, but not the same classes.
_NETWORK_ERRORS = frozenset(
    {"NetworkError", "OSError", "ProtocolError", "ProxyError", "RequestError"}
)
_BAD_CERTIFICATE = "CERTIFICATE_VERIFY_FAILED"
_REFUSED_LOGINS = ("401", "403", "407", "Invalid username/password", "Requested ")
"""How the message about a proxy begins that does not accept the login."""


@final
class Transport:
    """Sends requests over its own connections, or by the user's HTTP client.

    Every sender holds one of ``max_connections`` permits, so that no request waits for
    a connection.

    :ivar reports_sending: whether it is known to report when a request leaves
    """

    def __init__(self, config: Config) -> None:
        self._config = config
        self._client = config.http_client
        self._base_url = config.base_url.rstrip("/")
        address = parse_address(config.base_url)
        assert address is not None  # it was validated
        self._host = address.netloc
        self._connector: Connector | None = None
        self._pool = Pool(self._connect)
        self._other_pools = Pools()
        self._urls: dict[str, httpcore.URL] = {}
        self.reports_sending: bool = self._client is None

    async def open(self) -> None:
        """Load what connections need, in a thread: modules and certificates."""
        if self._client is not None:
            check_http_client("http_client", self._client)  # it may have changed
        else:
            self._connector = await to_thread.run_sync(
                _load_connector, self._config, abandon_on_cancel=True
            )

    async def close(self) -> None:
        """Close the connections, in bounded time; a user's client stays open."""
        with CancelScope(shield=True), move_on_after(CLOSE_SECONDS):
            await close_all((self._pool, self._other_pools))

    async def exchange(
        self,
        method: str,
        body: bytes,
        headers: Mapping[str, str],
        delivery: Delivery,
        secrets: Secrets,
        *,
        careful: bool,
    ) -> Response | Failure:
        """Send one request and read its response, within ``timeout`` seconds.

        :param method: the VK method, which becomes part of the URL
        :param delivery: records when the request leaves
        :param secrets: the secrets of the request, to be kept out of errors
        :param careful: whether the request cannot be repeated if it is lost
        :return: the response, or why there is none and whether VK may have got the
            request; nothing but a cancellation is raised
        """
        response: Response | None = None
        trace = ClientTrace(delivery)
        try:
            with move_on_after(self._config.timeout):
                if self._client is None:
                    response = await self._request(
                        method, body, headers, delivery, careful=careful
                    )
                else:
                    url = f"{self._base_url}/{method}"
                    response = await post(self._client, url, body, headers, trace)
        except Exception as error:
            return self._failure(error, method, delivery, trace, secrets)
        self.reports_sending = self.reports_sending or trace.reports
        if response is None:
            return self._timeout(method, self._never_sent(delivery, trace))
        return response

    async def post(
        self,
        url: str,
        body: bytes | AsyncIterable[bytes],
        *,
        length: int,
        headers: Mapping[str, str],
        delivery: Delivery,
        secrets: Secrets,
    ) -> Response | Failure:
        """Send a POST request to any server; see :meth:`Caller.post`."""
        address = parse_address(url)
        if address is None or address.scheme not in ("http", "https"):
            message = "url must be the URL of a server, got one that cannot be used"
            raise ValueError(message)
        checked = check_body(body, length)
        headers = {**headers, "content-length": str(length)}
        trace = ClientTrace(delivery)
        response: Response | Failure
        try:
            if self._client is None:
                response = await self._request_elsewhere(
                    url, address, checked, headers, delivery
                )
            else:
                response = await post(self._client, url, checked, headers, trace)
        except Exception as error:
            host = address.netloc
            response = self._failure(error, "", delivery, trace, secrets, host=host)
        if isinstance(checked, ChunkedBody) and checked.error is not None:
            raise checked.error
        return response

    async def _request_elsewhere(
        self,
        url: str,
        address: Address,
        body: bytes | AsyncIterable[bytes],
        headers: Mapping[str, str],
        delivery: Delivery,
    ) -> Response:
        connector = self._opened_connector()
        if connector.lacks_certificates(address.scheme):
            # Only then: the threads may all be busy with what the program does.
            await to_thread.run_sync(connector.load_certificates)
        target = connector.url_elsewhere(url)
        pool = await self._other_pools.take(
            f"{address.scheme}://{address.netloc}",
            partial(connector.connect, target.origin),
        )
        lines = _lines(address.netloc, headers)
        return await pool.request(target, body, lines, delivery, careful=True)

    async def _request(
        self,
        method: str,
        body: bytes,
        headers: Mapping[str, str],
        delivery: Delivery,
        *,
        careful: bool,
    ) -> Response:
        url = self._urls.get(method)
        if url is None:
            if len(self._urls) >= MAX_URLS:  # by names that are no methods
                self._urls.clear()
            url = self._urls[method] = self._opened_connector().url_of(method)
        lines = _lines(self._host, headers)
        lines.append((b"content-length", b"%d" % len(body)))
        return await self._pool.request(url, body, lines, delivery, careful=careful)

    def _connect(self) -> Connection:
        return self._opened_connector().connect()

    def _opened_connector(self) -> Connector:
        assert self._connector is not None  # it was opened
        return self._connector

    @property
    def _proxy(self) -> Proxy | None:
        return None if self._connector is None else self._connector.proxy

    def _never_sent(
        self, delivery: Delivery, trace: ClientTrace, error: Exception | None = None
    ) -> bool:
        return not delivery.sent if self._client is None else trace.never_sent(error)

    def _timeout(self, method: str, never_sent: bool) -> Failure:
        seconds = self._config.timeout
        if never_sent:
            return Failure(
                ConnectionFailedError(
                    f"no connection to {self._host} within {seconds:g} s{self._by()}",
                    method=method,
                ),
                maybe_carried_out=False,
            )
        return Failure(
            RequestTimeoutError(f"no response within {seconds:g} s", method=method),
            maybe_carried_out=True,
        )

    def _by(self) -> str:
        return "" if self._proxy is None else f" through the proxy {self._proxy.name}"

    def _failure(
        self,
        error: Exception,
        method: str,
        delivery: Delivery,
        trace: ClientTrace,
        secrets: Secrets,
        *,
        host: str | None = None,
    ) -> Failure:
        host = self._host if host is None else host
        names = {cls.__name__ for cls in type(error).__mro__}
        never_sent = self._never_sent(delivery, trace, error)
        is_network_error = bool(names & _NETWORK_ERRORS)
        reason = _reason(error)
        shown = secrets.hide(reason)[:MAX_REASON]  # it may quote the response
        is_transient = is_network_error and _BAD_CERTIFICATE not in reason
        if self._proxy is not None and "ProxyError" in names:
            message = f"the proxy {self._proxy.name} refused: {shown}"
            if shown.startswith(_REFUSED_LOGINS):
                never_sent, is_transient = True, False  # at most as far as the proxy
        elif not is_network_error:
            message = f"the HTTP client failed with {type(error).__name__}: {shown}"
        elif not never_sent:
            message = f"lost the connection to {host}: {shown}"
        elif self._proxy is not None and not delivery.reached:
            message = f"could not reach the proxy {self._proxy.name}: {shown}"
        else:
            message = f"could not connect to {host}{self._by()}: {shown}"
        return Failure(
            ConnectionFailedError(message, method=method, is_transient=is_transient),
            maybe_carried_out=not never_sent,
            # The server closed a connection that was kept for later requests.
            retry_at_once=is_network_error and delivery.reused_connection(),
        )


def _lines(host: str, headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    """Return headers as httpcore wants them."""
    lines = [(k.encode("ascii"), v.encode("latin-1")) for k, v in headers.items()]
    return [(b"host", host.encode("ascii")), *lines]


def _load_connector(config: Config) -> Connector:
    from .._environment import environment_proxy
    from ._connection import Connector

    proxy = config.proxy or environment_proxy(config.base_url, dict(os.environ))
    return Connector(config, proxy)


def _reason(error: BaseException) -> str:
    """Return the text of the innermost OSError, not of its wrappers.

    Only causes are followed: a context may be the error that a caller is handling.
    """
    cause: BaseException | None = error
    reason = str(error) or type(error).__name__
    seen: set[int] = set()  # with `raise error from error`, it never ends
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        if isinstance(cause, OSError) and cause.strerror:
            reason = cause.strerror
        cause = cause.exceptions[0] if is_group(cause) else cause.__cause__
    return reason
