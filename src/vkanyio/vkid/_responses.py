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
    if not is_dict(value) or not ("error" in value or "access_token" in value):
        is_transient = status >= 500 or status == 429
        message = f"the response is not one of VK ID (HTTP status {status})"
        raise VKIDError(message, is_transient=is_transient)
    if "error" in value:
        value = hidden.hide_in_json(value)
        raise _refusal(value, status)
    seconds = value.get("expires_in")
    if type(seconds) is not int:
        seconds = 0  # it is not known: VK says when it refuses the token
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
