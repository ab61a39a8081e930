"""The mailbox of a user or community: its server, its arrays and its history."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

from .._errors import APIError
from .._request import APIRequest
from .._typeguards import is_dict, is_list
from ._answer import number
from ._channel import HistoryPage, perform, read_start
from ._errors import UpdatesError
from .mailbox import CLASSES, UnknownUserUpdate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .._caller import Caller
    from ._channel import Start
    from .mailbox import UserUpdate

VERSION = 3
"""Of the arrays: the last one that VK documents."""
WITH_ATTACHMENTS, WITH_MORE, WITH_PTS, WITH_RANDOM_ID = 2, 8, 32, 128
MODE = WITH_ATTACHMENTS | WITH_MORE | WITH_PTS | WITH_RANDOM_ID
"""What VK is to send, as bits: https://dev.vk.com/api/user-long-poll/getting-started"""

_SERVER = "messages.getLongPollServer"
_HISTORY = "messages.getLongPollHistory"
_TOO_OLD, _TOO_NEW = 907, 908
_RIGHT = (
    "use the token of a community with the right to messages; VK gives that right to"
    " tokens of users in exceptional cases only"
)
_ADVICE = {15: f"is group_id right? If so, {_RIGHT}", 27: _RIGHT, 28: _RIGHT}
"""By code, what to do if the methods of long poll fail."""


@final
class MailboxChannel:
    """A mailbox; implements :class:`~vkanyio.updates._channel.Channel`.

    :param group_id: a community that the user of the token manages, None for the
        mailbox of the token
    """

    has_history = True
    query: Mapping[str, int] = {"mode": MODE, "version": VERSION}

    def __init__(self, caller: Caller, group_id: int | None) -> None:
        self._caller = caller
        self._of = {} if group_id is None else {"group_id": group_id}
        self.group_id: int = group_id or 0

    @property
    def name(self) -> str:
        """What the log calls it."""
        if self.group_id:
            return f"the mailbox of community {self.group_id}"
        return "the token's mailbox"

    async def prepare(self) -> None:
        """Do nothing: the first request for a server tells whether it works."""

    async def find_server(self) -> Start:
        """Request the long poll server of the mailbox."""
        params = {"need_pts": 1, "lp_version": VERSION}
        start = read_start(await self._call(_SERVER, params), _SERVER)
        if not start.pts:
            raise UpdatesError(f"{_SERVER} returned no pts")
        return start

    async def read_history(self, ts: str, pts: str) -> HistoryPage | None:
        """Request what happened after a position; None if it is too old."""
        params = {"ts": ts, "pts": pts, "lp_version": VERSION, "credentials": 1}
        try:
            value = await self._call(_HISTORY, params)
        except APIError as error:
            if error.code in (_TOO_OLD, _TOO_NEW):
                return None
            raise
        found = value if is_dict(value) else {}
        after, arrays = number(found.get("new_pts")), found.get("history")
        has_more = bool(found.get("more"))
        if after is None or not is_list(arrays) or (has_more and after == pts):
            raise UpdatesError(f"{_HISTORY} returned no history that leads on")
        messages = _messages(found.get("messages"))
        first = int(after) - len(arrays) + 1
        updates = [
            _make_update(each, self.group_id, f"pts{place}", messages)
            for place, each in enumerate(arrays, first)
        ]
        start = None
        if not has_more:
            start = read_start(found.get("credentials"), _HISTORY)
        return HistoryPage(updates, after, start)

    def parse(self, raw: Any, place: str) -> UserUpdate:
        """Create an update from what VK sent."""
        return _make_update(raw, self.group_id, place)

    async def _call(self, method: str, params: dict[str, Any]) -> Any:
        request = APIRequest(method, {**self._of, **params})
        return await perform(self._caller, request, _ADVICE)


def _messages(value: object) -> dict[int, dict[str, Any]]:
    """Return the messages of a history by their ids."""
    items = value.get("items") if is_dict(value) else None
    found = [each for each in items if is_dict(each)] if is_list(items) else []
    return {each["id"]: each for each in found if type(each.get("id")) is int}


def _make_update(
    raw: Any,
    group_id: int,
    place: str,
    messages: Mapping[int, dict[str, Any]] | None = None,
) -> UserUpdate:
    """Create an update from what VK sent, whatever it is: none is lost.

    :param raw: VK's array
    :param place: distinguishes updates with the same contents
    :param messages: the messages of a history by their ids, None for what was polled
    """
    array: list[Any] = raw if is_list(raw) else [raw]
    code = array[0] if array and type(array[0]) is int else 0
    cls = CLASSES.get(code, UnknownUserUpdate)
    return cls.make(array, group_id, place, messages)
