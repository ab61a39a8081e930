"""Lists in pages, and what happens between two calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from vkanyio import VK
    from vkanyio.testing import Simulator

    Ask: TypeAlias = Callable[..., Awaitable[Any]]

pytestmark = pytest.mark.anyio


async def test_a_list_is_returned_in_pages(town: Simulator, ask: Ask) -> None:
    town.add_list("test.get", range(250))
    assert await ask("test.get") == {"count": 250, "items": [*range(100)]}
    page = await ask("test.get", offset=240, count=5)
    assert page["items"] == [240, 241, 242, 243, 244]
    page = await ask("test.get", count=1000)
    assert len(page["items"]) == 100


async def test_hidden_items_are_counted_and_not_returned(
    town: Simulator, ask: Ask
) -> None:
    town.add_list("test.get", range(10), hidden=lambda item: item % 3 == 0)
    page = await ask("test.get", offset=2, count=5)
    assert page == {"count": 10, "items": [2, 4, 5]}


async def test_a_list_may_be_cut_off(town: Simulator, ask: Ask) -> None:
    town.add_list("test.get", range(10), max_results=7)
    assert await ask("test.get", offset=5) == {"count": 10, "items": [5, 6]}
    assert await ask("test.get", offset=7) == {"count": 10, "items": []}


async def test_a_list_may_be_read_by_cursors(town: Simulator, ask: Ask) -> None:
    town.add_list("test.get", range(5), by_cursor=True)
    first = await ask("test.get", count=3)
    assert first == {"count": 5, "items": [0, 1, 2], "next_from": "3"}
    last = await ask("test.get", count=3, start_from=first["next_from"])
    assert last == {"count": 5, "items": [3, 4]}


async def test_a_negative_offset_is_refused(town: Simulator, ask: Ask) -> None:
    town.add_list("test.get", range(5))
    assert (await ask("test.get", offset=-1))["error_code"] == 100


async def test_something_happens_between_two_calls_of_a_method(
    town: Simulator, ask: Ask
) -> None:
    items = [1, 2]
    town.add_list("test.get", items)
    town.between("test.get", lambda: items.append(len(items) + 1))
    town.between("test.get", lambda: items.remove(1) if 1 in items else None)
    assert (await ask("test.get"))["items"] == [1, 2]
    await ask("users.get", user_ids=1)
    assert (await ask("test.get"))["items"] == [2, 3]


async def test_it_happens_inside_an_execute_and_not_after_a_refusal(
    simulator: Simulator, make_client: Callable[..., VK]
) -> None:
    calls: list[int] = []
    simulator.add_list("test.get", [1])
    simulator.between("test.get", lambda: calls.append(1))
    async with make_client() as api:
        code = 'return [API.test.get(), API.test.get({"offset": -1})];'
        await api.execute(code)
    assert calls == [1]
