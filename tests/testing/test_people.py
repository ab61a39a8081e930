"""``users``, ``utils`` and ``account``: data about people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from vkanyio.testing import Simulator

    Ask: TypeAlias = Callable[..., Awaitable[Any]]

pytestmark = pytest.mark.anyio


FIELDS = "sex,bdate,city,country,photo_50,domain,online,last_seen,status,counters"


async def test_only_requested_fields_are_returned(ask: Ask) -> None:
    [plain] = await ask("users.get", user_ids=5)
    assert set(plain) == {
        "id",
        "first_name",
        "last_name",
        "can_access_closed",
        "is_closed",
    }
    [full] = await ask("users.get", user_ids=5, fields=f"{FIELDS},nonsense")
    assert set(full) - set(plain) == set(FIELDS.split(","))
    assert full == (await ask("users.get", user_ids=5, fields=FIELDS))[0]
    assert full["domain"] == "id5"


async def test_counters_come_for_one_person_at_a_time(ask: Ask) -> None:
    people = await ask("users.get", user_ids="5,6", fields="counters,sex")
    assert ["counters" in each for each in people] == [False, False]
    assert all("sex" in each for each in people)


async def test_defined_properties_replace_generated_ones(
    town: Simulator, ask: Ask
) -> None:
    town.add_user(5, first_name="Nadia", screen_name="nadia", sex=1, friends=[1])
    [nadia] = await ask("users.get", user_ids="nadia", fields="sex,domain,is_friend")
    assert (nadia["id"], nadia["first_name"], nadia["domain"]) == (5, "Nadia", "nadia")
    assert nadia["is_friend"] == 1
    [theirs] = await ask("users.get", "boris", user_ids="NADIA", fields="is_friend")
    assert theirs["is_friend"] == 0


@pytest.mark.parametrize(
    ("lang", "cyrillic"),
    [("ru", True), ("0", True), ("uk", True), ("en", False), ("3", False), ("", False)],
)
async def test_names_come_in_the_language_that_is_asked_for(
    ask: Ask, lang: str, cyrillic: bool
) -> None:
    [user] = await ask("users.get", user_ids=5, lang=lang, fields="city")
    [group] = (await ask("groups.getById", group_ids=5, lang=lang))["groups"]
    for text in (user["first_name"], user["city"]["title"], group["name"]):
        assert (not text.isascii()) == cyrillic


async def test_without_a_language_names_are_english(ask: Ask) -> None:
    [user] = await ask("users.get", user_ids=5)
    assert user["first_name"].isascii()


@pytest.mark.parametrize("gone", ["deleted", "banned"])
async def test_a_deactivated_user_shows_only_that(
    town: Simulator, ask: Ask, code: Ask, gone: str
) -> None:
    town.add_user(5, deactivated=gone)
    [user] = await ask("users.get", user_ids=5, fields="sex")
    assert user["deactivated"] == gone
    assert (user["first_name"] == "DELETED") == (gone == "deleted")
    assert "sex" not in user
    assert "is_closed" not in user
    for method in ("wall.get", "photos.getAll"):
        assert await code(method, owner_id=5) == 18
    for method in ("friends.get", "groups.get", "users.getFollowers"):
        assert await code(method, user_id=5) == 18


async def test_a_closed_profile_opens_to_friends_alone(
    town: Simulator, ask: Ask, code: Ask
) -> None:
    town.add_user(2, is_closed=True, friends=[1])
    for token, open_ in (("anna", True), ("boris", True), ("daria", False)):
        [user] = await ask("users.get", token, user_ids=2)
        assert user["is_closed"] is True
        assert user["can_access_closed"] is open_
        assert await code("wall.get", token, owner_id=2) == (0 if open_ else 30)
        assert await code("friends.get", token, user_id=2) == (0 if open_ else 30)


async def test_a_search_finds_what_begins_with_its_words(ask: Ask) -> None:
    found = await ask("users.search", q="ann", count=1000)
    assert found["count"] == len(found["items"]) > 0
    assert {each["first_name"] for each in found["items"]} == {"Anna"}
    rest = await ask("users.search", q="ann", count=1000, offset=3)
    assert rest["items"] == found["items"][3:]
    assert (await ask("users.search", q="anna xyz"))["count"] == 0
    russian = await ask("users.search", q="Анна", count=0)
    assert russian == {"count": found["count"], "items": []}


async def test_a_search_can_have_criteria(town: Simulator, ask: Ask) -> None:
    town.add_user(5000, first_name="Zoe", sex=1, city={"id": 777, "title": "Omsk"})
    women = await ask("users.search", q="", sex=1, count=1000, fields="sex")
    assert {each["sex"] for each in women["items"]} == {1}
    [zoe] = (await ask("users.search", q="zoe", city=777))["items"]
    assert zoe["id"] == 5000
    assert (await ask("users.search", q="zoe", sex=2))["count"] == 0
    town.add_user(5000, first_name="Zoe", deactivated="banned")
    assert (await ask("users.search", q="zoe"))["count"] == 0


async def test_followers_are_those_who_asked_to_be_friends(ask: Ask) -> None:
    for token in ("boris", "daria"):
        await ask("friends.add", token, user_id=1)
    assert await ask("users.getFollowers") == {"count": 2, "items": [3, 2]}
    first = await ask("users.getFollowers", fields="sex", count=1)
    assert [each["id"] for each in first["items"]] == [3]
    assert (await ask("users.getFollowers", "boris"))["count"] == 0


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("id5", {"object_id": 5, "type": "user"}),
        ("club5", {"object_id": 5, "type": "group"}),
        ("nadia", {"object_id": 6, "type": "user"}),
        ("Readers", {"object_id": 7, "type": "group"}),
        ("nobody", []),
    ],
)
async def test_a_screen_name_resolves_to_its_owner(
    town: Simulator, ask: Ask, name: str, expected: Any
) -> None:
    town.add_user(6, screen_name="nadia")
    town.add_group(7, screen_name="readers")
    assert await ask("utils.resolveScreenName", screen_name=name) == expected


@pytest.mark.parametrize(
    ("method", "params", "expected"),
    [
        ("users.get", {"user_ids": ",".join(map(str, range(1, 1002)))}, 100),
        ("users.get", {"user_ids": ",".join(map(str, range(1, 1001)))}, 0),
        ("users.get", {"user_ids": "0"}, 113),
        ("users.get", {"user_ids": "-5"}, 113),
        ("users.get", {"user_ids": "club5"}, 113),
        ("users.search", {"count": 1001}, 100),
        ("users.search", {"offset": -1}, 100),
        ("users.getFollowers", {"count": 1001}, 100),
        ("utils.resolveScreenName", {}, 100),
        ("account.getInfo", {"fields": "lang"}, 0),
    ],
)
async def test_what_is_out_of_bounds_is_refused(
    code: Ask, method: str, params: dict[str, Any], expected: int
) -> None:
    assert await code(method, **params) == expected


async def test_an_account_returns_its_own_data(ask: Ask) -> None:
    assert await ask("account.getInfo", fields="lang") == {"lang": 3}
    await ask("status.set", "boris", text="busy")
    profile = await ask("account.getProfileInfo", "boris")
    assert (profile["id"], profile["status"]) == (2, "busy")


@pytest.mark.parametrize("add", ["add_user", "add_group"])
async def test_nobody_can_have_a_number_below_one(town: Simulator, add: str) -> None:
    with pytest.raises(ValueError, match="must be positive, not 0"):
        getattr(town, add)(0)
