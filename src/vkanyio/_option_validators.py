"""Validators of options: each names the option, the value and what is allowed."""

from __future__ import annotations

import re
from collections.abc import Hashable
from importlib.util import find_spec
from inspect import iscoroutinefunction, isfunction, ismethod, signature
from typing import TYPE_CHECKING, Any, final

from ._address import has_usable_login, has_usable_path, parse_address
from ._extras import how_to_install
from ._http_client import check_http_client
from ._masking import kind_of
from ._rate_limiter import RateLimiter
from ._typeguards import is_mapping, is_tuple
from ._wire_checks import check_headers, check_method_name, check_token, shown

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    import attrs

    Attribute = attrs.Attribute[Any]

MAX_SECONDS = 1e9
MAX_WHOLE = 10**9
PROXY_SCHEMES = ("http", "https", "socks5", "socks5h", "socks")


def _refusal(attribute: Attribute, value: Any, wanted: str) -> str:
    return f"{attribute.name} must be {wanted}, got {shown(value)}"


def _exceeds(value: Any, bound: int) -> bool:
    return isinstance(value, int) and value > bound


@final
class Whole:
    """A whole number within bounds; the upper one is named where it means something."""

    def __init__(
        self, minimum: int, maximum: int = MAX_WHOLE, *, hint: str = ""
    ) -> None:
        self.minimum = minimum
        self.maximum = maximum
        self.hint = hint

    def __call__(self, _: Any, attribute: Attribute, value: Any) -> None:
        bounds = f"from {self.minimum} to {self.maximum}"
        if self.maximum == MAX_WHOLE and not _exceeds(value, MAX_WHOLE):
            bounds = f"of at least {self.minimum}"
        message = _refusal(attribute, value, f"a whole number {bounds}") + self.hint
        if not isinstance(value, int) or isinstance(value, bool):
            raise TypeError(message)
        if not self.minimum <= value <= self.maximum:
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
        if not 0 <= value <= MAX_SECONDS or (value == 0 and not self.or_zero):
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
    """Check an access token, without showing any of it, or a token function.

    The parameter is called `token` so that error reporters that dump local variables
    redact it.
    """
    if callable(token):
        if isinstance(token, type) or not isinstance(token, Hashable):
            message = (
                f"{attribute.name} must be a VK access token or an async function that"
                f" returns one, got {shown(token)}"
            )
            raise TypeError(message)
        if not _takes_one_argument(token):
            message = (
                f"{attribute.name} must be a function with one parameter, which gets"
                f" None or the token to replace, got {shown(token)}"
            )
            raise TypeError(message)
    else:
        check_token(attribute.name, token)


def _takes_one_argument(function: Any) -> bool:
    if not isfunction(function) and not ismethod(function):
        return True  # objects, such as mocks, need not say what they take
    try:
        signature(function).bind(None)
    except TypeError:
        return False
    return True


def are_method_names(_: Any, attribute: Attribute, value: Any) -> None:
    """Check a collection of method names."""
    if not is_tuple(value):
        message = _refusal(attribute, value, "a list of method names")
        raise TypeError(message)
    for name in value:
        check_method_name(name, option=attribute.name)


def to_tuple(value: Collection[str]) -> Collection[str]:
    """Return a tuple; pass anything that is not a collection on to the validator."""
    return tuple(value) if isinstance(value, list | set | frozenset) else value


def to_dict(value: Mapping[str, str]) -> Mapping[str, str]:
    """Return a dict; pass anything that is not a mapping on to the validator."""
    return dict(value) if is_mapping(value) else value


def is_version(_: Any, attribute: Attribute, value: Any) -> None:
    """Check a version of the VK API."""
    message = _refusal(attribute, value, 'a version of the VK API such as "5.199"')
    if not isinstance(value, str):
        raise TypeError(message)
    if not re.fullmatch(r"[0-9]{1,3}\.[0-9]{1,4}", value):
        raise ValueError(message)


