"""Addresses of servers and proxies: what they consist of, and which can be used.

It neither resolves names nor connects, and it keeps no login.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

PORTS = {
    "http": 80,
    "https": 443,
    "socks": 1080,
    "socks5": 1080,
    "socks5h": 1080,
}
"""The schemes that are known, and the port of each where the URL has none."""

MAX_LENGTH = 2**16
MAX_PORT = 2**16 - 1
MAX_HOST = 253
"""Characters of a name in DNS."""
MAX_SOCKS_LOGIN = 255
"""Bytes of a user name, and of a password: https://www.rfc-editor.org/rfc/rfc1929"""

_NOT_IN_URLS = re.compile(r"[\s\x00-\x20\x7f]")
_HOST_AND_PORT = re.compile(
    r"(?P<host>\[[0-9A-Fa-f:.]+(?:%[A-Za-z0-9._~-]+)?\]|[^\[\]:]+)"
    r"(?::(?P<port>[0-9]{0,5}))?"
)
_NAME = re.compile(r"[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*\.?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_PATH = re.compile(r"(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})*")


class Address(NamedTuple):
    """The address of a server or a proxy.

    :ivar scheme: a key of ``PORTS``
    :ivar host: a name in ASCII or an IP address without brackets, in lower case
    :ivar given_port: the port, if the URL has one
    :ivar path: the path, which may be empty
    """

    scheme: str
    host: str
    given_port: int | None
    path: str

    @property
    def port(self) -> int:
        """The port that is connected to."""
        return self.given_port or PORTS[self.scheme]

    @property
    def netloc(self) -> str:
        """The host and the port, if the URL has one, as in the header Host."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.given_port is None else f"{host}:{self.given_port}"


def parse_address(url: str) -> Address | None:
    """Split a URL, or return None if nothing could be connected to by it."""
    if len(url) > MAX_LENGTH or _NOT_IN_URLS.search(url):
        return None
    try:
        parts = urlsplit(url)
        found = _HOST_AND_PORT.fullmatch(parts.netloc.rpartition("@")[2])
        if parts.scheme not in PORTS or found is None:
            return None
        host = ascii_host(found["host"])
    except ValueError:  # of urlsplit, an IP address, or IDNA
        return None
    port = int(found["port"]) if found["port"] else None
    if port is not None and not 0 < port <= MAX_PORT:
        return None
    return Address(parts.scheme, host, port, parts.path)


def ascii_host(host: str) -> str:
    """Return a host as it is resolved: in ASCII, in lower case, without brackets.

    :raises ValueError: if it is neither a name nor an IP address
    """
    if host.startswith("["):
        return str(IPv6Address(host[1:-1]))
    name = host.lower()
    if not name.isascii():
        import idna  # lazily: only foreign names need its tables

        name = idna.encode(name).decode("ascii")
    if len(name) > MAX_HOST + 1 or not _NAME.fullmatch(name):
        message = "not the name of a host"
        raise ValueError(message)
    if _NUMBER.fullmatch(name.rstrip(".").rpartition(".")[2]):
        # Resolvers read "127.1" and "0x7f000001" as IP addresses, too: not here.
        return str(IPv4Address(name))
    return name


def is_loopback(host: str) -> bool:
    """Return whether a host is this machine, by its name or address.

    :param host: the host of an :class:`Address`
    """
    name = host.rstrip(".")
    if name == "localhost" or name.endswith(".localhost"):
        return True  # https://www.rfc-editor.org/rfc/rfc6761#section-6.3
    try:
        address = ip_address(name)
    except ValueError:
        return False
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped.is_loopback
    return address.is_loopback


def has_usable_path(url: str) -> bool:
    """Return whether the path of a URL can be sent verbatim, and nothing follows it."""
    return bool(_PATH.fullmatch(urlsplit(url).path)) and not re.search(r"[?#]", url)


def has_usable_login(url: str) -> bool:
    """Return whether the user name and the password of a proxy can be sent.

    Where one of them has "/", "?", "#" or "@" in it that is not percent-encoded, the
    URL has another host than was meant, and an "@" behind it.
    """
    parts = urlsplit(url)
    if "?" in url or "#" in url or "@" in parts.path:
        return False
    # Not in variables, which a traceback may show.
    try:
        longest = max(
            len(unquote(parts.username or "").encode()),
            len(unquote(parts.password or "").encode()),
        )
    except UnicodeEncodeError:
        return False
    return longest <= MAX_SOCKS_LOGIN or not parts.scheme.startswith("socks")
