"""Polls and calls at the same time: neither is in the way of the other."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

import anyio
import pytest
from _bots import GROUP, number_of, read, write, write_slowly
from anyio import current_time, move_on_after, sleep

from _helpers import assert_at_rest, assert_gone
from _probe import Probe
from vkanyio import VK, ClientUseError
from vkanyio.testing import Account, Simulator

if TYPE_CHECKING:
    from vkanyio.updates import BotUpdates

pytestmark = pytest.mark.anyio


@pytest.mark.client_options(max_connections=2)
async def test_a_poll_holds_a_connection_of_the_user_s_client_but_never_the_last(
    town: Simulator, club: VK
) -> None:
    async with club.bot_updates():
        with pytest.raises(ClientUseError, match="max_connections must be more than 2"):
            async with club.bot_updates():
                pytest.fail("entered")
        assert await club.users.get(user_ids=1)
    async with club.bot_updates() as updates:
        write(town, 1)
        assert await read(updates, 1) == [1]


async def test_calls_are_as_quick_while_three_bots_poll() -> None:
    times: list[list[float]] = []
    for bots in (0, 3):
        # Three polls and 17 calls at a time: a poll takes a connection, but no permit.
        account = Account(id=GROUP, kind="group")
        town = Simulator(limit=20, tokens={"club": account}, latency=0.1)
        async with VK(
            "club", http_client=town.http_client(), limit=20, request_mode="burst"
        ) as club:
            async with AsyncExitStack() as stack:
                heard: list[int] = []
                tg = await stack.enter_async_context(anyio.create_task_group())
                for _ in range(bots):
                    block = club.bot_updates(GROUP)
                    tg.start_soon(hear, await stack.enter_async_context(block), heard)
                    stack.callback(block.stop)
                await sleep(5)
                tg.start_soon(write_slowly, town, range(20), 2)
                start = current_time()
                async with anyio.create_task_group() as calls:
                    for _ in range(1000):
                        calls.start_soon(club.call, "users.get", {"user_ids": 1})
                entries = town.ledger.carried_out("users.get")
                times.append([each.time - start for each in entries])
            assert sorted(heard) == sorted([*range(20)] * bots)
            assert_at_rest(club)
        assert_gone(club)
    assert len(times[0]) == 1000
    assert times[1] == pytest.approx(times[0], abs=0.001)


async def hear(updates: BotUpdates, heard: list[int]) -> None:
    async def note(update: Any) -> None:
        heard.append(number_of(update))

    await updates.handle(note)


@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
@pytest.mark.usefixtures("nothing_is_left_open")
async def test_no_connection_of_a_poll_outlives_the_client() -> None:
    town = Simulator(limit=0, tokens={"club": Account(id=GROUP, kind="group")})
    async with town.serve() as base_url:
        async with VK("club", base_url=base_url, limit=1000) as club:
            for _ in range(3):
                async with club.bot_updates() as updates:
                    write(town, 1)
                    assert number_of(await anext(updates)) == 1
                    assert await club.users.get(user_ids=1)
                    with move_on_after(0.02):  # a poll that is cancelled
                        await anext(updates)
            assert_at_rest(club)
            pools = [*Probe(club).other_pools.values()]
            assert sum(len(pool.idle) for pool in pools) <= 1
        assert_gone(club)
        assert not any(pool.idle for pool in pools)
