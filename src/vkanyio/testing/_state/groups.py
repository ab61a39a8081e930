"""``groups``: communities and their members."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import attrs

from .._errors import JSON, VKFault
from .base import flag, numbers, page
from .communities import OPEN, PRIVATE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .._call import Call, Handler
    from .communities import Community
    from .group_updates import GroupUpdates
    from .owners import Owners

MAX_IDS = 500
MAX_FOUND = 1000
"""The number of results that VK's search shows at most, however many it counts."""


@final
@attrs.frozen(eq=False)
class Groups:
    """Methods that read and change communities."""

    _owners: Owners
    _updates: GroupUpdates

    def methods(self) -> dict[str, Handler]:
        """Return the methods by name."""
        return {
            "groups.get": self._get,
            "groups.getById": self._get_by_id,
            "groups.getMembers": self._get_members,
            "groups.isMember": self._is_member,
            "groups.join": self._join,
            "groups.leave": self._leave,
            "groups.search": self._search,
        }

    def _get_by_id(self, call: Call) -> JSON:
        names = call.items("group_ids") or call.items("group_id")
        _require_few(names, "group_ids")
        # Only a community may leave out both.
        ids = [self._owners.group(name) for name in names] or [call.account.id]
        return {"groups": self._describe(call, ids), "profiles": []}

    def _get(self, call: Call) -> JSON:
        user_id = call.integer("user_id", 0) or call.account.id
        self._owners.people.require_open(call, user_id)
        ids = self._owners.communities.of(user_id)
        if "admin" in call.items("filter"):
            look = self._owners.communities.look
            ids = [each for each in ids if user_id in (look(each).managers or ())]
        shown = page(call, ids, default=1000)
        items = self._describe(call, shown) if flag(call, "extended") else shown
        return {"count": len(ids), "items": items}

    def _describe(self, call: Call, ids: Sequence[int]) -> list[JSON]:
        fields = call.items("fields")
        return [self._owners.communities.profile(call, each, fields) for each in ids]

    def _get_members(self, call: Call) -> JSON:
        community = self._visible(call)
        if call.params.get("filter") == "managers":
            return self._get_managers(call, community)
        members = [*community.members]
        if call.params.get("filter") == "friends":
            friends = self._owners.people.ties.friends.get(call.account.owner_id, ())
            members = [each for each in members if each in friends]
        order = call.params.get("sort", "id_asc")
        if order.startswith("id"):
            members.sort()
        if order.endswith("desc"):
            members.reverse()
        shown = page(call, members, default=1000)
        value: dict[str, JSON] = {"count": len(members), "items": shown}
        if fields := call.items("fields"):
            people = self._owners.people
            value["items"] = [people.profile(call, each, fields) for each in shown]
        return value

    def _get_managers(self, call: Call, community: Community) -> JSON:
        if not self._owners.communities.manages(call, community.id):
            raise VKFault(15, "Access denied: you should be group moderator")
        managers = sorted(community.managers or ())
        shown = page(call, managers, default=1000)
        items: list[dict[str, JSON]] = [
            {"id": each, "role": "administrator"} for each in shown
        ]
        if fields := call.items("fields"):
            people = self._owners.people
            items = [
                {**people.profile(call, each["id"], fields), **each} for each in items
            ]
        return {"count": len(managers), "items": items}

    def _is_member(self, call: Call) -> JSON:
        community = self._visible(call)
        extended = flag(call, "extended")
        several = numbers(call, "user_ids")
        _require_few(several, "user_ids")
        asked = several or [call.integer("user_id", 0) or call.account.id]
        found: list[dict[str, JSON]] = []
        for each in asked:
            status = {"user_id": each, "member": int(each in community.members)}
            if extended:
                status |= {"request": int(each in community.requests), "invitation": 0}
            found.append(status)
        if several:
            return found
        [one] = found
        del one["user_id"]
        return one if extended else one["member"]

    def _join(self, call: Call) -> JSON:
        group_id = call.integer("group_id")
        community = self._owners.communities.look(group_id)
        if community.closed == PRIVATE:
            raise VKFault(15)
        community = self._owners.communities.touch(group_id)
        user_id = call.account.id
        if user_id in {*community.members, *community.requests}:
            return 1
        is_open = community.closed == OPEN
        (community.members if is_open else community.requests)[user_id] = None
        shown = {"user_id": user_id, "join_type": "join" if is_open else "request"}
        self._updates.make(group_id, "group_join", shown, call.time)
        return 1

    def _leave(self, call: Call) -> JSON:
        community = self._owners.communities.touch(call.integer("group_id"))
        user_id = call.account.id
        community.requests.pop(user_id, None)
        if user_id in community.members:
            del community.members[user_id]
            shown = {"user_id": user_id, "self": 1}
            self._updates.make(community.id, "group_leave", shown, call.time)
        return 1

    def _search(self, call: Call) -> JSON:
        words = call.text("q").lower().split()
        communities = self._owners.communities
        kind = call.params.get("type")
        profiles = [communities.profile(call, each) for each in communities.known()]
        found = [
            each
            for each in profiles
            if all(word in each["name"].lower() for word in words)
            and kind in (None, "", each["type"])
        ]
        items = page(call, found[:MAX_FOUND], default=20)
        return {"count": len(found), "items": items}

    def _visible(self, call: Call) -> Community:
        group_id = self._owners.group(call.text("group_id"))
        self._owners.communities.require_visible(call, group_id)
        return self._owners.communities.look(group_id)


def _require_few(items: Sequence[object], name: str) -> None:
    if len(items) > MAX_IDS:
        raise VKFault.parameter(f"{name} should contain at most {MAX_IDS} items")
