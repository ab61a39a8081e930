"""The pages for those who come from another client: their side here runs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import attrs
import pytest
from _pages import Page

from vkanyio import Config
from vkanyio.testing import Simulator, faults
from vkanyio.uploads import Uploader

if TYPE_CHECKING:
    from collections.abc import Callable

    from vkanyio import VK

    MakeClient = Callable[..., VK]

VK_API = Page("guides/from-vk-api.md")
VKBOTTLE = Page("guides/from-vkbottle.md")
VK_IO = Page("guides/from-vk-io.md")

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


@pytest.mark.parametrize("page", [VK_API, VKBOTTLE, VK_IO])
def test_the_methods_that_upload_are_there(page: Page):
    table = page.text.partition("\n## Uploads\n")[2].partition("\n## ")[0]
    cells = re.findall(r"^\| .* \| (`.*) \|$", table, re.MULTILINE)
    names = re.findall(r"`(?:await api\.upload\.)?([a-z_]+)[(`]", " ".join(cells))
    assert len(names) > 8
    for name in names:
        assert hasattr(Uploader, name) or name == "str", name
