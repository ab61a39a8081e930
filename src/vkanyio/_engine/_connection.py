"""One HTTP connection, over httpcore.

It owns its socket (by ``_network``) and reads whole responses. After anything but a
whole, clean exchange it closes itself. Which request gets which connection, how long
that may take, and what a failure means is the business of ``_transport``.
"""

from __future__ import annotations

import os
from functools import lru_cache
from typing import TYPE_CHECKING, Any, final
from urllib.parse import SplitResult, unquote, urlsplit

import httpcore
import httpx
from anyio import current_time

from .._masking import MASK, SecretBytes
from .._response import Response
from ._network import Network
from ._response_body import decompress_limited, read_limited

if TYPE_CHECKING:
    import ssl

    from .._config import Config
    from ._delivery import Delivery

PORTS = {"http": 80, "https": 443, "socks5": 1080, "socks5h": 1080}


@final
class Proxy:
    """The address of a proxy, and the login for it, which never shows itself.

    :ivar name: its host and port, for errors
    """

    def __init__(self, url: str) -> None:
        parts = _Parts(*urlsplit(url))
        port = parts.port or PORTS[parts.scheme]
        self.name: str = f"{parts.hostname}:{port}"
        self.scheme: str = "socks5" if parts.scheme == "socks5h" else parts.scheme
        self.url = httpcore.URL(
            scheme=self.scheme.encode(),
            host=(parts.hostname or "").encode("idna"),
            port=port,
            target=b"/",
        )
        self.auth: tuple[bytes, bytes] | None = None
        if parts.username is not None:
            # As bytes that hide themselves: httpcore logs the login of SOCKS at DEBUG.
            self.auth = (
                SecretBytes(unquote(parts.username).encode()),
                SecretBytes(unquote(parts.password or "").encode()),
            )

    def __repr__(self) -> str:
        return f"<Proxy {getattr(self, 'name', '?')}>"


@final
class Connector:
    """Makes connections to the server of a client's methods.

    Making one takes time, since it loads certificates; it does not block on a network.

    :param proxy: the URL of the proxy, if there is one
    :ivar proxy: the proxy itself
    """

    def __init__(self, config: Config, proxy: str | None) -> None:
        parts = urlsplit(config.base_url)
        host = (parts.hostname or "").encode("idna")
        port = parts.port or PORTS[parts.scheme]
        self.proxy: Proxy | None = None if proxy is None else Proxy(proxy)
        self._origin = httpcore.Origin(parts.scheme.encode(), host, port)
        self._port = parts.port  # a forwarding proxy is sent the URL as it was given
        self._path = parts.path.rstrip("/")
        self._max_bytes = config.max_answer
        self._ssl_context: ssl.SSLContext | None = None
        if "https" in (parts.scheme, self.proxy and self.proxy.scheme):
            files = os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")
            self._ssl_context = _ssl_context(files)

    def url_of(self, method: str) -> httpcore.URL:
        """Return the URL of a method."""
        return httpcore.URL(
            scheme=self._origin.scheme,
            host=self._origin.host,
            port=self._port,
            target=f"{self._path}/{method}".encode("ascii"),
        )

    def make(self) -> Connection:
        """Make a connection, which connects when it is first used."""
        network = Network()
        http = _connect(self._origin, self._ssl_context, self.proxy, network)
        is_direct = self.proxy is None
        return Connection(http, network, self._max_bytes, is_direct=is_direct)


@final
class Connection:
    """A connection to one server, direct or by a proxy; it connects when it is used.

    :param max_bytes: bytes of a response that are read; a larger one is cut
    :ivar is_open: whether it may be used for another request
    :ivar idle_since: when its last exchange ended, by the clock of the event loop
    """

    def __init__(
        self,
        http: httpcore.AsyncConnectionInterface,
        network: Network,
        max_bytes: int,
        *,
        is_direct: bool,
    ) -> None:
        self.is_open: bool = False
        self.idle_since: float = 0.0
        self._http = http
        self._network = network
        self._is_direct = is_direct
        self._max_bytes = max_bytes

    async def request(
        self,
        url: httpcore.URL,
        body: bytes,
        headers: list[tuple[bytes, bytes]],
        delivery: Delivery,
    ) -> Response:
        """Send a POST request and read the whole response.

        After anything else than that, the connection has been closed.

        :param delivery: told when the first byte of the request leaves
        """
        network, self.is_open = self._network, False
        network.delivery, network.carries_request = delivery, self._is_direct
        extensions: dict[str, Any] = {"timeout": {}}
        if not self._is_direct:
            extensions["trace"] = self._follow
        try:
            response = await self._http.handle_async_request(
                httpcore.Request(
                    b"POST", url, headers=headers, content=body, extensions=extensions
                )
            )
            stream: Any = response.stream
            try:
                content = await read_limited(stream, self._max_bytes)
            finally:
                await stream.aclose()
            self.is_open = not _trailing_data(stream) and self._http.is_available()
        finally:
            network.delivery = None
            self.idle_since = current_time()
            if not self.is_open:
                await network.close()
        found = dict(response.headers)
        return Response(
            response.status,
            decompress_limited(
                content, _header(found, b"content-encoding") or "", self._max_bytes
            ),
            _header(found, b"retry-after"),
        )

    def is_reusable(self) -> bool:
        """Return whether it is open, and the server has sent nothing since.

        A connection that can be read has been closed by the server, or has bytes that
        belong to no request.
        """
        return self._http.is_available() and not self._network.is_readable

    async def close(self) -> None:
        """Close it by force."""
        await self._network.close()

    async def _follow(self, event: str, info: dict[str, Any]) -> None:
        """Note when the request itself begins, after the handshake with the proxy."""
        if event.endswith("send_request_headers.started"):
            is_handshake = info["request"].method == b"CONNECT"
            self._network.carries_request = not is_handshake


def _connect(
    origin: httpcore.Origin,
    ssl_context: ssl.SSLContext | None,
    proxy: Proxy | None,
    network: Network,
) -> httpcore.AsyncConnectionInterface:
    if proxy is None:
        return httpcore.AsyncHTTPConnection(
            origin, ssl_context=ssl_context, network_backend=network
        )
    # Pools only make the connection here, they never hold one: httpcore has no other
    # public way to make a connection by a proxy.
    if proxy.scheme == "socks5":
        return httpcore.AsyncSOCKSProxy(
            proxy.url, proxy.auth, ssl_context=ssl_context, network_backend=network
        ).create_connection(origin)
    return httpcore.AsyncHTTPProxy(
        proxy.url,
        proxy.auth,
        ssl_context=ssl_context,
        proxy_ssl_context=ssl_context if proxy.scheme == "https" else None,
        network_backend=network,
    ).create_connection(origin)


@final
class _Parts(SplitResult):
    """The parts of a URL with a login, whose repr does not show it."""

    __slots__ = ()

    def __repr__(self) -> str:
        return MASK


def _trailing_data(stream: Any) -> bool:
    """Return whether the server has sent bytes after its response.

    The next request would read them as its own response (response desync). httpcore has
    no public access to them; if it renames its private attributes, a test fails, and
    bytes that arrive late are still found by :meth:`Connection.is_reusable`.
    """
    try:
        data, _ = stream._connection._h11_state.trailing_data
    except AttributeError:
        return False
    return bool(data)


def _header(headers: dict[bytes, bytes], name: bytes) -> str | None:
    for key, value in headers.items():
        if key.lower() == name:
            return value.decode("latin-1")
    return None


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
