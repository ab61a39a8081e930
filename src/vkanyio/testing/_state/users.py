"""``users``, and the related methods of ``utils`` and ``account``."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import attrs

from .base import page, unix

if TYPE_CHECKING:
    from .._call import Call, Handler
    from .._errors import JSON
    from .owners import Owners

MAX_FOUND = 1000
"""The number of results that VK's search shows at most, however many it counts."""


@final
@attrs.frozen(eq=False)
class Users:
    """Methods that read users."""

    _owners: Owners

    def methods(self) -> dict[str, Handler]:
        """Return the methods by name."""
        return {
            "account.getInfo": self._info,
            "account.getProfileInfo": self._profile_info,
            "users.get": self._get,
            "users.getFollowers": self._followers,
            "users.search": self._search,
            "utils.getServerTime": self._server_time,
            "utils.resolveScreenName": self._resolve,
        }

    def _server_time(self, call: Call) -> JSON:
        return unix(call.time)

    def _get(self, call: Call) -> JSON:
        names = call.items("user_ids")
        # Only a user may leave them out.
        ids = [self._owners.user(name) for name in names] or [call.account.id]
        fields = set(call.items("fields"))
        if len(ids) > 1:
            # VK returns counters for one user only (https://dev.vk.com/reference/objects/user).
            fields.discard("counters")
        return [self._owners.people.profile(call, each, fields) for each in ids]

    def _search(self, call: Call) -> JSON:
        people = self._owners.people
        words = call.params.get("q", "").lower().split()
        fields = call.items("fields")
        criteria = {
            name: value
            for name in ("sex", "status", "online", "has_photo")
            if (value := call.integer(name, 0))
        }
        criteria["city"] = call.integer("city", 0) or call.integer("city_id", 0)
        found = [
            each
            for each in people.known()
            if self._matches(call, each, words, criteria)
        ]
        shown = page(call, found[:MAX_FOUND], default=20)
        items = [people.profile(call, each, fields) for each in shown]
        return {"count": len(found), "items": items}

    def _matches(
        self, call: Call, user_id: int, words: list[str], criteria: dict[str, int]
    ) -> bool:
        people = self._owners.people
        if people.given(user_id, "deactivated"):
            return False
        names = [
            each.lower() for letters in (0, 1) for each in people.name(user_id, letters)
        ]
        names += [
            str(people.given(user_id, each) or "").lower()
            for each in ("first_name", "last_name")
        ]
        if not all(any(name.startswith(word) for name in names) for word in words):
            return False
        if not any(criteria.values()):
            return True
        fields = ("sex", "relation", "online", "has_photo", "city")
        person = people.profile(call, user_id, fields)
        person["status"] = person["relation"]
        person["city"] = person["city"]["id"]
        return all(
            not wanted or person[key] == wanted for key, wanted in criteria.items()
        )

    def _followers(self, call: Call) -> JSON:
        people = self._owners.people
        user_id = call.integer("user_id", 0) or call.account.id
        people.require_open(call, user_id)
        newest_first = [*reversed(people.ties.requests.get(user_id, {}))]
        shown = page(call, newest_first, default=100)
        fields = call.items("fields")
        items = [people.profile(call, each, fields) for each in shown]
        return {"count": len(newest_first), "items": items if fields else shown}

    def _resolve(self, call: Call) -> JSON:
        owner_id = self._owners.find(call.text("screen_name"))
        if owner_id is None:
            # VK returns an empty list here, but an object if the name exists.
            return []
        kind = "user" if owner_id > 0 else "group"
        return {"object_id": abs(owner_id), "type": kind}

    def _info(self, call: Call) -> JSON:
        info: dict[str, JSON] = {
            "2fa_required": 0,
            "country": "RU",
            "https_required": 1,
            "intro": 0,
            "lang": 3,
            "no_wall_replies": 0,
            "own_posts_default": 0,
        }
        wanted = call.items("fields")
        return {key: info[key] for key in wanted if key in info} if wanted else info

    def _profile_info(self, call: Call) -> JSON:
        fields = (
            *("sex", "bdate", "city", "country", "home_town", "relation"),
            *("screen_name", "status", "photo_200"),
        )
        profile = self._owners.people.profile(call, call.account.id, fields)
        return {**profile, "bdate_visibility": 1, "phone": "+7 *** *** ** 00"}
