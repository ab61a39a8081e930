"""The guide to long lists: its code does what its text says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from _pages import Page

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from vkanyio import VK
    from vkanyio.testing import Simulator

    MakeClient = Callable[..., VK]

pytestmark = pytest.mark.anyio

READING = Page("guides/reading.md")
POSTS = [{"owner_id": -1, "id": n, "text": f"This is post {n}."} for n in range(250)]


def saved_in(folder: Path) -> int:
    return len([*folder.glob("*.txt")])


async def test_all_posts_are_read(simulator: Simulator, make_client: MakeClient):
    simulator.add_list("wall.get", POSTS)
    async with make_client() as api:
        words = await READING.load("def first_words(")["first_words"](api, -1)
    assert len(words) == 250
    assert words[249] == "This is post 249."


async def test_all_members_are_few_requests(
    simulator: Simulator, make_client: MakeClient
):
    simulator.add_group(7, members=range(1, 3001))
    async with make_client(mode="parallel") as api:
        found = await READING.load("def members(")["members"](api, 7)
        assert api.statistics().sent == 2
    assert found == [*range(1, 3001)]


async def test_members_are_counted_as_they_come(
    simulator: Simulator, make_client: MakeClient
):
    for user_id, bdate in ((1, "1.1.1990"), (2, "1.1.2020"), (3, "1.1"), (4, "")):
        simulator.add_user(user_id, bdate=bdate)
    simulator.add_group(7, members=[1, 2, 3, 4])
    async with make_client() as api:
        count_adults = READING.load("def count_adults(")["count_adults"]
        assert await count_adults(api, "7", 2025) == 1


async def test_a_new_process_continues(
    simulator: Simulator, make_client: MakeClient, tmp_path: Path
):
    posts = POSTS[:120]
    simulator.add_list("wall.get", posts)
    save = READING.load("def save_new_posts(")["save_new_posts"]
    async with make_client() as api:
        await save(api, -1, tmp_path)
        assert saved_in(tmp_path) == 120
        posts += POSTS[120:130]
        (tmp_path / "0.txt").unlink()
        await save(api, -1, tmp_path)
    assert saved_in(tmp_path) == 129
