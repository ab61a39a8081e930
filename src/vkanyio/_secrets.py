"""The secrets of a request, and how to hide them in a response that repeats them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final
from urllib.parse import quote_plus

from ._masking import MASK, SECRET_PARAMS, SecretStr
from ._typeguards import is_dict, is_list

if TYPE_CHECKING:
    from collections.abc import Mapping

_MIN_LENGTH = 4
"""Characters: a shorter secret occurs in any text, and could be guessed anyway."""
_MIN_LENGTH_IN_JSON = 16
"""The same, where programs act upon the text: VK's tokens are longer."""
_MAX_DEPTH = 100
"""Levels of an error object that are searched: VK's has three."""


@final
class Secrets:
    """The secrets of a request: its token, and parameters such as passwords.

    A gateway may repeat them in its page, and VK in its error message.

    :param params: the parameters of the request, secret or not
    :ivar token: the token
    """

    __slots__ = ("_found", "_params", "token")

    def __init__(self, token: str, *params: Mapping[str, Any]) -> None:
        self.token: str = SecretStr(token)
        self._params = params
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
            values: set[str] = {self.token}
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
