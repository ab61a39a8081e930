"""The tokens of VK ID as they are stored, and what a store has to do."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol, final

import attrs

from .._errors import VKError
from .._masking import mask_params
from .._repr import repr_of_fields
from .._token import Token
from .._typeguards import is_mapping
from .._wire_checks import check_token, shown

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractAsyncContextManager


class VKIDError(VKError):
    """Raised when VK ID issues no tokens, or when there are none to begin with.

    :ivar error: VK ID's code, such as "invalid_grant"; ``""`` if it returned none
    """

    def __init__(
        self, message: str, *, error: str = "", is_transient: bool = False
    ) -> None:
        super().__init__(message)
        self.error = error
        self._is_transient = is_transient

    @property
    def is_transient(self) -> bool:
        """Whether VK ID has problems, so that it may issue tokens later."""
        return self._is_transient


@final
@attrs.frozen(kw_only=True)
class StoredTokens:
    """A pair of tokens, and what VK ID requires with them. Its repr shows no token.

    :ivar access_token: the token for the API
    :ivar refresh_token: exchanged for the next pair; it can be used once
    :ivar expires_at: when the access token expires, with a time zone
    :ivar device_id: what VK ID returned with the code of the authorization
    :ivar user_id: the owner of the tokens, if VK ID named one
    """

    access_token: str = attrs.field(repr=False)
    refresh_token: str = attrs.field(repr=False)
    expires_at: datetime
    device_id: str
    user_id: int | None = None

    # As in `Token`: the tokens are masked from the first line on.
    if not TYPE_CHECKING:

        def __init__(self, **values: Any) -> None:
            values = mask_params(values)
            self.__attrs_init__(**values)

    def __attrs_post_init__(self) -> None:
        """Check the values."""
        for name in ("access_token", "refresh_token"):
            check_token(name, getattr(self, name))
        Token(self.access_token, self.expires_at)  # which checks the time
        if not isinstance(self.device_id, str) or not self.device_id:
            message = f"device_id must be a str, got {shown(self.device_id)}"
            raise TypeError(message)

    __repr__ = repr_of_fields

    @property
    def token(self) -> Token:
        """The access token, as a client takes it."""
        return Token(self.access_token, self.expires_at)

    @property
    def has_expired(self) -> bool:
        """Whether the access token has expired."""
        return self.expires_at <= datetime.now(UTC)

    def to_json(self) -> dict[str, Any]:
        """Return the tokens as a dict of JSON values."""
        return {
            "access_token": str(self.access_token),
            "refresh_token": str(self.refresh_token),
            "expires_at": self.expires_at.isoformat(),
            "device_id": self.device_id,
            "user_id": self.user_id,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> StoredTokens:
        """Make the tokens from what :meth:`to_json` returned.

        :raises TypeError: if a value is missing, or of the wrong type
        :raises ValueError: if a value is wrong
        """
        value = mask_params(value)  # no traceback with local variables shows a token
        if not is_mapping(value):
            message = "the tokens must be an object"
            raise TypeError(message)
        fields: dict[str, Any] = {name: value.get(name) for name in _FIELDS}
        expires_at = fields["expires_at"]
        if not isinstance(expires_at, str):
            message = f"expires_at must be a str, got {shown(expires_at)}"
            raise TypeError(message)
        fields["expires_at"] = datetime.fromisoformat(expires_at)
        return cls(**fields)


_FIELDS = ("access_token", "refresh_token", "expires_at", "device_id", "user_id")


class TokenStore(Protocol):
    """Where tokens are kept: :class:`FileTokens`, or your own class for a database.

    Several processes may share the tokens, if the lock is for all of them.
    """

    def lock(self) -> AbstractAsyncContextManager[object]:
        """Return a lock for loading, renewing and saving the tokens."""
        ...

    async def load(self) -> StoredTokens | None:
        """Return the tokens, None if there are none yet."""
        ...

    async def save(self, tokens: StoredTokens) -> None:
        """Replace the tokens, all or nothing, so that they survive a power failure.

        Before each renewal it is tried with the tokens that are stored already: new
        ones that cannot be saved would be lost.
        """
        ...
