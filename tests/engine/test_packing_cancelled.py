"""Cancelling calls that share an ``execute``, and leaving their client."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from _helpers import add_echoes, assert_at_rest, assert_gone, get, settle
from _packing import (
    assert_only_token_tasks,
    client_of,
    done,
    one_a_second,
    post,
    together,
)
from vkanyio import VK, ClientClosedError
from vkanyio.testing import Simulator, faults

if TYPE_CHECKING:
    from _helpers import MakeClient

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.client_options(mode="parallel"),
    pytest.mark.usefixtures("echoes"),
]


async def test_a_call_cancelled_before_the_permit_is_not_in_the_batch(
    simulator: Simulator, make_client: MakeClient
) -> None:
    async with one_a_second(make_client) as api:
        await api.call_with_request(get(0))
        async with anyio.create_task_group() as tg:
            for i in range(1, 11):
                tg.start_soon(api.call_with_request, get(i))
            async with anyio.create_task_group() as unlucky:
                for i in range(11, 40):
                    unlucky.start_soon(api.call_with_request, get(i))
                await anyio.sleep(0.5)
                unlucky.cancel_scope.cancel()
        assert api.statistics().batches == {1: 1, 10: 1}
        assert_at_rest(api)
    assert done(simulator) == [*range(11)]


async def test_a_call_of_a_batch_is_cancelled_in_flight_and_the_others_succeed() -> (
    None
):
    simulator = Simulator(limit=0, latency=1)
    add_echoes(simulator)
    values: dict[int, int] = {}

    async def call(api: VK, i: int) -> None:
        with anyio.move_on_after(0.5 if i == 7 else 60):
            values[i] = await api.call_with_request(post(i))

    async with client_of(simulator) as api:
        async with anyio.create_task_group() as tg:
            for i in range(25):
                tg.start_soon(call, api, i)
        assert api.statistics().batches == {25: 1}
        assert_at_rest(api)
        assert_only_token_tasks(api)
    assert values == {i: i for i in range(25) if i != 7}
    assert done(simulator) == [*range(25)]


async def test_a_batch_without_waiters_is_cancelled() -> None:
    simulator = Simulator(limit=0, latency=10)
    add_echoes(simulator)
    async with client_of(simulator) as api:
        with anyio.move_on_after(1):
            await together(api, map(get, range(25)))
        await settle()
        assert_at_rest(api)
        assert_only_token_tasks(api)
        assert api.statistics().batches == {25: 1}
    assert simulator.ledger.requests == 0  # it was cancelled on the way


async def test_cancelling_a_batch_frees_its_connection_for_the_next() -> None:
    simulator = Simulator(limit=0, latency=lambda _: next(trips))
    add_echoes(simulator)
    trips = iter([1000.0, 0.0])
    async with client_of(simulator, max_connections=1) as api:
        with anyio.move_on_after(1):
            await together(api, map(get, range(25)))
        with anyio.fail_after(1):
            assert await together(api, map(get, range(3))) == [0, 1, 2]


async def test_leaving_by_an_error_fails_each_call_of_a_batch() -> None:
    simulator = Simulator(limit=0, latency=10)
    add_echoes(simulator)
    outcomes: list[Any] = []

    async def run(api: VK) -> None:
        outcomes.extend(await together(api, map(post, range(25))))

    async with anyio.create_task_group() as tg:
        with suppress(ZeroDivisionError):
            async with client_of(simulator) as api:
                tg.start_soon(run, api)
                await anyio.sleep(6)
                raise ZeroDivisionError
    assert_gone(api)
    assert done(simulator) == [*range(25)]
    assert {type(outcome) for outcome in outcomes} == {ClientClosedError}
    assert all(outcome.maybe_carried_out for outcome in outcomes)
    assert len({id(outcome) for outcome in outcomes}) == 25


async def test_leaving_normally_finishes_the_batches() -> None:
    simulator = Simulator(limit=0, latency=1)
    add_echoes(simulator)
    outcomes: list[Any] = []

    async def run(api: VK) -> None:
        outcomes.extend(await together(api, map(post, range(60))))

    async with anyio.create_task_group() as tg, client_of(simulator) as api:
        tg.start_soon(run, api)
        await anyio.sleep(0.5)
    assert outcomes == [*range(60)]
    assert_gone(api)


async def test_a_call_of_a_batch_is_cancelled_while_it_waits_for_its_retry(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.fault(faults.error(10), "test.get", rate=1)
    async with make_client(wait=50) as api:
        with anyio.move_on_after(0.01):
            await together(api, [get(0), *map(post, range(1, 5))])
        await settle()
        assert_at_rest(api)
        assert_only_token_tasks(api)


@pytest.mark.parametrize("code", [6, 12, 13])
async def test_a_call_cancelled_before_the_retry_of_its_batch_is_left_out(
    simulator: Simulator, make_client: MakeClient, code: int
) -> None:
    simulator.fault(faults.error(code), "execute")
    values: list[int] = []

    async def call(api: VK, i: int) -> None:
        # The batch waits for its next permit until then.
        with anyio.move_on_after(0.2 if i % 2 else 60):
            values.append(await api.call_with_request(get(i)))

    async with one_a_second(make_client) as api:
        async with anyio.create_task_group() as tg:
            for i in range(12):
                tg.start_soon(call, api, i)
        assert api.statistics().batches[12] == 1
        assert_at_rest(api)
    assert sorted(values) == done(simulator) == [*range(0, 12, 2)]


@pytest.mark.parametrize("code", [6, 12, 13])
async def test_a_batch_whose_calls_are_all_cancelled_is_not_retried(
    simulator: Simulator, make_client: MakeClient, code: int
) -> None:
    simulator.fault(faults.error(code), "execute")
    async with one_a_second(make_client) as api:
        with anyio.move_on_after(0.2):
            await together(api, map(get, range(12)))
        await settle()
        assert_at_rest(api)
        await anyio.sleep(10)
        assert api.statistics().sent == 1
        assert await together(api, map(get, range(3))) == [0, 1, 2]


async def test_a_batch_with_one_call_left_is_retried_as_a_plain_call(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.fault(faults.error(6), "execute")

    async def call(api: VK, i: int) -> None:
        with anyio.move_on_after(0.2 if i else 60):
            await api.call_with_request(get(i))

    async with one_a_second(make_client) as api:
        async with anyio.create_task_group() as tg:
            for i in range(12):
                tg.start_soon(call, api, i)
        assert api.statistics().batches == {12: 1, 1: 1}
        assert_at_rest(api)
    assert done(simulator) == [0]
