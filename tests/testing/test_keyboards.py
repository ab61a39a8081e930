"""Keyboards that VK cannot show."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Ask: TypeAlias = Callable[..., Awaitable[Any]]

pytestmark = pytest.mark.anyio


def button(label: Any = "yes", payload: Any = '{"a":1}') -> dict[str, Any]:
    return {"action": {"type": "text", "label": label, "payload": payload}}


def board(*rows: int, **more: Any) -> dict[str, Any]:
    """Return a keyboard with as many buttons in each row."""
    return {"buttons": [[button()] * length for length in rows], **more}


LOCATION = {"action": {"type": "location", "payload": ""}}


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
