"""Users and communities together: their names, and the owners of things."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, final

import attrs

from .._call import GROUP_CHAT
from .._errors import JSON, VKFault
from .base import flag, unique

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .._call import Call
    from .communities import Communities
    from .people import People

DEFAULT_NAME: Final = re.compile(r"(id|club|public|event)(\d{1,18})")
"""The default names of users and communities."""


@final
@attrs.frozen(eq=False)
class Owners:
    """All owners: users have positive ids, communities negative ones."""

    people: People
    communities: Communities
    _names: dict[str, int] = attrs.field(factory=dict[str, int], init=False)

    def name(self, screen_name: str, owner_id: int) -> None:
        """Set the screen name of an owner."""
        self._names[screen_name.lower()] = owner_id

    def find(self, name: str) -> int | None:
        """Return the owner with a name.

        :param name: such as "id5", "club5" or a screen name
        :return: the owner, or None if there is none
        """
        if owner_id := self._names.get(name.lower()):
            return owner_id
        if (match := DEFAULT_NAME.fullmatch(name.lower())) is None:
            return None
        sign = 1 if match[1] == "id" else -1
        return sign * int(match[2])

    def user(self, name: str) -> int:
        """Return the id of the user with an id or name.

        :raises VKFault: code 113, if there is no such user
        """
        user_id = int(name) if name.isascii() and name.isdecimal() else self.find(name)
        if user_id is None or user_id <= 0:
            raise VKFault(113)
        return user_id

    def group(self, name: str) -> int:
        """Return the id of the community with an id or name.

        :return: its id, positive
        :raises VKFault: code 125, if there is no such community
        """
        digits = name.isascii() and name.isdecimal()
        owner_id = -int(name) if digits else self.find(name)
        if owner_id is None or owner_id >= 0:
            raise VKFault(125)
        return -owner_id

    def owner(self, call: Call, name: str = "owner_id") -> int:
        """Return the owner in the parameters of a call, by default the caller."""
        return call.integer(name, 0) or call.account.owner_id

    def require_visible(self, call: Call, owner_id: int) -> None:
        """Require that the caller may see what an owner has.

        :raises VKFault: 15, 18 or 30, if not
        """
        if owner_id < 0:
            self.communities.require_visible(call, -owner_id)
        else:
            self.people.require_open(call, owner_id)

    def commands(self, call: Call, owner_id: int) -> bool:
        """Return whether the caller may act on behalf of an owner."""
        if owner_id < 0:
            return self.communities.manages(call, -owner_id)
        return owner_id == call.account.owner_id

    def author(self, call: Call, owner_id: int, *, as_group: bool) -> int:
        """Return the author of something new on a wall.

        :param call: the call
        :param owner_id: the owner of the wall
        :param as_group: whether the author should be the community
        :return: the author
        :raises VKFault: code 15, if the caller may not act on behalf of the community
        """
        if not (as_group and owner_id < 0):
            return call.account.owner_id
        if not self.commands(call, owner_id):
            raise VKFault(15, "Access denied: you should be group moderator")
        return owner_id

    def introduce(self, call: Call, ids: Iterable[int]) -> dict[str, JSON]:
        """Describe the users and communities with the given ids.

        :param call: the call, whose ``fields`` are included
        :param ids: the ids of users, communities, and possibly chats, which are skipped
        :return: ``profiles`` and ``groups``
        """
        fields = call.items("fields")
        known = [each for each in unique(ids) if each < GROUP_CHAT]
        of_users = [*fields, "sex", "screen_name", "photo_50", "photo_100", "online"]
        return {
            "profiles": [
                self.people.profile(call, each, of_users) for each in known if each > 0
            ],
            "groups": [
                self.communities.profile(call, -each, fields)
                for each in known
                if each < 0
            ],
        }

    def extend(
        self, call: Call, value: dict[str, JSON], ids: Iterable[int]
    ) -> dict[str, JSON]:
        """Add profiles to a value if ``extended`` asks for them."""
        if flag(call, "extended"):
            value |= self.introduce(call, ids)
        return value
