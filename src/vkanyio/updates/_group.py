"""The calls that long poll needs: the community, its settings and its server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._address import parse_address
from .._errors import APIError
from .._request import APIRequest
from .._typeguards import is_dict, is_list
from ._answer import LongPollServer
from ._errors import UpdatesError
from ._types import LONG_POLL_FLAGS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .._caller import Caller

_SERVER = "groups.getLongPollServer"
_SETTINGS = "groups.setLongPollSettings"
_OWN_TOKEN = (
    "use a token of the community, or of a user who manages it, with the right to"
    " manage communities"
)
_ADVICE = {
    15: f"is group_id right? If so, {_OWN_TOKEN}",
    27: _OWN_TOKEN,
    28: _OWN_TOKEN,
    100: (
        "switch on the Long Poll API, in the settings of the community or by"
        " configure=True, and check group_id"
    ),
}
"""By code, what to do if the methods of long poll fail."""


async def find_own_group(caller: Caller) -> int:
    """Return the id of the community that the token of the client belongs to.

    :raises UpdatesError: if the token is not that of a community
    """
    try:
        value = await caller.perform(APIRequest("groups.getById"))
    except APIError as error:
        if error.code == 100:  # the token of a user: group_ids is missing
            error.advice = "pass group_id, or use the token of a community"
        raise
    groups = value.get("groups") if is_dict(value) else value
    first: Any = groups[0] if is_list(groups) and groups else None
    group_id = first.get("id") if is_dict(first) else None
    if type(group_id) is not int:
        message = (
            "VK does not say which community the token belongs to: pass group_id, or"
            " use the token of a community"
        )
        raise UpdatesError(message)
    return group_id


async def switch_on(caller: Caller, group_id: int, kinds: Iterable[str]) -> None:
    """Switch on the long poll server of a community.

    :param kinds: the types of updates to switch on; the others stay as they are
    """
    flags = {kind: True for kind in kinds if kind in LONG_POLL_FLAGS}
    version = caller.config.version
    params = {"group_id": group_id, "enabled": True, "api_version": version, **flags}
    await _call(caller, _SETTINGS, params)


async def find_server(caller: Caller, group_id: int) -> tuple[LongPollServer, str]:
    """Request the long poll server of a community.

    :return: the server, and the number of the last update
    :raises VKError: as a call does; an APIError says what to switch on
    """
    value = await _call(caller, _SERVER, {"group_id": group_id})
    found = value if is_dict(value) else {}
    server, key, ts = (found.get(name) for name in ("server", "key", "ts"))
    if isinstance(server, str) and isinstance(key, str) and type(ts) in (int, str):
        where = LongPollServer(server, key)
        address = parse_address(where.url)
        if address is not None and address.scheme in ("http", "https"):
            return where, str(ts)
    raise UpdatesError(f"{_SERVER} returned no server, or no key")


async def _call(caller: Caller, method: str, params: dict[str, Any]) -> Any:
    try:
        return await caller.perform(APIRequest(method, params))
    except APIError as error:
        error.advice = _ADVICE.get(error.code, error.advice)
        raise
