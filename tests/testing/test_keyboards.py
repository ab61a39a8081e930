"""Keyboards and carousels: those that VK shows, and those that it refuses."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

from vkanyio.keyboard import Button, Carousel, CarouselElement, Keyboard

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from vkanyio import VK
    from vkanyio.testing import Simulator

    Ask: TypeAlias = Callable[..., Awaitable[Any]]
    MakeClient: TypeAlias = Callable[..., VK]

pytestmark = pytest.mark.anyio


def button(label: Any = "yes", payload: Any = '{"a":1}') -> dict[str, Any]:
    return {"action": {"type": "text", "label": label, "payload": payload}}


def board(*rows: int, **more: Any) -> dict[str, Any]:
    """Return a keyboard with as many buttons in each row."""
    return {"buttons": [[button()] * length for length in rows], **more}


LOCATION = {"action": {"type": "location", "payload": ""}}


def action(kind: str, **fields: Any) -> dict[str, Any]:
    """Return a keyboard with one button."""
    return {"buttons": [[{"action": {"type": kind, **fields}}]]}


@pytest.mark.parametrize(
    "keyboard",
    [
        {},
        {"buttons": []},  # removes the keyboard
        board(5, 5, 5, 5, 5, 5, 5, 5, one_time=True),
        board(*[4] * 10),
        board(5, 5, inline=True),
        board(2, 2, 2, 2, 1, 1, inline=True),
        {"buttons": [[button("x" * 40, {"a": "b" * 246})], [LOCATION]]},
        action("open_link", label="x", link="https://vk.com"),
        action("open_app", label="x", app_id=7),
        action("vkpay", hash="x"),
        {"buttons": [[{**button(), "color": "positive"}]]},
    ],
)
async def test_a_keyboard_within_the_limits_is_sent(ask: Ask, keyboard: Any) -> None:
    sent = {"peer_id": 2, "random_id": 0, "message": "x"}
    value = await ask("messages.send", keyboard=json.dumps(keyboard), **sent)
    assert value == 1


@pytest.mark.parametrize(
    ("keyboard", "says"),
    [
        ([], "keyboard should be array"),
        ("text", "keyboard should be array"),
        (board(1, inline=1), "inline property should be boolean"),
        ({"buttons": {}}, "buttons should be array"),
        ({"buttons": [button()]}, "buttons should be array"),
        (board(*[1] * 11), "buttons contain too much rows"),
        (board(*[1] * 7, inline=True), "buttons contain too much rows"),
        (board(5, 6), "row 1 contains too much columns"),
        (board(6, inline=True), "row 0 contains too much columns"),
        (board(*[5] * 8, 1), "keyboard contains too much buttons"),
        (board(5, 5, 1, inline=True), "keyboard contains too much buttons"),
        ({"buttons": [[{}]]}, "button [0][0] action should be array"),
        ({"buttons": [["yes"]]}, "button [0][0] action should be array"),
        (
            {"buttons": [[], [button(), button("")]]},
            "button [1][1] label should be at least 1 letters length",
        ),
        (
            {"buttons": [[button("x" * 41)]]},
            "button [0][0] label should be at most 40 letters length",
        ),
        ({"buttons": [[button(5)]]}, "button [0][0] label should be string"),
        (
            {"buttons": [[button(payload="x" * 256)]]},
            "button [0][0] payload is too long",
        ),
        (
            {"buttons": [[button(payload={"a": "b" * 247})]]},
            "button [0][0] payload is too long",
        ),
        (
            {"buttons": [[button(payload=None)]]},
            "button [0][0] payload should be string",
        ),
        (action("dance", label="x"), "button [0][0] action type is invalid"),
        ({"buttons": [[{"action": {}}]]}, "button [0][0] action type is invalid"),
        (action("text"), "button [0][0] label is required"),
        (action("open_link", label="x"), "button [0][0] link is required"),
        (action("open_app", label="x"), "button [0][0] app_id is required"),
        (action("vkpay"), "button [0][0] hash is required"),
        (
            {"buttons": [[{**button(), "color": "red"}]]},
            "button [0][0] color is invalid",
        ),
        (
            {"buttons": [[{**LOCATION, "color": "primary"}]]},
            "button [0][0] color is invalid",
        ),
    ],
)
async def test_a_keyboard_beyond_the_limits_is_refused(
    ask: Ask, keyboard: Any, says: str
) -> None:
    text = json.dumps(keyboard)
    sent = {"peer_id": 2, "random_id": 0, "message": "x"}
    refused = await ask("messages.send", keyboard=text, **sent)
    assert refused["error_code"] == 911
    assert refused["error_msg"] == f"Keyboard format is invalid: {says}"
    message_id = await ask("messages.send", **sent)
    edited = {"peer_id": 2, "message_id": message_id, "message": "y"}
    assert (await ask("messages.edit", keyboard=text, **edited))["error_code"] == 911
    [message] = (await ask("messages.getById", message_ids=message_id))["items"]
    assert message["text"] == "x"


async def test_a_keyboard_is_json(ask: Ask) -> None:
    sent = {"peer_id": 2, "random_id": 0, "message": "x", "keyboard": "{"}
    refused = await ask("messages.send", **sent)
    assert refused["error_code"] == 911
    assert refused["error_msg"] == "Keyboard format is invalid"


def element(**more: Any) -> dict[str, Any]:
    return {"title": "One", "buttons": [button()], **more}


def carousel(*elements: Any) -> dict[str, Any]:
    return {"type": "carousel", "elements": list(elements)}


async def test_a_carousel_is_sent_with_a_message(ask: Ask) -> None:
    template = json.dumps(carousel(element(), element()))
    sent = {"peer_id": 2, "random_id": 0, "template": template}
    assert await ask("messages.send", message="x", **sent) == 1
    refused = await ask("messages.send", attachment="photo1_1", **sent)
    assert refused["error_code"] == 100


@pytest.mark.parametrize(
    ("template", "says"),
    [
        ([], "template type should be carousel"),
        ({"type": "list"}, "template type should be carousel"),
        (carousel(), "elements should be array"),
        (carousel("x"), "element [0] should be array"),
        (carousel(element(title="x" * 81)), "element [0] title is too long"),
        (
            carousel({"buttons": [button()]}),
            "element [0] should have title or photo_id",
        ),
        (carousel(element(buttons=[])), "element [0] should have from 1 to 3 buttons"),
        (
            carousel(element(buttons=[button()] * 4)),
            "element [0] should have from 1 to 3 buttons",
        ),
        (
            carousel(element(buttons=[button("")])),
            "element [0] button [0][0] label should be at least 1 letters length",
        ),
        (
            carousel(element(), element(description="x")),
            "element [1] should have the structure of element [0]",
        ),
        (
            carousel(element(), element(buttons=[button()] * 2)),
            "element [1] should have the structure of element [0]",
        ),
    ],
)
async def test_a_carousel_that_vk_cannot_show_is_refused(
    ask: Ask, template: Any, says: str
) -> None:
    sent = {"peer_id": 2, "random_id": 0, "message": "x"}
    refused = await ask("messages.send", template=json.dumps(template), **sent)
    assert refused["error_code"] == 911
    assert refused["error_msg"] == f"Keyboard format is invalid: {says}"
    assert (await ask("messages.send", template="{", **sent))["error_code"] == 911


# What vkanyio's own values make.


async def test_what_can_be_made_is_accepted(
    simulator: Simulator, make_client: MakeClient
) -> None:
    buttons = [
        Button.text("x" * 40, {"a": "b" * 247}, color="negative"),
        Button.callback("x", 1, color="secondary"),
        Button.link("x", "https://vk.com"),
        Button.location(),
        Button.vkpay("action=pay-to-group&group_id=1"),
        Button.open_app("x", 7, owner_id=-1, hash="x"),
    ]
    rows = [[each] for each in buttons]
    template = Carousel(
        CarouselElement(title="One", photo=f"-1_{n}", buttons=buttons[:3])
        for n in range(1, 4)
    )
    boards = (
        Keyboard([[buttons[0]] * 5] * 8, one_time=True),
        Keyboard([[buttons[0]] * 4] * 10),
        Keyboard(rows, inline=True),
        Keyboard.none(),
    )
    async with make_client() as api:
        for keyboard in boards:
            await api.messages.send(peer_id=2, message="x", keyboard=keyboard)
        await api.messages.send(peer_id=2, message="x", template=template)
    assert len(simulator.ledger.carried_out("messages.send")) == 5
