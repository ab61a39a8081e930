"""Many tasks, tokens and clients, and idle clients."""

from __future__ import annotations

from typing import Any

import anyio
import pytest
from anyio import create_task_group, current_time, move_on_after

from _helpers import (
    assert_gone,
    carried_out,
    counted_turns,
    get,
    note,
    own_tasks,
    returns_at_once,
    settle,
)
from vkanyio import APIRequest, ClientClosedError, ClientUseError, Limiter
from vkanyio._engine._lanes import MIN_LANES
from vkanyio.testing import faults

# ruff: noqa: PT012 - what leaves the block of a client is what this is about

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.simulator_options(latency=1.0),
    pytest.mark.usefixtures("nothing_is_left_open", "echoes"),
]


# One request, several tasks


async def test_a_request_is_sent_once(make_client, simulator):
    request = get(1)
    async with make_client() as api:
        assert await api.call_with_request(request) == 1
        with pytest.raises(ClientUseError):
            await api.call_with_request(request)
        assert await request.wait() == 1
    assert carried_out(simulator) == [1]


async def test_a_request_is_sent_once_at_a_time(make_client, simulator):
    request = get(1)
    async with make_client() as api, create_task_group() as tasks:
        tasks.start_soon(api.call_with_request, request)
        await settle()
        with pytest.raises(ClientUseError):
            await api.call_with_request(request)
    assert carried_out(simulator) == [1]
    assert_gone(api)


async def test_several_waiters_get_equal_results(make_client):
    outcomes: list[Any] = []
    request = get(7)
    async with make_client() as api, create_task_group() as tasks:
        for _ in range(3):
            tasks.start_soon(note, outcomes, request.wait)
        tasks.start_soon(note, outcomes, api.call_with_request, request)
    assert outcomes == [7] * 4


async def test_several_waiters_get_separate_errors(make_client, simulator):
    simulator.fault(faults.drop_after())
    outcomes: list[Any] = []
    request = APIRequest("test.post", {"id": 7})
    async with make_client() as api, create_task_group() as tasks:
        for _ in range(3):
            tasks.start_soon(note, outcomes, request.wait)
        tasks.start_soon(note, outcomes, api.call_with_request, request)
    assert len({id(error) for error in outcomes}) == 4
    assert len({type(error) for error in outcomes}) == 1
    assert len({str(error) for error in outcomes}) == 1
    assert outcomes[0].__cause__ is not None
    assert len({id(error.__cause__) for error in outcomes}) == 1


# One client, several tokens


async def test_one_tokens_waiting_calls_do_not_hold_up_anothers(make_client, simulator):
    async with make_client(limit=10) as api, create_task_group() as tasks:
        for i in range(500):
            tasks.start_soon(api.call_with_request, get(i, access_token="busy"))
        await anyio.sleep(5)
        await returns_at_once(api, 1000)
        start = current_time()
        await api.call_with_request(get(1001, access_token="another"))
        assert current_time() == pytest.approx(start + 1)
        tasks.cancel_scope.cancel()
    assert_gone(api)


async def test_many_calls_of_one_token_do_not_take_anothers_room(make_client):
    async with make_client(max_waiting=2, limit=1) as api, create_task_group() as tasks:
        for i in range(10):
            tasks.start_soon(api.call_with_request, get(i, access_token="busy"))
        await settle()
        await returns_at_once(api, 1000)
        tasks.cancel_scope.cancel()


async def test_idle_tokens_do_not_pile_up(make_client, simulator):
    max_tasks = 0
    async with make_client() as api:
        for i in range(50):
            token = f"token-{i}"
            assert await api.call_with_request(get(i, access_token=token)) == i
            await anyio.sleep(60)
            max_tasks = max(max_tasks, len(own_tasks()))
        assert await api.call_with_request(get(50)) == 50
    assert max_tasks <= 2 * (MIN_LANES + 1)
    assert carried_out(simulator) == list(range(51))
    assert_gone(api)


async def test_a_token_at_work_keeps_its_pace(make_client, simulator):
    async with make_client(limit=1) as api, create_task_group() as tasks:
        for i in range(3):
            tasks.start_soon(api.call_with_request, get(i, access_token="busy"))
        for i in range(20):
            await api.call_with_request(get(i, access_token=f"token-{i}"))
    assert simulator.ledger.worst_window(token=0) == 1
    assert_gone(api)


# Calls that are held back


async def test_an_abandoned_call_behind_one_that_is_held_back_is_not_sent(
    make_client, simulator
):
    async def on_captcha(captcha: Any) -> None:
        await anyio.sleep(60)
        await captcha.retry(simulator.solve(captcha.sid))

    simulator.fault(faults.captcha())
    outcomes: list[Any] = []
    async with make_client(on_captcha=on_captcha, limit=1) as api:
        async with create_task_group() as tasks:
            tasks.start_soon(note, outcomes, api.call_with_request, get(1))
            await anyio.sleep(5)
            post = APIRequest("test.post", {"id": 2})
            tasks.start_soon(note, outcomes, api.call_with_request, post)
            assert await api.call("users.get")
            with move_on_after(0.001) as scope:
                await api.call("users.get")
            assert scope.cancelled_caught
        assert api.statistics().sent == 4
    assert sorted(outcomes) == [1, 2]
    assert len(simulator.ledger.carried_out("users.get")) == 1
    assert_gone(api)


# Idle


@pytest.mark.parametrize("used", [False, True])
async def test_an_idle_client_never_wakes(make_client, used):
    async with make_client(limit=1) as api:
        if used:
            for token in (None, "another"):
                await api.call_with_request(get(1, access_token=token))
            with move_on_after(0.1):
                await api.call_with_request(get(2))
            await anyio.sleep(60)
        await settle()
        async with counted_turns() as turns:
            await anyio.sleep(3600)
        assert turns.count <= 3


# A limiter that clients share


async def test_abandoned_calls_leave_nothing_in_a_shared_limiter(make_client):
    limiter = Limiter(1)
    async with create_task_group() as outer:
        with move_on_after(0):
            async with make_client(limiter=limiter) as api:
                for i in range(5):
                    outer.start_soon(note, [], api.call_with_request, get(i))
                await anyio.sleep_forever()
    await anyio.sleep(60)
    async with make_client(limiter=limiter) as api:
        await returns_at_once(api, 1)
        with pytest.raises(ClientClosedError):
            async with make_client() as other:
                pass
            await other.call_with_request(get(2))


async def test_tokens_take_turns_at_the_last_connection(make_client, simulator):
    outcomes: list[Any] = []
    async with make_client(max_connections=1) as api:
        start = current_time()
        async with create_task_group() as tasks:
            for i in range(6):
                request = get(i, access_token=f"token-{i % 3}")
                tasks.start_soon(note, outcomes, api.call_with_request, request)
        assert current_time() == pytest.approx(start + 6)
    assert sorted(outcomes) == list(range(6))
    assert_gone(api)
