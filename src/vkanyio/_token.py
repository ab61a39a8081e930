"""An access token and its end, and the functions that return tokens.

When such a function is called is the subject of ``_engine/_credentials.py``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeAlias, final

import attrs

from ._masking import mask
from ._wire_checks import check_token, shown


def _is_aware(_: Any, attribute: attrs.Attribute[Any], value: Any) -> None:
    wanted = f"{attribute.name} must be a datetime with a time zone"
    if value is None:
        return
    if not isinstance(value, datetime):
        message = f"{wanted}, or None, got {shown(value)}"
        raise TypeError(message)
    if value.tzinfo is None:
        message = f"{wanted}, got {value}: use `datetime.now(timezone.utc)`"
        raise ValueError(message)


def _is_token(_: Any, attribute: attrs.Attribute[Any], token: Any) -> None:
    check_token(attribute.name, token)


@final
@attrs.frozen
class Token:
    """An access token, and when it expires.

    A token function may return one in place of a str. The client then renews it before
    it expires: when a tenth of its lifetime is left, but at most five minutes.

    :param value: the access token; the repr does not show it
    :param expires_at: when it expires, a datetime with a time zone
    :raises TypeError: for a value of the wrong type
    :raises ValueError: for what cannot be a token, or a time without a zone
    """

    value: str = attrs.field(validator=_is_token)
    expires_at: datetime | None = attrs.field(default=None, validator=_is_aware)

    # Type checkers and editors know the signature that attrs would generate. That one
    # would keep the token as it was given in a local variable.
    if not TYPE_CHECKING:

        def __init__(self, value: str, expires_at: datetime | None = None) -> None:
            value = mask(value)
            self.__attrs_init__(value, expires_at)

    def __repr__(self) -> str:
        if not hasattr(self, "expires_at"):  # it was refused
            return "<Token, not complete>"
        end = "" if self.expires_at is None else f", expires_at={self.expires_at!r}"
        return f"Token('***'{end})"


TokenFunction: TypeAlias = Callable[[str | None], Awaitable[str | Token]]
"""An async function that returns an access token.

It gets the token that has to be replaced, or None for the first one.
"""


def token_from(returned: object) -> Token:
    """Return the token that a token function has returned.

    :raises TypeError: if it returned something else
    :raises ValueError: if it returned a str that cannot be a token
    """
    if isinstance(returned, Token):
        return returned
    if isinstance(returned, str):
        check_token("the result of the token function", mask(returned))
        return Token(returned)
    message = (
        "the token function must return a str or a vkanyio.Token, got"
        f" {type(returned).__name__}"
    )
    raise TypeError(message)
