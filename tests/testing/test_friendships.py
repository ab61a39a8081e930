"""``friends``: friendships and friend requests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from vkanyio.testing import Simulator

    Ask: TypeAlias = Callable[..., Awaitable[Any]]

pytestmark = pytest.mark.anyio


async def statuses(ask: Ask, token: str = "anna") -> list[int]:
    value = await ask("friends.areFriends", token, user_ids="1,2,3")
    return [each["friend_status"] for each in value]


async def test_a_request_becomes_a_friendship_when_it_is_returned(ask: Ask) -> None:
    assert await statuses(ask) == [0, 0, 0]
    assert await ask("friends.add", user_id=2, text="hi") == 1
    assert await ask("friends.add", user_id=2) == 4
    assert await statuses(ask) == [0, 1, 0]
    assert await statuses(ask, "boris") == [2, 0, 0]
    assert await ask("friends.add", "boris", user_id=1) == 2
    assert await statuses(ask) == [0, 3, 0]
    assert await ask("friends.get") == {"count": 1, "items": [2]}
    assert await ask("friends.get", "boris") == {"count": 1, "items": [1]}
    assert (await ask("friends.getRequests", "boris"))["count"] == 0


async def test_requests_are_listed_for_both_sides(ask: Ask) -> None:
    await ask("friends.add", "boris", user_id=1, text="hi")
    await ask("friends.add", "daria", user_id=1)
    assert await ask("friends.getRequests") == {"count": 2, "items": [3, 2]}
    assert await ask("friends.getRequests", count=1, offset=1) == {
        "count": 2,
        "items": [2],
    }
    assert await ask("friends.getRequests", "boris", out=1) == {
        "count": 1,
        "items": [1],
    }
    [asked] = await ask("friends.areFriends", user_ids=2, extended=1)
    assert asked["is_request_unread"] is True
    extended = await ask("friends.getRequests", extended=1)
    assert [(e["user_id"], e.get("message")) for e in extended["items"]] == [
        (3, None),
        (2, "hi"),
    ]


@pytest.mark.parametrize(
    ("befriended", "key", "after"),
    [
        ([], "out_request_deleted", [0, 0, 0]),
        ([2], "friend_deleted", [0, 2, 0]),
    ],
)
async def test_deleting_undoes_what_there_is(
    town: Simulator, ask: Ask, befriended: list[int], key: str, after: list[int]
) -> None:
    town.add_user(1, friends=befriended)
    await ask("friends.add", user_id=2)
    assert await ask("friends.delete", user_id=2) == {"success": 1, key: 1}
    assert await statuses(ask) == after


async def test_a_request_can_be_turned_down(ask: Ask, code: Ask) -> None:
    await ask("friends.add", "boris", user_id=1)
    value = await ask("friends.delete", user_id=2)
    assert value == {"success": 1, "in_request_deleted": 1}
    assert await code("friends.delete", user_id=2) == 15
    await ask("friends.add", "boris", user_id=1)
    assert await ask("friends.add", user_id=2, follow=1) == 2
    assert await statuses(ask) == [0, 0, 0]


async def test_friends_can_be_sorted_paged_and_described(
    town: Simulator, ask: Ask
) -> None:
    town.add_user(1, friends=[9, 4, 7, 3])
    assert (await ask("friends.get"))["items"] == [3, 4, 7, 9]
    assert (await ask("friends.get", offset=1, count=2))["items"] == [4, 7]
    described = await ask("friends.get", fields="sex", order="name")
    names = [(each["first_name"], each["last_name"]) for each in described["items"]]
    assert names == sorted(names)
    assert described["count"] == 4
    assert all("sex" in each for each in described["items"])
    by_order = await ask("friends.get", order="hints")
    assert by_order["items"] == [9, 4, 7, 3]


async def test_with_fields_no_more_than_5000_come_at_once(
    town: Simulator, ask: Ask
) -> None:
    town.add_user(1, friends=range(2, 5010))
    assert len((await ask("friends.get", count=9000))["items"]) == 5008
    described = await ask("friends.get", count=9000, fields="domain")
    assert (described["count"], len(described["items"])) == (5008, 5000)


async def test_mutual_friends_come_in_three_shapes(town: Simulator, ask: Ask) -> None:
    town.add_user(1, friends=[5, 6, 7, 8])
    town.add_user(2, friends=[6, 7, 9])
    assert await ask("friends.getMutual", target_uid=2) == [6, 7]
    assert await ask("friends.getMutual", target_uid=2, offset=1, count=5) == [7]
    both = {"id": 2, "common_friends": [6, 7], "common_count": 2}
    none = {"id": 3, "common_friends": [], "common_count": 0}
    assert await ask("friends.getMutual", target_uids="2,3") == [both, none]
    assert await ask("friends.getMutual", target_uid=2, need_common_count=1) == both
    await ask("friends.add", "boris", user_id=1)
    [request] = (await ask("friends.getRequests", need_mutual=1))["items"]
    assert request["mutual"] == {"count": 2, "users": [6, 7]}


@pytest.mark.parametrize(
    ("method", "params", "expected"),
    [
        ("friends.add", {"user_id": 1}, 174),
        ("friends.add", {"user_id": 0}, 177),
        ("friends.add", {"user_id": 40}, 177),
        ("friends.add", {}, 100),
        ("friends.areFriends", {"user_ids": "x"}, 100),
        ("friends.areFriends", {"user_ids": ",".join(["2"] * 1001)}, 100),
        ("friends.get", {"user_id": -1}, 100),
        ("friends.getRequests", {"count": 1001}, 100),
        ("friends.getMutual", {}, 100),
        ("friends.getMutual", {"target_uid": 0}, 113),
        ("friends.getMutual", {"target_uid": 40}, 18),
        ("friends.getMutual", {"target_uids": ",".join(["2"] * 101)}, 100),
    ],
)
async def test_invalid_parameters_are_refused(
    town: Simulator, code: Ask, method: str, params: dict[str, Any], expected: int
) -> None:
    town.add_user(40, deactivated="deleted")
    assert await code(method, **params) == expected
