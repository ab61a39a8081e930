"""The Callback API of the simulator: what a server gets, and how patient VK is."""

from __future__ import annotations

import json
import time
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

import anyio
import httpx
import pytest

from vkanyio.testing import Simulator
from vkanyio.testing._serve import serve

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from vkanyio.testing import CallbackServer

pytestmark = pytest.mark.anyio

GROUP = 9


class Bot:
    """A server that responds as it was told to, and notes what it gets."""

    def __init__(self, *responses: Any) -> None:
        self.responses = [*responses]
        self.got: list[dict[str, Any]] = []
        self.counters: list[str] = []
        self.paths: list[str] = []
        self.times: list[float] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body = (await receive())["body"]
        value = json.loads(body)
        status, text, headers = 200, "ok", {}
        if value["type"] == "confirmation":
            text = "code"
        else:
            names = dict(scope["headers"])
            self.got.append(value)
            self.counters.append(names.get(b"x-retry-counter", b"").decode())
            self.paths.append(scope["path"])
            self.times.append(anyio.current_time())
            if self.responses:
                status, text, headers = self.responses.pop(0)
        if status == 0:
            raise RuntimeError("a bug in the server")
        if status == 1:
            await anyio.sleep(1000)
        pairs = [(k.encode(), v.encode()) for k, v in headers.items()]
        start = {"type": "http.response.start", "status": status, "headers": pairs}
        await send(start)
        await send({"type": "http.response.body", "body": text.encode()})


def in_seconds(seconds: float) -> dict[str, str]:
    return {"retry-after": formatdate(time.time() + seconds, usegmt=True)}


async def test_a_server_gets_each_update_with_the_secret(town: Simulator) -> None:
    bot = Bot()
    options: dict[str, Any] = {"confirmation": "code", "path": "/vk"}
    async with town.callback(bot, GROUP, "secret", **options) as server:
        town.say(1, GROUP, "hello")
        town.say(1, 8, "to somebody else")
        await server.delivered()
        assert repr(server) == "<CallbackServer: ok, 0 updates pending>"
    [got] = bot.got
    assert got["object"]["message"]["text"] == "hello"
    assert (got["group_id"], got["secret"], bot.paths) == (GROUP, "secret", ["/vk"])
    [made, _] = town.ledger.updates
    assert {**made.value, "secret": "secret"} == got
    assert (made.sent, made.accepted, made.handed_out) == (1, True, 0)
    town.say(1, GROUP, "too late")
    await anyio.sleep(1)
    assert len(bot.got) == 1


async def test_a_server_has_to_confirm(town: Simulator) -> None:
    bot = Bot()
    wrong = r"community 9: it returned 'code' with status 200 in place of '\w{8}'"
    with pytest.raises(ValueError, match=wrong):
        async with town.callback(bot, GROUP):
            pytest.fail("it was not confirmed")

    async def silent(_scope: Any, _receive: Any, _send: Any) -> None:
        await anyio.sleep_forever()

    with pytest.raises(ValueError, match="it returned nothing in place of 'code'"):
        async with town.callback(silent, GROUP, confirmation="code"):
            pytest.fail("it was not confirmed")


