"""What programs do by methods makes updates of the communities that it concerns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import pytest
from _schema import check_object

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from vkanyio.testing import Simulator

    Ask: TypeAlias = Callable[..., Awaitable[Any]]

pytestmark = pytest.mark.anyio

GROUP = 9
CHAT = 2_000_000_001
SHAPES = {
    "message_new": "MessageObject",
    "message_reply": "Message",
    "message_edit": "Message",
    "message_read": "MessageRead",
    "message_typing_state": "MessageTypingState",
    "message_reaction_event": "MessageReactionEvent",
    "message_allow": "MessageAllow",
    "message_deny": "MessageDeny",
    "wall_post_new": "WallPostNew",
    "wall_repost": "WallRepost",
    "wall_reply_new": "WallReplyNew",
    "wall_reply_edit": "WallReplyEdit",
    "wall_reply_delete": "WallCommentDelete",
    "wall_reply_restore": "WallReplyRestore",
    "like_add": "LikeAddRemove",
    "like_remove": "LikeAddRemove",
    "group_join": "GroupJoin",
    "group_leave": "GroupLeave",
    "photo_new": "PhotoNew",
}
"""The objects of VK's schema."""

LIKE = {"type": "post", "owner_id": -9, "item_id": 1}
POST = {"owner_id": -9, "message": "news"}
COMMENT = {"owner_id": -9, "post_id": 1, "message": "first"}
ONE_COMMENT = {"owner_id": -9, "comment_id": 2}
TO_GROUP = {"peer_id": -9, "message": "hello", "random_id": 0}
TO_USER = {"peer_id": 1, "message": "hi", "random_id": 0}
REACTION = {"peer_id": -9, "cmid": 1}

STEPS: list[tuple[str, str, dict[str, Any], dict[str, Any]]] = [
    (
        "anna",
        "messages.allowMessagesFromGroup",
        {"group_id": 9, "key": "k"},
        {"message_allow": {"user_id": 1, "key": "k"}},
    ),
    (
        "anna",
        "messages.setActivity",
        {"peer_id": -9, "type": "typing"},
        {"message_typing_state": {"state": "typing", "from_id": 1, "to_id": -9}},
    ),
    ("club", "messages.setActivity", {"peer_id": 1, "type": "typing"}, {}),
    ("anna", "messages.send", TO_GROUP, {"message_new": {}}),
    ("club", "messages.send", TO_USER, {"message_reply": {"text": "hi", "out": 1}}),
    ("club", "messages.markAsRead", {"peer_id": 1}, {}),
    (
        "anna",
        "messages.markAsRead",
        {"peer_id": -9},
        {"message_read": {"from_id": 1, "peer_id": 1, "read_message_id": 2}},
    ),
    ("anna", "messages.markAsRead", {"peer_id": -9}, {}),
    (
        "anna",
        "messages.edit",
        {"peer_id": -9, "cmid": 1, "message": "new"},
        {"message_edit": {"text": "new", "from_id": 1}},
    ),
    (
        "anna",
        "messages.sendReaction",
        {**REACTION, "reaction_id": 3},
        {"message_reaction_event": {"reacted_id": 1, "peer_id": 1, "reaction_id": 3}},
    ),
    (
        "anna",
        "messages.deleteReaction",
        REACTION,
        {"message_reaction_event": {"cmid": 1}},
    ),
    ("anna", "messages.deleteReaction", REACTION, {}),
    (
        "anna",
        "messages.denyMessagesFromGroup",
        {"group_id": 9},
        {"message_deny": {"user_id": 1}},
    ),
    ("anna", "wall.post", POST, {"wall_post_new": {"text": "news", "owner_id": -9}}),
    ("anna", "wall.post", {"message": "mine"}, {}),
    (
        "anna",
        "wall.createComment",
        COMMENT,
        {"wall_reply_new": {"text": "first", "post_owner_id": -9, "post_id": 1}},
    ),
    (
        "anna",
        "wall.editComment",
        {**ONE_COMMENT, "message": "better"},
        {"wall_reply_edit": {"text": "better"}},
    ),
    (
        "boris",
        "wall.deleteComment",
        ONE_COMMENT,
        {"wall_reply_delete": {"id": 2, "user_id": 1, "deleter_id": 2, "post_id": 1}},
    ),
    ("anna", "wall.restoreComment", ONE_COMMENT, {"wall_reply_restore": {"id": 2}}),
    (
        "boris",
        "wall.repost",
        {"object": "wall-9_1"},
        {"wall_repost": {"owner_id": 2, "from_id": 2}},
    ),
    (
        "anna",
        "likes.add",
        LIKE,
        {"like_add": {"liker_id": 1, "object_type": "post", "object_id": 1}},
    ),
    ("anna", "likes.add", LIKE, {}),
    ("anna", "likes.add", {**LIKE, "owner_id": 2}, {}),
    ("anna", "likes.delete", LIKE, {"like_remove": {"object_owner_id": -9}}),
    ("anna", "likes.delete", LIKE, {}),
    (
        "anna",
        "groups.join",
        {"group_id": 9},
        {"group_join": {"user_id": 1, "join_type": "join"}},
    ),
    ("anna", "groups.join", {"group_id": 9}, {}),
    (
        "anna",
        "groups.leave",
        {"group_id": 9},
        {"group_leave": {"user_id": 1, "self": 1}},
    ),
    ("anna", "groups.leave", {"group_id": 9}, {}),
]


