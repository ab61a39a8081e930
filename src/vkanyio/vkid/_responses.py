"""What the responses of VK ID mean: tokens, or an error that says what to do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from .._masking import mask_params
from .._response import read_json
from .._typeguards import is_dict
from ._tokens import StoredTokens, VKIDError

if TYPE_CHECKING:
    from .._masking import Secrets

AUTHORIZE = "authorize again, and pass the new code to `exchange`"
_MAX_DIGITS = 9
"""Of ``expires_in``: thirty years. No date is much later."""
_TRANSIENT = frozenset({"server_error", "temporarily_unavailable", "slow_down"})


def read_tokens(
    status: int, body: bytes, hidden: Secrets, device_id: str
) -> StoredTokens:
    """Return the tokens that VK ID has issued.

    :raises VKIDError: if it has not
    """
    try:
        value: Any = mask_params(read_json(body))
    except (ValueError, RecursionError):
        value = None
    error = value.get("error") if is_dict(value) else None
    if not is_dict(value) or (error is None and "access_token" not in value):
        is_transient = status >= 500 or status == 429
        message = f"the response is not one of VK ID (HTTP status {status})"
        raise VKIDError(message, is_transient=is_transient)
    if error is not None:
        value = hidden.hide_in_json(value)
        raise _refusal(value, status)
    seconds = _seconds(value.get("expires_in"))
    fields: dict[str, Any] = {
        "access_token": value["access_token"],
        "refresh_token": value.get("refresh_token"),
        "expires_at": datetime.now(UTC) + timedelta(seconds=seconds),
        "device_id": device_id,
        "user_id": value.get("user_id"),
    }
    try:
        return StoredTokens(**fields)
    except (TypeError, ValueError) as problem:
        message = f"VK ID returned tokens that cannot be used: {problem}"
    raise VKIDError(message)


def _seconds(value: object) -> int:
    """Return for how long tokens are valid.

    :return: 0 if it is not known: VK says when it refuses the token
    """
    text = str(value) if type(value) in (int, str) else ""
    is_known = text.isascii() and text.isdecimal() and len(text) <= _MAX_DIGITS
    return int(text) if is_known else 0


def _refusal(value: dict[str, Any], status: int) -> VKIDError:
    error = str(value["error"])[:100]
    text = str(value.get("error_description") or "")[:500]
    message = f"VK ID refused the request: {error}" + (f", {text}" if text else "")
    is_transient = error in _TRANSIENT or status >= 500 or status == 429
    if error == "invalid_grant":
        message += (
            ". A code or a refresh token can be used only once. This one has expired,"
            " or it was already used: the tokens that VK ID returned then were not"
            f" stored, or another program has them. To go on, {AUTHORIZE}"
        )
    return VKIDError(message, error=error, is_transient=is_transient)
