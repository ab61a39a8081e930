"""The options of a client, each checked before anything is sent."""

from __future__ import annotations

from typing import (
    TYPE_CHECKING,
    Any,
    Final,
    Literal,
    Self,
    TypedDict,
    Unpack,
    final,
    get_args,
)

import attrs

from ._address import is_loopback, parse_address
from ._limiter import RequestMode
from ._masking import mask_options, mask_token
from ._option_validators import (
    OneOf,
    Seconds,
    Whole,
    are_headers,
    are_method_names,
    is_base_url,
    is_flag,
    is_function,
    is_http_client,
    is_limiter,
    is_plain_function,
    is_proxy,
    is_token,
    is_version,
    to_dict,
    to_tuple,
)
from ._repr import repr_of_fields
from ._similar import did_you_mean
from ._wire_checks import shown

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Mapping

    from ._captcha import Captcha, Confirmation, Validation
    from ._events import Event
    from ._http_client import HTTPClient
    from ._rate_limiter import RateLimiter
    from ._token import TokenFunction

PROBABLE_MILLISECONDS: Final = 1000.0
"""As seconds, a quarter of an hour for one attempt; vk-io has milliseconds."""
TYPED_VERSION: Final = "5.199"
"""The version of the VK API whose methods and objects have types."""

Mode = Literal["sequential", "parallel", "parallel_selected"]
"""What is packed into ``execute``: nothing, all calls, or chosen methods."""
Language = Literal["ru", "uk", "be", "en", "es", "fi", "de", "it"]
"""A language for names and texts in VK's values."""


