"""``likes``: likes of posts, comments, photos and so on."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias, final

import attrs

from .base import flag, page

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .._call import Call, Handler
    from .._errors import JSON
    from .group_updates import GroupUpdates
    from .owners import Owners

Thing: TypeAlias = tuple[str, int, int]
"""The type, the owner and the id of something that can be liked."""


@final
@attrs.frozen(eq=False)
class Likes:
    """All likes, also of things that do not exist in the simulator."""

    _owners: Owners
    _updates: GroupUpdates
    _fans: dict[Thing, dict[int, None]] = attrs.field(
        factory=dict[Thing, dict[int, None]]
    )

    def methods(self) -> dict[str, Handler]:
        """Return the methods by name."""
        return {
            "likes.add": self._add,
            "likes.delete": self._delete,
            "likes.getList": self._get_list,
            "likes.isLiked": self._is_liked,
        }

    def of(self, thing: Thing) -> Mapping[int, None]:
        """Return those who like a thing, in the order of their likes."""
        return self._fans.get(thing, {})

    def info(self, call: Call, thing: Thing) -> dict[str, JSON]:
        """Return the ``likes`` field of a thing."""
        fans = self.of(thing)
        liked = int(call.account.owner_id in fans)
        can = int(call.account.kind == "user" and not liked)
        return {
            "can_like": can,
            "can_publish": can,
            "count": len(fans),
            "user_likes": liked,
        }

    def _thing(self, call: Call) -> Thing:
        owner_id = self._owners.owner(call)
        return call.text("type"), owner_id, call.integer("item_id")

    def _add(self, call: Call) -> JSON:
        fans = self._fans.setdefault(thing := self._thing(call), {})
        if call.account.owner_id not in fans:
            fans[call.account.owner_id] = None
            self._report(call, "like_add", thing)
        return {"likes": len(fans)}

    def _delete(self, call: Call) -> JSON:
        fans = self._fans.get(thing := self._thing(call), {})
        if call.account.owner_id in fans:
            del fans[call.account.owner_id]
            self._report(call, "like_remove", thing)
        return {"likes": len(fans)}

    def _report(self, call: Call, change: str, thing: Thing) -> None:
        kind, owner_id, number = thing
        shown = {
            "liker_id": call.account.owner_id,
            "object_type": kind,
            "object_owner_id": owner_id,
            "object_id": number,
            "post_id": 0,
        }
        self._updates.about(owner_id, change, shown, call.time)

    def _is_liked(self, call: Call) -> JSON:
        user_id = call.integer("user_id", 0) or call.account.id
        return {"liked": int(user_id in self.of(self._thing(call))), "copied": 0}

    def _get_list(self, call: Call) -> JSON:
        fans = list(self.of(self._thing(call)))[::-1]
        if flag(call, "friends_only"):
            friends = self._owners.people.ties.friends.get(call.account.id, ())
            fans = [each for each in fans if each in friends]
        if flag(call, "skip_own"):
            fans = [each for each in fans if each != call.account.owner_id]
        extended = flag(call, "extended")
        shown = page(call, fans, default=100)
        value: dict[str, JSON] = {"count": len(fans), "items": shown}
        if extended:
            fields = call.items("fields")
            people = self._owners.people
            value["items"] = [
                {"type": "profile", **people.profile(call, each, fields)}
                for each in shown
            ]
        return value
