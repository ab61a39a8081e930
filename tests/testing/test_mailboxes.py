"""The long poll of mailboxes, and the history that fills its gaps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import anyio
import pytest
from _schema import check

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    import httpx

    from vkanyio.testing import Simulator

    Ask: TypeAlias = Callable[..., Awaitable[Any]]

pytestmark = pytest.mark.anyio

GROUP = 9
CHAT = 2_000_000_001
ATTACHMENTS, PTS, RANDOM_ID = 2, 32, 128


@pytest.fixture
async def server(ask: Ask) -> Any:
    """The server of the community's mailbox."""
    params = {"need_pts": 1, "lp_version": 3}
    return await ask("messages.getLongPollServer", "club", **params)


@pytest.fixture
async def poll(browser: httpx.AsyncClient, server: Any) -> Ask:
    async def poll(ts: int | None = None, **params: Any) -> Any:
        query = {
            "act": "a_check",
            "key": server["key"],
            "ts": server["ts"] if ts is None else ts,
            "wait": 25,
            "mode": ATTACHMENTS | PTS | RANDOM_ID,
            "version": 3,
        }
        response = await browser.get(server["server"], params={**query, **params})
        return response.json()

    return poll


async def say(ask: Ask, token: str, peer: int, text: str = "hi", **more: Any) -> Any:
    params = {"peer_id": peer, "message": text, "random_id": 0, **more}
    return await ask("messages.send", token, **params)


async def test_the_server_has_numbers_where_that_of_communities_has_texts(
    ask: Ask, server: Any
) -> None:
    check("messages.getLongPollServer", "response", server)
    assert type(server["ts"]) is type(server["pts"]) is int
    assert "pts" not in await ask("messages.getLongPollServer", "club")


async def test_a_message_is_in_both_mailboxes_as_each_side_sees_it(
    town: Simulator, ask: Ask, poll: Ask, server: Any
) -> None:
    await ask("messages.getLongPollServer")
    text = 'a "b" <c> & d\nnext'
    await say(ask, "anna", -9, text, random_id=7, attachment="photo1_2,wall-9_5")
    answer = await poll()
    assert answer["ts"] == server["ts"] + 1
    assert answer["pts"] == server["pts"] + 1
    [(code, message_id, flags, peer, date, shown, more, attached, random_id)] = answer[
        "updates"
    ]
    assert (code, message_id, flags, peer, random_id) == (4, 1, 1, 1, 0)
    assert shown == "a &quot;b&quot; &lt;c&gt; &amp; d<br>next"
    assert date > 1_700_000_000
    assert more == {"title": " ... "}
    assert attached == {
        "attach1_type": "photo",
        "attach1": "1_2",
        "attach2_type": "wall",
        "attach2": "-9_5",
    }
    [mine] = town.ledger.mailbox_updates.of(1, 4)
    assert mine.value[2:4] == [3, -9]
    assert mine.value[-1] == 7
    assert (mine.handed_out, mine.code, mine.message_id) == (0, 4, 1)


@pytest.mark.parametrize(
    ("mode", "end"), [(0, [{}]), (ATTACHMENTS, [{"fwd": "0_0"}]), (RANDOM_ID, [{}, 0])]
)
async def test_the_mode_says_what_is_sent(
    ask: Ask, poll: Ask, mode: int, end: list[Any]
) -> None:
    first = await say(ask, "anna", -9)
    await say(ask, "anna", -9, forward_messages=first)
    answer = await poll(mode=mode)
    assert answer["updates"][1][7:] == end
    assert "pts" not in answer


async def test_everything_in_a_conversation_is_an_update(
    town: Simulator, ask: Ask, poll: Ask
) -> None:
    await ask("messages.setActivity", peer_id=-9, type="audiomessage")
    await say(ask, "anna", -9, "one")
    await say(ask, "club", 1, "two", reply_to=1)
    await ask("messages.markAsRead", peer_id=-9)
    await say(ask, "anna", -9, "three")
    await ask("messages.markAsRead", "club", peer_id=1)
    await ask("messages.edit", peer_id=-9, message_id=1, message="new", payload="{}")
    await ask("messages.delete", "club", message_ids=1)
    await ask("messages.restore", "club", message_id=1)
    await ask("messages.delete", message_ids=1, delete_for_all=1)
    updates = (await poll())["updates"]
    time = updates[0].pop()
    assert time > 1_700_000_000
    assert [each[:4] for each in updates] == [
        [64, 1, [1], 1],
        [4, 1, 1, 1],
        [4, 2, 3, 1],
        [7, 1, 2, 0],
        [4, 3, 1, 1],
        [6, 1, 3, 0],
        [5, 1, 0, 1],
        [2, 1, 128, 1],
        [3, 1, 128, 1],
        [2, 1, 131200, 1],
    ]
    assert updates[2][7] == {"reply": '{"conversation_message_id": 1}'}
    assert updates[8][5] == "new"
    assert len(town.ledger.mailbox_updates) == len(updates)  # nobody follows Anna's


