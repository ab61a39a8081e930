"""Hide secrets: values that mask themselves, and secrets in texts.

A secret is masked by the first statement of the function that gets it from a user, and
stays so for as long as it is in use: as a parameter, as a header and as bytes. So a
traceback with local variables shows none. A response may repeat the secrets of its
request; :class:`Secrets` hides them in what an error shows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, cast, final
from urllib.parse import quote_plus

from ._typeguards import is_dict, is_list, is_mapping

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

T = TypeVar("T")

MASK = "***"

SECRET_PARAMS = frozenset(
    {
        "access_token",
        "captcha_key",
        "code_verifier",
        "change_password_hash",
        "client_secret",
        "new_password",
        "old_password",
        "password",
        "refresh_token",
        "remixstlid",
        "restore_sid",
        "secret_key",
        "service_token",
        "success_token",
        "token",
    }
)
"""Parameters that errors and reprs never show."""

_MIN_LENGTH = 4
"""Characters: a shorter secret occurs in any text, and could be guessed anyway."""
_MIN_LENGTH_IN_JSON = 16
"""The same, where programs act upon the text: VK's tokens are longer."""
_MAX_DEPTH = 100
"""Levels of an error object that are searched: VK's has three."""


@final
class SecretBytes(bytes):
    """Bytes that are used like any others, and whose repr is a mask."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"b'{MASK}'"


@final
class SecretStr(str):
    """A string that is used like any other, and whose repr is a mask.

    ``str(secret)`` and ``f"{secret}"`` are ordinary strings again.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return f"'{MASK}'"

    def encode(self, encoding: str = "utf-8", errors: str = "strict") -> SecretBytes:
        """Encode it, as bytes that hide themselves, too."""
        return SecretBytes(super().encode(encoding, errors))


@final
class Masked:
    """A value of another type, in a wrapper that does not show it."""

    __slots__ = ("_value",)

    def __init__(self, value: object) -> None:
        self._value = value

    def __repr__(self) -> str:
        return MASK

    @property
    def kind(self) -> str:
        """The name of the type of the value."""
        return type(self._value).__name__

    def reveal(self) -> Any:
        """Return the value."""
        return self._value


def mask(value: T) -> T:
    """Return a value that does not show itself, unless it is None.

    :return: for a str and bytes the same, of a class whose repr is a mask; anything
        else in a :class:`Masked`
    """
    masked: Any = value
    if type(value) is str:
        masked = SecretStr(value)
    elif isinstance(value, bytes):
        masked = SecretBytes(value)
    elif isinstance(value, str) and not hasattr(value, "to_vk"):
        # By the method of `str`: that of an enum returns the name of the member.
        masked = SecretStr(str.__str__(value))
    elif value is not None and not isinstance(value, Masked):
        masked = Masked(value)
    return cast("T", masked)


def mask_token(token: T) -> T:
    """Return a token masked; a function that returns tokens is no secret."""
    masked: Any = token
    if isinstance(token, str) or not callable(token):
        masked = mask(masked)
    return cast("T", masked)


def mask_params(params: T) -> T:
    """Return the parameters of a call with the secrets among them masked.

    :param params: a mapping, which is copied if it has secrets; None; anything else is
        masked as a whole, since it will be refused
    """
    if params is None:
        return params
    masked: Any = params
    if type(params) is dict or is_mapping(params):  # the first is the quick check
        if not SECRET_PARAMS.isdisjoint(masked):
            masked = _mask_values(masked, SECRET_PARAMS)
    elif not isinstance(params, Masked):
        masked = Masked(params)
    return cast("T", masked)


def mask_headers(headers: T) -> T:
    """Return HTTP headers with all their values masked; see :func:`mask_params`."""
    if headers is None:
        return headers
    masked: Any = (
        _mask_values(headers, headers) if is_mapping(headers) else mask(headers)
    )
    return cast("T", masked)


def mask_options(options: T, known: Collection[str]) -> T:
    """Return the options of a client with those masked that may contain a secret.

    :param options: a mapping
    :param known: the options that exist: the others are masked, whatever they are
    """
    masked = dict(cast("Mapping[str, Any]", options))
    for name, value in masked.items():
        is_login = name == "base_url" and isinstance(value, str) and "@" in value
        if name == "headers":
            masked[name] = mask_headers(value)
        elif name in ("proxy", "token") or name not in known or is_login:
            masked[name] = mask(value)
    return cast("T", masked)


def _mask_values(values: Mapping[Any, Any], names: Any) -> dict[Any, Any]:
    return {k: mask(v) if k in names else v for k, v in values.items()}


def kind_of(value: object) -> str:
    """Return the name of the type of a value, masked or not."""
    if isinstance(value, Masked):
        return value.kind
    if isinstance(value, SecretStr | SecretBytes):
        return type(value).__bases__[0].__name__
    return type(value).__name__


@final
class Secrets:
    """The secrets of a request: its token, and parameters such as passwords.

    A gateway may repeat them in its page, and VK in its error message.

    :param params: the parameters of the request, secret or not
    :param others: other tokens that may still be valid
    :ivar token: the token
    """

    __slots__ = ("_found", "_others", "_params", "token")

    def __init__(
        self, token: str, *params: Mapping[str, Any], others: Collection[str] = ()
    ) -> None:
        self.token: str = SecretStr(token)
        self._params = params
        self._others = others
        self._found: list[str] | None = None  # collected once, for the first error

    def __repr__(self) -> str:
        return f"<Secrets: {MASK}>"

    def hide(self, text: str) -> str:
        """Return a text for display, with the secrets in it masked."""
        for value in self._values(_MIN_LENGTH):
            text = text.replace(value, MASK)
        return text

    def hide_bytes(self, data: bytes) -> bytes:
        """Return bytes for display, with the secrets in them masked."""
        for value in self._values(_MIN_LENGTH):
            data = data.replace(value.encode(), MASK.encode())
        return data

    def hide_in_json(self, value: Any) -> Any:
        """Return JSON with the secrets in its strings masked.

        Short ones stay: they may be part of what an answer to VK is built from.
        """
        return _masked(value, self._values(_MIN_LENGTH_IN_JSON))

    def _values(self, min_length: int) -> list[str]:
        """Return the secrets, plain and as encoded in a form, longest first."""
        if self._found is None:
            values: set[str] = {self.token, *map(SecretStr, self._others)}
            for params in self._params:
                found = SECRET_PARAMS & params.keys()
                values |= {SecretStr(params[name]) for name in found}
            values |= {SecretStr(quote_plus(value)) for value in values}
            self._found = sorted(values, key=len, reverse=True)
        return [value for value in self._found if len(value) >= min_length]


def _masked(value: Any, secrets: list[str], depth: int = 0) -> Any:
    if depth > _MAX_DEPTH:
        return MASK
    if isinstance(value, str):
        for secret in secrets:
            value = value.replace(secret, MASK)
        return value
    if is_list(value):
        return [_masked(item, secrets, depth + 1) for item in value]
    if is_dict(value):
        return {
            _masked(key, secrets): _masked(item, secrets, depth + 1)
            for key, item in value.items()
        }
    return value
