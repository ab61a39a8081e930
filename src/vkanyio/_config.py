"""The options of a client, each checked before anything is sent."""

from __future__ import annotations

import difflib
import math
import re
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Literal, Self, TypedDict, final
from urllib.parse import urlsplit

import attrs

from ._checks import check_headers, check_method_name, check_token
from ._limiter import Limiter

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Mapping

    from ._captcha import Captcha, Confirmation, Validation
    from ._transport import HTTPClient

Mode = Literal["sequential", "parallel", "parallel_selected"]
RequestMode = Literal["sequential", "burst"]
Language = Literal["ru", "uk", "be", "en", "es", "fi", "de", "it"]

LANGUAGES = ("ru", "uk", "be", "en", "es", "fi", "de", "it")
PROXY_SCHEMES = ("http", "https", "socks5", "socks5h")

# Uploads fail inside `execute` (vk-io keeps the same list).
NOT_FOR_EXECUTE = (
    "audio.save",
    "docs.save",
    "messages.setChatPhoto",
    "photos.save",
    "photos.saveMarketAlbumPhoto",
    "photos.saveMarketPhoto",
    "photos.saveMessagesPhoto",
    "photos.saveOwnerCoverPhoto",
    "photos.saveOwnerPhoto",
    "photos.saveWallPhoto",
    "polls.savePhoto",
    "stories.save",
)


def _refuse(attribute: attrs.Attribute[Any], value: object, wanted: str) -> str:
    return f"{attribute.name} must be {wanted}, got {value!r}"


def _token(_: Config, __: attrs.Attribute[str], value: str) -> None:
    check_token("token", value)


@attrs.frozen
class _Whole:
    """A whole number within bounds."""

    least: int
    most: float = math.inf
    hint: str = ""

    def __call__(self, _: Config, attribute: attrs.Attribute[int], value: int) -> None:
        bounds = f"from {self.least}"
        if self.most < math.inf:
            bounds += f" to {self.most:.0f}"
        message = _refuse(attribute, value, f"a whole number {bounds}") + self.hint
        if not isinstance(value, int) or isinstance(value, bool):
            raise TypeError(message)
        if not self.least <= value <= self.most:
            raise ValueError(message)


@attrs.frozen
class _Seconds:
    """A finite number of seconds."""

    or_zero: bool = False

    def __call__(
        self, _: Config, attribute: attrs.Attribute[float], value: float
    ) -> None:
        bounds = "of at least 0" if self.or_zero else "above 0"
        message = _refuse(attribute, value, f"a number of seconds {bounds}")
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise TypeError(message)
        if not math.isfinite(value) or value < 0 or (value == 0 and not self.or_zero):
            raise ValueError(message)


@attrs.frozen
class _OneOf:
    """One word of a few."""

    words: tuple[str, ...]
    or_none: bool = False

    def __call__(
        self, _: Config, attribute: attrs.Attribute[str], value: str | None
    ) -> None:
        if value is None and self.or_none:
            return
        words = ", ".join(f'"{word}"' for word in self.words)
        message = _refuse(attribute, value, f"one of {words}")
        if not isinstance(value, str):
            raise TypeError(message)
        if value not in self.words:
            raise ValueError(message)


def _mode(_: Config, attribute: attrs.Attribute[str], value: str) -> None:
    _OneOf(("sequential", "parallel", "parallel_selected"))(_, attribute, value)
    if value != "sequential":
        message = (
            f'{attribute.name}="{value}" packs calls into `execute`, which this version'
            ' of vkanyio does not do: use mode="sequential", or api.execute() with a'
            " script of your own"
        )
        raise ValueError(message)


def _method_names(
    _: Config, attribute: attrs.Attribute[Collection[str]], value: Collection[str]
) -> None:
    if isinstance(value, str):
        message = _refuse(attribute, value, "a collection of method names, not a str")
        raise TypeError(message)
    for name in value:
        check_method_name(name, option=attribute.name)


def _to_names(value: Any) -> Any:
    return tuple(value) if isinstance(value, list | set | frozenset) else value


def _version(_: Config, attribute: attrs.Attribute[str], value: str) -> None:
    message = _refuse(attribute, value, 'a version of VK\'s API such as "5.199"')
    if not isinstance(value, str):
        raise TypeError(message)
    if not re.fullmatch(r"[0-9]{1,3}\.[0-9]{1,4}", value):
        raise ValueError(message)


