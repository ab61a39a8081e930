"""``messages``: conversations and chats, as each participant sees them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeAlias

import anyio
import pytest

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from vkanyio.testing import Simulator

    Ask: TypeAlias = Callable[..., Awaitable[Any]]

pytestmark = pytest.mark.anyio


DAY = 86_400
CHAT = 2_000_000_001


@pytest.fixture
async def say(ask: Ask) -> Ask:
    async def say(token: str, peer: int, message: str = "hi", **more: Any) -> Any:
        params = {"peer_id": peer, "message": message, "random_id": 0, **more}
        return await ask("messages.send", token, **params)

    return say


async def test_each_side_sees_the_other_as_its_peer(ask: Ask, say: Ask) -> None:
    await say("anna", 2, "one")
    await say("boris", 1, "two")
    views = []
    for token, peer in (("anna", 2), ("boris", 1)):
        history = await ask("messages.getHistory", token, peer_id=peer)
        assert history["count"] == 2
        views.append(
            [
                (e["text"], e["peer_id"], e["from_id"], e["out"])
                for e in history["items"]
            ]
        )
    assert views == [
        [("two", 2, 2, 0), ("one", 2, 1, 1)],
        [("two", 1, 2, 1), ("one", 1, 1, 0)],
    ]


async def test_messages_are_counted_within_each_conversation(
    ask: Ask, say: Ask
) -> None:
    for token, peer in (("anna", 2), ("anna", 3), ("boris", 1), ("club", 1)):
        await say(token, peer)
    numbers = []
    for peer in (2, 3, -9):
        items = (await ask("messages.getHistory", peer_id=peer))["items"]
        numbers.append([each["conversation_message_id"] for each in items])
    assert numbers == [[2, 1], [1], [1]]


async def test_a_community_is_a_negative_peer(ask: Ask, say: Ask) -> None:
    await say("anna", -9, "question")
    await say("club", 1, "answer")
    history = await ask("messages.getHistory", peer_id=-9, extended=1)
    assert [each["from_id"] for each in history["items"]] == [-9, 1]
    assert [each["id"] for each in history["profiles"]] == [1]
    assert [each["id"] for each in history["groups"]] == [9]
    assert history["conversations"][0]["peer"]["type"] == "group"
    theirs = await ask("messages.getHistory", "club", peer_id=1)
    assert [each["out"] for each in theirs["items"]] == [1, 0]


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({}, [5, 4, 3, 2, 1]),
        ({"rev": 1}, [1, 2, 3, 4, 5]),
        ({"offset": 1, "count": 2}, [4, 3]),
        ({"start_message_id": 3}, [3, 2, 1]),
        ({"start_message_id": 3, "offset": -2}, [5, 4, 3, 2, 1]),
        ({"start_message_id": 3, "offset": -1, "count": 2}, [4, 3]),
        ({"start_message_id": 3, "offset": -9, "count": 2}, []),
        ({"count": 0}, []),
    ],
)
async def test_a_history_is_paged(
    ask: Ask, say: Ask, params: dict[str, Any], expected: list[int]
) -> None:
    for _ in range(5):
        await say("anna", 2)
    history = await ask("messages.getHistory", peer_id=2, **params)
    assert history["count"] == 5
    assert [each["id"] for each in history["items"]] == expected


@pytest.mark.parametrize(("other", "same"), [(7 + 2**32, True), (7 + 2**31, False)])
async def test_a_random_id_has_32_bits(say: Ask, other: int, same: bool) -> None:
    first = await say("anna", 2, random_id=7)
    assert (await say("anna", 2, random_id=other) == first) == same


async def test_conversations_come_newest_first_and_count_what_is_unread(
    ask: Ask, say: Ask
) -> None:
    await say("boris", 1, "one")
    await say("boris", 1, "two")
    await say("anna", 3)
    value = await ask("messages.getConversations")
    assert (value["count"], value["unread_count"]) == (2, 1)
    first, second = (each["conversation"] for each in value["items"])
    assert (first["peer"]["id"], second["peer"]["id"]) == (3, 2)
    assert "unread_count" not in first
    assert second["unread_count"] == 2
    assert value["items"][1]["last_message"]["text"] == "two"
    for name, peers in (("unread", [2]), ("unanswered", [2]), ("important", [])):
        some = await ask("messages.getConversations", filter=name)
        assert [e["conversation"]["peer"]["id"] for e in some["items"]] == peers
    before = await ask("messages.getConversations", start_message_id=2)
    assert [e["conversation"]["peer"]["id"] for e in before["items"]] == [2]
    page = await ask("messages.getConversations", offset=1, count=1)
    assert [e["conversation"]["peer"]["id"] for e in page["items"]] == [2]


async def test_reading_is_seen_by_the_other_side(ask: Ask, say: Ask) -> None:
    await say("boris", 1)
    await say("boris", 1)

    async def state(token: str, peer: int) -> tuple[int, int, int]:
        value = await ask("messages.getConversationsById", token, peer_ids=peer)
        [item] = value["items"]
        return item["in_read"], item["out_read"], item.get("unread_count", 0)

    assert await state("anna", 2) == (0, 2, 2)
    assert await ask("messages.markAsRead", message_ids="1,99") == 1
    assert await state("anna", 2) == (1, 2, 1)
    assert await ask("messages.markAsRead", peer_id=2) == 1
    assert await state("anna", 2) == (2, 2, 0)
    assert await state("boris", 1) == (2, 2, 0)


async def test_a_message_is_edited_by_its_writer_within_a_day(
    ask: Ask, code: Ask, say: Ask
) -> None:
    await say("anna", 2, "old")
    edit = {"message_id": 1, "message": "new"}
    assert await code("messages.edit", "boris", peer_id=1, **edit) == 15
    assert await ask("messages.edit", peer_id=2, cmid=1, message="new") == 1
    [message] = (await ask("messages.getById", message_ids=1))["items"]
    assert message["text"] == "new"
    assert message["update_time"] >= message["date"]
    assert await code("messages.edit", peer_id=2, message_id=9, message="x") == 100
    assert await code("messages.edit", peer_id=2, message_id=1) == 100
    long = {"message_id": 1, "message": "x" * 9001}
    assert await code("messages.edit", peer_id=2, **long) == 914
    await anyio.sleep(DAY)
    assert await code("messages.edit", peer_id=2, **edit) == 909


@pytest.mark.parametrize(("for_all", "left"), [(0, [0, 1]), (1, [0, 0])])
async def test_a_message_is_deleted_for_one_or_for_all(
    ask: Ask, say: Ask, for_all: int, left: list[int]
) -> None:
    await say("anna", 2)
    [deleted] = await ask("messages.delete", message_ids=1, delete_for_all=for_all)
    assert (deleted["message_id"], deleted["response"]) == (1, 1)
    counts = [
        (await ask("messages.getHistory", token, peer_id=peer))["count"]
        for token, peer in (("anna", 2), ("boris", 1))
    ]
    assert counts == left


async def test_a_deleted_message_can_be_restored(ask: Ask, code: Ask, say: Ask) -> None:
    await say("anna", 2)
    await ask("messages.delete", peer_id=2, cmids=1)
    assert (await ask("messages.getById", message_ids=1))["items"] == []
    assert await ask("messages.restore", message_id=1) == 1
    assert len((await ask("messages.getById", message_ids=1))["items"]) == 1
    assert await code("messages.restore", message_id=1) == 100
    await ask("messages.delete", message_ids=1)
    assert await ask("messages.restore", peer_id=2, cmid=1) == 1
    assert (
        await code("messages.delete", "boris", message_ids=1, delete_for_all=1) == 924
    )


async def test_strangers_see_nothing_of_a_conversation(ask: Ask, say: Ask) -> None:
    await say("anna", 2, "secret")
    assert (await ask("messages.getById", "daria", message_ids=1))["items"] == []
    assert (await ask("messages.search", "daria", q="secret"))["count"] == 0
    assert (await ask("messages.getConversations", "daria"))["count"] == 0


async def test_messages_are_found_by_words_peer_and_date(ask: Ask, say: Ask) -> None:
    for peer, text in ((2, "red apple"), (3, "green apple"), (2, "apple pie")):
        await say("anna", peer, text)

    async def found(**params: Any) -> list[str]:
        value = await ask("messages.search", **params)
        return [each["text"] for each in value["items"]]

    assert await found(q="APPLE") == ["apple pie", "green apple", "red apple"]
    assert await found(q="apple", peer_id=2) == ["apple pie", "red apple"]
    assert await found(q="apple red") == ["red apple"]
    assert await found(q="apple", offset=1, count=1) == ["green apple"]
    assert await found(q="apple", date="1012020") == []
    assert len(await found(date="01012040")) == 3
    assert await found(q="pie", preview_length=5) == ["apple"]


async def test_a_chat_is_created_grows_and_shrinks(ask: Ask, say: Ask) -> None:
    chat = await ask("messages.createChat", user_ids="2", title="Friends")
    assert chat == {"chat_id": 1, "peer_ids": []}
    assert await ask("messages.addChatUser", "boris", chat_id=1, user_id=3) == 1
    await say("daria", CHAT, "hello all")
    assert await ask("messages.removeChatUser", "boris", chat_id=1, user_id=3) == 1
    history = (await ask("messages.getHistory", peer_id=CHAT, rev=1))["items"]
    actions = [each.get("action", {}).get("type") for each in history]
    assert actions == ["chat_create", "chat_invite_user", None, "chat_kick_user"]
    assert {each["peer_id"] for each in history} == {CHAT}
    shown = await ask("messages.getChat", chat_id=1, fields="sex")
    assert (shown["title"], shown["members_count"]) == ("Friends", 2)
    assert [(e["id"], e["invited_by"]) for e in shown["users"]] == [(1, 1), (2, 1)]
    [item] = (await ask("messages.getConversationsById", peer_ids=CHAT))["items"]
    assert item["chat_settings"]["members_count"] == 2


@pytest.mark.parametrize(
    ("token", "method", "params", "expected"),
    [
        ("daria", "messages.getHistory", {"peer_id": CHAT}, 917),
        ("daria", "messages.send", {"peer_id": CHAT, "message": "x"}, 917),
        ("anna", "messages.send", {"peer_id": CHAT + 1, "message": "x"}, 917),
        ("daria", "messages.getChat", {"chat_id": 1}, 917),
        ("daria", "messages.getConversationsById", {"peer_ids": CHAT}, 917),
        ("boris", "messages.removeChatUser", {"chat_id": 1, "member_id": 1}, 925),
        ("boris", "messages.removeChatUser", {"chat_id": 1, "member_id": 7}, 935),
        ("boris", "messages.removeChatUser", {"chat_id": 1}, 0),
        ("boris", "messages.addChatUser", {"chat_id": 1, "user_id": 1}, 15),
        ("boris", "messages.addChatUser", {"chat_id": 1, "user_id": 44}, 936),
        ("anna", "messages.edit", {"peer_id": CHAT, "cmid": 1, "message": "x"}, 920),
        ("club", "messages.addChatUser", {"chat_id": 1, "user_id": 3}, 27),
        ("app", "messages.getHistory", {"peer_id": 1}, 28),
    ],
)
async def test_a_chat_is_for_its_members(
    town: Simulator,
    ask: Ask,
    code: Ask,
    token: str,
    method: str,
    params: dict[str, Any],
    expected: int,
) -> None:
    town.add_user(44, deactivated="deleted")
    await ask("messages.createChat", user_ids="2")
    assert await code(method, token, random_id=0, **params) == expected


@pytest.mark.parametrize(
    ("token", "peer", "expected"),
    [
        ("anna", 40, 902),
        ("club", 40, 901),
        ("anna", 41, 900),
        ("club", 42, 901),
        ("anna", 42, 902),
        ("anna", -43, 901),
        ("club", -43, 936),
        ("club", 5, 0),
    ],
)
async def test_not_everybody_takes_messages(
    town: Simulator, code: Ask, token: str, peer: int, expected: int
) -> None:
    town.add_user(40, deactivated="banned")
    town.add_user(41, blacklisted=1)
    town.add_user(42, can_write_private_message=0)
    town.add_group(43, can_message=0)
    sent = {"peer_id": peer, "message": "x", "random_id": 0}
    assert await code("messages.send", token, **sent) == expected


async def test_a_community_may_answer_whoever_wrote_to_it(
    town: Simulator, code: Ask, say: Ask
) -> None:
    town.add_user(2, can_write_private_message=0)
    sent = {"peer_id": 2, "message": "x", "random_id": 0}
    assert await code("messages.send", "club", **sent) == 901
    await say("boris", -9)
    assert await code("messages.send", "club", **sent) == 0


async def test_one_peer_of_several_may_refuse(town: Simulator, ask: Ask) -> None:
    town.add_user(40, can_write_private_message=0)
    sent = {"peer_ids": "5,40", "message": "x", "random_id": 0}
    good, bad = await ask("messages.send", **sent)
    assert (good["peer_id"], good["conversation_message_id"]) == (5, 1)
    # https://github.com/VKCOM/vk-api-schema/issues/208
    assert (bad["peer_id"], bad["error"]["code"]) == (40, 902)
    assert "message_id" not in bad


async def test_a_message_quotes_others(ask: Ask, code: Ask, say: Ask) -> None:
    await say("boris", 1, "one")
    await say("anna", 2, "two", reply_to=1, payload='{"a":1}', keyboard="{}")
    await say("anna", 3, "three", forward_messages="1,2", attachment="photo5_6")
    one, two = (await ask("messages.getById", message_ids="2,3"))["items"]
    assert (one["reply_message"]["text"], one["payload"]) == ("one", '{"a":1}')
    assert [each["text"] for each in two["fwd_messages"]] == ["one", "two"]
    photo = two["attachments"][0]["photo"]
    assert {"id": 6, "owner_id": 5, "sizes": []}.items() <= photo.items()


async def test_a_message_names_others_by_their_numbers_in_a_conversation(
    ask: Ask, say: Ask
) -> None:
    await say("boris", 1, "one")
    await say("anna", 2, "two")
    numbers = {"peer_id": 2, "conversation_message_ids": 1}
    await say("anna", 2, "three", forward=json.dumps({**numbers, "is_reply": True}))
    await say("anna", 3, "four", forward=json.dumps({**numbers, "message_ids": [2]}))
    three, four = (await ask("messages.getById", message_ids="3,4"))["items"]
    assert (three["reply_message"]["text"], three["fwd_messages"]) == ("one", [])
    assert {each["text"] for each in four["fwd_messages"]} == {"one", "two"}
    assert "reply_message" not in four


@pytest.mark.parametrize(
    ("method", "params", "expected"),
    [
        ("messages.send", {"peer_id": 2, "reply_to": 99}, 100),
        ("messages.send", {"peer_id": 2, "forward": "{"}, 100),
        ("messages.send", {"peer_id": 2, "forward": "[]"}, 100),
        ("messages.send", {"peer_id": 2, "forward": '{"cmids": ["x"]}'}, 100),
        ("messages.send", {"peer_id": 2, "forward": '{"cmids": null}'}, 100),
        ("messages.send", {"peer_id": 2, "forward": '{"cmids": [9]}'}, 921),
        ("messages.send", {"peer_id": 2, "forward": '{"message_ids": [9]}'}, 921),
        ("messages.send", {"peer_id": 2, "forward": '{"is_reply": true}'}, 100),
        ("messages.send", {"peer_id": 2, "forward_messages": 99}, 921),
        ("messages.send", {"peer_id": 2, "keyboard": "{"}, 911),
        ("messages.send", {"peer_id": 2, "message": "x" * 9001}, 914),
        ("messages.send", {"peer_ids": ",".join(["5"] * 101)}, 100),
        ("messages.send", {"peer_ids": "5,x"}, 113),
        ("messages.send", {"domain": "nobody"}, 936),
        ("messages.send", {"domain": "id5"}, 0),
        ("messages.getHistory", {"peer_id": 2, "count": 201}, 100),
        ("messages.getHistory", {"peer_id": 2, "offset": -1}, 100),
        ("messages.getHistory", {}, 100),
        ("messages.getConversations", {"count": 201}, 100),
        ("messages.getById", {"message_ids": ",".join(["5"] * 101)}, 100),
        ("messages.getById", {}, 100),
        ("messages.getById", {"cmids": 1}, 100),
        ("messages.getById", {"cmids": 1, "peer_id": 2}, 0),
        ("messages.search", {}, 100),
        ("messages.search", {"q": "x", "date": "99999999"}, 100),
        ("messages.delete", {}, 100),
    ],
)
async def test_what_is_out_of_bounds_is_refused(
    code: Ask, method: str, params: dict[str, Any], expected: int
) -> None:
    given = {"message": "x", "random_id": 0, **params}
    assert await code(method, **given) == expected


async def test_a_manager_reads_and_writes_for_a_community(
    town: Simulator, ask: Ask, code: Ask, say: Ask
) -> None:
    town.add_group(9, managers=[1])
    await say("boris", -9, "question")
    await say("anna", 2, "answer", group_id=9)
    history = await ask("messages.getHistory", "boris", peer_id=-9)
    assert [each["from_id"] for each in history["items"]] == [-9, 2]
    assert await code("messages.getHistory", "daria", peer_id=2, group_id=9) == 15