def is_base_url(_: Any, attribute: Attribute, value: Any) -> None:
    """Check the URL to which method names are appended."""
    wanted = 'a URL such as "https://api.vk.ru/method", without "?", "#" and "@"'
    if not isinstance(value, str):
        raise TypeError(_refusal(attribute, value, wanted))
    if "@" in value:  # there may be a password before it
        message = f'{attribute.name} must be {wanted}, got one with "@" in it'
        raise ValueError(message)
    address = parse_address(value)
    if (
        address is None
        or address.scheme not in {"http", "https"}
        or not has_usable_path(value)
    ):
        raise ValueError(_refusal(attribute, value, wanted))


def is_proxy(_: Any, attribute: Attribute, value: Any) -> None:
    """Check the URL of a proxy."""
    if value is not None:
        check_proxy(attribute.name, value)


def check_proxy(name: str, value: Any) -> None:
    """Check the URL of a proxy, without showing the password in it."""
    schemes = ", ".join(PROXY_SCHEMES)
    wanted = f'a URL such as "http://localhost:3128", with one of the schemes {schemes}'
    if not isinstance(value, str):
        message = f"{name} must be {wanted}, got a {kind_of(value)}"
        raise TypeError(message)
    address = parse_address(value)
    if address is None or not has_usable_login(value):
        message = f"{name} must be {wanted}, {_wrong_proxy(value)}"
        raise ValueError(message)
    if address.scheme.startswith("socks") and find_spec("socksio") is None:
        message = (
            f"{name} is a SOCKS proxy, which needs another package:"
            f" {how_to_install('socks')}"
        )
        raise ValueError(message)


def _wrong_proxy(value: str) -> str:
    """Say what is wrong with a proxy, without showing the password in it."""
    if re.match("socks4a?:", value, re.IGNORECASE):
        return "got one for SOCKS 4, which is not supported"
    if "@" in value:
        return (
            "got another string; in a user name or a password percent-encode"
            ' "/", "?", "#" and "@"'
        )
    return "got another string"


def are_headers(_: Any, attribute: Attribute, value: Any) -> None:
    """Check HTTP headers."""
    check_headers(attribute.name, value)


def is_http_client(_: Any, attribute: Attribute, value: Any) -> None:
    """Check a user's HTTP client."""
    is_client = iscoroutinefunction(getattr(value, "post", None))
    if value is not None and (isinstance(value, type) or not is_client):
        wanted = "an httpx.AsyncClient or an httpx2.AsyncClient"
        raise TypeError(_refusal(attribute, value, wanted))
    check_http_client(attribute.name, value)


def is_limiter(_: Any, attribute: Attribute, value: Any) -> None:
    """Check a shared rate limit."""
    if value is not None and not _is_limiter(value):
        wanted = "a vkanyio.Limiter or a vkanyio.redis.RedisLimiter"
        raise TypeError(_refusal(attribute, value, wanted))


def _is_limiter(value: Any) -> bool:
    """Return whether a value is a rate limit, and not a Mock, which has anything."""
    return (
        isinstance(value, RateLimiter)
        and not isinstance(value, type)
        and isinstance(value.limit, int)
    )


def is_function(_: Any, attribute: Attribute, value: Any) -> None:
    """Check a function that answers questions of VK."""
    if value is not None and not callable(value):
        raise TypeError(_refusal(attribute, value, "an async function"))


def is_plain_function(_: Any, attribute: Attribute, value: Any) -> None:
    """Check a function that must not be async."""
    if value is not None and (not callable(value) or iscoroutinefunction(value)):
        raise TypeError(_refusal(attribute, value, "a function that is not async"))


def is_flag(_: Any, attribute: Attribute, value: Any) -> None:
    """Check a flag."""
    if not isinstance(value, bool):
        raise TypeError(_refusal(attribute, value, "True or False"))
