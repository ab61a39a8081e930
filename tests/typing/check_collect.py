"""What a type checker makes of ``api.collect``: checked, never run."""

from __future__ import annotations

from typing import Any, assert_type

from vkanyio import API, ItemsAhead, PagedItems
from vkanyio.objects.groups import GroupFull
from vkanyio.objects.messages import Message
from vkanyio.objects.orders import Order
from vkanyio.objects.users import UserFull
from vkanyio.objects.wall import WallpostFull


async def items_have_the_type_of_the_method(api: API) -> None:
    posts = api.collect(api.wall.get, owner_id=-1)
    assert_type(posts, PagedItems[WallpostFull])
    async for post in posts:
        assert_type(post, WallpostFull)
    assert_type(await posts.all(), list[WallpostFull])
    assert_type(posts.options(max_items=5), PagedItems[WallpostFull])
    async with posts.ahead(20) as items:
        assert_type(items, ItemsAhead[WallpostFull])
        async for post in items:
            assert_type(post, WallpostFull)
    assert_type(posts.total, int | None)
    assert_type(posts.complete, bool)
    assert_type(posts.position, str)


async def through_overloads(api: API) -> None:
    ids = api.collect(api.groups.getMembers, group_id="1")
    assert_type(ids, PagedItems[int])
    history = api.collect(api.messages.getHistory, peer_id=1)
    assert_type(history, PagedItems[Message])
    groups = api.collect(api.groups.get, user_id=1, extended=True)
    assert_type(groups, PagedItems[GroupFull])
    friends = api.collect(api.friends.get, fields="city,bdate")
    assert_type(friends, PagedItems[UserFull])


async def lists_without_a_total(api: API) -> None:
    assert_type(api.collect(api.orders.get), PagedItems[Order])


async def others_are_not_known(api: API) -> None:
    assert_type(api.collect("wall.get", owner_id=-1), PagedItems[Any])


async def mistakes(api: API) -> None:
    api.collect(api.wall.get, owner="x")  # type: ignore[call-overload] # pyright: ignore[reportCallIssue]
    api.collect(api.users.report, user_id=1, type="spam")  # type: ignore[call-overload] # pyright: ignore[reportCallIssue, reportArgumentType]