def _base_url(_: Config, attribute: attrs.Attribute[str], value: str) -> None:
    wanted = 'an http(s) address without "?", "#" and password, such as {}'
    message = _refuse(attribute, value, wanted.format('"https://api.vk.ru/method"'))
    if not isinstance(value, str):
        raise TypeError(message)
    if not _is_plain_url(value, ("http", "https")) or re.search(r"[?#@\s]", value):
        raise ValueError(message)


def _proxy(_: Config, attribute: attrs.Attribute[str], value: str | None) -> None:
    if value is None:
        return
    schemes = ", ".join(PROXY_SCHEMES)
    wanted = f'an address such as "http://localhost:3128", its scheme one of {schemes}'
    # The address may hold a password: it is not repeated.
    if not isinstance(value, str):
        message = f"{attribute.name} must be {wanted}, got a {type(value).__name__}"
        raise TypeError(message)
    if not _is_plain_url(value, PROXY_SCHEMES):
        message = f"{attribute.name} must be {wanted}, got another address"
        raise ValueError(message)
    if value.startswith("socks") and find_spec("socksio") is None:
        message = (
            f"{attribute.name} is a SOCKS proxy, which needs one more package:"
            " pip install 'vkanyio[socks]'"
        )
        raise ValueError(message)


def _is_plain_url(value: str, schemes: tuple[str, ...]) -> bool:
    try:
        url = urlsplit(value)
        _ = url.port
    except ValueError:
        return False
    return url.scheme in schemes and bool(url.hostname)


def _headers(
    _: Config, attribute: attrs.Attribute[Any], value: Mapping[str, str]
) -> None:
    check_headers(attribute.name, value)


def _http_client(_: Config, attribute: attrs.Attribute[Any], value: object) -> None:
    if value is None:
        return
    if not hasattr(value, "aclose") or not callable(getattr(value, "post", None)):
        message = _refuse(
            attribute, value, "an httpx.AsyncClient or an httpx2.AsyncClient"
        )
        raise TypeError(message)


def _limiter(_: Config, attribute: attrs.Attribute[Any], value: object) -> None:
    if value is not None and not isinstance(value, Limiter):
        message = _refuse(attribute, value, "a vkanyio.Limiter")
        raise TypeError(message)


def _function(_: Config, attribute: attrs.Attribute[Any], value: object) -> None:
    if value is not None and not callable(value):
        raise TypeError(_refuse(attribute, value, "an async function"))


def _flag(_: Config, attribute: attrs.Attribute[bool], value: object) -> None:
    if not isinstance(value, bool):
        raise TypeError(_refuse(attribute, value, "True or False"))


class Options(TypedDict, total=False):
    """The options of :class:`Config`, as keyword arguments of :class:`~vkanyio.VK`."""

    limit: int
    wait: float
    mode: Mode
    request_mode: RequestMode
    execute_count: int
    execute_methods: Collection[str]
    execute_unsupported_methods: Collection[str]
    retry_limit: int
    retry_unsafe: bool
    timeout: float
    version: str
    base_url: str
    headers: Mapping[str, str]
    language: Language | None
    proxy: str | None
    http_client: HTTPClient | None
    limiter: Limiter | None
    max_waiting: int
    max_connections: int
    on_captcha: Callable[[Captcha], Awaitable[None]] | None
    on_validation: Callable[[Validation], Awaitable[str]] | None
    on_confirmation: Callable[[Confirmation], Awaitable[bool]] | None


