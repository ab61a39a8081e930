"""What a type checker makes of VK's methods: checked, never run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Never, assert_type

from vkanyio import HasToVK, UntypedGroup
from vkanyio.methods.app_widgets import AppWidgets
from vkanyio.methods.users import Users
from vkanyio.objects.base import BoolInt, City
from vkanyio.objects.groups import (
    GetByIdObjectResponse,
    GetMembersFieldsResponse,
    GetMembersFilterResponse,
    GetMembersResponse,
    MemberStatus,
    MemberStatusFull,
)
from vkanyio.objects.messages import AttachedWallpost, SendUserIdsResponseItem
from vkanyio.objects.newsfeed import ItemPhoto, SearchResponse
from vkanyio.objects.users import (
    GetFollowersFieldsResponse,
    GetFollowersResponse,
    UserFull,
)
from vkanyio.objects.utils import DomainResolved
from vkanyio.objects.video import VideoFull
from vkanyio.objects.wall import (
    GetExtendedResponse,
    GetResponse,
    PostResponse,
    WallpostAttachment,
    WallpostFull,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from vkanyio import VK
    from vkanyio.objects.messages import Keyboard, KeyboardButton


# Names


async def both_spellings(api: VK) -> None:
    assert_type(api.users, Users)
    assert_type(api.appWidgets, AppWidgets)
    assert_type(api.app_widgets, AppWidgets)
    by_vk = await api.groups.getById(group_ids=[1, "club2"])
    in_snake_case = await api.groups.get_by_id(group_ids=[1, "club2"])
    assert_type(by_vk, GetByIdObjectResponse)
    assert_type(in_snake_case, GetByIdObjectResponse)


async def names_that_are_none(api: VK) -> None:
    await api.userss.get()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    await api.users.gett()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    await api.app_Widgets.update()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    await api.groups.get_byId()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    api.users.get = None  # type: ignore[method-assign, assignment]  # pyright: ignore[reportAttributeAccessIssue]
    await api.users  # type: ignore[misc]  # pyright: ignore[reportGeneralTypeIssues]


async def without_types(api: VK) -> None:
    assert_type(api.audio, UntypedGroup)
    assert_type(await api.audio.get(owner_id=1), Any)
    assert_type(await api.crowd_customer.createTaskJob(), Any)
    assert_type(await api.untyped.newGroup.getNew(id=1, ids=[1, 2]), Any)
    await api.untyped.users.get([1])


# Parameters


async def parameters(
    api: VK, ids: Iterable[int], when: datetime, names: list[str]
) -> None:
    await api.users.get(user_ids=ids, fields=["city", "bdate"], name_case="gen")
    await api.users.get(user_ids=(1, "durov"), fields={"city"})
    await api.users.get(user_ids=(n for n in range(3)), from_group_id=None)
    await api.users.get(user_ids="1,durov", fields="city,country")
    await api.users.get(user_ids=names, fields=",".join(names))
    await api.groups.get_members(group_id=1, fields="sex", sort="id_asc")
    await api.messages.get_conversations_by_id(peer_ids="1,2")
    await api.messages.search(q="hello", date="01022026")
    await api.messages.search(q="hello", date=when)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
    await api.wall.post(message="hello", publish_date=when, attachments=["photo1_2"])
    await api.wall.post(message="hello", publish_date=1_800_000_000, from_group=True)
    await api.pages.get(page_id=1, global_=True)
    await api.messages.send(peer_id=1, lat=55.7, attachment="photo1_2")
    await api.messages.send(peer_id=1, lat=55, attachment=["photo1_2", "photo1_3"])
    await api.likes.add(type="post", item_id=1)


async def one_value_stands_for_a_list(api: VK) -> None:
    await api.users.get(user_ids=1)
    await api.users.get(user_ids="durov", fields="city")
    await api.groups.get_by_id(group_ids=1, fields="city")
    await api.messages.get_by_id(message_ids=1)
    await api.messages.send(peer_ids=1, message="hello")
    await api.ads.get_ads(account_id=1, ad_ids=1)


async def extra_parameters(api: VK, extra: Mapping[str, Any]) -> None:
    assert_type(await api.users.get(extra_params={"lang": "en"}), list[UserFull])
    await api.wall.get(owner_id=1, extended=True, extra_params=extra)
    await api.utils.get_server_time(extra_params={"test_mode": True})
    await api.users.get(extra_params=[1])  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


BUTTON: KeyboardButton = {"action": {"type": "text", "label": "a"}, "color": "primary"}


async def json_parameters(
    api: VK, keyboard: Keyboard, payload: Mapping[str, object]
) -> None:
    await api.messages.send(peer_id=1, keyboard=keyboard, payload=payload)
    await api.messages.send(peer_id=1, keyboard='{"buttons":[]}', payload="{}")
    await api.messages.send(peer_id=1, keyboard={"buttons": [], "one_time": True})
    await api.messages.send(peer_id=1, keyboard={"buttons": []})
    await api.messages.send(peer_id=1, keyboard={"inline": True, "buttons": [[BUTTON]]})
    await api.messages.edit(peer_id=1, keyboard={"buttons": []})
    kept = {"one_time": False, "buttons": [[{"action": {"type": "location"}}]]}
    await api.messages.send(peer_id=1, keyboard=kept)
    await api.messages.send(peer_ids=[1], keyboard=kept, forward={"message_ids": [1]})
    forward: dict[str, Any] = {"peer_id": 1, "message_ids": [1]}
    await api.messages.send(peer_id=1, forward=forward)
    await api.ads.create_ads(account_id=1, data=[{"campaign_id": 1}])
    await api.ads.get_ads(account_id=1, ad_ids=[1, 2])
    await api.polls.create(add_answers=["yes", "no"])
    await api.polls.edit(poll_id=1, add_answers='["maybe"]', delete_answers={1, 2})
    await api.messages.send(peer_id=1, keyboard=5)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]


class Photo:
    def to_vk(self) -> str:
        return "photo1_2"


class Board:
    def to_vk(self) -> dict[str, Any]:
        return {"buttons": []}


async def objects_that_know_their_form(api: VK, photo: Photo, board: Board) -> None:
    thing: HasToVK = photo
    await api.messages.send(peer_id=1, attachment=photo, keyboard=board)
    await api.messages.send(peer_id=1, attachment=[thing, "photo1_3"], template=board)
    await api.messages.send(peer_id=1, forward=board, payload=board)
    await api.messages.edit(peer_id=1, attachment={photo}, keyboard=board)
    await api.wall.post(attachments=[photo], primary_attachments=photo)
    await api.wall.create_comment(post_id=1, attachments="photo1_2,photo1_3")
    await api.wall.post(attachments=[1])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]


async def mistakes(api: VK) -> None:
    await api.users.get(user_idz=[1])  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    await api.users.get([1])  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    await api.users.get(user_ids=[1.5])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
    await api.users.get(fields=["city", "cities"])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
    await api.users.get(fields=["cities"])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
    await api.users.get(name_case="Gen")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await api.users.get(name_case="genitive")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await api.wall.post(message=5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await api.wall.post(from_group=1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await api.likes.add(type="post")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    await api.likes.add(type="text", item_id=1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await api.likes.add(type="post", item_id=None)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await api.pages.get(page_id=1, globall=True)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    await api.utils.get_server_time(now=True)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    await api.wall.get(owner_idz=1)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]


# Answers


async def answers(api: VK) -> None:
    assert_type(await api.users.get(user_ids=[1]), list[UserFull])
    assert_type(await api.wall.post(message="hello"), PostResponse)
    assert_type((await api.wall.post(message="hello"))["post_id"], int)
    assert_type(await api.utils.get_server_time(), int)
    assert_type(await api.status.set(text="busy"), Literal[1])
    assert_type(await api.likes.is_liked(type="post", item_id=1), Any)  # type: ignore[assert-type]  # pyright: ignore[reportAssertTypeFailure]
    (await api.wall.post(message="hello"))["post"]  # type: ignore[typeddict-item]  # pyright: ignore[reportGeneralTypeIssues]


async def fields_of_answers(api: VK) -> None:
    [user] = await api.users.get(user_ids=[1])
    assert_type(user["id"], int)
    assert_type(user["first_name"], str)
    assert_type(user.get("city"), City | None)
    assert_type(user.get("sex"), Literal[0, 1, 2] | None)
    [club] = (await api.groups.get_by_id(group_id=1))["groups"]
    assert_type(club["name"], str)
    user["firstname"]  # type: ignore[typeddict-item]  # pyright: ignore[reportGeneralTypeIssues]
    assert user["id"] + "1"  # type: ignore[operator]  # pyright: ignore[reportOperatorIssue]
    wall = await api.wall.get(count=1)
    assert_type(wall["count"], int)
    assert_type(wall["items"], list[WallpostFull])


async def attachments(api: VK) -> None:
    history = await api.messages.get_history(peer_id=1)
    for attachment in history["items"][0]["attachments"]:
        match attachment["type"]:
            case "wall":
                assert_type(attachment["wall"], AttachedWallpost)
                assert_type(attachment["wall"]["to_id"], int)
            case "video":
                assert_type(attachment["video"], VideoFull)
            case "link":
                assert_type(attachment["link"]["url"], str)
            case _:
                attachment["photo"]  # type: ignore[typeddict-item]  # pyright: ignore[reportGeneralTypeIssues]
    wall = await api.wall.get(count=1)
    for each in wall["items"][0].get("attachments", []):
        if each["type"] == "photo":
            assert_type(each["photo"]["sizes"][0]["url"], str)
        elif each["type"] != "doc":
            each["doc"]  # type: ignore[typeddict-item]  # pyright: ignore[reportGeneralTypeIssues]


async def items_of_several_kinds(api: VK) -> None:
    for item in (await api.newsfeed.get(filters=["post"]))["items"]:
        if item["type"] == "post":
            assert_type(item["post_id"], int)
            assert_type(item.get("attachments", []), list[WallpostAttachment])
        elif item["type"] == "wall_photo" or item["type"] == "photo":
            assert_type(item, ItemPhoto)
    likes = await api.likes.get_list(type="post", extended=True)
    for liked in likes["items"]:
        if liked["type"] == "profile":
            assert_type(liked["first_name"], str)
        elif liked["type"] == "group":
            assert_type(liked["name"], str)


async def lists_that_stand_for_nothing(api: VK) -> None:
    found = await api.utils.resolve_screen_name(screen_name="durov")
    assert_type(found, DomainResolved | list[Never])
    if isinstance(found, dict):
        assert_type(found, DomainResolved)
    [user] = await api.users.get(fields="personal")
    if personal := user.get("personal"):
        personal["alcohol"]  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue, reportTypedDictNotRequiredAccess]


async def fields_of_extended_answers(api: VK) -> None:
    managers = await api.groups.get_members(
        group_id=1, filter="managers", fields=["city"]
    )
    assert_type(managers, GetMembersFieldsResponse)
    sent = await api.messages.send(peer_ids=[1], message="hello")
    sent[0]["message_id"]  # pyright: ignore[reportTypedDictNotRequiredAccess]
    [each] = (await api.groups.get_by_id(fields="country"))["groups"]
    if "country" in each:
        assert_type(each["country"]["title"], str)


# Answers that a parameter chooses


async def extended_or_plain(api: VK, extended: bool) -> None:
    assert_type(await api.wall.get(), GetResponse)
    assert_type(await api.wall.get(extended=False), GetResponse)
    assert_type(await api.wall.get(extended=None), GetResponse)
    assert_type(await api.wall.get(extended=True), GetExtendedResponse)
    either = await api.wall.get(extended=extended)
    assert_type(either, GetResponse | GetExtendedResponse)
    full = await api.wall.get(owner_id=-1, extended=True)
    assert_type([group["id"] for group in full["groups"]], list[int])
    plain = await api.wall.get(owner_id=-1)
    plain["groups"]  # type: ignore[typeddict-item]  # pyright: ignore[reportGeneralTypeIssues]


async def given_or_not(api: VK, fields: list[Literal["city"]] | None) -> None:
    assert_type(await api.users.get_followers(), GetFollowersResponse)
    plain = await api.users.getFollowers(count=5)
    assert_type(plain["items"], list[int])
    full = await api.users.getFollowers(fields=["city"])
    assert_type(full, GetFollowersFieldsResponse)
    assert_type(full["items"], list[UserFull])
    either = await api.users.getFollowers(fields=fields)
    assert_type(either, GetFollowersResponse | GetFollowersFieldsResponse)


async def both_parameters(api: VK) -> None:
    is_member = api.groups.is_member
    assert_type(await is_member(group_id="club1"), BoolInt)
    assert_type(await is_member(group_id=1, user_ids=[1]), list[MemberStatus])
    assert_type(
        await is_member(group_id=1, user_ids=[1], extended=True),
        list[MemberStatusFull],
    )


async def members(api: VK) -> None:
    get = api.groups.get_members
    assert_type(await get(group_id=1), GetMembersResponse)
    assert_type(await get(group_id=1, filter="friends"), GetMembersResponse)
    assert_type(await get(group_id=1, filter="managers"), GetMembersFilterResponse)
    assert_type(await get(group_id=1, fields=["sex"]), GetMembersFieldsResponse)
    assert_type(
        await get(group_id=1, fields=["sex"], filter="donut"), GetMembersFieldsResponse
    )
    await get(group_id=1, filter="manager")  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]


async def either_or(api: VK) -> None:
    assert_type(await api.friends.get_online(), list[int])
    assert_type(await api.friends.get_mutual(target_uid=1), list[int])
    many = await api.video.add_to_album(owner_id=1, video_id=1, album_ids=[1])
    assert_type(many, list[int])
    one = await api.video.add_to_album(owner_id=1, video_id=1, album_id=1)
    assert_type(one, Literal[1])
    assert_type(await api.newsfeed.search(q="hello"), SearchResponse)


async def messages(api: VK) -> None:
    assert_type(await api.messages.send(peer_id=1, message="hello"), int)
    assert_type(
        await api.messages.send(peer_ids=[1, 2], message="hello"),
        list[SendUserIdsResponseItem],
    )
