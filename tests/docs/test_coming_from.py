"""The pages for those who come from another client: their side here runs."""

from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING

import anyio
import attrs
import pytest
from _pages import Page

from vkanyio import VK, Config
from vkanyio.keyboard import Button, Keyboard
from vkanyio.testing import Simulator, faults
from vkanyio.uploads import Uploader

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping
    from pathlib import Path

    MakeClient = Callable[..., VK]

VK_API = Page("guides/from-vk-api.md")
VKBOTTLE = Page("guides/from-vkbottle.md")
VK_IO = Page("guides/from-vk-io.md")

VK_API_BOT = (
    lambda: VK_API.load("def answer_all("),
    lambda names, api: names["answer_all"](api, 9),
)
VKBOTTLE_BOT = (
    lambda: VKBOTTLE.load("async def run("),
    lambda names, api: names["run"](api),
)
VK_IO_BOT = (
    lambda: VK_IO.load("class ShopBot"),
    lambda names, api: names["main"](),
)

on_both = pytest.mark.parametrize("backend", ["asyncio", "trio"])


@on_both
def test_a_call_after_vk_api(backend: str):
    simulator = Simulator()
    VK_API.run('wall.post(message="hello")', backend, simulator)
    assert VK_API.printed == "1\n"


@pytest.mark.anyio
@pytest.mark.usefixtures("on_simulator")
async def test_a_pool_is_tasks(
    simulator: Simulator, capsys: pytest.CaptureFixture[str]
):
    simulator.fault(faults.error(18), "status.get")
    texts = await VK_API.load("def statuses(")["statuses"]("any", [*range(1, 26)])
    assert len(texts) == 24
    assert simulator.ledger.requests == 1
    assert "error 18" in capsys.readouterr().out


@pytest.mark.anyio
async def test_all_pages_are_read_in_order(make_client: MakeClient):
    all_posts = VK_API.load("def all_posts(")["all_posts"]
    async with make_client(mode="parallel") as api:
        for number in range(230):
            await api.wall.post(message=f"No. {number}")
        owner = (await api.users.get())[0]["id"]
        posts = await all_posts(api, owner)
    assert [post["text"] for post in posts] == [f"No. {n}" for n in range(230)][::-1]


@pytest.mark.anyio
async def test_arguments_travel_beside_a_script(make_client: MakeClient):
    first_names_of = VK_API.load("def first_names_of(")["first_names_of"]
    async with make_client() as api:
        assert len(await first_names_of(api, [1, 2])) == 2


@on_both
def test_a_call_after_vkbottle(backend: str):
    VKBOTTLE.run('users[0]["first_name"]', backend)
    assert VKBOTTLE.printed.strip()


@pytest.mark.anyio
async def test_many_calls_after_vkbottle(
    make_client: MakeClient, capsys: pytest.CaptureFixture[str]
):
    print_all = VKBOTTLE.load("def print_all(")["print_all"]
    async with make_client() as api:
        await print_all(api, [1, 2, 3])
    assert len(capsys.readouterr().out.splitlines()) == 3


@on_both
def test_a_call_after_vk_io(backend: str):
    VK_IO.run("limit=20,", backend)
    assert VK_IO.printed.strip()


@pytest.mark.anyio
async def test_many_calls_after_vk_io(make_client: MakeClient):
    all_of = VK_IO.load("def all_of(")["all_of"]
    async with make_client() as api:
        assert [user["id"] for user in await all_of(api, [3, 1, 2])] == [3, 1, 2]


@pytest.mark.anyio
@pytest.mark.usefixtures("on_simulator")
async def test_a_captcha_after_vk_io(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch
):
    names = VK_IO.load("def client_with_captcha(")

    async def solver(address: str) -> str:
        return simulator.solve(address)

    monkeypatch.setitem(names, "solver", solver)
    simulator.fault(faults.captcha("old"), "wall.post")
    async with names["client_with_captcha"]("any") as api:
        await api.wall.post(message="hello")


def test_the_table_of_options_is_whole():
    table = VK_IO.text.partition("## Options")[2].partition("## Many calls")[0]
    for option in attrs.fields(Config):
        if option.name != "token":
            assert f"`{option.name}`" in table, option.name


@pytest.fixture
async def bot(
    request: pytest.FixtureRequest,
    town: Simulator,
    club: VK,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[None]:
    """Run the bot of a page, in a directory of its own."""
    load, run = request.param
    monkeypatch.chdir(tmp_path)
    (tmp_path / "catalog.png").write_bytes(b"a picture")
    names = load()
    names["VK"] = lambda token, limit: VK("club", http_client=town.http_client())
    monkeypatch.setenv("VK_TOKEN", "club")
    async with anyio.create_task_group() as tg:
        tg.start_soon(run, names, club)
        await anyio.sleep(1)
        yield
        tg.cancel_scope.cancel()


async def answers_to(town: Simulator, *texts: str) -> list[Mapping[str, str]]:
    """Write to the community, and return the parameters of its answers."""
    for text in texts:
        town.say(1, 9, text)
        await anyio.sleep(10)
    await anyio.sleep(10)
    return [e.params for e in town.ledger.carried_out("messages.send")]


@pytest.mark.anyio
@pytest.mark.parametrize("bot", [VK_API_BOT], indirect=True)
@pytest.mark.usefixtures("bot")
async def test_a_bot_after_vk_api(town: Simulator):
    assert [e["message"] for e in await answers_to(town, "hi")] == ["Hello"]
    assert "bot.json" in os.listdir()


@pytest.mark.anyio
@pytest.mark.parametrize("bot", [VKBOTTLE_BOT], indirect=True)
@pytest.mark.usefixtures("bot")
async def test_a_bot_after_vkbottle(town: Simulator):
    answers = await answers_to(town, "hi", "order 15")
    assert [each["message"] for each in answers] == ["Ordered: 15"]


@pytest.mark.anyio
@pytest.mark.parametrize("bot", [VK_IO_BOT], indirect=True)
@pytest.mark.usefixtures("bot")
async def test_a_bot_after_vk_io(town: Simulator):
    [first, second, third] = await answers_to(town, "hi", "/START", "order 15")
    assert first["message"] == "Write /start"
    assert second["message"] == "What would you like?"
    assert third["message"] == "Ordered: 15"
    assert json.loads(third["forward"])["is_reply"] is True
    town.press(1, 9, "Catalog")
    assert (await answers_to(town))[-1]["attachment"].startswith("photo")


@pytest.mark.anyio
@pytest.mark.parametrize("bot", [VK_IO_BOT], indirect=True)
@pytest.mark.usefixtures("bot")
async def test_a_callback_button_after_vk_io(town: Simulator, club: VK):
    button = Button.callback("Buy", {"id": 1})
    keyboard = Keyboard([[button]], inline=True)
    await club.messages.send(peer_id=1, message="This?", keyboard=keyboard)
    town.press(1, 9, "Buy")
    await anyio.sleep(10)
    [sent] = town.ledger.carried_out("messages.sendMessageEventAnswer")
    assert json.loads(sent.params["event_data"])["text"] == "Done"


@pytest.mark.parametrize("page", [VK_API, VKBOTTLE, VK_IO])
def test_the_methods_that_upload_are_there(page: Page):
    table = page.text.partition("\n## Uploads\n")[2].partition("\n## ")[0]
    cells = re.findall(r"^\| .* \| (`.*) \|$", table, re.MULTILINE)
    names = re.findall(r"`(?:await api\.upload\.)?([a-z_]+)[(`]", " ".join(cells))
    assert len(names) > 8
    for name in names:
        assert hasattr(Uploader, name) or name == "str", name
