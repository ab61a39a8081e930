"""One HTTP connection, over httpcore.

It owns its socket (by ``_network``) and reads whole responses. After anything but a
whole, clean exchange it closes itself. Which request gets which connection, how long
that may take, and what a failure means is decided by ``_transport``.
"""

from __future__ import annotations

import os
from base64 import b64encode
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, final
from urllib.parse import SplitResult, unquote, urlsplit

import httpcore
import httpx
from anyio import current_time

from .._address import parse_address
from .._masking import MASK, SecretBytes, SecretStr
from .._response import Response
from ._network import Network
from ._response_body import decompress_limited, read_limited

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterable, Awaitable, Callable

    from .._config import Config
    from ._delivery import Delivery

_LOGIN_REFUSED = (401, 407)
"""What a proxy that passes requests on responds to a wrong login.

tinyproxy 1.11 says 401 to a wrong password. VK itself responds to a wrong token with
200 and an error.
"""


@final
class Proxy:
    """The address of a proxy, and the login for it, which never shows itself.

    :ivar name: its host and port, for errors
    """

    def __init__(self, url: str) -> None:
        address = parse_address(url)
        assert address is not None  # it was validated
        is_socks = address.scheme.startswith("socks")
        self.name: str = address._replace(given_port=address.port).netloc
        self.scheme: str = "socks5" if is_socks else address.scheme
        self.url = httpcore.URL(
            scheme=self.scheme.encode(),
            host=address.host.encode("ascii"),
            port=address.port,
            target=b"/",
        )
        parts = _Parts(*urlsplit(url))
        self.auth: tuple[bytes, bytes] | None = None
        if parts.username is not None:
            # As bytes that hide themselves: httpcore logs the login of SOCKS at DEBUG.
            self.auth = (
                SecretBytes(unquote(parts.username).encode()),
                SecretBytes(unquote(parts.password or "").encode()),
            )

    def headers(self) -> list[tuple[bytes, bytes]]:
        """Return what an HTTP proxy gets with each request.

        httpcore would make the same of the login, in bytes that show themselves.
        """
        if self.auth is None:
            return []
        value = SecretBytes(b"Basic " + b64encode(b"%b:%b" % self.auth))
        return [(b"Proxy-Authorization", value)]

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
        address = parse_address(config.base_url)
        assert address is not None  # it was validated
        scheme, host = address.scheme.encode(), address.host.encode("ascii")
        self.proxy: Proxy | None = None if proxy is None else Proxy(proxy)
        self._origin = httpcore.Origin(scheme, host, address.port)
        # A forwarding proxy is sent the URL as it was given.
        self._port = address.given_port
        self._path = address.path.rstrip("/")
        self._max_bytes = config.max_answer
        self._ssl_context: ssl.SSLContext | None = None
        if "https" in (address.scheme, self.proxy and self.proxy.scheme):
            self.load_certificates()

    def url_of(self, method: str) -> httpcore.URL:
        """Return the URL of a method."""
        return httpcore.URL(
            scheme=self._origin.scheme,
            host=self._origin.host,
            port=self._port,
            target=f"{self._path}/{method}".encode("ascii"),
        )

    def url_elsewhere(self, url: str) -> httpcore.URL:
        """Return the URL of another server."""
        address, query = parse_address(url), urlsplit(url).query
        assert address is not None  # it was checked
        path = address.path or "/"
        target = f"{path}?{query}" if query else path
        return httpcore.URL(
            scheme=address.scheme.encode(),
            host=address.host.encode("ascii"),
            port=address.given_port,
            target=SecretStr(target).encode("ascii"),  # it may have a key
        )

    def lacks_certificates(self, scheme: str) -> bool:
        """Return whether connections need certificates that are not loaded yet."""
        return scheme == "https" and self._ssl_context is None

    def load_certificates(self) -> None:
        """Load certificates, which takes time."""
        if self._ssl_context is None:
            files = os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")
            self._ssl_context = _ssl_context(files)

    def connect(self, origin: httpcore.Origin | None = None) -> Connection:
        """Make a connection, which connects when it is first used.

        :param origin: another server than that of the methods
        """
        network = Network()
        origin, proxy = origin or self._origin, self.proxy
        return Connection(
            partial(_connect, origin, self._ssl_context, proxy, network),
            network,
            self._max_bytes,
            is_direct=proxy is None,
            is_forwarded=(
                proxy is not None
                and proxy.scheme != "socks5"
                and origin.scheme == b"http"
            ),
        )


