"""The client, its updates and a nursery are left in any order, and in any way."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from itertools import permutations
from typing import TYPE_CHECKING, Any, TypeAlias, final

import anyio
import pytest
import sniffio
from _bots import GROUP, Memory, number_of, write
from anyio import current_time, fail_after, sleep
from anyio.lowlevel import checkpoint

from _helpers import assert_gone
from vkanyio import VK, ClientClosedError, ClientUseError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from vkanyio.testing import Simulator
    from vkanyio.updates import BotUpdates

    Consume: TypeAlias = Callable[["Program"], Awaitable[None]]

pytestmark = pytest.mark.anyio

PARTS = ("client", "updates", "nursery")
NUMBERS = [*range(8)]
FIRST_LEFT: dict[str, set[type[BaseException] | None]] = {
    "nursery": {None},  # its task ends by `updates.stop()`
    "updates": {ClientUseError},
    "client": {ClientClosedError, ClientUseError},  # the updates may be left by then
}
"""How the task may end if that is left first, without an error."""


class Broken(Exception):
    """What goes wrong in the body."""


@final
class Program:
    """A client, its updates, and a nursery with a task that reads them.

    :param order: in which order the three are left
    :ivar updates: what the task reads
    :ivar handled: the numbers that were read
    :ivar ending: how the task ended, if that was by an error
    """

    updates: BotUpdates

    def __init__(self, town: Simulator, store: Memory, order: tuple[str, ...]) -> None:
        self.client = VK("club", http_client=town.http_client(), limit=1000)
        self.handled: list[int] = []
        self.ending: type[BaseException] | None = None
        self._nursery = anyio.create_task_group()
        self._order, self._store = order, store

    async def run(self, consume: Consume, body: Callable[[], Awaitable[None]]) -> None:
        async with AsyncExitStack() as stack:
            for part in reversed(self._order):  # what is left last is entered first
                if part == "client":
                    await stack.enter_async_context(self.client)
                elif part == "nursery":
                    await stack.enter_async_context(self._nursery)
                else:  # entered below, when the client is there
                    stack.push_async_exit(self._leave_updates)
            self.updates = self.client.bot_updates(GROUP, position=self._store)
            await self.updates.__aenter__()
            self._nursery.start_soon(self._consume, consume)
            await body()
            if self._order[0] == "nursery":
                self.updates.stop()

    async def note(self, update: Any) -> None:
        await sleep(0.5)
        self.handled.append(number_of(update))

    async def _leave_updates(self, *how: Any) -> bool | None:
        return await self.updates.__aexit__(*how)

    async def _consume(self, consume: Consume) -> None:
        try:
            await consume(self)
        except (ClientClosedError, ClientUseError) as error:
            self.ending = type(error)
        except anyio.get_cancelled_exc_class() as error:
            self.ending = type(error)
            raise


async def by_loop(program: Program) -> None:
    async for update in program.updates:
        await program.note(update)


async def by_workers(program: Program) -> None:
    await program.updates.handle(program.note, workers=2)


async def live(program: Program, town: Simulator, consume: Consume, way: str) -> None:
    """Read some updates, and leave while more of them come."""

    async def body() -> None:
        write(town, *NUMBERS[:3])
        await sleep(0.7)  # the first is handled, and the second is being handled
        write(town, *NUMBERS[3:])
        if way == "error":
            raise Broken
        if way == "scope":
            scope.cancel()
            await checkpoint()
        if way == "task":
            task = asyncio.current_task()
            assert task is not None
            task.cancel("enough")
            await checkpoint()

    with anyio.CancelScope() as scope:
        await program.run(consume, body)


async def leave(way: str, run: Callable[[], Awaitable[None]]) -> None:
    """Run a program, and assert that it is left in that way."""
    if way == "task":
        with pytest.raises(asyncio.CancelledError, match="enough"):
            await asyncio.ensure_future(run())
    elif way == "error":
        try:
            await run()
        except Broken:
            return
        except BaseExceptionGroup as group:  # made by the nursery
            [error] = group.exceptions
            assert isinstance(error, Broken)
            return
        pytest.fail("the error was lost")
    else:
        await run()


async def read_rest(town: Simulator, position: str | None) -> list[int]:
    """Return what another program reads after a position, until nothing comes."""
    found: list[int] = []
    async with (
        VK("club", http_client=town.http_client(), limit=1000) as client,
        client.bot_updates(GROUP, position=position) as updates,
    ):
        with anyio.move_on_after(1):
            while True:
                found.append(number_of(await anext(updates)))
    return found


@pytest.mark.parametrize("consume", [by_loop, by_workers])
@pytest.mark.parametrize("way", ["return", "error", "scope", "task"])
@pytest.mark.parametrize("order", [*permutations(PARTS)], ids=", ".join)
async def test_parts_left_in_any_order_lose_nothing_and_leave_nothing_behind(
    town: Simulator, order: tuple[str, ...], way: str, consume: Consume
) -> None:
    if way == "task" and sniffio.current_async_library() == "trio":
        pytest.skip("asyncio's")
    store = Memory()
    program = Program(town, store, order)
    start = current_time()
    with fail_after(60):
        await leave(way, lambda: live(program, town, consume, way))
    assert current_time() - start < 6
    assert_gone(program.client)
    if way == "return":
        assert program.ending in FIRST_LEFT[order[0]]
    else:
        assert program.ending is not None
    again = await read_rest(town, store.text)
    assert sorted({*program.handled, *again}) == NUMBERS
    assert len({*program.handled} & {*again}) <= 1
