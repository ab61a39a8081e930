"""``groups``: communities and their members."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from vkanyio.testing import Simulator

    Ask: TypeAlias = Callable[..., Awaitable[Any]]

pytestmark = pytest.mark.anyio


IDS = [11, 5, 8, 2]


async def test_members_can_be_sorted_and_paged(town: Simulator, ask: Ask) -> None:
    town.add_group(7, members=IDS)

    async def members(**params: Any) -> list[int]:
        value = await ask("groups.getMembers", group_id=7, **params)
        assert value["count"] == 4
        items: list[int] = value["items"]
        return items

    assert await members() == sorted(IDS)
    assert await members(sort="id_desc") == sorted(IDS, reverse=True)
    assert await members(sort="time_asc") == IDS
    assert await members(sort="time_desc") == IDS[::-1]
    assert await members(offset=1, count=2) == [5, 8]
    assert await members(offset=9) == []
    described = await ask("groups.getMembers", group_id=7, fields="sex", count=1)
    assert (described["items"][0]["id"], "sex" in described["items"][0]) == (2, True)


async def test_members_can_be_only_friends_or_only_managers(
    town: Simulator, ask: Ask, code: Ask
) -> None:
    town.add_group(7, members=[2, 5], managers=[1])
    town.add_user(1, friends=[5, 6])
    friends = await ask("groups.getMembers", group_id=7, filter="friends")
    assert friends == {"count": 1, "items": [5]}
    managers = await ask("groups.getMembers", group_id=7, filter="managers")
    assert managers == {"count": 1, "items": [{"id": 1, "role": "administrator"}]}
    [chief] = (
        await ask("groups.getMembers", group_id=7, filter="managers", fields="sex")
    )["items"]
    assert (chief["id"], chief["role"], "sex" in chief) == (1, "administrator", True)
    assert await code("groups.getMembers", "boris", group_id=7, filter="managers") == 15


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({}, 1),
        ({"user_id": 2}, 0),
        ({"user_ids": "1,2"}, [(1, 1, None), (2, 0, None)]),
        ({"user_id": 1, "extended": 1}, {"member": 1, "request": 0, "invitation": 0}),
        ({"user_ids": "2", "extended": 1}, [(2, 0, 1)]),
    ],
)
async def test_membership_is_reported_in_four_shapes(
    town: Simulator, ask: Ask, params: dict[str, Any], expected: Any
) -> None:
    town.add_group(7, members=[1], is_closed=1)
    await ask("groups.join", "boris", group_id=7)
    value = await ask("groups.isMember", group_id=7, **params)
    if isinstance(value, list):
        value = [(e["user_id"], e["member"], e.get("request")) for e in value]
    assert value == expected


async def test_joining_and_leaving_change_who_is_in(ask: Ask) -> None:
    assert await ask("groups.join", group_id=7) == 1
    assert await ask("groups.join", "boris", group_id=7) == 1
    assert await ask("groups.join", group_id=7) == 1
    assert await ask("groups.getMembers", group_id=7) == {"count": 2, "items": [1, 2]}
    assert await ask("groups.get") == {"count": 1, "items": [7]}
    [group] = (await ask("groups.get", extended=1, fields="members_count"))["items"]
    assert (group["id"], group["members_count"], group["is_member"]) == (7, 2, 1)
    assert await ask("groups.leave", group_id=7) == 1
    assert await ask("groups.isMember", group_id=7) == 0
    assert await ask("groups.get") == {"count": 0, "items": []}


@pytest.mark.parametrize(
    ("is_closed", "joining", "status", "reading"),
    [(0, 0, 1, 0), (1, 0, 4, 15), (2, 15, 0, 15)],
)
async def test_a_community_may_be_closed(
    town: Simulator,
    ask: Ask,
    code: Ask,
    is_closed: int,
    joining: int,
    status: int,
    reading: int,
) -> None:
    town.add_group(7, members=[2], managers=[3], is_closed=is_closed)
    assert await code("groups.join", group_id=7) == joining
    found = await ask("groups.getById", group_id=7, fields="member_status")
    assert found["groups"][0]["member_status"] == status
    for method, name in (("groups.getMembers", "group_id"), ("wall.get", "owner_id")):
        owner = 7 if name == "group_id" else -7
        assert await code(method, **{name: owner}) == reading
        assert await code(method, "boris", **{name: owner}) == 0
        assert await code(method, "daria", **{name: owner}) == 0


async def test_a_member_of_a_closed_community_has_nothing_to_ask_for(
    town: Simulator, ask: Ask
) -> None:
    town.add_group(7, members=[1], is_closed=1)
    await ask("groups.join", group_id=7)
    status = await ask("groups.isMember", group_id=7, extended=1)
    assert (status["member"], status["request"]) == (1, 0)


async def test_a_community_knows_itself(ask: Ask, code: Ask) -> None:
    await ask("groups.join", group_id=9)
    assert (await ask("groups.getMembers", "club", group_id=9))["items"] == [1]
    assert await code("groups.getMembers", "club") == 100
    assert await ask("groups.isMember", "club", group_id=9, user_id=1) == 1
    assert await code("groups.isMember", "club", group_id=9) == 100
    assert await code("groups.getMembers") == 100


async def test_managers_are_members_and_admins(town: Simulator, ask: Ask) -> None:
    town.add_group(7, managers=[1], name="Readers", type="page")
    for token, admin in (("anna", 1), ("boris", 0)):
        [group] = (await ask("groups.getById", token, group_ids="club7"))["groups"]
        assert (group["is_admin"], group["is_member"]) == (admin, admin)
        assert (group["name"], group["type"]) == ("Readers", "page")
    assert (await ask("groups.get", filter="admin"))["items"] == [7]
    town.add_group(6, members=[1], deactivated="banned")
    assert (await ask("groups.get"))["items"] == [7, 6]
    assert (await ask("groups.get", filter="admin"))["items"] == [7]
    [banned] = (await ask("groups.getById", group_id=6, fields="status"))["groups"]
    assert banned["deactivated"] == "banned"
    assert "status" not in banned


async def test_a_search_finds_words_in_names(town: Simulator, ask: Ask) -> None:
    town.add_group(7000, name="Readers of books", type="page")
    found = await ask("groups.search", q="BOOKS")
    assert (found["count"], found["items"][0]["id"]) == (1, 7000)
    assert (await ask("groups.search", q="books", type="event"))["count"] == 0
    some = await ask("groups.search", q="community", offset=2, count=3)
    assert [each["id"] for each in some["items"]] == [3, 4, 5]


@pytest.mark.parametrize(
    ("method", "params", "expected"),
    [
        ("groups.getById", {"group_ids": "nobody"}, 125),
        ("groups.getById", {"group_ids": "id5"}, 125),
        ("groups.getById", {"group_ids": ",".join(["1"] * 501)}, 100),
        ("groups.getMembers", {"group_id": 7, "count": 1001}, 100),
        ("groups.isMember", {}, 100),
        ("groups.join", {"group_id": 0}, 125),
        ("groups.leave", {}, 100),
        ("groups.search", {}, 100),
    ],
)
async def test_what_is_out_of_bounds_is_refused(
    code: Ask, method: str, params: dict[str, Any], expected: int
) -> None:
    assert await code(method, **params) == expected
