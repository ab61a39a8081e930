"""The updates of a community: which one it is, its settings and its server."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, final

from .._errors import APIError
from .._request import APIRequest
from .._typeguards import is_dict, is_list
from ._channel import perform, read_start
from ._errors import UpdatesError
from ._parse import parse_update
from ._types import LONG_POLL_FLAGS

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from .._caller import Caller
    from ._channel import HistoryPage, Start
    from ._update import Update

logger = logging.getLogger("vkanyio")

_OWN_GROUP = "groups.getById"
_SERVER = "groups.getLongPollServer"
_SETTINGS = "groups.getLongPollSettings"
_NEW_SETTINGS = "groups.setLongPollSettings"
_OWN_TOKEN = (
    "use a token of the community, or of a user who manages it, with the right to"
    " manage communities"
)
_NAME_IT = "pass group_id, or use the token of a community"
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


@final
class GroupChannel:
    """A community; implements :class:`~vkanyio.updates._channel.Channel`.

    :param group_id: the community, None for that of the token
    :param kinds: the types of updates that are wanted, empty for all that are on
    :param configure: whether to switch them on
    """

    has_history = False
    query: Mapping[str, int] = {}

    def __init__(
        self,
        caller: Caller,
        group_id: int | None,
        kinds: Collection[str],
        *,
        configure: bool,
    ) -> None:
        self._caller = caller
        self._group_id = group_id
        self._kinds = kinds
        self._configure = configure

    @property
    def name(self) -> str:
        """What the log calls it."""
        group_id = self._group_id
        return "the token's community" if group_id is None else f"community {group_id}"

    @property
    def group_id(self) -> int:
        """The community."""
        return self._group_id or 0

    async def prepare(self) -> None:
        """Find out which community it is, and switch on its long poll server.

        If that is not wanted, warn of types that are switched off: VK is silent then.

        :raises UpdatesError: if the token is not that of a community
        """
        if self._group_id is None:
            self._group_id = await find_own_group(self._caller)
        if self._configure:
            await self._switch_on()
        elif self._kinds:
            await self._warn_of_those_off()

    async def _switch_on(self) -> None:
        """Switch on the server, and types of updates; the others stay as they are."""
        flags = {kind: True for kind in self._kinds if kind in LONG_POLL_FLAGS}
        version = self._caller.config.version
        settings = {"enabled": True, "api_version": version, **flags}
        await self._call(_NEW_SETTINGS, settings)

    async def _warn_of_those_off(self) -> None:
        try:
            value = await self._call(_SETTINGS, {})
        except APIError:
            return  # the server needs the same rights, and its error is raised
        events = value.get("events") if is_dict(value) else None
        if not is_dict(events):
            return
        if off := sorted(kind for kind in self._kinds if events.get(kind, 1) == 0):
            logger.warning(
                "updates of %s: the settings of the community do not send %s: tick them"
                " under API usage, Long Poll API, or pass configure=True",
                self.name,
                ", ".join(off),
            )

    async def find_server(self) -> Start:
        """Request the long poll server of the community."""
        return read_start(await self._call(_SERVER, {}), _SERVER)

    async def read_history(self, ts: str, pts: str) -> HistoryPage | None:  # noqa: ARG002
        """Return nothing: VK keeps no history for communities."""
        return None

    def parse(self, raw: Any, place: str) -> Update[Any]:  # noqa: ARG002
        """Create an update from what VK sent."""
        return parse_update(raw, self.group_id)

    async def _call(self, method: str, params: dict[str, Any]) -> Any:
        request = APIRequest(method, {"group_id": self._group_id, **params})
        return await perform(self._caller, request, _ADVICE)


async def find_own_group(caller: Caller) -> int:
    """Return the id of the community that the token of the client belongs to.

    :raises UpdatesError: if the token is not that of a community
    :raises VKError: as a call does
    """
    value = await perform(caller, APIRequest(_OWN_GROUP), {100: _NAME_IT})
    groups = value.get("groups") if is_dict(value) else value
    first: Any = groups[0] if is_list(groups) and groups else None
    group_id = first.get("id") if is_dict(first) else None
    if type(group_id) is not int:
        message = f"VK does not say which community the token belongs to: {_NAME_IT}"
        raise UpdatesError(message)
    return group_id
