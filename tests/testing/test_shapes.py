"""Values, checked against VK's own schema."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest
from _schema import check

from vkanyio.keyboard import Button, Keyboard
from vkanyio.testing import Simulator
from vkanyio.uploads._kinds import KINDS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    import httpx

    from vkanyio.uploads._kinds import FileKind

    Ask: TypeAlias = Callable[..., Awaitable[Any]]

pytestmark = pytest.mark.anyio

CHAT = 2_000_000_001
FIELDS = (
    "sex,bdate,city,country,photo_50,photo_max,domain,screen_name,online,last_seen,"
    "status,counters,followers_count,is_friend,friend_status,relation,can_post,site,"
    "members_count,description,activity,member_status,verified,home_town,nickname"
)
PHOTO = "456239017"
MORE = json.dumps(Keyboard([[Button.callback("more", 1)]]).to_vk())
PRESSED = f"{1:012x}"
"""The id of the event of pressing it."""
DELETED = 3
"""The id of a comment and of a message."""
DELETED_POST = 5

CALLS: list[tuple[str, str, dict[str, Any]]] = [
    ("account.getInfo", "response", {}),
    ("account.getProfileInfo", "response", {}),
    ("docs.get", "response", {"owner_id": 1}),
    ("docs.getById", "response", {"docs": "1_456239018"}),
    ("docs.getMessagesUploadServer", "response", {"type": "graffiti"}),
    ("docs.getUploadServer", "response", {}),
    ("docs.getWallUploadServer", "response", {}),
    ("friends.add", "response", {"user_id": 50}),
    ("friends.areFriends", "response", {"user_ids": "2,3,4"}),
    ("friends.areFriends", "extendedResponse", {"user_ids": "2,3", "extended": 1}),
    ("friends.delete", "response", {"user_id": 2}),
    ("friends.get", "response", {}),
    ("friends.get", "fieldsResponse", {"fields": FIELDS}),
    ("friends.getMutual", "response", {"target_uid": 2}),
    ("friends.getMutual", "targetUidsResponse", {"target_uids": "2,3"}),
    (
        "friends.getMutual",
        "totalCountResponse",
        {"target_uid": 2, "need_common_count": 1},
    ),
    ("friends.getRequests", "response", {}),
    ("friends.getRequests", "needMutualResponse", {"need_mutual": 1}),
    ("friends.getRequests", "extendedResponse", {"extended": 1}),
    ("groups.get", "response", {}),
    ("groups.get", "extendedResponse", {"extended": 1, "fields": FIELDS}),
    ("groups.getById", "response", {"group_ids": "7,club9", "fields": FIELDS}),
    ("groups.getCallbackConfirmationCode", "response", {"group_id": 9}),
    ("groups.getLongPollServer", "response", {"group_id": 9}),
    ("groups.getLongPollSettings", "response", {"group_id": 9}),
    ("groups.setLongPollSettings", "response", {"group_id": 9, "wall_post_new": 1}),
    ("groups.getMembers", "response", {"group_id": 7}),
    ("groups.getMembers", "fieldsResponse", {"group_id": 7, "fields": FIELDS}),
    ("groups.getMembers", "filterResponse", {"group_id": 7, "filter": "managers"}),
    ("groups.isMember", "response", {"group_id": 7}),
    ("groups.isMember", "userIdsResponse", {"group_id": 7, "user_ids": "1,5"}),
    ("groups.isMember", "extendedResponse", {"group_id": 7, "extended": 1}),
    (
        "groups.isMember",
        "userIds_Extended_Response",
        {"group_id": 7, "user_ids": "1,5", "extended": 1},
    ),
    ("groups.join", "response", {"group_id": 8}),
    ("groups.leave", "response", {"group_id": 7}),
    ("groups.search", "response", {"q": "12"}),
    ("likes.add", "response", {"type": "post", "item_id": 1}),
    ("likes.delete", "response", {"type": "post", "item_id": 1}),
    ("likes.getList", "response", {"type": "post", "item_id": 1}),
    (
        "likes.getList",
        "extendedResponse",
        {"type": "post", "item_id": 1, "extended": 1},
    ),
    ("likes.isLiked", "response", {"type": "post", "item_id": 1}),
    ("messages.addChatUser", "response", {"chat_id": 1, "user_id": 60}),
    ("messages.allowMessagesFromGroup", "response", {"group_id": 9}),
    ("messages.createChat", "response", {"user_ids": "2", "title": "t"}),
    ("messages.deleteReaction", "response", {"peer_id": 2, "cmid": 1}),
    ("messages.denyMessagesFromGroup", "response", {"group_id": 9}),
    ("messages.delete", "response", {"message_ids": 2}),
    ("messages.edit", "response", {"peer_id": 2, "message_id": 2, "message": "x"}),
    (
        "messages.getByConversationMessageId",
        "response",
        {"peer_id": 2, "conversation_message_ids": 1},
    ),
    ("messages.getById", "response", {"message_ids": "1,2"}),
    ("messages.getById", "extendedResponse", {"message_ids": "1,2", "extended": 1}),
    ("messages.getChat", "response", {"chat_id": 1}),
    ("messages.getChat", "fieldsResponse", {"chat_id": 1, "fields": "sex"}),
    ("messages.getChat", "chatIdsResponse", {"chat_ids": 1}),
    (
        "messages.getChat",
        "chatIds_Fields_Response",
        {"chat_ids": 1, "fields": "sex"},
    ),
    ("messages.getConversations", "response", {"extended": 1}),
    ("messages.getConversationsById", "response", {"peer_ids": f"2,{CHAT}"}),
    (
        "messages.getConversationsById",
        "extendedResponse",
        {"peer_ids": f"2,{CHAT}", "extended": 1},
    ),
    ("messages.getLongPollHistory", "response", {"ts": 1, "pts": 1}),
    ("messages.getLongPollHistory", "response", {"ts": 1, "credentials": 1}),
    ("messages.getLongPollServer", "response", {"need_pts": 1}),
    (
        "messages.isMessagesFromGroupAllowed",
        "response",
        {"group_id": 9, "user_id": 1},
    ),
    ("messages.restore", "response", {"message_id": DELETED}),
    (
        "messages.sendMessageEventAnswer",
        "response",
        {"event_id": PRESSED, "user_id": 1, "peer_id": 1},
    ),
    (
        "messages.sendReaction",
        "response",
        {"peer_id": 2, "cmid": 1, "reaction_id": 1},
    ),
    ("messages.setActivity", "response", {"peer_id": 2, "type": "typing"}),
    ("messages.getHistory", "response", {"peer_id": 2}),
    ("messages.getHistory", "extendedResponse", {"peer_id": CHAT, "extended": 1}),
    ("messages.markAsRead", "response", {"peer_id": 2}),
    ("messages.removeChatUser", "response", {"chat_id": 1, "member_id": 2}),
    ("messages.search", "response", {"q": "hello"}),
    ("messages.search", "extendedResponse", {"q": "hello", "extended": 1}),
    (
        "messages.send",
        "deprecatedResponse",
        {"peer_id": 2, "random_id": 5, "message": "x"},
    ),
    (
        "messages.send",
        "userIdsResponse",
        {"peer_ids": "2,3", "random_id": 5, "message": "x"},
    ),
    ("photos.createAlbum", "response", {"title": "album"}),
    ("photos.get", "response", {"album_id": "wall"}),
    ("photos.getAlbums", "response", {"need_system": 1}),
    ("photos.getAll", "response", {}),
    ("photos.getById", "response", {"photos": f"1_{PHOTO}"}),
    ("photos.getMessagesUploadServer", "response", {}),
    ("photos.getUploadServer", "response", {"album_id": 300_000_000}),
    ("photos.getWallUploadServer", "response", {}),
    ("status.get", "response", {}),
    ("status.set", "response", {"text": "x"}),
    ("users.get", "response", {"user_ids": "1,2,4", "fields": FIELDS}),
    ("users.getFollowers", "response", {}),
    ("users.getFollowers", "fieldsResponse", {"fields": FIELDS}),
    ("users.search", "response", {"q": "anna", "fields": FIELDS}),
    ("utils.getServerTime", "response", {}),
    ("utils.resolveScreenName", "response", {"screen_name": "club7"}),
    ("wall.createComment", "response", {"post_id": 1, "message": "x"}),
    ("wall.delete", "response", {"post_id": 1}),
    ("wall.deleteComment", "response", {"comment_id": 2}),
    ("wall.edit", "response", {"post_id": 1, "message": "x"}),
    ("wall.editComment", "response", {"comment_id": 2, "message": "x"}),
    ("wall.get", "response", {}),
    ("wall.get", "extendedResponse", {"extended": 1}),
    ("wall.getById", "response", {"posts": "1_1"}),
    ("wall.getById", "extendedResponse", {"posts": "1_1", "extended": 1}),
    ("wall.getComment", "response", {"comment_id": 2}),
    ("wall.getComment", "extendedResponse", {"comment_id": 2, "extended": 1}),
    ("wall.getComments", "response", {"post_id": 1, "need_likes": 1}),
    ("wall.getComments", "extendedResponse", {"post_id": 1, "extended": 1}),
    ("wall.pin", "response", {"post_id": 1}),
    ("wall.post", "response", {"message": "x"}),
    ("wall.repost", "response", {"object": "wall1_1"}),
    ("wall.restore", "response", {"post_id": DELETED_POST}),
    ("wall.restoreComment", "response", {"comment_id": DELETED}),
    ("wall.unpin", "response", {"post_id": 1}),
]
BY_THE_COMMUNITY = (
    "groups.getCallbackConfirmationCode",
    "groups.getLongPollServer",
    "groups.getLongPollSettings",
    "groups.setLongPollSettings",
    "messages.isMessagesFromGroupAllowed",
    "messages.sendMessageEventAnswer",
)


async def settle(town: Simulator, ask: Ask, browser: httpx.AsyncClient) -> None:
    """Fill the state, so that no list in a value is empty."""
    town.add_user(1, friends=[2, 3])
    town.add_user(2, friends=[3])
    town.add_user(4, deactivated="deleted")
    town.add_group(7, members=[1, 2], managers=[1])
    server = await ask("photos.getWallUploadServer")
    sent = await browser.post(server["upload_url"], files={"photo": b"jpg"})
    await ask("photos.saveWallPhoto", **sent.json())
    server = await ask("docs.getUploadServer")
    sent = await browser.post(server["upload_url"], files={"file": ("a.txt", b"x")})
    await ask("docs.save", **sent.json())
    await ask("photos.createAlbum", title="album")
    attached = f"photo1_{PHOTO},doc1_456239018,https://vk.com,video5_6"
    await ask("wall.post", message="hello", attachments=attached)
    await ask("wall.createComment", post_id=1, message="a")
    await ask("wall.createComment", "boris", owner_id=1, post_id=1, message="b")
    await ask("wall.repost", object="wall1_1")
    await ask("wall.pin", post_id=1)
    await ask("likes.add", type="post", item_id=1)
    await ask("friends.add", "egor", user_id=1, text="hi")
    await ask("messages.createChat", user_ids="2,3", title="chat")
    for token, peer in (("anna", 2), ("boris", 1), ("club", 1), ("anna", CHAT)):
        await ask(
            "messages.send",
            token,
            peer_id=peer,
            random_id=0,
            message="hello",
            attachment=attached,
        )
    asked = {"peer_id": 1, "random_id": 0, "message": "?", "keyboard": MORE}
    await ask("messages.send", "club", **asked)
    town.press(1, 9, "more")
    await ask("wall.post", message="to be restored")
    await ask("wall.delete", post_id=DELETED_POST)
    await ask("wall.deleteComment", comment_id=DELETED)
    await ask("messages.send", peer_id=5, random_id=0, message="x")
    await ask("messages.delete", message_ids=DELETED)


@pytest.mark.parametrize(
    ("method", "kind", "params"), CALLS, ids=[f"{m}-{k}" for m, k, _ in CALLS]
)
async def test_a_value_has_the_shape_declared_in_the_schema(
    town: Simulator,
    ask: Ask,
    browser: httpx.AsyncClient,
    method: str,
    kind: str,
    params: dict[str, Any],
) -> None:
    await settle(town, ask, browser)
    value = await ask(
        method, "club" if method in BY_THE_COMMUNITY else "anna", **params
    )
    assert "error_code" not in str(value)
    check(method, kind, value)


UPLOADS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "album_photos": ({"album_id": 300_000_000}, {}),
    "chat_photo": ({"chat_id": 1}, {}),
    "cover_photo": ({"group_id": 7}, {}),
    "market_photo": ({"group_id": 7}, {}),
    "market_photos": ({"group_id": 7}, {}),
    "market_album_photo": ({"group_id": 7}, {"group_id": 7}),
    "app_widget_image": ({"image_type": "24x24"}, {}),
    "group_widget_image": ({"image_type": "24x24"}, {}),
    "video_thumb": ({"owner_id": 1}, {"owner_id": 1}),
    "story_photo": ({"add_to_news": 1}, {}),
    "story_video": ({"add_to_news": 1}, {}),
}
"""What the methods around an upload need: that before it, and that which saves it."""
TOKENS = {"app_widget_image": "app", "group_widget_image": "club"}


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
async def test_the_steps_of_an_upload_have_the_shapes_declared_in_the_schema(
    town: Simulator, ask: Ask, browser: httpx.AsyncClient, kind: FileKind
) -> None:
    await settle(town, ask, browser)
    token = TOKENS.get(kind.name, "anna")
    params, save_params = UPLOADS.get(kind.name, ({}, {}))
    server = await ask(kind.get, token, **params, **kind.fixed)
    check(kind.get, "response", server)
    name = f"a.{(*kind.suffixes, 'txt')[0]}"
    sent = await browser.post(
        server["upload_url"] if isinstance(server, dict) else server,
        files={kind.fields[0]: (name, b"x")},
    )
    answer = sent.json()
    assert "error" not in answer
    if kind.save:
        found = kind.params_of(answer.get("response", answer), sent.text)
        saved = await ask(kind.save, token, **found, **save_params)
        check(kind.save, "response", saved)


def test_every_method_with_a_state_has_a_value_above() -> None:
    checked = {method for method, _, _ in CALLS}
    checked |= {method for kind in KINDS.values() for method in (kind.get, kind.save)}
    without_value = {"captcha.force"}  # it answers with error 14
    assert {*Simulator()._state.methods()} - without_value <= checked


@pytest.mark.parametrize(
    ("method", "value"),
    [
        ("wall.get", {"count": 1}),
        ("wall.get", {"count": True, "items": []}),
        ("wall.get", {"count": 1, "items": [{"id": 1}]}),
        ("users.get", [{"id": "1"}]),
        ("users.get", [{"id": 1, "sex": 7}]),
        ("likes.getList", []),
    ],
)
async def test_a_value_of_another_shape_is_noticed(method: str, value: Any) -> None:
    with pytest.raises(AssertionError):
        check(method, "response", value)
