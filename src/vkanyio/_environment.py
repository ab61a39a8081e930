"""The proxy that the environment asks for."""

from __future__ import annotations

from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from ._masking import SecretStr
from ._option_validators import check_proxy


def environment_proxy(base_url: str) -> str | None:
    """Return the proxy that ``HTTPS_PROXY``, ``NO_PROXY`` and the like ask for.

    :raises ValueError: if it is not the URL of a proxy
    """
    url = urlsplit(base_url)
    proxies = {name: SecretStr(value) for name, value in getproxies().items()}
    proxy = proxies.get(url.scheme) or proxies.get("all")
    if not proxy or proxy_bypass(url.hostname or ""):
        return None
    proxy = proxy if "://" in proxy else SecretStr(f"http://{proxy}")
    check_proxy(f"{url.scheme.upper()}_PROXY or ALL_PROXY in the environment", proxy)
    return proxy
