"""Validators of options: each names the option, the value and what is allowed."""

from __future__ import annotations

import re
from importlib.util import find_spec
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any, final

import httpx

from ._checks import check_headers, check_method_name, check_token, shown
from ._guards import is_mapping, is_tuple
from ._limiter import Limiter

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    import attrs

    Attribute = attrs.Attribute[Any]

MOST_SECONDS = 1e9
MOST_WHOLE = 10**9
MOST_PORT = 2**16
PROXY_SCHEMES = ("http", "https", "socks5", "socks5h")


def _refusal(attribute: Attribute, value: Any, wanted: str) -> str:
    return f"{attribute.name} must be {wanted}, got {shown(value)}"


def _is_more(value: Any, most: int) -> bool:
    return isinstance(value, int) and value > most


@final
class Whole:
    """A whole number within bounds, which are named where they mean something."""

    def __init__(self, least: int, most: int = MOST_WHOLE, *, hint: str = "") -> None:
        self.least = least
        self.most = most
        self.hint = hint

    def __call__(self, _: Any, attribute: Attribute, value: Any) -> None:
        bounds = f"from {self.least} to {self.most}"
        if self.most == MOST_WHOLE and not _is_more(value, MOST_WHOLE):
            bounds = f"of at least {self.least}"
        message = _refusal(attribute, value, f"a whole number {bounds}") + self.hint
        if not isinstance(value, int) or isinstance(value, bool):
            raise TypeError(message)
        if not self.least <= value <= self.most:
            raise ValueError(message)


@final
class Seconds:
    """A finite number of seconds."""

    def __init__(self, *, or_zero: bool = False) -> None:
        self.or_zero = or_zero

    def __call__(self, _: Any, attribute: Attribute, value: Any) -> None:
        bounds = "of at least 0" if self.or_zero else "above 0"
        message = _refusal(attribute, value, f"a number of seconds {bounds}")
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise TypeError(message)
        if not 0 <= value <= MOST_SECONDS or (value == 0 and not self.or_zero):
            raise ValueError(message)


@final
class OneOf:
    """One word of a few."""

    def __init__(self, words: tuple[str, ...], *, or_none: bool = False) -> None:
        self.words = words
        self.or_none = or_none

    def __call__(self, _: Any, attribute: Attribute, value: Any) -> None:
        if value is None and self.or_none:
            return
        words = ", ".join(f'"{word}"' for word in self.words)
        message = _refusal(attribute, value, f"one of {words}")
        if not isinstance(value, str):
            raise TypeError(message)
        if value not in self.words:
            raise ValueError(message)


def is_token(_: Any, attribute: Attribute, token: Any) -> None:
    """Check an access token, without repeating any of it.

    What reports errors with local variables knows this one by its name for a secret.
    """
    check_token(attribute.name, token)


def are_method_names(_: Any, attribute: Attribute, value: Any) -> None:
    """Check a collection of method names."""
    if not is_tuple(value):
        message = _refusal(attribute, value, "a list of method names")
        raise TypeError(message)
    for name in value:
        check_method_name(name, option=attribute.name)


def to_tuple(value: Collection[str]) -> Collection[str]:
    """Freeze a collection, and leave what is none to the validator."""
    return tuple(value) if isinstance(value, list | set | frozenset) else value


def to_dict(value: Mapping[str, str]) -> Mapping[str, str]:
    """Copy a mapping, and leave what is none to the validator."""
    return dict(value) if is_mapping(value) else value


def is_version(_: Any, attribute: Attribute, value: Any) -> None:
    """Check a version of VK's API."""
    message = _refusal(attribute, value, 'a version of VK\'s API such as "5.199"')
    if not isinstance(value, str):
        raise TypeError(message)
    if not re.fullmatch(r"[0-9]{1,3}\.[0-9]{1,4}", value):
        raise ValueError(message)


def is_base_url(_: Any, attribute: Attribute, value: Any) -> None:
    """Check the address below which the methods are found."""
    wanted = 'an address such as "https://api.vk.ru/method", without "?", "#" and "@"'
    if not isinstance(value, str):
        raise TypeError(_refusal(attribute, value, wanted))
    if "@" in value:  # there may be a password before it
        message = f'{attribute.name} must be {wanted}, got one with "@" in it'
        raise ValueError(message)
    if not _is_url(value, ("http", "https")) or re.search(r"[?#]", value):
        raise ValueError(_refusal(attribute, value, wanted))


def is_proxy(_: Any, attribute: Attribute, value: Any) -> None:
    """Check the address of a proxy."""
    if value is not None:
        check_proxy(attribute.name, value)


def check_proxy(name: str, value: Any) -> None:
    """Check the address of a proxy, without repeating the password in it."""
    schemes = ", ".join(PROXY_SCHEMES)
    wanted = f'an address such as "http://localhost:3128", its scheme one of {schemes}'
    if not isinstance(value, str):
        message = f"{name} must be {wanted}, got a {type(value).__name__}"
        raise TypeError(message)
    if not _is_url(value, PROXY_SCHEMES):
        message = f"{name} must be {wanted}, got something else"
        raise ValueError(message)
    if httpx.URL(value).scheme.startswith("socks") and find_spec("socksio") is None:
        message = (
            f"{name} is a SOCKS proxy, which needs one more package:"
            " pip install 'vkanyio[socks]'"
        )
        raise ValueError(message)


def _is_url(value: str, schemes: tuple[str, ...]) -> bool:
    if re.search(r"[\s\x00-\x20\x7f]", value):
        return False
    try:
        url = httpx.URL(value)
    except (httpx.InvalidURL, ValueError):
        return False
    has_port = url.port is None or 0 < url.port < MOST_PORT
    return url.scheme in schemes and bool(url.host) and has_port


def are_headers(_: Any, attribute: Attribute, value: Any) -> None:
    """Check HTTP headers."""
    check_headers(attribute.name, value)


def is_http_client(_: Any, attribute: Attribute, value: Any) -> None:
    """Check a client that the user brings."""
    is_client = iscoroutinefunction(getattr(value, "post", None))
    if value is not None and (isinstance(value, type) or not is_client):
        wanted = "an httpx.AsyncClient or an httpx2.AsyncClient"
        raise TypeError(_refusal(attribute, value, wanted))


def is_limiter(_: Any, attribute: Attribute, value: Any) -> None:
    """Check a rate limit that is shared."""
    if value is not None and not isinstance(value, Limiter):
        raise TypeError(_refusal(attribute, value, "a vkanyio.Limiter"))


def is_function(_: Any, attribute: Attribute, value: Any) -> None:
    """Check a function that answers VK's questions."""
    if value is not None and not callable(value):
        raise TypeError(_refusal(attribute, value, "an async function"))


def is_plain_function(_: Any, attribute: Attribute, value: Any) -> None:
    """Check a function that is called where nothing can be awaited."""
    if value is not None and (not callable(value) or iscoroutinefunction(value)):
        raise TypeError(_refusal(attribute, value, "a function that is not async"))


def is_flag(_: Any, attribute: Attribute, value: Any) -> None:
    """Check what is on or off."""
    if not isinstance(value, bool):
        raise TypeError(_refusal(attribute, value, "True or False"))
