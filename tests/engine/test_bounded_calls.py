"""Deadlines for calls, in every state that a call can be in."""

from __future__ import annotations

from typing import Any

import anyio
import pytest
from anyio import create_task_group, current_time, fail_after, move_on_after

from _helpers import assert_at_rest, assert_gone, carried_out, get, note, settle
from vkanyio import CaptchaError
from vkanyio.testing import faults

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.simulator_options(latency=1.0),
    pytest.mark.usefixtures("nothing_is_left_open", "echoes"),
]


def never_solve(captcha: Any) -> Any:
    return anyio.sleep_forever()


async def test_a_call_can_be_bounded_in_the_queue(make_client, simulator):
    async with make_client(limit=1) as api, create_task_group() as tasks:
        tasks.start_soon(api.call_with_request, get(1))
        await settle()
        start = current_time()
        with pytest.raises(TimeoutError), fail_after(0.25):
            await api.call_with_request(get(2))
        assert current_time() == start + 0.25
    assert carried_out(simulator) == [1]


async def test_a_call_can_be_bounded_in_flight(make_client, simulator):
    simulator.fault(faults.hang_after())
    async with make_client() as api:
        start = current_time()
        with pytest.raises(TimeoutError), fail_after(5):
            await api.call_with_request(get(1))
        assert current_time() == start + 5
        await settle()
        assert_at_rest(api)


async def test_a_call_can_be_bounded_before_its_retry(make_client, simulator):
    simulator.fault(faults.refuse(), rate=1)
    async with make_client(wait=1000, retry_limit=1000) as api:
        start = current_time()
        with pytest.raises(TimeoutError), fail_after(5):
            await api.call_with_request(get(1))
        assert current_time() == start + 5
        await settle()
        assert_at_rest(api)
        sent = api.statistics().sent
        await anyio.sleep(80_000)
        assert api.statistics().sent == sent


async def test_a_call_can_be_bounded_after_it_was_refused(make_client, simulator):
    simulator.fault(faults.error(6), rate=1)
    async with make_client() as api:
        start = current_time()
        with pytest.raises(TimeoutError), fail_after(20):
            await api.call_with_request(get(1))
        assert current_time() == start + 20
        await settle()
        assert_at_rest(api)


async def test_a_call_can_be_bounded_during_a_captcha(make_client, simulator):
    simulator.fault(faults.captcha(), times=2)
    async with make_client(on_captcha=never_solve) as api:
        for _ in range(2):
            start = current_time()
            with pytest.raises(TimeoutError), fail_after(5):
                await api.call_with_request(get(1))
            assert current_time() == start + 5
            await settle()
            assert_at_rest(api)
        assert await api.call_with_request(get(2)) == 2
    assert carried_out(simulator) == [2]


async def test_a_call_can_be_bounded_while_another_call_has_the_captcha(
    make_client, simulator
):
    simulator.fault(faults.captcha(), times=2)
    outcomes: list[Any] = []

    async def solve(captcha: Any) -> None:
        await anyio.sleep(30)
        await captcha.retry(simulator.solve(captcha.sid))

    async with make_client(on_captcha=solve) as api, create_task_group() as tasks:
        tasks.start_soon(note, outcomes, api.call_with_request, get(1))
        await settle()
        with pytest.raises(TimeoutError), fail_after(5):
            await api.call_with_request(get(2))
    assert outcomes == [1]
    assert carried_out(simulator) == [1]
    assert_gone(api)


async def test_giving_up_a_call_ends_its_captcha_handler(make_client, simulator):
    ended: list[float] = []

    async def on_captcha(captcha: Any) -> None:
        try:
            await anyio.sleep_forever()
        finally:
            ended.append(current_time())

    simulator.fault(faults.captcha())
    async with make_client(on_captcha=on_captcha) as api:
        start = current_time()
        with move_on_after(5):
            await api.call_with_request(get(1))
        await settle()
    assert ended == [start + 5]


async def test_an_answer_to_a_captcha_can_be_bounded(make_client, simulator):
    async def on_captcha(captcha: Any) -> None:
        with fail_after(0.5):
            await captcha.retry(simulator.solve(captcha.sid))

    simulator.fault(faults.captcha())
    async with make_client(on_captcha=on_captcha) as api:
        with pytest.raises(CaptchaError) as caught:
            await api.call_with_request(get(1))
        assert isinstance(caught.value.__cause__, TimeoutError)
        assert_at_rest(api)
        assert await api.call_with_request(get(2)) == 2


async def test_calls_can_be_bounded_while_the_client_closes(make_client):
    outcomes: list[Any] = []

    async def call(api: Any) -> None:
        with move_on_after(0.5) as scope:
            await api.call_with_request(get(1))
        outcomes.append(scope.cancelled_caught)

    async with create_task_group() as outer:
        start = current_time()
        async with make_client() as api:
            outer.start_soon(call, api)
            await settle()
        assert current_time() == start + 0.5, "nothing was left to wait for"
    assert outcomes == [True]
    assert_gone(api)
