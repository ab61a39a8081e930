"""Users: their friends and their profiles."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Final, final

import attrs

from .._errors import JSON, VKFault
from .base import DAY, unix
from .names import CITIES, COUNTRY, FIRST_NAMES, LAST_NAMES, alphabet

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from .._call import Call

CROWD: Final = 1000
"""How many users a search covers, in addition to those that a test has added."""

PHOTO_SIZES: Final = {
    "photo_50": 50,
    "photo_100": 100,
    "photo_200": 200,
    "photo_200_orig": 200,
    "photo_400_orig": 400,
    "photo_max": 400,
    "photo_max_orig": 400,
}


@final
@attrs.define(eq=False)
class Ties:
    """Friendships and friend requests, in the order in which they were made."""

    friends: dict[int, dict[int, None]] = attrs.field(
        factory=dict[int, dict[int, None]]
    )
    requests: dict[int, dict[int, str]] = attrs.field(factory=dict[int, dict[int, str]])
    """The requests to each user: who has sent them, and their texts."""

    def are_friends(self, one: int, other: int) -> bool:
        """Return whether two people are friends."""
        return other in self.friends.get(one, ())

    def befriend(self, one: int, other: int) -> None:
        """Make two people friends, which accepts a request between them."""
        for left, right in ((one, other), (other, one)):
            self.requests.get(left, {}).pop(right, None)
            self.friends.setdefault(left, {})[right] = None

    def part(self, one: int, other: int) -> None:
        """End a friendship."""
        for left, right in ((one, other), (other, one)):
            self.friends.get(left, {}).pop(right, None)

    def status(self, viewer: int, other: int) -> int:
        """Return the relation of two people.

        :return: VK's ``friend_status``: 3 for friends, 1 if the viewer has sent a
            request, 2 if the other has, 0 otherwise
        """
        if self.are_friends(viewer, other):
            return 3
        if viewer in self.requests.get(other, ()):
            return 1
        return 2 if other in self.requests.get(viewer, ()) else 0


@final
class People:
    """All users: every positive number is the id of one, with generated properties.

    :param seed: determines the properties
    :param ties: the friendships
    :param statuses: the status texts, by owner
    """

    def __init__(self, seed: int, ties: Ties, statuses: Mapping[int, str]) -> None:
        self._seed = seed
        self.ties = ties
        self._statuses = statuses
        self._added: dict[int, dict[str, JSON]] = {}

    def add(self, user_id: int, properties: dict[str, JSON]) -> None:
        """Replace generated properties of a user."""
        self._added[user_id] = properties

    def known(self) -> list[int]:
        """List the users that a search covers."""
        return [*range(1, CROWD + 1), *(id_ for id_ in self._added if id_ > CROWD)]

    def given(self, user_id: int, name: str) -> JSON:
        """Return a property that a test has set, or None."""
        return self._added.get(user_id, {}).get(name)

    def require(self, user_id: int) -> None:
        """Require that a user exists.

        :raises VKFault: 113 for an invalid id, 18 for a deleted or banned user
        """
        if user_id <= 0:
            raise VKFault(113)
        if self.given(user_id, "deactivated"):
            raise VKFault(18)

    def require_open(self, call: Call, user_id: int) -> None:
        """Require that the caller may see the profile of a user.

        :raises VKFault: as :meth:`require`, and 30 for a closed profile
        """
        self.require(user_id)
        if not self._accessible(call, user_id):
            raise VKFault(30)

    def name(self, user_id: int, letters: int) -> tuple[str, str]:
        """Return the first and the last name.

        :param user_id: the user
        :param letters: the alphabet, as returned by :func:`alphabet`
        """
        person = random.Random(f"user {self._seed} {user_id}")
        first, last = person.choice(FIRST_NAMES), person.choice(LAST_NAMES)
        return first[letters], last[letters]

    def profile(
        self, call: Call, user_id: int, fields: Collection[str] = ()
    ) -> dict[str, JSON]:
        """Describe a user.

        :param call: the call; the result depends on its account and language
        :param user_id: the user
        :param fields: fields to return beside those that VK always returns
        :return: VK's object
        """
        given = self._added.get(user_id, {})
        first, last = self.name(user_id, alphabet(call))
        base: dict[str, JSON] = {"id": user_id}
        base["first_name"] = given.get("first_name", first)
        base["last_name"] = given.get("last_name", last)
        if gone := given.get("deactivated"):
            if gone == "deleted":
                base |= {"first_name": "DELETED", "last_name": ""}
            return {**base, "deactivated": gone}
        base["can_access_closed"] = self._accessible(call, user_id)
        base["is_closed"] = bool(given.get("is_closed"))
        if not fields:
            return base
        possible = self._generated(call, user_id) | self._seen_by(call, user_id) | given
        return base | {name: possible[name] for name in fields if name in possible}

    def _accessible(self, call: Call, user_id: int) -> bool:
        if not self.given(user_id, "is_closed"):
            return True
        viewer = call.account.owner_id
        return user_id == viewer or self.ties.are_friends(viewer, user_id)

    def _generated(self, call: Call, user_id: int) -> dict[str, JSON]:
        person = random.Random(f"user {self._seed} {user_id}")
        letters = alphabet(call)
        female = FIRST_NAMES.index(person.choice(FIRST_NAMES)) % 2 == 0
        person.choice(LAST_NAMES)
        day, month = person.randint(1, 28), person.randint(1, 12)
        city_id, city = person.choice(CITIES)
        absent = person.randrange(DAY)
        online = int(absent < 600)
        seen = unix(call.time) - absent
        nick = f"id{user_id}"
        images = {
            name: f"https://sun1.userapi.com/avatar/{user_id}_{pixels}.jpg"
            for name, pixels in PHOTO_SIZES.items()
        }
        return images | {
            "sex": 1 if female else 2,
            "bdate": f"{day}.{month}.{person.randint(1960, 2005)}",
            "city": {"id": city_id, "title": city[letters]},
            "country": {"id": COUNTRY[0], "title": COUNTRY[1][letters]},
            "home_town": city[letters],
            "domain": nick,
            "screen_name": nick,
            "has_photo": 1,
            "has_mobile": person.randint(0, 1),
            "online": online,
            "last_seen": {"platform": person.randint(1, 7), "time": seen},
            "verified": 0,
            "relation": person.randint(0, 8),
            "site": "",
            "nickname": "",
            "can_post": 1,
            "can_see_all_posts": 1,
            "can_send_friend_request": 1,
            "can_write_private_message": 1,
            "blacklisted": 0,
            "blacklisted_by_me": 0,
        }

    def _seen_by(self, call: Call, user_id: int) -> dict[str, JSON]:
        viewer, ties = call.account.owner_id, self.ties
        friends = ties.friends.get(user_id, {})
        followers = len(ties.requests.get(user_id, ()))
        mutual = len(friends.keys() & ties.friends.get(viewer, {}).keys())
        return {
            "status": self._statuses.get(user_id, ""),
            "is_friend": int(ties.are_friends(viewer, user_id)),
            "friend_status": ties.status(viewer, user_id),
            "followers_count": followers,
            "common_count": mutual,
            "counters": {
                "friends": len(friends),
                "followers": followers,
                "mutual_friends": mutual,
            },
        }
