"""The proxy that the environment asks for.

Pure functions of the variables. Which proxy a client uses in the end is the business of
``_engine._transport``.
"""

from __future__ import annotations

import re
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING

from ._address import ascii_host, parse_address
from ._masking import SecretStr
from ._option_validators import check_proxy

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ._address import Address

_ENTRY = re.compile(r"(?P<host>\[[^\[\]]*\]|[^\[\]:]*)(?::(?P<port>[0-9]+))?")


def environment_proxy(base_url: str, variables: Mapping[str, str]) -> str | None:
    """Return the proxy that ``HTTPS_PROXY``, ``NO_PROXY`` and the like ask for.

    Names in lower case take precedence; an empty value means no proxy.

    :param base_url: the URL that is to be reached
    :param variables: the environment
    :raises ValueError: if it is not the URL of a proxy; the message names the variable
    """
    # A traceback with local variables must not show a password.
    variables = {name: SecretStr(value) for name, value in variables.items()}
    address = parse_address(base_url)
    assert address is not None  # the option was validated
    for name in _names(address.scheme, variables):
        proxy = SecretStr(variables[name].strip())
        if not proxy:
            continue
        if is_excluded(address, _no_proxy(variables)):
            return None
        proxy = proxy if "://" in proxy else SecretStr(f"http://{proxy}")
        check_proxy(f"{name} in the environment", proxy)
        return proxy
    return None


def _names(scheme: str, variables: Mapping[str, str]) -> Iterator[str]:
    """Return the variables that decide, one for the scheme and one for all."""
    for name in (f"{scheme}_proxy", "all_proxy"):
        if name in variables:
            yield name
        # A server that runs a program by CGI sets HTTP_PROXY from the header "Proxy" of
        # a request: https://httpoxy.org
        elif name.upper() in variables and not (
            scheme == "http" and name != "all_proxy" and "REQUEST_METHOD" in variables
        ):
            yield name.upper()


def _no_proxy(variables: Mapping[str, str]) -> str:
    return variables.get("no_proxy", variables.get("NO_PROXY", ""))


def is_excluded(address: Address, no_proxy: str) -> bool:
    """Return whether NO_PROXY has an address that is reached directly.

    :param no_proxy: entries between commas or blanks: ``*`` for everything, the name of
        a host for it and its subdomains, with ``.`` or ``*.`` before it or not, an IP
        address, or a range of them (``10.0.0.0/8``); each of them for one port alone
        if ``:port`` follows
    """
    return any(_matches(entry, address) for entry in re.split(r"[\s,]+", no_proxy))


def _matches(entry: str, address: Address) -> bool:
    if entry.count(":") > 1 and "]" not in entry:
        entry = f"[{entry}]"  # an IPv6 address without brackets
    found = _ENTRY.fullmatch(re.sub(r"\](/[0-9]+)", r"\1]", entry))
    if found is None or not found["host"]:
        return False
    if found["port"] is not None and int(found["port"][:9]) != address.port:
        return False
    name = found["host"].strip("[]")
    if name == "*":
        return True
    host = address.host.rstrip(".")
    try:
        # Interfaces, as in fe80::1%eth0, do not count.
        network = ip_network(re.sub("%[^/]*", "", name), strict=False)
        return ip_address(host) in network
    except ValueError:
        return _is_within(host, name)


def _is_within(host: str, name: str) -> bool:
    try:
        domain = ascii_host(name.removeprefix("*.").strip("."))
    except ValueError:
        return False
    return host == domain or host.endswith(f".{domain}")
