"""The long poll servers of communities, and the updates that they hand out."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeAlias

import anyio
import httpx
import pytest

from vkanyio.testing import Simulator, VKFault, faults

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Ask: TypeAlias = Callable[..., Awaitable[Any]]

pytestmark = pytest.mark.anyio

GROUP = 9


@pytest.fixture
async def server(ask: Ask) -> Any:
    return await ask("groups.getLongPollServer", "club", group_id=GROUP)


@pytest.fixture
async def poll(browser: httpx.AsyncClient, server: Any) -> Ask:
    """Polls from a number, by default the one that came with the key."""

    async def poll(ts: object = None, wait: object = 25, **params: Any) -> Any:
        query = {
            "act": "a_check",
            "key": server["key"],
            "ts": server["ts"] if ts is None else ts,
            "wait": wait,
        }
        response = await browser.get(server["server"], params={**query, **params})
        return response.json()

    return poll


def texts(answer: Any) -> list[str]:
    return [each["object"]["message"]["text"] for each in answer["updates"]]


async def test_a_message_of_a_user_is_an_update_of_the_community(
    town: Simulator, poll: Ask
) -> None:
    assert town.say(1, GROUP, "hello", payload={"answer": 1}) == 1
    answer = await poll()
    [update] = answer["updates"]
    assert set(update) == {"group_id", "type", "event_id", "v", "object"}
    assert (update["group_id"], update["type"], update["v"]) == (
        GROUP,
        "message_new",
        "5.199",
    )
    assert len(update["event_id"]) == 40
    message = update["object"]["message"]
    assert (message["from_id"], message["peer_id"], message["text"]) == (1, 1, "hello")
    assert (message["out"], message["payload"]) == (0, '{"answer": 1}')
    assert update["object"]["client_info"]["inline_keyboard"] is True
    assert isinstance(answer["ts"], str)


async def test_a_poll_waits_for_the_next_update(town: Simulator, poll: Ask) -> None:
    start = anyio.current_time()
    answers = []

    async def poll_once() -> None:
        answers.append(await poll())
        answers.append(anyio.current_time() - start)

    async with anyio.create_task_group() as tg:
        tg.start_soon(poll_once)
        await anyio.sleep(7)
        town.say(1, GROUP, "now")
    assert texts(answers[0]) == ["now"]
    assert answers[1] == pytest.approx(7)


@pytest.mark.parametrize(
    ("wait", "seconds"), [(25, 25), (90, 90), (1000, 90), (0, 0), ("", 25), ("x", 25)]
)
async def test_a_poll_without_updates_ends_after_its_wait(
    poll: Ask, server: Any, wait: object, seconds: float
) -> None:
    start = anyio.current_time()
    assert await poll(wait=wait) == {"ts": server["ts"], "updates": []}
    assert anyio.current_time() - start == pytest.approx(seconds)


async def test_each_poll_goes_on_where_it_asks_to(town: Simulator, poll: Ask) -> None:
    for text in ("one", "two", "three"):
        town.say(1, GROUP, text)
    first = await poll()
    assert texts(first) == ["one", "two", "three"]
    assert texts(await poll()) == texts(first)
    last_but_one = int(first["ts"]) - 1
    assert texts(await poll(last_but_one)) == ["three"]
    assert await poll(first["ts"]) == {"ts": first["ts"], "updates": []}
    assert [made.handed_out for made in town.ledger.updates] == [2, 2, 3]


async def test_two_pollers_both_get_all(
    town: Simulator, ask: Ask, poll: Ask, browser: httpx.AsyncClient
) -> None:
    other = await ask("groups.getLongPollServer", "club", group_id=GROUP)
    answers = []

    async def poll_other() -> None:
        form = {"act": "a_check", "key": other["key"], "ts": other["ts"], "wait": 25}
        answers.append((await browser.post(other["server"], data=form)).json())

    async def poll_first() -> None:
        answers.append(await poll())

    async with anyio.create_task_group() as tg:
        tg.start_soon(poll_other)
        tg.start_soon(poll_first)
        await anyio.sleep(1)
        town.say(1, GROUP, "both")
    assert [texts(answer) for answer in answers] == [["both"], ["both"]]
    assert town.ledger.updates[0].handed_out == 2


async def test_a_response_has_no_more_updates_than_are_allowed(
    town: Simulator, poll: Ask
) -> None:
    town.long_poll(most=2)
    for number in range(5):
        town.say(1, GROUP, str(number))
    got: list[str] = []
    ts = None
    while len(got) < 5:
        answer = await poll(ts)
        assert len(answer["updates"]) <= 2
        got += texts(answer)
        ts = answer["ts"]
    assert got == ["0", "1", "2", "3", "4"]


async def test_updates_that_are_not_kept_any_more_are_lost(
    town: Simulator, poll: Ask, server: Any
) -> None:
    town.long_poll(retention=3)
    for number in range(4):
        town.say(1, GROUP, str(number))
    last = int(server["ts"]) + 4
    assert await poll() == {"failed": 1, "ts": last}
    assert texts(await poll(last - 3)) == ["1", "2", "3"]
    [lost] = town.ledger.updates.lost()
    assert lost.object["message"]["text"] == "0"
    assert town.ledger.updates.not_handed_out() == [lost]
    assert repr(town.ledger.updates) == (
        "<UpdateLedger: 4 made, 1 not handed out, 1 lost>"
    )


@pytest.mark.parametrize("ts", ["1000", "", "x", "-1"])
async def test_a_number_that_does_not_exist_is_refused(
    poll: Ask, server: Any, ts: str
) -> None:
    assert await poll(ts) == {"failed": 1, "ts": int(server["ts"])}


async def test_a_key_expires_and_its_successor_goes_on(
    town: Simulator, ask: Ask, poll: Ask, server: Any
) -> None:
    await anyio.sleep(3599)
    town.say(1, GROUP, "kept")
    assert texts(await poll()) == ["kept"]
    await anyio.sleep(1)
    assert await poll() == {"failed": 2}
    town.long_poll(key_seconds=60)
    new = await ask("groups.getLongPollServer", "club", group_id=GROUP)
    assert new["key"] != server["key"]
    assert texts(await poll(key=new["key"])) == ["kept"]
    await anyio.sleep(60)
    assert await poll(key=new["key"]) == {"failed": 2}


async def test_a_key_is_for_one_community(ask: Ask, poll: Ask) -> None:
    other = await ask("groups.getLongPollServer", "anna", group_id=8)
    assert await poll(key=other["key"]) == {"failed": 2}
    assert await poll(key="") == {"failed": 2}


async def test_what_is_no_poll_gets_an_error_page(
    browser: httpx.AsyncClient, server: Any
) -> None:
    assert (await browser.get(server["server"])).status_code == 400
    assert (await browser.get(server["server"] + "1?act=a_check")).status_code == 404
    json_body = await browser.post(server["server"], json={"act": "a_check"})
    assert json_body.status_code == 400


async def test_only_managers_may_ask_for_the_server(
    town: Simulator, ask: Ask, code: Ask
) -> None:
    town.add_group(GROUP, managers=[1])
    methods = ("groups.getLongPollServer", "groups.getLongPollSettings")
    for method in (*methods, "groups.setLongPollSettings"):
        assert await code(method, "anna", group_id=GROUP) == 0
        assert await code(method, "boris", group_id=GROUP) == 15
        assert await code(method, "club", group_id=8) == 15
        assert await code(method, "app", group_id=GROUP) == 28
        assert await code(method, "club") == 100


async def test_a_long_poll_that_is_not_enabled_has_no_server(
    town: Simulator, ask: Ask, poll: Ask
) -> None:
    assert await ask("groups.setLongPollSettings", group_id=GROUP, enabled=0) == 1
    error = await ask("groups.getLongPollServer", "club", group_id=GROUP)
    assert error["error_code"] == 100
    assert error["error_msg"].endswith("longpoll for this group is not enabled")
    town.say(1, GROUP, "unheard")
    assert town.update(GROUP, "message_new", {}) is None
    assert len(town.ledger.updates) == 0
    assert await ask("groups.setLongPollSettings", group_id=GROUP, enabled=1) == 1
    assert town.update(GROUP, "message_new", {})
    assert len((await poll())["updates"]) == 1


async def test_only_ticked_types_come(town: Simulator, ask: Ask, poll: Ask) -> None:
    before = await ask("groups.getLongPollSettings", "club", group_id=GROUP)
    assert before["is_enabled"] is True
    assert set(before["events"].values()) == {1}
    await ask("groups.setLongPollSettings", group_id=GROUP, message_new=0, like_add=1)
    settings = await ask("groups.getLongPollSettings", "club", group_id=GROUP)
    assert settings["events"] == {**before["events"], "message_new": 0}
    town.say(1, GROUP, "unheard")
    like = town.update(GROUP, "like_add", {"liker_id": 1})
    payload = town.update(GROUP, "app_payload", {})  # there is no flag for it
    updates = (await poll())["updates"]
    assert [each["event_id"] for each in updates] == [like, payload]
    [made] = town.ledger.updates.of(GROUP, "like_add")
    assert (made.event_id, made.type, made.object) == (
        like,
        "like_add",
        {"liker_id": 1},
    )
    assert len(town.ledger.updates.of(GROUP)) == 2
    assert town.ledger.updates.of(8) == []


@pytest.mark.parametrize(("version", "bare"), [("5.102", True), ("5.103", False)])
async def test_the_settings_decide_the_shape_of_a_message(
    town: Simulator, ask: Ask, poll: Ask, version: str, bare: bool
) -> None:
    await ask("groups.setLongPollSettings", group_id=GROUP, api_version=version)
    town.say(1, GROUP, "hello")
    [update] = (await poll())["updates"]
    assert update["v"] == version
    shown = update["object"] if bare else update["object"]["message"]
    assert shown["text"] == "hello"


async def test_a_wrong_version_of_the_settings_is_refused(code: Ask) -> None:
    params = {"group_id": GROUP, "api_version": "new"}
    assert await code("groups.setLongPollSettings", **params) == 100


async def test_a_message_that_vk_refuses_makes_no_update(town: Simulator) -> None:
    town.add_group(7, can_message=0)
    with pytest.raises(VKFault) as refused:
        town.say(1, 7, "hello")
    assert refused.value.code == 901
    with pytest.raises(ValueError, match="community 9 is not in chat 5"):
        town.say(1, GROUP, "hello", chat_id=5)
    assert [*town.ledger.updates] == []


async def test_a_message_in_a_chat_reaches_the_community(
    town: Simulator, ask: Ask, poll: Ask
) -> None:
    chat = (await ask("messages.createChat", user_ids="2,-9", title="all"))["chat_id"]
    town.say(2, GROUP, "hello", chat_id=chat, attachment=["photo1_1", "photo1_2"])
    update = (await poll())["updates"][-1]
    message = update["object"]["message"]
    assert (message["peer_id"], message["from_id"]) == (2_000_000_000 + chat, 2)
    assert len(message["attachments"]) == 2


async def test_the_communitys_own_message_is_a_reply(ask: Ask, poll: Ask) -> None:
    params = {"peer_id": 1, "message": "hi", "random_id": 5}
    for _ in range(2):
        await ask("messages.send", "club", **params)
    [update] = (await poll())["updates"]
    assert update["type"] == "message_reply"
    assert (update["object"]["text"], update["object"]["out"]) == ("hi", 1)


KEYBOARD = {
    "one_time": False,
    "buttons": [
        [
            {"action": {"type": "text", "label": "Yes", "payload": '{"answer":1}'}},
            {"action": {"type": "open_link", "label": "Site", "link": "https://a.b"}},
        ]
    ],
}
INLINE = {
    "inline": True,
    "buttons": [
        [{"action": {"type": "callback", "label": "More", "payload": {"id": 7}}}],
        [{"action": {"type": "callback", "label": "Odd", "payload": "plain text"}}],
    ],
}


async def send_keyboard(ask: Ask, keyboard: Any) -> None:
    params = {"peer_id": 1, "message": "Well?", "random_id": 0}
    await ask("messages.send", "club", keyboard=json.dumps(keyboard), **params)


async def test_a_text_button_sends_its_label_and_payload(
    town: Simulator, ask: Ask, poll: Ask
) -> None:
    await send_keyboard(ask, KEYBOARD)
    assert town.press(1, GROUP, "Yes") is None
    update = (await poll())["updates"][-1]
    message = update["object"]["message"]
    assert (message["text"], message["payload"]) == ("Yes", '{"answer":1}')


async def test_a_callback_button_is_answered_once_within_a_minute(
    town: Simulator, ask: Ask, code: Ask, poll: Ask
) -> None:
    await send_keyboard(ask, INLINE)
    pressed = town.press(1, GROUP, "More")
    update = (await poll())["updates"][-1]
    assert (update["type"], update["object"]) == (
        "message_event",
        {
            "user_id": 1,
            "peer_id": 1,
            "event_id": pressed,
            "payload": {"id": 7},
            "conversation_message_id": 1,
        },
    )
    answer = {"event_id": pressed, "user_id": 1, "peer_id": 1}
    method = "messages.sendMessageEventAnswer"
    assert await code(method, "club", **{**answer, "user_id": 2}) == 100
    assert await ask(method, "club", **answer) == 1
    assert await code(method, "club", **answer) == 100
    late = town.press(1, GROUP, "Odd")
    assert town.ledger.updates[-1].object["payload"] == "plain text"
    await anyio.sleep(61)
    assert await code(method, "club", **{**answer, "event_id": late}) == 100


async def test_a_user_sees_inline_keyboards_and_the_last_other_one(
    town: Simulator, ask: Ask
) -> None:
    await send_keyboard(ask, KEYBOARD)
    await send_keyboard(ask, INLINE)
    town.press(1, GROUP, "Yes")
    await send_keyboard(ask, {"buttons": []})
    with pytest.raises(ValueError, match=r"label 'Yes'; there are: \['More', 'Odd'\]"):
        town.press(1, GROUP, "Yes")
    town.press(1, GROUP, "More")
    with pytest.raises(ValueError, match="user 2 sees"):
        town.press(2, GROUP, "More")


async def test_a_button_that_opens_something_sends_nothing(
    town: Simulator, ask: Ask
) -> None:
    await send_keyboard(ask, KEYBOARD)
    with pytest.raises(ValueError, match="of type 'open_link'"):
        town.press(1, GROUP, "Site")


@pytest.mark.parametrize("number", [1, 3])
async def test_updates_can_be_lost(town: Simulator, poll: Ask, number: int) -> None:
    town.say(1, GROUP, "lost")
    town.fault(faults.failed(number), "longpoll")
    answer = await poll()
    assert answer["failed"] == number
    assert len(town.ledger.updates.lost()) == 1
    assert await poll() == ({"failed": 1, "ts": 2} if number == 1 else {"failed": 2})


async def test_a_key_can_expire_early(town: Simulator, poll: Ask) -> None:
    town.fault(faults.failed(2))
    assert await poll() == await poll() == {"failed": 2}
    assert town.ledger.updates.lost() == []


async def test_a_server_can_answer_what_nobody_expects(
    town: Simulator, poll: Ask, server: Any
) -> None:
    town.fault(faults.failed(4))
    town.fault(faults.failed(5))
    assert await poll() == {"failed": 4, "min_version": 0, "max_version": 3}
    assert await poll() == {"failed": 5}
    assert await poll(wait=0) == {"ts": server["ts"], "updates": []}


async def test_updates_can_be_repeated(town: Simulator, poll: Ask) -> None:
    for number in range(5):
        town.say(1, GROUP, str(number))
    ts = (await poll())["ts"]
    town.say(1, GROUP, "new")
    town.fault(faults.repeated(2))
    town.fault(faults.repeated(100))
    assert texts(await poll(ts)) == ["3", "4", "new"]
    assert texts(await poll(ts)) == ["0", "1", "2", "3", "4", "new"]
    assert texts(await poll(ts)) == ["new"]


async def test_what_is_repeated_never_leads_back(town: Simulator, poll: Ask) -> None:
    for number in range(5):
        town.say(1, GROUP, str(number))
    ts = (await poll())["ts"]
    town.long_poll(most=1)
    town.say(1, GROUP, "new")
    town.fault(faults.repeated(2))
    answer = await poll(ts)
    assert texts(answer) == ["3", "4", "new"]
    town.fault(faults.silent())
    town.fault(faults.repeated(2))
    for _ in range(2):
        assert await poll(ts) == {"ts": ts, "updates": []}


async def test_a_key_can_fall_silent_and_a_new_one_hears_again(
    town: Simulator, ask: Ask, poll: Ask, server: Any
) -> None:
    town.fault(faults.silent())
    town.say(1, GROUP, "unheard")
    for _ in range(2):
        start = anyio.current_time()
        assert await poll() == {"ts": server["ts"], "updates": []}
        assert anyio.current_time() - start == pytest.approx(25)
    new = await ask("groups.getLongPollServer", "club", group_id=GROUP)
    assert int(new["ts"]) > int(server["ts"])
    assert texts(await poll(key=new["key"])) == ["unheard"]


@pytest.mark.parametrize(
    "fault", [faults.failed(2), faults.repeated(), faults.silent()], ids=str
)
async def test_the_faults_of_long_polls_affect_nothing_else(
    town: Simulator, code: Ask, fault: Any
) -> None:
    with pytest.raises(ValueError, match="affects only 'longpoll', not "):
        town.fault(fault, "users.get")
    town.fault(fault, rate=1)
    assert await code("users.get", user_ids=1) == 0


async def test_the_connection_of_a_poll_can_be_lost(town: Simulator, poll: Ask) -> None:
    town.say(1, GROUP, "hello")
    for fault in (faults.drop_before(), faults.drop_after()):
        town.fault(fault, "longpoll")
    with pytest.raises(httpx.ReadError):
        await poll()
    assert town.ledger.updates[0].handed_out == 0
    with pytest.raises(httpx.ReadError):
        await poll()
    assert town.ledger.updates[0].handed_out == 1
    town.fault(faults.refuse(), "longpoll")
    with pytest.raises(httpx.ConnectError):
        await poll()


async def test_a_poll_can_get_an_error_or_a_page(
    town: Simulator, poll: Ask, browser: httpx.AsyncClient, server: Any
) -> None:
    town.fault(faults.error(10), "longpoll")
    assert (await poll())["error"].startswith("Internal server error")
    town.fault(faults.html(502), "longpoll")
    page = await browser.get(f"{server['server']}?act=a_check&key={server['key']}")
    assert page.status_code == 502
    town.fault(faults.hang_before(), "longpoll")
    with anyio.move_on_after(1000) as scope:
        await poll()
    assert scope.cancelled_caught


async def test_polls_stand_in_the_ledger_without_their_key(
    town: Simulator, poll: Ask, server: Any
) -> None:
    await poll(wait=0)
    entry = town.ledger[-1]
    assert (entry.method, entry.outcome) == ("longpoll", "carried out")
    assert entry.params["ts"] == server["ts"]
    assert server["key"] not in repr(entry)


@pytest.mark.parametrize("limits", [{"most": 0}, {"retention": -1}, {"key_seconds": 0}])
async def test_a_limit_of_long_polls_is_positive(
    town: Simulator, limits: dict[str, Any]
) -> None:
    [name] = limits
    with pytest.raises(ValueError, match=f"{name} must be positive, not"):
        town.long_poll(**limits)
