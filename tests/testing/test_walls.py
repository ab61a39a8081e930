"""``wall`` and ``likes``: posts, comments and likes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from vkanyio.testing import Simulator

    Ask: TypeAlias = Callable[..., Awaitable[Any]]

pytestmark = pytest.mark.anyio


async def ids(ask: Ask, **params: Any) -> list[int]:
    return [post["id"] for post in (await ask("wall.get", **params))["items"]]


async def test_a_post_is_edited_deleted_and_restored(ask: Ask, code: Ask) -> None:
    await ask("wall.post", message="old")
    assert await ask("wall.edit", post_id=1, message="new") == {"post_id": 1}
    [post] = (await ask("wall.getById", posts="1_1"))["items"]
    assert post["text"] == "new"
    assert post["edited"] >= post["date"]
    assert await ask("wall.delete", post_id=1) == 1
    assert (await ask("wall.getById", posts="1_1"))["items"] == []
    assert await code("wall.edit", post_id=1, message="x") == 104
    assert await ask("wall.restore", post_id=1) == 1
    assert await ids(ask) == [1]
    assert await code("wall.restore", post_id=1) == 210


async def test_a_pinned_post_comes_first(ask: Ask) -> None:
    for n in range(3):
        await ask("wall.post", message=str(n))
    await ask("wall.pin", post_id=1)
    await ask("wall.pin", post_id=2)
    assert await ids(ask) == [2, 3, 1]
    assert (await ask("wall.getById", posts="1_2"))["items"][0]["is_pinned"] == 1
    await ask("wall.unpin", post_id=2)
    assert await ids(ask) == [3, 2, 1]


@pytest.mark.parametrize(
    ("filter_", "expected"), [("all", [2, 1]), ("owner", [1]), ("others", [2])]
)
async def test_a_wall_can_be_filtered(
    ask: Ask, filter_: str, expected: list[int]
) -> None:
    await ask("wall.post", message="mine")
    await ask("wall.post", "boris", owner_id=1, message="his")
    assert await ids(ask, filter=filter_) == expected


async def test_an_extended_wall_names_everybody_in_it(ask: Ask) -> None:
    await ask("wall.post", owner_id=-7, from_group=1, message="ours")
    await ask("wall.post", "boris", owner_id=1, message="his")
    await ask("wall.repost", object="wall-7_1", message="look")
    wall = await ask("wall.get", extended=1)
    assert [user["id"] for user in wall["profiles"]] == [1, 2]
    assert [group["id"] for group in wall["groups"]] == [7]
    [original] = wall["items"][0]["copy_history"]
    assert (original["text"], original["from_id"]) == ("ours", -7)
    assert (await ask("wall.getById", posts="-7_1"))["items"][0]["reposts"][
        "count"
    ] == 1
    assert "profiles" not in await ask("wall.get")


async def test_a_wall_is_found_by_its_domain(
    town: Simulator, ask: Ask, code: Ask
) -> None:
    town.add_group(7, screen_name="readers")
    await ask("wall.post", owner_id=-7, message="x")
    assert await ids(ask, domain="readers") == [1]
    assert await code("wall.get", domain="nobody") == 100


async def test_no_more_than_a_hundred_posts_come_at_once(ask: Ask) -> None:
    for n in range(103):
        await ask("wall.post", message=str(n))
    assert len(await ids(ask, count=1000)) == 100
    assert await ids(ask, offset=101, count=1000) == [2, 1]


@pytest.mark.parametrize(
    ("token", "method", "params", "expected"),
    [
        ("anna", "wall.edit", {"post_id": 1, "message": "x"}, 0),
        ("boris", "wall.edit", {"post_id": 1, "message": "x"}, 0),
        ("daria", "wall.edit", {"post_id": 1, "message": "x"}, 15),
        ("daria", "wall.delete", {"post_id": 1}, 15),
        ("daria", "wall.pin", {"post_id": 1}, 15),
        ("daria", "wall.deleteComment", {"comment_id": 2}, 15),
        ("daria", "wall.editComment", {"comment_id": 2, "message": "x"}, 15),
        ("boris", "wall.editComment", {"comment_id": 2, "message": "x"}, 0),
        ("anna", "wall.deleteComment", {"comment_id": 2}, 0),
        ("anna", "wall.editComment", {"comment_id": 2}, 100),
        ("anna", "wall.edit", {"post_id": 1}, 100),
        ("anna", "wall.deleteComment", {"comment_id": 9}, 104),
        ("anna", "wall.restoreComment", {"comment_id": 2}, 243),
        ("anna", "wall.getComments", {"post_id": 9}, 104),
        ("anna", "wall.createComment", {"post_id": 1}, 100),
        ("anna", "wall.repost", {"object": "photo1_1"}, 100),
        ("anna", "wall.repost", {"object": "wall1_9"}, 104),
        ("anna", "wall.getById", {"posts": "x"}, 100),
        ("club", "wall.getComments", {"post_id": 1}, 27),
        (
            "club",
            "wall.createComment",
            {"post_id": 1, "message": "x", "from_group": 9},
            0,
        ),
        (
            "club",
            "wall.createComment",
            {"post_id": 1, "message": "x", "from_group": 8},
            15,
        ),
    ],
)
async def test_only_those_concerned_may_change_a_thing(
    ask: Ask, code: Ask, token: str, method: str, params: dict[str, Any], expected: int
) -> None:
    await ask("wall.post", "boris", owner_id=1, message="his")
    await ask("wall.createComment", "boris", owner_id=1, post_id=1, message="his")
    assert await code(method, token, owner_id=1, **params) == expected


async def test_a_community_lets_its_managers_speak_for_it(
    town: Simulator, code: Ask, ask: Ask
) -> None:
    town.add_group(7, managers=[1], can_post=0)
    town.add_user(5, can_post=0)
    post = {"owner_id": -7, "message": "x"}
    assert await code("wall.post", "anna", from_group=1, **post) == 0
    assert await code("wall.post", "boris", from_group=1, **post) == 15
    assert await code("wall.post", "boris", **post) == 214
    assert await code("wall.post", "boris", owner_id=5, message="x") == 214
    assert await code("status.set", "boris", group_id=7, text="x") == 15
    [shown] = (await ask("wall.get", owner_id=-7))["items"]
    assert (shown["from_id"], shown["created_by"]) == (-7, 1)


async def test_comments_are_counted_listed_and_taken_back(ask: Ask) -> None:
    await ask("wall.post", message="post")
    made = [
        await ask("wall.createComment", token, owner_id=1, post_id=1, message=token)
        for token in ("anna", "boris", "club")
    ]
    assert [each["comment_id"] for each in made] == [2, 3, 4]
    comments = await ask("wall.getComments", post_id=1, extended=1)
    assert [each["from_id"] for each in comments["items"]] == [1, 2, -9]
    assert [each["id"] for each in comments["groups"]] == [9]
    down = await ask("wall.getComments", post_id=1, sort="desc", count=1, offset=1)
    assert [each["id"] for each in down["items"]] == [3]
    since = await ask("wall.getComments", post_id=1, start_comment_id=3)
    assert [each["id"] for each in since["items"]] == [3, 4]
    await ask("wall.deleteComment", comment_id=2)
    assert (await ask("wall.getComments", post_id=1))["count"] == 2
    assert (await ask("wall.get"))["items"][0]["comments"]["count"] == 2
    await ask("wall.restoreComment", comment_id=2)
    assert await ask("wall.editComment", comment_id=2, message="new") == 1
    [one] = (await ask("wall.getComment", comment_id=2))["items"]
    assert one["text"] == "new"


async def test_a_comment_answers_another(ask: Ask, code: Ask) -> None:
    await ask("wall.post", message="post", close_comments=0)
    await ask("wall.createComment", "boris", owner_id=1, post_id=1, message="first")
    await ask("wall.createComment", post_id=1, message="re", reply_to_comment=2)
    [_, value] = (await ask("wall.getComments", post_id=1))["items"]
    assert (value["reply_to_comment"], value["reply_to_user"]) == (2, 2)
    wrong = {"post_id": 1, "message": "x", "reply_to_comment": 77}
    assert await code("wall.createComment", **wrong) == 104
    await ask("wall.post", message="closed", close_comments=1)
    assert await code("wall.createComment", post_id=4, message="x") == 213


async def test_a_guid_keeps_a_comment_from_appearing_twice(
    town: Simulator, ask: Ask
) -> None:
    await ask("wall.post", message="post", guid="g")
    comment = {"post_id": 1, "message": "x", "guid": "g"}
    assert await ask("wall.createComment", **comment) == await ask(
        "wall.createComment", **comment
    )
    assert len(town.ledger.repeated("wall.createComment")) == 1
    assert (await ask("wall.getComments", post_id=1))["count"] == 1


async def test_a_closed_wall_hides_its_posts_from_a_list_of_ids(
    town: Simulator, ask: Ask
) -> None:
    await ask("wall.post", "boris", message="secret")
    town.add_user(2, is_closed=True)
    assert (await ask("wall.getById", posts="2_1"))["items"] == []
    assert len((await ask("wall.getById", "boris", posts="2_1"))["items"]) == 1


async def test_likes_show_beside_the_post_and_in_a_list(
    town: Simulator, ask: Ask, code: Ask
) -> None:
    town.add_user(1, friends=[3])
    await ask("wall.post", message="post")
    post = {"type": "post", "owner_id": 1, "item_id": 1}
    for token in ("boris", "daria", "anna"):
        await ask("likes.add", token, **post)
    likes = (await ask("wall.get"))["items"][0]["likes"]
    assert (likes["count"], likes["user_likes"], likes["can_like"]) == (3, 1, 0)
    assert await ask("likes.getList", **post) == {"count": 3, "items": [1, 3, 2]}
    assert (await ask("likes.getList", **post, offset=1, count=1))["items"] == [3]
    assert (await ask("likes.getList", **post, friends_only=1))["items"] == [3]
    assert (await ask("likes.getList", **post, skip_own=1))["items"] == [3, 2]
    extended = await ask("likes.getList", **post, extended=1, count=1)
    assert extended["items"][0]["type"] == "profile"
    assert await ask("likes.isLiked", **post) == {"liked": 1, "copied": 0}
    assert (await ask("likes.isLiked", **post, user_id=5))["liked"] == 0
    assert await ask("likes.delete", **post) == {"likes": 2}
    assert await ask("likes.delete", **post) == {"likes": 2}
    assert await code("likes.getList", type="post") == 100
    assert await code("likes.getList", **post, count=1001) == 100


async def test_attachments_of_other_kinds_keep_their_names(ask: Ask) -> None:
    await ask("wall.post", attachments="video-5_6,https://vk.com,nonsense")
    [post] = (await ask("wall.get"))["items"]
    video, link = post["attachments"]
    assert video["type"] == "video"
    assert video["video"] == {
        "id": 6,
        "owner_id": -5,
        "title": "",
        "duration": 0,
        "date": 0,
    }
    assert link["link"]["url"] == "https://vk.com"