async def test_a_chat_says_who_came_and_who_went(ask: Ask, poll: Ask) -> None:
    await ask("messages.createChat", user_ids="-9,3", title="all")
    await ask("messages.addChatUser", chat_id=1, user_id=2)
    await ask("messages.removeChatUser", chat_id=1, user_id=2)
    await ask("messages.removeChatUser", "daria", chat_id=1, user_id=3)
    updates = (await poll())["updates"]
    assert [each for each in updates if each[0] == 52] == [
        [52, 6, CHAT, 2],
        [52, 8, CHAT, 2],
        [52, 7, CHAT, 3],
    ]
    assert updates[1][6] == {
        "title": "all",
        "from": "1",
        "source_act": "chat_invite_user",
        "source_mid": "2",
    }


async def test_a_later_version_than_three_is_refused(poll: Ask) -> None:
    refused = {"failed": 4, "min_version": 0, "max_version": 3}
    assert await poll(version=19) == refused


async def history(ask: Ask, **params: Any) -> Any:
    return await ask("messages.getLongPollHistory", "club", lp_version=3, **params)


async def test_the_history_fills_a_gap_and_the_poll_goes_on_from_it(
    town: Simulator, ask: Ask, poll: Ask, server: Any
) -> None:
    town.long_poll(retention=1)
    await say(ask, "anna", -9, "one")
    await ask("messages.setActivity", peer_id=-9)
    await ask("messages.markAsRead", "club", peer_id=1)
    await say(ask, "boris", -9, "two")
    assert await poll() == {"failed": 1, "ts": server["ts"] + 4}
    asked = {"ts": server["ts"], "pts": server["pts"], "credentials": 1}
    value = await history(ask, **asked)
    check("messages.getLongPollHistory", "response", value)
    assert value["history"] == [[4, 1, 1, 1], [6, 1, 1], [4, 2, 1, 2]]
    assert [each["text"] for each in value["messages"]["items"]] == ["one", "two"]
    assert [each["id"] for each in value["profiles"]] == [1, 2]
    assert (value["from_pts"], value["new_pts"]) == (
        server["pts"],
        server["pts"] + 3,
    )
    assert "more" not in value
    new = value["credentials"]
    assert (new["ts"], new["pts"]) == (server["ts"] + 4, value["new_pts"])
    await say(ask, "anna", -9, "three")
    answer = await poll(new["ts"], key=new["key"])
    assert [each[5] for each in answer["updates"]] == ["three"]
    assert answer["pts"] == new["pts"] + 1


async def test_a_long_history_comes_in_parts(ask: Ask, server: Any) -> None:
    for number in range(200):
        await say(ask, "anna", -9, str(number))
    await ask("messages.edit", peer_id=-9, message_id=1, message="no more messages")
    await say(ask, "anna", -9, "200")
    first = await history(ask, pts=server["pts"])
    assert first["more"] is True
    assert (len(first["history"]), first["messages"]["count"]) == (201, 200)
    second = await history(ask, pts=first["new_pts"])
    assert [each["text"] for each in second["messages"]["items"]] == ["200"]
    assert "more" not in second
    assert second["new_pts"] == server["pts"] + 202


