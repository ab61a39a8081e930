"""Tokens whose end is known: renewed before, while they are still used."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
import pytest

from _helpers import settle
from _tokens import Source, codes_of, fail_with, outcomes_of
from vkanyio import TokenRenewalError

if TYPE_CHECKING:
    from _tokens import Make
    from vkanyio.testing import Simulator

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("echoes")]


@pytest.mark.simulator_options(latency=0.1)
async def test_a_token_is_renewed_ahead_of_time_and_nothing_is_held_up_or_refused(
    make: Make, simulator: Simulator
) -> None:
    source = Source(life=100.0, takes=5.0)

    async def end_of(token: str, seconds: float) -> None:
        await anyio.sleep(seconds)
        simulator.expire(token)

    async with make(source) as api, anyio.create_task_group() as tg:
        for i in range(1, 7):
            # Each was renewed after 90 s, which took 5 s.
            ends = 95.0 * (i - 1) + 100.0 + i
            tg.start_soon(end_of, f"vk1.a.the-secret-token-{i}", ends)
        for i in range(100):
            began = anyio.current_time()
            await api.call("test.get", {"id": i})
            assert anyio.current_time() - began < 0.2
            await anyio.sleep(4.9)
        tg.cancel_scope.cancel()
    assert codes_of(simulator) == []
    assert source.renewals == 5
    assert source.asked[1] == "vk1.a.the-secret-token-1"


async def test_a_renewal_that_takes_longer_than_the_token_lives_holds_calls_then(
    make: Make, simulator: Simulator
) -> None:
    source = Source(life=100.0, takes=20.0)
    async with make(source) as api:
        end = anyio.current_time() + 100
        await anyio.sleep(91)
        await api.call("test.get", {"id": 1})  # the renewal begins
        assert source.in_progress == 1
        await anyio.sleep(10)
        simulator.expire("vk1.a.the-secret-token-1")
        assert await api.call("test.get", {"id": 2}) == 2
        assert anyio.current_time() == pytest.approx(end + 11)
    assert codes_of(simulator) == []
    assert source.renewals == 1


async def test_an_idle_client_asks_when_it_is_used_again(
    make: Make, simulator: Simulator
) -> None:
    source = Source(life=3600.0)
    async with make(source) as api:
        await anyio.sleep(24 * 3600)
        assert source.renewals == 0
        source.expire(simulator)
        assert await api.call("test.get", {"id": 1}) == 1
        assert codes_of(simulator) == []  # its end had come: it was not sent any more
    assert source.renewals == 1


async def test_a_renewal_begins_five_minutes_before_the_end_at_the_earliest(
    make: Make,
) -> None:
    source = Source(life=24 * 3600.0)
    async with make(source) as api:
        await anyio.sleep(24 * 3600 - 301)
        await api.call("test.get", {"id": 1})
        await settle()
        assert source.renewals == 0
        await anyio.sleep(2)
        await api.call("test.get", {"id": 1})
        await settle()
        assert source.renewals == 1


async def test_a_failure_ahead_of_time_matters_only_when_the_token_ends(
    make: Make,
) -> None:
    source = Source(life=100.0, fail=fail_with(LookupError("spent")))
    async with make(source) as api:
        await anyio.sleep(95)
        for i in range(3):
            assert await api.call("test.get", {"id": i}) == i
            await anyio.sleep(1)
        await anyio.sleep(5)
        [error] = await outcomes_of(api, 1)
        assert isinstance(error, TokenRenewalError)
        assert "it has expired" in str(error)
    assert source.renewals == 1


async def test_a_token_whose_end_is_past_is_used_until_vk_refuses_it(
    make: Make, simulator: Simulator
) -> None:
    source = Source(life=-5.0)
    async with make(source) as api:
        assert await api.call("test.get", {"id": 1}) == 1
        assert source.renewals == 0
        source.expire(simulator)
        assert await api.call("test.get", {"id": 1}) == 1
        assert source.renewals == 1