def _parts(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def _not_for_execute() -> Collection[str]:
    from ._method_facts import (
        NOT_FOR_EXECUTE,
    )  # lazily, so that importing vkanyio is quick

    return NOT_FOR_EXECUTE


class Options(TypedDict, total=False):
    """The options of :class:`Config`, as keyword arguments of :class:`~vkanyio.VK`.

    For functions that pass them on: ``def client(**options: Unpack[Options])``.
    """

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
    allow_insecure: bool
    headers: Mapping[str, str]
    language: Language | None
    proxy: str | None
    http_client: HTTPClient | None
    limiter: RateLimiter | None
    max_waiting: int
    max_connections: int
    max_answer: int
    on_captcha: Callable[[Captcha], Awaitable[None]] | None
    on_validation: Callable[[Validation], Awaitable[str]] | None
    on_confirmation: Callable[[Confirmation], Awaitable[bool]] | None
    on_event: Callable[[Event], object] | None


class ViewOptions(TypedDict, total=False):
    """The options that :meth:`API.as_token` takes; see :class:`Config`."""

    limit: int
    request_mode: RequestMode
    limiter: RateLimiter | None
    mode: Mode
    language: Language | None
    on_captcha: Callable[[Captcha], Awaitable[None]] | None
    on_validation: Callable[[Validation], Awaitable[str]] | None
    on_confirmation: Callable[[Confirmation], Awaitable[bool]] | None


VIEW_OPTION_NAMES = tuple(ViewOptions.__annotations__)
OPTION_NAMES = frozenset(Options.__annotations__)
_FOREIGN_NAMES = {
    "agent": "proxy",
    "auth_handler": "on_validation",
    "callbackService": "on_captcha",
    "captcha_handler": "on_captcha",
    "lang": "language",
    "v": "version",
}
"""Names of vk-io, vk_api and VK itself that do not resemble those of vkanyio."""


@final
@attrs.frozen
class Config:
    """The options of a client; a wrong one is refused at once.

    Its repr shows no token, header or proxy, and neither do tracebacks with the local
    variables of vkanyio. ``attrs.asdict`` and a pickle contain them all, and so may the
    local variables of your own functions.

    :param token: an access token of a user, a community or a service, or an async
        function that returns one: it gets None at first, and later the token to
        replace; see :class:`~vkanyio.Token`
    :param limit: requests a second: 3 for a user token, 20 for a community token
        (https://dev.vk.com/api/api-requests)
    :param wait: seconds before a failed request is retried: the base of an exponential
        back-off with jitter
    :param mode: "sequential" sends each call separately. "parallel" packs the calls
        that wait into ``execute``, up to 25 in one request; "parallel_selected" packs
        only the methods of ``execute_methods``. Values and errors are the same
    :param request_mode: "sequential" spaces the starts evenly, "burst" starts up to
        ``limit`` requests at once; neither lets more than ``limit`` start in a second
    :param execute_count: for the packing modes: maximum number of calls in one
        ``execute``, 1 to 25
    :param execute_methods: for the packing modes: the methods that "parallel_selected"
        packs
    :param execute_unsupported_methods: for the packing modes: the methods that are
        never packed
    :param retry_limit: how often a request is retried; retries after error 6, too many
        requests, and HTTP 429 do not count
    :param retry_unsafe: retry calls that VK may have carried out already, whatever they
        do: a post can then appear twice
    :param timeout: seconds for one HTTP attempt; one that carries many calls may need
        more than the default
    :param version: the version of the VK API
    :param base_url: the URL to which method names are appended
    :param allow_insecure: allow a ``base_url`` with ``http://`` to another machine; the
        token is then sent unencrypted
    :param headers: HTTP headers to send in addition to those of vkanyio
    :param language: the language of names and texts in VK's values
    :param proxy: URL of an HTTP or SOCKS proxy; SOCKS needs ``vkanyio[socks]``. By
        default the environment decides (``HTTPS_PROXY`` and the like)
    :param http_client: an ``httpx.AsyncClient`` or ``httpx2.AsyncClient`` to use; the
        client does not close it. One with ``auth``, ``params`` or ``cookies`` is
        refused. The proxy settings of the environment are then ignored
    :param limiter: a rate limit shared with other clients of the same token, in place
        of ``limit`` and ``request_mode``: a :class:`~vkanyio.Limiter`, or a
        :class:`~vkanyio.redis.RedisLimiter` for several processes
    :param max_waiting: maximum number of calls of a token without an outcome; further
        calls wait for room first (back-pressure)
    :param max_connections: maximum number of HTTP requests in flight; not more than the
        connections of ``http_client``, if that is given
    :param max_answer: maximum number of bytes of a response, compressed or not: a
        larger one raises :exc:`~vkanyio.InvalidResponseError`, or is requested in parts
        in a packing mode. VK's own responses have a few MB at most, and Python objects
        may take twenty times the bytes of their JSON. A client given by ``http_client``
        reads a response completely before its size is known
    :param on_captcha: solves captchas, see :class:`~vkanyio.Captcha`
    :param on_validation: returns a new token, see :class:`~vkanyio.Validation`
    :param on_confirmation: returns whether to confirm, see
        :class:`~vkanyio.Confirmation`
    :param on_event: a function, not async, that is called with an event whenever a call
        or an HTTP request starts or ends, see :class:`~vkanyio.Event`
    :raises TypeError: for a value of the wrong type
    :raises ValueError: for a value that is not allowed
    """

    token: str | TokenFunction = attrs.field(repr=False, validator=is_token)
    limit: int = attrs.field(
        default=3,
        kw_only=True,
        validator=Whole(
            1,
            10**6,
            hint=" (VK allows a user token 3 requests a second, a community 20)",
        ),
    )
    wait: float = attrs.field(
        default=3.0, kw_only=True, validator=Seconds(or_zero=True)
    )
    mode: Mode = attrs.field(
        default="sequential", kw_only=True, validator=OneOf(get_args(Mode))
    )
    request_mode: RequestMode = attrs.field(
        default="sequential",
        kw_only=True,
        validator=OneOf(get_args(RequestMode)),
    )
    execute_count: int = attrs.field(default=25, kw_only=True, validator=Whole(1, 25))
    execute_methods: Collection[str] = attrs.field(
        default=("messages.send",),
        kw_only=True,
        converter=to_tuple,
        validator=are_method_names,
    )
    execute_unsupported_methods: Collection[str] = attrs.field(
        factory=_not_for_execute,
        kw_only=True,
        converter=to_tuple,
        validator=are_method_names,
    )
    retry_limit: int = attrs.field(default=3, kw_only=True, validator=Whole(0))
    retry_unsafe: bool = attrs.field(default=False, kw_only=True, validator=is_flag)
    timeout: float = attrs.field(default=10.0, kw_only=True, validator=Seconds())
    version: str = attrs.field(
        default=TYPED_VERSION, kw_only=True, validator=is_version
    )
    base_url: str = attrs.field(
        default="https://api.vk.ru/method", kw_only=True, validator=is_base_url
    )
    allow_insecure: bool = attrs.field(default=False, kw_only=True, validator=is_flag)
    headers: Mapping[str, str] = attrs.field(
        factory=dict,
        kw_only=True,
        repr=False,
        converter=to_dict,
        validator=are_headers,
    )
    language: Language | None = attrs.field(
        default=None,
        kw_only=True,
        validator=OneOf(get_args(Language), or_none=True),
    )
    proxy: str | None = attrs.field(
        default=None, kw_only=True, repr=False, validator=is_proxy
    )
    http_client: HTTPClient | None = attrs.field(
        default=None, kw_only=True, validator=is_http_client
    )
    limiter: RateLimiter | None = attrs.field(
        default=None, kw_only=True, validator=is_limiter
    )
    max_waiting: int = attrs.field(default=1000, kw_only=True, validator=Whole(1))
    max_connections: int = attrs.field(default=100, kw_only=True, validator=Whole(1))
    max_answer: int = attrs.field(
        default=16 * 2**20,
        kw_only=True,
        validator=Whole(2**10, 2**30, hint=" (bytes)"),
    )
    on_captcha: Callable[[Captcha], Awaitable[None]] | None = attrs.field(
        default=None, kw_only=True, validator=is_function
    )
    on_validation: Callable[[Validation], Awaitable[str]] | None = attrs.field(
        default=None, kw_only=True, validator=is_function
    )
    on_confirmation: Callable[[Confirmation], Awaitable[bool]] | None = attrs.field(
        default=None, kw_only=True, validator=is_function
    )
    on_event: Callable[[Event], object] | None = attrs.field(
        default=None, kw_only=True, validator=is_plain_function
    )

    __repr__ = repr_of_fields

    # Type checkers and editors know the signature that attrs would generate. That one
    # would keep the token as it was given in a local variable.
    if not TYPE_CHECKING:

        def __init__(
            self, token: str | TokenFunction, **options: Unpack[Options]
        ) -> None:
            token, options = mask_token(token), mask_options(options, OPTION_NAMES)
            self._check_names(options)
            self.__attrs_init__(token, **options)

    @property
    def is_older_than_types(self) -> bool:
        """Whether VK may return other values than the types of methods say."""
        return _parts(self.version) < _parts(TYPED_VERSION)

    @property
    def probable_milliseconds(self) -> dict[str, float]:
        """Those of `wait` and `timeout` that were probably meant in milliseconds."""
        options = {"wait": self.wait, "timeout": self.timeout}
        return {
            name: value
            for name, value in options.items()
            if value >= PROBABLE_MILLISECONDS
        }

    def __attrs_post_init__(self) -> None:
        """Refuse options that contradict each other."""
        if self.proxy is not None and self.http_client is not None:
            message = (
                "proxy and http_client cannot be given together: configure the proxy in"
                " your own client"
            )
            raise ValueError(message)
        address = parse_address(self.base_url)
        if (
            address is not None
            and address.scheme == "http"
            and not is_loopback(address.host)
            and not self.allow_insecure
        ):
            message = (
                'base_url must begin with "https://": the token would be sent'
                f" unencrypted to {shown(address.netloc)}, got {shown(self.base_url)};"
                " allow_insecure=True (--allow-insecure) allows it"
            )
            raise ValueError(message)

    @classmethod
    def from_options(
        cls, token: str | TokenFunction, options: Mapping[str, Any]
    ) -> Self:
        """Make a configuration; for an unknown option, name the closest known one."""
        token, options = mask_token(token), mask_options(options, OPTION_NAMES)
        return cls(token, **options)

    @classmethod
    def _check_names(cls, options: Mapping[str, Any]) -> None:
        known = [field.name for field in attrs.fields(cls)]
        for name in options:
            if name not in known:
                own_name = _FOREIGN_NAMES.get(name) or name.removeprefix("api")
                meant = (
                    did_you_mean(own_name, known)
                    or f": the options are {', '.join(known)}"
                )
                message = f"unknown option {shown(name)}{meant}"
                raise TypeError(message)


def check_view_options(options: Mapping[str, object]) -> None:
    """Refuse options that a view does not have.

    :raises TypeError: naming the option
    """
    for name in options:
        if name not in VIEW_OPTION_NAMES:
            own_name = _FOREIGN_NAMES.get(name, name)
            meant = did_you_mean(own_name, VIEW_OPTION_NAMES)
            known = meant or f": a view has {', '.join(VIEW_OPTION_NAMES)}"
            message = f"unknown option {shown(name)} of a view{known}"
            raise TypeError(message)
