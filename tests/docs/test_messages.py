"""The guide to keyboards, texts and links: its programs do what it says."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from _pages import Page

from vkanyio.text import Text, bold

if TYPE_CHECKING:
    from collections.abc import Callable

    from vkanyio import VK
    from vkanyio.testing import Simulator

    MakeClient = Callable[..., VK]

MESSAGES = Page("guides/messages.md")

anyio_mark = pytest.mark.anyio
on_both = pytest.mark.parametrize("backend", ["asyncio", "trio"])


def sent(simulator: Simulator) -> list[dict[str, Any]]:
    return [dict(c.params) for c in simulator.ledger.carried_out("messages.send")]


@anyio_mark
async def test_a_menu_is_shown_and_hidden(
    simulator: Simulator, make_client: MakeClient
):
    names = MESSAGES.load("async def show_menu")
    async with make_client() as api:
        await names["show_menu"](api, 5)
        await names["hide_menu"](api, 5)
    shown, hidden = [json.loads(each["keyboard"]) for each in sent(simulator)]
    assert [len(row) for row in shown["buttons"]] == [2, 1]
    assert hidden["buttons"] == []


@on_both
def test_a_mistake_is_reported_by_its_row(backend: str):
    MESSAGES.run("XXL", backend)


@anyio_mark
async def test_a_carousel_is_sent(simulator: Simulator, make_client: MakeClient):
    goods = {"Tea": "photo-1_2", "Cake": "photo-1_3"}
    async with make_client() as api:
        await MESSAGES.load("def shop(")["show_shop"](api, 5, goods)
    [message] = sent(simulator)
    elements = json.loads(message["template"])["elements"]
    assert [each["title"] for each in elements] == ["Tea", "Cake"]


@anyio_mark
async def test_a_text_has_formats(simulator: Simulator, make_client: MakeClient):
    async with make_client() as api:
        await MESSAGES.load("async def tell_price")["tell_price"](api, 5, 100)
    [message] = sent(simulator)
    assert message["message"] == "Price: 100 ₽, see here"
    items = json.loads(message["format_data"])["items"]
    assert [item["type"] for item in items] == ["bold", "url"]


@anyio_mark
async def test_a_long_text_is_sent_in_parts(
    simulator: Simulator, make_client: MakeClient
):
    text = Text(*[Text(bold("word"), " and others. ")] * 1000)
    async with make_client() as api:
        await MESSAGES.load("async def send_all")["send_all"](api, 5, text)
    parts = [each["message"] for each in sent(simulator)]
    assert len(parts) == 5
    assert "".join(parts) == str(text)
    assert all(part.endswith(". ") for part in parts)


@anyio_mark
async def test_a_stranger_mentions_nobody(
    simulator: Simulator, make_client: MakeClient
):
    async with make_client() as api:
        greet = MESSAGES.load("async def greet")["greet"]
        await greet(api, 5, 1, "Ann]", "hello @all")
    [message] = sent(simulator)
    assert message["message"] == "[id1|Ann)] wishes: hello @\u2060all"


@on_both
def test_links_are_read(backend: str):
    MESSAGES.run("parse_link(text)", backend)


@anyio_mark
async def test_what_a_user_sends_is_resolved(
    simulator: Simulator, make_client: MakeClient
):
    describe = MESSAGES.load("async def describe")["describe"]
    async with make_client() as api:
        assert " " in await describe(api, "https://vk.com/id5")
        assert await describe(api, "club9") == "community 9"
        assert await describe(api, "vk.com/wall1_2") == "sent"
        assert (await describe(api, "hi there")).startswith("Send me")
    [message] = sent(simulator)
    assert message["attachment"] == "wall1_2"


@anyio_mark
async def test_a_message_is_not_sent_twice(make_client: MakeClient):
    confirm = MESSAGES.load("async def confirm")["confirm"]
    async with make_client() as api:
        first = await confirm(api, 5, 77)
    async with make_client() as api:
        assert await confirm(api, 5, 77) == first
        assert await confirm(api, 5, 78) != first
