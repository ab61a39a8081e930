"""Lists in pages whose reader is cancelled at every step of any task, in every way."""

from __future__ import annotations

import random
from itertools import count
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from _helpers import TOKEN, assert_at_rest, assert_gone, settle
from vkanyio import VK
from vkanyio.testing import Simulator

from ._backends import BACKENDS, MAIN_BACKENDS, seed_trio
from ._play import BOUND
from ._steps import Steps
from ._ways import WAYS, Order

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vkanyio import PagedItems

pytestmark = [pytest.mark.anyio, pytest.mark.long]

READERS = ("a loop", "a loop in a block", "a block", "all")
MEMBERS = [*range(1, 31)]
PAGE = 8


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    is_long = metafunc.config.getoption("--long")
    metafunc.parametrize(("backend", "reader", "way"), [*_cases(is_long=is_long)])


def _cases(*, is_long: bool) -> Iterator[Any]:
    """Generate the cases; a short run takes the main backends alone."""
    for backend in BACKENDS:
        if is_long or backend.name in MAIN_BACKENDS:
            for reader in READERS:
                for way in backend.ways:
                    name = f"{reader}, {backend.name}, {way}"
                    yield pytest.param(backend, reader, way, id=name)


async def test_a_cancelled_reader_loses_nothing_and_leaves_nothing_behind(
    reader: str, way: str, is_long: bool
) -> None:
    for step in count():
        random.seed(step)
        seed_trio(step)
        if not await play(reader, way, step, thorough=is_long):
            break
    assert step > 10


async def play(reader: str, way: str, at: int, *, thorough: bool) -> bool:
    """Cancel a reader at a step, and let another one go on.

    :return: whether there was anything left to cancel
    """
    simulator = Simulator(limit=0, latency=0.5)
    simulator.add_list("groups.getMembers", MEMBERS)
    order = Order()
    steps = Steps(at, order.give, suspensions=thorough)
    if at == 0:
        order.give()
    client = VK(TOKEN, mode="parallel", http_client=simulator.http_client())
    with anyio.fail_after(BOUND), steps.of_client_tasks():
        async with client as api:
            items = api.collect("groups.getMembers", count=PAGE).options(overlap=2)
            got: list[int] = []

            async def read() -> None:
                await steps.counted(READ[reader](items, got))

            if reader == "a loop in a block":
                async with items.ahead(3) as ahead:
                    await WAYS[way](order, lambda: steps.counted(take(ahead, got)))
                    await take(ahead, got)
            else:
                await WAYS[way](order, read)
            await settle()
            assert_at_rest(api)
            got += await items.all()
            assert got == MEMBERS
            assert items.complete
    assert_gone(client)
    return order.given


async def take(source: Any, got: list[int]) -> None:
    async for item in source:
        got.append(item)  # noqa: PERF401 - they stay if it is cancelled


async def in_block(items: PagedItems[int], got: list[int]) -> None:
    async with items.ahead(3) as ahead:
        await take(ahead, got)


async def at_once(items: PagedItems[int], got: list[int]) -> None:
    got += await items.all()


READ: dict[str, Any] = {"a loop": take, "a block": in_block, "all": at_once}
