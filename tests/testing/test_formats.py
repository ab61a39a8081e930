"""Formats of messages, whose places must be within the text."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

from vkanyio import APIError
from vkanyio.text import Text, bold, italic, link

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from vkanyio import VK

    Ask: TypeAlias = Callable[..., Awaitable[Any]]
    MakeClient: TypeAlias = Callable[..., VK]

pytestmark = pytest.mark.anyio

BOLD = {"type": "bold", "offset": 0, "length": 2}


def data(*items: Any, version: Any = 1) -> str:
    return json.dumps({"version": version, "items": items})


async def shown(ask: Ask, message_id: int) -> Any:
    [message] = (await ask("messages.getById", message_ids=message_id))["items"]
    return message.get("format_data")


async def test_formats_are_kept_with_their_message(ask: Ask) -> None:
    sent = {"peer_id": 2, "random_id": 0, "message": "\N{GRINNING FACE}"}
    first = await ask("messages.send", format_data=data(BOLD), **sent)
    assert await shown(ask, first) == {"version": "1", "items": [BOLD]}
    assert await shown(ask, await ask("messages.send", **sent)) is None
    edited = {"peer_id": 2, "message_id": first, "message": "ab"}
    assert await ask("messages.edit", format_data=data(BOLD, version="1"), **edited)
    assert await shown(ask, first) == {"version": "1", "items": [BOLD]}
    assert await ask("messages.edit", **edited)
    assert await shown(ask, first) is None


@pytest.mark.parametrize(
    "format_data",
    [
        "{",
        "[]",
        "{}",
        data(BOLD, version=2),
        data("bold"),
        json.dumps({"version": 1, "items": 7}),
        data({**BOLD, "type": "blink"}),
        data({**BOLD, "type": []}),
        data({**BOLD, "offset": 1}),
        data({**BOLD, "offset": -1}),
        data({**BOLD, "length": 0}),
        data({**BOLD, "length": "2"}),
        data({**BOLD, "offset": "0"}),
        data({**BOLD, "type": "url"}),
        data({**BOLD, "url": "https://vk.com"}),
    ],
)
async def test_formats_that_do_not_fit_are_refused(ask: Ask, format_data: str) -> None:
    sent = {"peer_id": 2, "random_id": 0, "message": "\N{GRINNING FACE}"}
    refused = await ask("messages.send", format_data=format_data, **sent)
    assert refused["error_code"] == 100
    assert refused["error_msg"].endswith("format_data is invalid")


async def test_texts_fit_and_long_ones_do_when_they_are_split(
    make_client: MakeClient,
) -> None:
    text = bold("\N{GRINNING FACE}" * 3000) + " " + italic(link("x", "https://vk.com"))
    long = Text(*[text] * 4)
    async with make_client() as api:
        with pytest.raises(APIError) as raised:
            await api.messages.send(peer_id=2, **long.params())
        assert raised.value.code == 914
        ids = [
            await api.messages.send(peer_id=2, **part.params()) for part in long.split()
        ]
        found = (await api.messages.getById(message_ids=ids))["items"]
    assert "".join(each["text"] for each in found) == str(long)