async def test_the_history_has_what_became_of_each_message_once(
    ask: Ask, server: Any
) -> None:
    for text in ("one", "two", "three"):
        await say(ask, "anna", -9, text)
    begin = (await history(ask, pts=server["pts"]))["new_pts"]
    await say(ask, "anna", -9, "four")
    await ask("messages.edit", peer_id=-9, message_id=1, message="new")
    await ask("messages.edit", peer_id=-9, message_id=4, message="newest")
    await ask("messages.delete", "club", message_ids=2)
    await ask("messages.restore", "club", message_id=2)
    await ask("messages.delete", "club", message_ids=3)
    value = await history(ask, pts=begin)
    check("messages.getLongPollHistory", "response", value)
    assert [each[:2] for each in value["history"]] == [
        [4, 4],
        [5, 1],
        [5, 4],
        [2, 2],
        [3, 2],
        [2, 3],
    ]
    assert {len(each) for each in value["history"]} == {4}
    shown = [(each["id"], each["text"]) for each in value["messages"]["items"]]
    assert shown == [(4, "newest"), (1, "new"), (2, "two")]
    assert value["messages"]["count"] == 3


async def test_a_test_says_how_long_a_part_of_the_history_is(
    town: Simulator, ask: Ask, server: Any
) -> None:
    town.long_poll(page=2)
    for number in range(3):
        await say(ask, "anna", -9, str(number))
    value = await history(ask, pts=server["pts"])
    assert (len(value["history"]), value["more"]) == (2, True)
    value = await history(ask, pts=server["pts"], events_limit=1000)
    assert len(value["history"]) == 3


async def test_a_history_begins_where_it_is_asked_to(ask: Ask, server: Any) -> None:
    for number in range(5):
        await say(ask, "anna", -9, str(number))
    for params, expected in (
        ({"ts": server["ts"] + 3}, ["3", "4"]),
        ({"last_n": 1}, ["4"]),
        ({"last_n": 100}, ["0", "1", "2", "3", "4"]),
        ({"pts": server["pts"] + 5}, []),
    ):
        items = (await history(ask, **params))["messages"]["items"]
        assert [each["text"] for each in items] == expected


async def test_a_position_that_is_too_old_or_too_new_is_refused(
    town: Simulator, ask: Ask, server: Any
) -> None:
    assert (await history(ask, pts=server["pts"] + 1))["error_code"] == 908
    assert (await history(ask, ts=server["ts"] + 1))["error_code"] == 908
    town.long_poll(history=2)
    for number in range(3):
        await say(ask, "anna", -9, str(number))
    assert (await history(ask, pts=server["pts"]))["error_code"] == 907
    assert (await history(ask, ts=server["ts"]))["error_code"] == 907
    assert len((await history(ask, ts=server["ts"] + 1))["history"]) == 2
    assert len((await history(ask, pts=server["pts"] + 1))["history"]) == 2
    assert (await history(ask))["error_code"] == 100


async def test_a_deleted_message_of_the_history_says_so(ask: Ask, server: Any) -> None:
    await say(ask, "anna", -9)
    await ask("messages.delete", message_ids=1, delete_for_all=1)
    value = await history(ask, pts=server["pts"])
    assert value["history"] == [[4, 1, 1, 1], [2, 1, 131200, 1]]
    assert [each["deleted"] for each in value["messages"]["items"]] == [1]


async def test_a_manager_may_follow_the_mailbox_of_a_community(
    ask: Ask, code: Ask, town: Simulator, server: Any
) -> None:
    town.add_group(9, managers=[1])
    method = "messages.getLongPollServer"
    same = await ask(method, "anna", group_id=GROUP)
    assert same["server"] == server["server"]
    assert await code(method, "boris", group_id=GROUP) == 15


async def test_a_mailbox_has_nothing_to_do_with_the_updates_of_its_community(
    ask: Ask, server: Any
) -> None:
    other = await ask("groups.getLongPollServer", "club", group_id=GROUP)
    assert other["server"] != server["server"]


async def test_a_poll_names_its_place_in_a_history_that_is_lost(
    town: Simulator, ask: Ask, poll: Ask, server: Any
) -> None:
    town.long_poll(history=1, most=1)
    for number in range(3):
        await say(ask, "anna", -9, str(number))
    assert (await poll())["pts"] == server["pts"] + 1
    assert (await poll(server["ts"] + 1))["pts"] == server["pts"] + 2


async def test_a_poll_of_a_mailbox_waits_for_what_comes(ask: Ask, poll: Ask) -> None:
    answers = []

    async def poll_once() -> None:
        answers.append(await poll())

    async with anyio.create_task_group() as tg:
        tg.start_soon(poll_once)
        await anyio.sleep(5)
        await say(ask, "anna", -9, "now")
    assert answers[0]["updates"][0][5] == "now"