async def test_the_code_is_that_of_the_method(
    town: Simulator, ask: Callable[..., Awaitable[Any]]
) -> None:
    method = "groups.getCallbackConfirmationCode"
    code = (await ask(method, "club", group_id=GROUP))["code"]
    assert code == (await ask(method, "club", group_id=GROUP))["code"]
    other = await ask(method, "club", group_id=8)
    assert other["error_code"] == 15

    async def confirm(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": code.encode()})

    async with town.callback(confirm, GROUP) as server:
        assert server.status == "ok"


BAD: dict[str, tuple[int, str, dict[str, str]]] = {
    "another status": (500, "ok", {}),
    "another text": (200, "OK", {}),
    "a byte order mark": (200, "\ufeffok", {}),
    "a bug": (0, "", {}),
    "a seconds' count": (503, "", {"retry-after": "5"}),
    "a date too far ahead": (503, "", in_seconds(4 * 3600)),
    "a date where it is not read": (500, "", in_seconds(5)),
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
async def test_all_but_ok_is_repeated(
    town: Simulator, bad: tuple[int, str, dict[str, str]]
) -> None:
    bot = Bot(bad, bad)
    async with town.callback(bot, GROUP, confirmation="code") as server:
        start = anyio.current_time()
        event_id = town.update(GROUP, "like_add", {})
        await server.delivered()
    assert [each["event_id"] for each in bot.got] == [event_id] * 3
    assert bot.counters == ["", "1", "2"]
    assert bot.times == pytest.approx([start, start + 18, start + 36])
    assert (town.ledger.updates[0].sent, town.ledger.updates[0].accepted) == (3, True)


async def test_a_date_says_when_to_repeat(town: Simulator) -> None:
    bot = Bot(*[(status, "", in_seconds(60)) for status in (503, 429, 410)])
    async with town.callback(bot, GROUP, confirmation="code", errors=1) as server:
        start = anyio.current_time()
        town.update(GROUP, "like_add", {})
        await server.delivered()
        assert server.status == "ok"
    expected = [start, start + 60, start + 120, start + 180]
    assert bot.times == pytest.approx(expected, abs=4)


async def test_a_response_that_does_not_come_is_given_up(town: Simulator) -> None:
    bot = Bot((1, "", {}))
    async with town.callback(bot, GROUP, confirmation="code", timeout=5) as server:
        start = anyio.current_time()
        town.update(GROUP, "like_add", {})
        await server.delivered()
        assert anyio.current_time() == pytest.approx(start + 5 + 18)


async def test_an_update_is_given_up_after_many_attempts(town: Simulator) -> None:
    bot = Bot(*[(500, "", {})] * 3)
    options: dict[str, Any] = {"confirmation": "code", "retries": 2}
    async with town.callback(bot, GROUP, **options) as server:
        town.update(GROUP, "like_add", {})
        await server.delivered()
        town.update(GROUP, "like_remove", {})
        await server.delivered()
    assert [(each.sent, each.accepted) for each in town.ledger.updates] == [
        (3, False),
        (1, True),
    ]


async def test_many_errors_in_a_row_make_vk_pause(town: Simulator) -> None:
    bot = Bot(*[(500, "", {})] * 2)
    options: dict[str, Any] = {"errors": 2, "pause": 100}
    async with town.callback(bot, GROUP, confirmation="code", **options) as server:
        start = anyio.current_time()
        town.update(GROUP, "like_add", {})
        await anyio.sleep(20)
        assert server.status == "paused"
        town.update(GROUP, "like_remove", {})
        await server.delivered()
        assert server.status == "ok"
    assert bot.times == pytest.approx([start, start + 18, start + 118, start + 118])


async def test_a_server_can_ask_to_be_removed(town: Simulator) -> None:
    bot = Bot((200, "remove", {}))
    async with town.callback(bot, GROUP, confirmation="code") as server:
        for _ in range(2):
            town.update(GROUP, "like_add", {})
            await server.delivered()
        assert server.status == "removed"
    assert len(bot.got) == 1
    assert not town.ledger.updates[0].accepted


async def test_the_settings_of_the_long_poll_are_not_those_of_the_callbacks(
    town: Simulator, ask: Callable[..., Awaitable[Any]]
) -> None:
    await ask("groups.setLongPollSettings", group_id=GROUP, like_add=0)
    bot = Bot()
    async with town.callback(bot, GROUP, confirmation="code") as server:
        assert town.update(GROUP, "like_add", {})
        await server.delivered()
    assert len(bot.got) == 1
    assert town.ledger.updates[0].number == 0
    assert town.update(GROUP, "like_add", {}) is None


async def test_an_error_in_the_block_leaves_as_itself(town: Simulator) -> None:
    error = ValueError("mine")
    bot = Bot((1, "", {}))

    async def use(server: CallbackServer) -> None:
        town.update(GROUP, "like_add", {})
        await anyio.sleep(1)
        assert "1 updates pending" in repr(server)
        raise error

    with pytest.raises(ValueError, match="mine") as caught:
        async with town.callback(bot, GROUP, confirmation="code") as server:
            await use(server)
    assert caught.value is error


async def test_a_block_can_be_cancelled(town: Simulator) -> None:
    with anyio.move_on_after(5) as scope:
        async with town.callback(Bot(), GROUP, confirmation="code"):
            await anyio.sleep(60)
    assert scope.cancelled_caught


@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
async def test_a_server_may_be_anywhere() -> None:
    bot = Bot()
    simulator = Simulator(limit=0)
    async with serve(bot, "127.0.0.1", 0) as base_url:
        url = httpx.URL(base_url).copy_with(path="/vk")
        callback = simulator.callback(str(url), GROUP, confirmation="code")
        async with callback as server:
            simulator.say(1, GROUP, "hello")
            await server.delivered()
    assert [each["type"] for each in bot.got] == ["message_new"]
    assert bot.paths == ["/vk"]


@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
async def test_a_server_that_is_not_there_does_not_confirm(town: Simulator) -> None:
    with pytest.raises(ValueError, match="it returned nothing"):
        async with town.callback("http://127.0.0.1:9/vk", GROUP):
            pytest.fail("nobody is there")