@final
class Connection:
    """A connection to one server, direct or by a proxy; it connects when it is used.

    :param connect: makes what speaks HTTP, for the first request
    :param max_bytes: bytes of a response that are read; a larger one is cut
    :param is_direct: whether there is no proxy
    :param is_forwarded: whether a proxy gets the request itself, and may refuse it
    :ivar is_open: whether it may be used for another request
    :ivar idle_since: when its last exchange ended, by the clock of the event loop
    """

    def __init__(
        self,
        connect: Callable[[], Awaitable[httpcore.AsyncConnectionInterface]],
        network: Network,
        max_bytes: int,
        *,
        is_direct: bool,
        is_forwarded: bool,
    ) -> None:
        self.is_open: bool = False
        self.idle_since: float = 0.0
        self._connect = connect
        self._http: httpcore.AsyncConnectionInterface | None = None
        self._network = network
        self._is_direct = is_direct
        self._is_forwarded = is_forwarded
        self._max_bytes = max_bytes

    async def request(
        self,
        url: httpcore.URL,
        body: bytes | AsyncIterable[bytes],
        headers: list[tuple[bytes, bytes]],
        delivery: Delivery,
    ) -> Response:
        """Send a POST request and read the whole response.

        After anything else than that, the connection has been closed.

        :param delivery: notified when the first byte of the request leaves
        """
        network, self.is_open = self._network, False
        network.delivery, network.carries_request = delivery, self._is_direct
        extensions: dict[str, Any] = {"timeout": {}}
        if not self._is_direct:
            extensions["trace"] = self._follow
        try:
            http = self._http = self._http or await self._connect()
            response = await http.handle_async_request(
                httpcore.Request(
                    b"POST", url, headers=headers, content=body, extensions=extensions
                )
            )
            stream: Any = response.stream
            try:
                self._check_login(response)
                content = await read_limited(stream, self._max_bytes)
            finally:
                await stream.aclose()
            self.is_open = not _trailing_data(stream) and http.is_available()
        finally:
            network.delivery = None
            self.idle_since = current_time()
            if not self.is_open:
                await network.close()
        header = partial(_header, response.headers)
        encoding = header("Content-Encoding") or ""
        content = decompress_limited(content, encoding, self._max_bytes)
        return Response(response.status, content, header)

    def _check_login(self, response: Any) -> None:
        """Raise if the proxy refuses the login, as httpcore does for tunnels.

        The body is not read: a proxy that closes without having read the request resets
        the connection, and the response would be lost.
        """
        if self._is_forwarded and response.status in _LOGIN_REFUSED:
            reason = response.extensions["reason_phrase"].decode("latin-1")
            raise httpcore.ProxyError(f"{response.status} {reason}")

    def is_reusable(self) -> bool:
        """Return whether it is open, and the server has sent nothing since.

        A connection that can be read has been closed by the server, or has bytes that
        belong to no request.
        """
        http = self._http
        is_idle = http is not None and http.is_available()
        return is_idle and not self._network.is_readable

    async def close(self) -> None:
        """Close it by force."""
        self.is_open = False
        await self._network.close()

    async def _follow(self, event: str, info: dict[str, Any]) -> None:
        """Note how far a connection by a proxy has come.

        1. ``connection.start_tls``: TLS with the proxy itself; TLS with the server has
           another prefix
        2. ``send_request_headers``: of CONNECT, for the proxy
        3. ``send_request_headers``: of the request, after the handshake
        """
        if event == "connection.start_tls.failed" and self._network.delivery:
            self._network.delivery.reached = False
        if event.endswith("send_request_headers.started"):
            is_handshake = info["request"].method == b"CONNECT"
            self._network.carries_request = not is_handshake


async def _connect(
    origin: httpcore.Origin,
    ssl_context: ssl.SSLContext | None,
    proxy: Proxy | None,
    network: Network,
) -> httpcore.AsyncConnectionInterface:
    if proxy is None:
        host = origin.host.decode("ascii")
        stream = await network.connect_tcp(host, origin.port)
        if origin.scheme == b"https":
            assert ssl_context is not None  # it was loaded
            stream = await stream.start_tls(ssl_context, host)
        return httpcore.AsyncHTTP11Connection(origin, stream)
    # These connect with their first request.
    # Pools only make the connection here, they never hold one: httpcore has no other
    # public way to make a connection by a proxy.
    if proxy.scheme == "socks5":
        return httpcore.AsyncSOCKSProxy(
            proxy.url, proxy.auth, ssl_context=ssl_context, network_backend=network
        ).create_connection(origin)
    return httpcore.AsyncHTTPProxy(
        proxy.url,
        proxy_headers=proxy.headers(),
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


def _header(headers: list[tuple[bytes, bytes]], name: str) -> str | None:
    """Return a header by its name, in whatever case; the last one of that name."""
    sought = name.lower().encode("ascii")
    for each, value in reversed(headers):
        if each.lower() == sought:
            return value.decode("latin-1")
    return None


@lru_cache(maxsize=2)
def _ssl_context(files: tuple[str | None, str | None]) -> ssl.SSLContext:
    """Make the context that all clients of the process share, since it takes 0.1 s.

    :param files: SSL_CERT_FILE and SSL_CERT_DIR in the environment, which httpx reads
    :raises ValueError: if they cannot be read
    :raises OSError: if those of certifi cannot be read
    """
    file, directory = files
    try:
        if directory and not file:
            os.scandir(directory).close()  # OpenSSL ignores one that is missing
        context = httpx.create_ssl_context()
    except OSError as error:
        if not file and not directory:
            raise  # of the package certifi, such as with too many open files
        name = "SSL_CERT_FILE" if file else "SSL_CERT_DIR"
        message = (
            f"cannot read the certificates that the environment variable {name} names:"
            f" {error.strerror}"
        )
        raise ValueError(message) from None
    context.set_alpn_protocols(["http/1.1"])
    return context
