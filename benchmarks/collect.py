"""Measure ``api.collect``: how long a long list takes, and what an item costs.

::

    uv run python benchmarks/collect.py

P10 reads the 60,000 members of a community at limit 3, with 200 ms of latency, on the
simulator in virtual time: page by page as a program would by itself, by ``collect``,
and by ``collect(...).all()``. The last table is the processor time of an item, with the
simulator's.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

import anyio
import trio.testing

from vkanyio import VK
from vkanyio.testing import Simulator, VirtualClockLoop

MEMBERS = 60_000
PAGE = 1000
LIMIT, LATENCY = 3, 0.2

Read: TypeAlias = Callable[[VK], Awaitable[list[int]]]


async def by_pages(api: VK) -> list[int]:
    """Read page after page, without `collect`."""
    found: list[int] = []
    for offset in range(0, MEMBERS, PAGE):
        page = await api.groups.getMembers(group_id="7", offset=offset, count=PAGE)
        found += page["items"]
    return found


async def by_loop(api: VK) -> list[int]:
    """Read by a plain loop."""
    return [
        user_id async for user_id in api.collect(api.groups.getMembers, group_id="7")
    ]


async def ahead(api: VK) -> list[int]:
    """Read with 20 pages under way."""
    async with api.collect(api.groups.getMembers, group_id="7").ahead(20) as items:
        return [user_id async for user_id in items]


async def at_once(api: VK) -> list[int]:
    """Read all at once."""
    return await api.collect(api.groups.getMembers, group_id="7").all()


async def measure(read: Read, mode: Any) -> None:
    """Print how long it takes, and what it costs."""
    simulator = Simulator(limit=LIMIT, latency=LATENCY)
    simulator.add_group(7, members=range(1, MEMBERS + 1))
    client = simulator.http_client()
    async with VK("token", limit=LIMIT, mode=mode, http_client=client) as api:
        began, used = anyio.current_time(), time.process_time()
        found = await read(api)
        seconds, used = anyio.current_time() - began, time.process_time() - used
        sent = api.statistics().sent
    assert found == [*range(1, MEMBERS + 1)]  # each exactly once, in order
    print(
        f"  {mode:10} {read.__name__:9} {seconds:6.2f} s, {sent:3} requests,"
        f" {1e6 * used / MEMBERS:5.2f} us of CPU an item"
    )


async def main() -> None:
    """Measure all ways."""
    for mode in ("sequential", "parallel"):
        for read in (by_pages, by_loop, ahead, at_once):
            await measure(read, mode)


if __name__ == "__main__":
    print(f"P10: {MEMBERS} members, limit {LIMIT}, latency {LATENCY} s, virtual time")
    for backend in ("asyncio", "trio"):
        print(backend)
        options: dict[str, Any] = {"loop_factory": VirtualClockLoop}
        if backend == "trio":
            options = {"clock": trio.testing.MockClock(autojump_threshold=0)}
        anyio.run(main, backend=backend, backend_options=options)
