"""``friends``: friendships and friend requests."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import attrs

from .._errors import JSON, VKFault
from .base import flag, numbers, page
from .names import alphabet

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .._call import Call, Handler
    from .people import People

MAX_WITH_FIELDS = 5000


@final
@attrs.frozen(eq=False)
class Friends:
    """Methods that read and change friendships."""

    _people: People

    def methods(self) -> dict[str, Handler]:
        """Return the methods by name."""
        return {
            "friends.add": self._add,
            "friends.areFriends": self._are_friends,
            "friends.delete": self._delete,
            "friends.get": self._get,
            "friends.getMutual": self._get_mutual,
            "friends.getRequests": self._get_requests,
        }

    def _add(self, call: Call) -> JSON:
        me, other = call.account.id, call.integer("user_id")
        if other == me:
            raise VKFault(174)
        if other <= 0 or self._people.given(other, "deactivated"):
            raise VKFault(177)
        ties = self._people.ties
        status = ties.status(me, other)
        if status == 2:
            if flag(call, "follow"):
                del ties.requests[me][other]
            else:
                ties.befriend(me, other)
            return 2
        if status == 3:
            return 2
        ties.requests.setdefault(other, {})[me] = call.params.get("text", "")
        return 4 if status == 1 else 1

    def _delete(self, call: Call) -> JSON:
        me, other = call.account.id, call.integer("user_id")
        ties = self._people.ties
        status = ties.status(me, other)
        if status == 3:
            ties.part(me, other)
            # A former friend remains a follower.
            ties.requests.setdefault(me, {})[other] = ""
            return {"success": 1, "friend_deleted": 1}
        if status == 1:
            del ties.requests[other][me]
            return {"success": 1, "out_request_deleted": 1}
        if status == 2:
            del ties.requests[me][other]
            return {"success": 1, "in_request_deleted": 1}
        raise VKFault(15, "Access denied: no friend or friend request found")

    def _get(self, call: Call) -> JSON:
        user_id = call.integer("user_id", 0) or call.account.id
        self._people.require_open(call, user_id)
        friends = [*self._people.ties.friends.get(user_id, {})]
        fields = call.items("fields")
        if call.params.get("order") == "name":
            letters = alphabet(call)
            friends.sort(key=lambda each: (*self._people.name(each, letters), each))
        elif call.params.get("order", "") in ("", "id"):
            friends.sort()
        max_shown = MAX_WITH_FIELDS if fields else None
        shown = page(call, friends, default=5000, max_shown=max_shown)
        items = [self._people.profile(call, each, fields) for each in shown]
        return {"count": len(friends), "items": items if fields else shown}

    def _are_friends(self, call: Call) -> JSON:
        me, ties = call.account.id, self._people.ties
        value: list[dict[str, JSON]] = []
        for each in numbers(call, "user_ids"):
            status = ties.status(me, each)
            item: dict[str, JSON] = {"user_id": each, "friend_status": status}
            if flag(call, "extended") and status == 2:
                item["is_request_unread"] = True
            value.append(item)
        return value

    def _get_requests(self, call: Call) -> JSON:
        me, ties = call.account.id, self._people.ties
        if flag(call, "out"):
            asked = {
                other: askers[me]
                for other, askers in ties.requests.items()
                if me in askers
            }
        else:
            asked = ties.requests.get(me, {})
        newest_first = [*reversed(asked)]
        shown = page(call, newest_first, default=100)
        value: dict[str, JSON] = {"count": len(newest_first), "items": shown}
        extended, mutual = flag(call, "extended"), flag(call, "need_mutual")
        if extended or mutual:
            value["items"] = [
                self._request(call, each, asked[each], mutual=mutual) for each in shown
            ]
        return value

    def _request(
        self, call: Call, user_id: int, message: str, *, mutual: bool
    ) -> dict[str, JSON]:
        item = self._people.profile(call, user_id, call.items("fields"))
        item["user_id"] = user_id
        if message:
            item["message"] = message
        if mutual:
            common = self._common(call.account.id, user_id)
            item["mutual"] = {"count": len(common), "users": common}
        return item

    def _get_mutual(self, call: Call) -> JSON:
        source = call.integer("source_uid", call.account.id)
        self._people.require_open(call, source)
        if targets := numbers(call, "target_uids"):
            return [self._mutual(call, source, each) for each in targets]
        target = call.integer("target_uid")
        self._people.require_open(call, target)
        value = self._mutual(call, source, target)
        return value if flag(call, "need_common_count") else value["common_friends"]

    def _mutual(self, call: Call, source: int, target: int) -> dict[str, JSON]:
        common = self._common(source, target)
        shown: Sequence[int] = page(call, common, default=len(common))
        return {"id": target, "common_friends": shown, "common_count": len(common)}

    def _common(self, one: int, other: int) -> list[int]:
        friends = self._people.ties.friends
        return sorted(friends.get(one, {}).keys() & friends.get(other, {}).keys())