async def test_each_change_makes_the_update_that_vk_makes(
    town: Simulator, ask: Ask, code: Ask
) -> None:
    updates = town.ledger.updates
    for token, method, params, expected in STEPS:
        before = len(updates)
        assert await code(method, token, **params) == 0, method
        made = updates[before:]
        assert [each.type for each in made] == [*expected], method
        for each in made:
            check_object("callback", SHAPES[each.type], each.object)
            assert each.object.items() >= expected[each.type].items(), method
            assert each.group_id == GROUP


async def test_a_request_to_join_is_another_kind_of_joining(
    town: Simulator, ask: Ask
) -> None:
    town.add_group(7, is_closed=1)
    for _ in range(2):
        await ask("groups.join", group_id=7)
    [made] = town.ledger.updates
    assert made.object == {"user_id": 1, "join_type": "request"}


async def test_a_chat_tells_a_community_who_comes_and_goes(
    town: Simulator, ask: Ask
) -> None:
    await ask("messages.createChat", user_ids="-9", title="all")
    await ask("messages.addChatUser", chat_id=1, user_id=2)
    await ask("messages.removeChatUser", chat_id=1, user_id=2)
    await ask("messages.removeChatUser", chat_id=1, member_id=-9)
    await ask("messages.send", peer_id=CHAT, message="unheard", random_id=0)
    actions = [
        (each.object["message"]["peer_id"], each.object["message"]["action"]["type"])
        for each in town.ledger.updates
    ]
    kinds = ("chat_create", "chat_invite_user", "chat_kick_user", "chat_kick_user")
    assert actions == [(CHAT, kind) for kind in kinds]


async def test_a_photo_of_a_community_is_an_update(
    town: Simulator, ask: Ask, browser: Any
) -> None:
    album = await ask("photos.createAlbum", title="Cats", group_id=GROUP)
    target = {"album_id": album["id"], "group_id": GROUP}
    server = await ask("photos.getUploadServer", **target)
    files = {"file1": ("cat.jpg", b"cat")}
    sent = (await browser.post(server["upload_url"], files=files)).json()
    [photo] = await ask("photos.save", **{**sent, **target})
    [made] = town.ledger.updates
    assert (made.type, made.object) == ("photo_new", photo)
    check_object("callback", SHAPES["photo_new"], made.object)


async def test_a_user_who_denies_messages_gets_none_until_allowing_them(
    ask: Ask, code: Ask
) -> None:
    is_allowed = {"group_id": GROUP, "user_id": 1}
    method = "messages.isMessagesFromGroupAllowed"
    for deed, allowed in (("allow", 1), ("deny", 0), ("allow", 1)):
        assert await ask(f"messages.{deed}MessagesFromGroup", group_id=GROUP) == 1
        assert await ask(method, "club", **is_allowed) == {"is_allowed": allowed}
        sent = await code("messages.send", "club", **TO_USER)
        assert sent == (0 if allowed else 901)


async def test_a_reaction_needs_a_message(code: Ask) -> None:
    params = {"peer_id": -9, "cmid": 5, "reaction_id": 1}
    assert await code("messages.sendReaction", **params) == 100
