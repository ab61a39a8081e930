"""Users and communities together: names, and who owns a thing."""

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

MADE_UP: Final = re.compile(r"(id|club|public|event)(\d{1,18})")
"""The names that all users and communities have from the start."""


@final
@attrs.frozen(eq=False)
class Owners:
    """Whoever can own a thing: users have positive numbers, communities negative."""

    people: People
    communities: Communities
    _names: dict[str, int] = attrs.field(factory=dict[str, int], init=False)

    def name(self, screen_name: str, owner_id: int) -> None:
        """Give somebody a name of their own."""
        self._names[screen_name.lower()] = owner_id

    def find(self, name: str) -> int | None:
        """Look up a name.

        :param name: such as "id5", "club5" or a name of somebody's own
        :return: the owner, if there is one
        """
        if owner_id := self._names.get(name.lower()):
            return owner_id
        if (made_up := MADE_UP.fullmatch(name.lower())) is None:
            return None
        sign = 1 if made_up[1] == "id" else -1
        return sign * int(made_up[2])

    def user(self, name: str) -> int:
        """Read a user's number or name.

        :raises VKFault: code 113, if there is no such user
        """
        user_id = int(name) if name.isascii() and name.isdecimal() else self.find(name)
        if user_id is None or user_id <= 0:
            raise VKFault(113)
        return user_id

    def group(self, name: str) -> int:
        """Read a community's number or name.

        :return: its number, positive
        :raises VKFault: code 125, if there is no such community
        """
        digits = name.isascii() and name.isdecimal()
        owner_id = -int(name) if digits else self.find(name)
        if owner_id is None or owner_id >= 0:
            raise VKFault(125)
        return -owner_id

    def owner(self, call: Call, name: str = "owner_id") -> int:
        """Read whose the thing is that a call is about: by default the caller's."""
        return call.integer(name, 0) or call.account.owner_id

    def require_visible(self, call: Call, owner_id: int) -> None:
        """Insist on an owner into whose things the caller may look.

        :raises VKFault: 15, 18 or 30
        """
        if owner_id < 0:
            self.communities.require_visible(call, -owner_id)
        else:
            self.people.require_open(call, owner_id)

    def commands(self, call: Call, owner_id: int) -> bool:
        """Tell whether the caller may speak and act for an owner."""
        if owner_id < 0:
            return self.communities.manages(call, -owner_id)
        return owner_id == call.account.owner_id

    def author(self, call: Call, owner_id: int, *, as_group: bool) -> int:
        """Decide who writes on a wall.

        :param call: the call
        :param owner_id: whose wall it is
        :param as_group: whether the community is to appear as the writer
        :return: the writer
        :raises VKFault: code 15, if the caller may not speak for the community
        """
        if not (as_group and owner_id < 0):
            return call.account.owner_id
        if not self.commands(call, owner_id):
            raise VKFault(15, "Access denied: you should be group moderator")
        return owner_id

    def introduce(self, call: Call, ids: Iterable[int]) -> dict[str, JSON]:
        """Describe those who appear in an answer.

        :param call: the call, whose ``fields`` are obeyed
        :param ids: users, communities, and perhaps chats, which are passed over
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
        self, call: Call, answer: dict[str, JSON], ids: Iterable[int]
    ) -> dict[str, JSON]:
        """Add those who appear in an answer, if ``extended`` asks for them."""
        if flag(call, "extended"):
            answer |= self.introduce(call, ids)
        return answer