@final
@attrs.frozen
class Config:
    """The options of a client; a wrong one is refused at once.

    :param token: an access token of a user, a community or a service
    :param limit: requests a second: 3 for a user token, 20 for a community token
        (https://dev.vk.com/api/api-requests)
    :param wait: seconds before a failed request is sent again: the base of an
        exponential back-off with jitter
    :param mode: "sequential" sends each call by itself
    :param request_mode: "sequential" spaces the starts evenly, "burst" starts up to
        ``limit`` requests at once; neither lets more than ``limit`` start in a second
    :param execute_count: most calls in one ``execute``, 1 to 25
    :param execute_methods: what the mode "parallel_selected" packs
    :param execute_unsupported_methods: what is never packed
    :param retry_limit: how often a request is sent again
    :param retry_unsafe: send again what VK may have carried out already, whatever it
        does: a post can then appear twice
    :param timeout: seconds for one HTTP attempt; a script that makes many calls may
        need more than the default
    :param version: the version of VK's API
    :param base_url: where VK's methods are found
    :param headers: HTTP headers to send besides vkanyio's own
    :param language: the language of names and texts in VK's answers
    :param proxy: address of an HTTP or SOCKS proxy; SOCKS needs ``vkanyio[socks]``.
        Without it, the environment's ``HTTPS_PROXY`` and the like hold
    :param http_client: an ``httpx.AsyncClient`` or ``httpx2.AsyncClient`` to use; who
        brings it closes it
    :param limiter: a rate limit shared with other clients of the same token, in place
        of ``limit`` and ``request_mode``
    :param max_waiting: most calls of a token that wait at a time; more wait for room
        in their own tasks
    :param max_connections: most HTTP requests in flight at a time; not more than the
        connections of ``http_client``, where one is given
    :param on_captcha: answers captchas, see :class:`~vkanyio.Captcha`
    :param on_validation: returns a new token, see :class:`~vkanyio.Validation`
    :param on_confirmation: agrees or does not, see :class:`~vkanyio.Confirmation`
    :raises TypeError: for a value of the wrong type
    :raises ValueError: for a value that is not allowed
    """

    token: str = attrs.field(repr=False, validator=_token)
    limit: int = attrs.field(
        default=3,
        kw_only=True,
        validator=_Whole(
            1, hint=" (VK allows a user token 3 requests a second, a community 20)"
        ),
    )
    wait: float = attrs.field(default=3.0, kw_only=True, validator=_Seconds(True))
    mode: Mode = attrs.field(default="sequential", kw_only=True, validator=_mode)
    request_mode: RequestMode = attrs.field(
        default="sequential", kw_only=True, validator=_OneOf(("sequential", "burst"))
    )
    execute_count: int = attrs.field(default=25, kw_only=True, validator=_Whole(1, 25))
    execute_methods: Collection[str] = attrs.field(
        default=("messages.send",),
        kw_only=True,
        converter=_to_names,
        validator=_method_names,
    )
    execute_unsupported_methods: Collection[str] = attrs.field(
        default=NOT_FOR_EXECUTE,
        kw_only=True,
        converter=_to_names,
        validator=_method_names,
    )
    retry_limit: int = attrs.field(default=3, kw_only=True, validator=_Whole(0))
    retry_unsafe: bool = attrs.field(default=False, kw_only=True, validator=_flag)
    timeout: float = attrs.field(default=10.0, kw_only=True, validator=_Seconds())
    version: str = attrs.field(default="5.199", kw_only=True, validator=_version)
    base_url: str = attrs.field(
        default="https://api.vk.ru/method", kw_only=True, validator=_base_url
    )
    headers: Mapping[str, str] = attrs.field(
        factory=dict, kw_only=True, repr=False, validator=_headers
    )
    language: Language | None = attrs.field(
        default=None, kw_only=True, validator=_OneOf(LANGUAGES, or_none=True)
    )
    proxy: str | None = attrs.field(
        default=None, kw_only=True, repr=False, validator=_proxy
    )
    http_client: HTTPClient | None = attrs.field(
        default=None, kw_only=True, validator=_http_client
    )
    limiter: Limiter | None = attrs.field(
        default=None, kw_only=True, validator=_limiter
    )
    max_waiting: int = attrs.field(default=1000, kw_only=True, validator=_Whole(1))
    max_connections: int = attrs.field(default=100, kw_only=True, validator=_Whole(1))
    on_captcha: Callable[[Captcha], Awaitable[None]] | None = attrs.field(
        default=None, kw_only=True, validator=_function
    )
    on_validation: Callable[[Validation], Awaitable[str]] | None = attrs.field(
        default=None, kw_only=True, validator=_function
    )
    on_confirmation: Callable[[Confirmation], Awaitable[bool]] | None = attrs.field(
        default=None, kw_only=True, validator=_function
    )

    def __attrs_post_init__(self) -> None:
        """Refuse options that contradict each other."""
        if self.proxy is not None and self.http_client is not None:
            message = (
                "proxy and http_client cannot be given together: give the proxy to the"
                " client that you bring"
            )
            raise ValueError(message)

    @classmethod
    def from_options(cls, token: str, options: Mapping[str, Any]) -> Self:
        """Make a configuration, and say which option was probably meant."""
        known = [field.name for field in attrs.fields(cls)]
        for name in options:
            if name not in known:
                close = difflib.get_close_matches(name, known, n=1)
                meant = f": did you mean {close[0]!r}?" if close else ""
                message = f"unknown option {name!r}{meant or f', known are {known}'}"
                raise TypeError(message)
        return cls(token, **options)
