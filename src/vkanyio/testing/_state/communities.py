"""Communities: their members, managers and profiles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, final

import attrs

from .._errors import JSON, VKFault
from .names import COMMUNITY, alphabet

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from .._call import Call

CROWD: Final = 1000
"""How many communities a search covers, in addition to those a test has added."""

ALWAYS: Final = (
    *("name", "screen_name", "is_closed", "type"),
    *("photo_50", "photo_100", "photo_200"),
)
"""The fields of a community that VK always returns."""

OPEN: Final = 0
PRIVATE: Final = 2


@final
@attrs.define(eq=False)
class Community:
    """The stored data of a community."""

    id: int
    properties: dict[str, JSON] = attrs.field(factory=dict[str, JSON])
    members: dict[int, None] = attrs.field(factory=dict[int, None])
    requests: dict[int, None] = attrs.field(factory=dict[int, None])
    managers: frozenset[int] | None = None
    """Its managers; None if any user may manage it."""

    @property
    def closed(self) -> int:
        """VK's ``is_closed``: 0 for open, 1 for closed, 2 for private."""
        closed: int = self.properties.get("is_closed", OPEN)
        return closed


@final
class Communities:
    """All communities: every positive number is the id of one.

    :param statuses: the status texts, by owner
    """

    def __init__(self, statuses: Mapping[int, str]) -> None:
        self._statuses = statuses
        self._written: dict[int, Community] = {}

    def add(self, community: Community) -> None:
        """Replace a generated community."""
        self._written[community.id] = community

    def known(self) -> list[int]:
        """List the communities that a search covers."""
        return [*range(1, CROWD + 1), *(id_ for id_ in self._written if id_ > CROWD)]

    def look(self, group_id: int) -> Community:
        """Return a community for reading.

        :raises VKFault: code 125, for an invalid id
        """
        if group_id <= 0:
            raise VKFault(125)
        return self._written.get(group_id) or Community(group_id)

    def touch(self, group_id: int) -> Community:
        """Return a community for changing."""
        return self._written.setdefault(group_id, self.look(group_id))

    def of(self, user_id: int) -> list[int]:
        """List the communities of which a user is a member."""
        return [id_ for id_, each in self._written.items() if user_id in each.members]

    def manages(self, call: Call, group_id: int) -> bool:
        """Return whether the caller manages a community, or is the community."""
        if call.account.kind == "group":
            return call.account.id == group_id
        managers = self.look(group_id).managers
        return managers is None or call.account.id in managers

    def require_visible(self, call: Call, group_id: int) -> None:
        """Require that the caller may see the content of a community.

        :raises VKFault: code 15, if not
        """
        community, caller = self.look(group_id), call.account
        if community.closed == OPEN or -group_id == caller.owner_id:
            return
        if caller.id not in {*community.members, *(community.managers or ())}:
            raise VKFault(15)

    def profile(
        self, call: Call, group_id: int, fields: Collection[str] = ()
    ) -> dict[str, JSON]:
        """Describe a community.

        :param call: the call; the result depends on its account and language
        :param group_id: the community
        :param fields: fields to return beside those that VK always returns
        :return: VK's object
        """
        community = self.look(group_id)
        possible = self._generated(call, community) | community.properties
        shown = {name: possible[name] for name in ALWAYS}
        if gone := community.properties.get("deactivated"):
            return {"id": group_id, **shown, "deactivated": gone}
        if call.account.kind == "user":
            member = call.account.id in community.members
            shown |= {"is_member": int(member), "is_advertiser": 0}
            managers = community.managers or ()
            shown["is_admin"] = int(call.account.id in managers)
        extra = {name: possible[name] for name in fields if name in possible}
        return {"id": group_id, **shown, **extra}

    def _generated(self, call: Call, community: Community) -> dict[str, JSON]:
        id_ = community.id
        images = {
            f"photo_{pixels}": f"https://sun1.userapi.com/community/{id_}_{pixels}.jpg"
            for pixels in (50, 100, 200)
        }
        return images | {
            "name": f"{COMMUNITY[alphabet(call)]} {id_}",
            "screen_name": f"club{id_}",
            "is_closed": OPEN,
            "type": "group",
            "description": "",
            "activity": "Open group",
            "members_count": len(community.members),
            "status": self._statuses.get(-id_, ""),
            "site": "",
            "verified": 0,
            "can_message": 1,
            "can_post": 1,
            "can_see_all_posts": 1,
            "has_photo": 1,
            "member_status": self._member_status(call, community),
            "counters": {"photos": 0},
        }

    def _member_status(self, call: Call, community: Community) -> int:
        if call.account.kind != "user":
            return 0
        if call.account.id in community.members:
            return 1
        return 4 if call.account.id in community.requests else 0
