"""Whole readings of lists that change at random, with restarts and errors of pages."""

from __future__ import annotations

import json
from contextlib import suppress
from itertools import cycle
from typing import TYPE_CHECKING, Any

import anyio
import pytest
import trio.testing
from hypothesis import example, given, settings
from hypothesis import strategies as st

from _changing_lists import OVERLAP, SIZE, ChangingList, apply, changes
from _helpers import TOKEN, assert_at_rest, assert_gone, settle
from vkanyio import VK, APIError, PagedItems
from vkanyio.testing import Simulator, VirtualClockLoop, faults

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

MAX_CHANGES = 30
Changes = list[tuple[int, int, list[int]]]
QUIET: Changes = [(0, 0, [])]
MODE = "sequential"
restarts = st.lists(st.integers(1, 120), max_size=4)
ways = st.sampled_from(["plain", "ahead", "all"])


async def run(
    length: int, script: Changes, stops: list[int], way: str, rate: float, mode: Any
) -> None:
    """Read a list, and assert that what was in it all the time came once."""
    simulator = Simulator(limit=0, latency=lambda random: random.random())
    items = ChangingList(length)
    script_left = [change for change, _ in zip(cycle(script), range(MAX_CHANGES))]
    simulator.add_list("groups.getMembers", items.items)

    def change() -> None:
        if script_left:
            apply(items, script_left.pop())

    simulator.between("groups.getMembers", change)
    simulator.fault(faults.error(18), "groups.getMembers", rate=rate)
    got: list[int] = []
    position = None
    for stop in [*stops, None]:
        client = VK(TOKEN, limit=1000, mode=mode, http_client=simulator.http_client())
        async with client as api:
            source: PagedItems[int] = api.collect("groups.getMembers", count=SIZE)
            source = source.options(resume_from=position, max_items=stop)
            try:
                await read(source, got, way)
            except ValueError:  # too much was deleted for a restart
                last = json.loads(position or "{}")["last"]
                assert not items.always & {*last}
                return
            await settle()
            assert_at_rest(api)
            position = source.position
        assert_gone(client)
    assert source.complete
    assert len(got) == len({*got})
    assert items.always <= {*got}


async def read(source: PagedItems[int], got: list[int], way: str) -> None:
    """Read to the end, whatever pages fail meanwhile."""
    before = len(got)
    if way == "all":
        while not source.complete and len(got) == before:
            with suppress(APIError):
                got += await source.all()
    elif way == "ahead":
        async with source.ahead(4) as ahead:
            await take_all(ahead, got)
    else:
        await take_all(source, got)


async def take_all(source: AsyncIterator[int], got: list[int]) -> None:
    while True:
        try:
            got.append(await anext(source))
        except StopAsyncIteration:
            return
        except APIError:
            continue


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@given(
    st.integers(0, 300),
    changes(deleted=OVERLAP - 1),
    restarts,
    ways,
    st.sampled_from([0.0, 0.0, 0.3]),
    st.sampled_from(["sequential", "parallel"]),
)
# What was read first is not what lies first: new items are above it.
@example(1, [*QUIET * 2, (10, 0, []), *QUIET * 6], [1, 1, 1, 8], "plain", 0.0, MODE)
# More items come at the head, between two pages, than a page has.
@example(53, [*QUIET, (11, 7, [0])], [1, 91], "all", 0.3, MODE)
# Fewer items are deleted than came at the end, and more than two pages share.
@example(251, [(1, 9, [0, 0, 81, 81, 82])], [], "all", 0.0, MODE)
@settings(max_examples=60)
def test_what_is_there_all_the_time_comes_exactly_once(
    backend: str,
    length: int,
    script: Changes,
    stops: list[int],
    way: str,
    rate: float,
    mode: str,
) -> None:
    options: dict[str, Any] = {"loop_factory": VirtualClockLoop}
    if backend == "trio":
        options = {"clock": trio.testing.MockClock(autojump_threshold=0)}
    anyio.run(
        run,
        *(length, script, stops, way, rate, mode),
        backend=backend,
        backend_options=options,
    )
