"""Cancellation by asyncio itself: tasks, timeouts, groups and gather."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

import anyio
import pytest
from anyio import CancelScope, create_task_group, current_time, fail_after

from _helpers import (
    Turns,
    assert_at_rest,
    assert_gone,
    cancelling,
    carried_out,
    counted_turns,
    get,
    note,
    settle,
)
from vkanyio import ParameterError
from vkanyio._engine._call_task import CallTask
from vkanyio.testing import VirtualClockLoop, faults

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from vkanyio import VK

# ruff: noqa: PT012 - what leaves the block of a client is what this is about

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.simulator_options(latency=1.0),
    pytest.mark.usefixtures("nothing_is_left_open", "echoes"),
]

MAX_TURNS = 20


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, Any]]:
    return "asyncio", {"loop_factory": VirtualClockLoop}


# In every state of a call


def _never_solve(captcha: Any) -> Awaitable[None]:
    return anyio.sleep_forever()


STATES: dict[str, dict[str, Any]] = {
    "waiting for room": {"max_waiting": 1},
    "waiting for a permit": {"limit": 1},
    "waiting for a connection": {"max_connections": 1},
    "in flight": {},
    "waiting for a retry": {"wait": 1000, "retry_limit": 1000},
    "waiting for a captcha": {"on_captcha": _never_solve},
}


@pytest.fixture(params=STATES)
def stuck(request, make_client, simulator) -> Any:
    """Make a client in which the next call stays in the given state."""
    state = request.param

    @asynccontextmanager
    async def make() -> AsyncIterator[VK]:
        async with make_client(**STATES[state]) as api, create_task_group() as tasks:
            tasks.start_soon(note, [], api.call, "test.get", {"id": 0})
            await settle()
            simulator.fault(faults.hang_before(), rate=1)
            if state == "waiting for a retry":
                simulator.clear_faults()
                simulator.fault(faults.refuse(), rate=1)
            elif state == "waiting for a captcha":
                simulator.clear_faults()
                simulator.fault(faults.captcha(), rate=1)
            yield api
            simulator.clear_faults()
            tasks.cancel_scope.cancel()
        assert_gone(api)

    return make


async def by_timeout(api: VK) -> None:
    async with asyncio.timeout(0.875):
        await api.call_with_request(get(1))


async def by_wait_for(api: VK) -> None:
    await asyncio.wait_for(api.call_with_request(get(1)), 0.875)


async def by_fail_after(api: VK) -> None:
    with fail_after(0.875):
        await api.call_with_request(get(1))


async def by_timeout_round_a_group(api: VK) -> None:
    async with asyncio.timeout(0.875), asyncio.TaskGroup() as group:
        group.create_task(api.call_with_request(get(1)))


async def by_timeout_round_gather(api: VK) -> None:
    async with asyncio.timeout(0.875):
        await asyncio.gather(*[api.call_with_request(get(i)) for i in (1, 2)])


BOUNDS = [
    by_timeout,
    by_wait_for,
    by_fail_after,
    by_timeout_round_a_group,
    by_timeout_round_gather,
]


@pytest.mark.parametrize("bounded", BOUNDS)
async def test_a_call_is_bounded_by_any_means_wherever_it_is(stuck, bounded):
    async with stuck() as api:
        start = current_time()
        with pytest.raises(TimeoutError) as caught:
            await bounded(api)
        assert type(caught.value) is TimeoutError
        assert current_time() == start + 0.875
        assert cancelling() == 0
        assert await asyncio.sleep(0, "not cancelled any more")


async def by_task(api: VK, turns: Turns) -> int:
    task = asyncio.create_task(api.call_with_request(get(1)))
    await asyncio.sleep(0.875)
    before = turns.count
    task.cancel("the user's reason")
    with pytest.raises(asyncio.CancelledError, match="the user's reason"):
        await task
    return before


async def by_scope(api: VK, turns: Turns) -> int:
    before = 0
    with CancelScope() as scope:
        async with create_task_group() as tasks:
            tasks.start_soon(api.call_with_request, get(1))
            await asyncio.sleep(0.875)
            before = turns.count
            scope.cancel()
    return before


async def by_gather(api: VK, turns: Turns) -> int:
    calls = asyncio.gather(*[api.call_with_request(get(i)) for i in range(5)])
    await asyncio.sleep(0.875)
    before = turns.count
    calls.cancel()
    with pytest.raises(asyncio.CancelledError):
        await calls
    return before


async def by_group(api: VK, turns: Turns) -> int:
    before = 0

    async def fail() -> None:
        nonlocal before
        await asyncio.sleep(0.875)
        before = turns.count
        raise ValueError("raised by the task")

    with pytest.raises(ExceptionGroup) as caught:
        async with asyncio.TaskGroup() as group:
            for i in range(5):
                group.create_task(api.call_with_request(get(i)))
            group.create_task(fail())
    [error] = caught.value.exceptions
    assert isinstance(error, ValueError)
    task = asyncio.current_task()
    assert task is not None
    while task.cancelling():  # those of the group, which Python 3.11 leaves behind
        task.uncancel()
    return before


@pytest.mark.parametrize("cancel", [by_task, by_scope, by_gather, by_group])
async def test_a_cancelled_call_leaves_within_a_few_turns(stuck, cancel):
    async with stuck() as api, counted_turns() as turns:
        start = current_time()
        before = await cancel(api, turns)
        assert turns.count - before <= MAX_TURNS
        assert current_time() == start + 0.875
        assert cancelling() == 0


# Results


async def test_results_come_through_every_kind_of_group(make_client):
    async with make_client() as api:
        calls = [api.call_with_request(get(i)) for i in range(5)]
        assert await asyncio.gather(*calls) == [0, 1, 2, 3, 4]
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(api.call_with_request(get(i))) for i in range(5)]
        assert [task.result() for task in tasks] == [0, 1, 2, 3, 4]
        assert await asyncio.wait_for(api.call_with_request(get(5)), 60) == 5
        async with asyncio.timeout(60):
            assert await api.call_with_request(get(6)) == 6
        assert cancelling() == 0


async def test_errors_come_through_gather_one_by_one(make_client, simulator):
    simulator.fault(faults.error(100), times=2)
    async with make_client() as api:
        calls = [api.call_with_request(get(i)) for i in range(3)]
        outcomes = await asyncio.gather(*calls, return_exceptions=True)
    assert [type(each) for each in outcomes] == [ParameterError, ParameterError, int]
    assert outcomes[0] is not outcomes[1]


async def test_a_shielded_call_goes_on(make_client, simulator):
    async with make_client() as api:
        call = asyncio.ensure_future(api.call_with_request(get(1)))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.shield(call), 0.25)
        assert await call == 1
    assert carried_out(simulator) == [1]


async def test_other_calls_of_a_cancelled_task_are_left_alone(make_client, simulator):
    async with make_client() as api:
        tasks = [asyncio.create_task(api.call_with_request(get(i))) for i in range(4)]
        await asyncio.sleep(0.25)
        tasks[0].cancel()
        tasks[2].cancel()
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        assert outcomes[1::2] == [1, 3]
        assert {type(each) for each in outcomes[::2]} == {asyncio.CancelledError}
        assert_at_rest(api)
    assert carried_out(simulator) == [1, 3]


# Several things in one step


@pytest.fixture(params=["before", "after", "both"])
def in_the_settling_step(request, monkeypatch) -> list[Callable[[], Any]]:
    """The functions that run in the same step in which a call is settled."""
    actions: list[Callable[[], Any]] = []
    settle_call = CallTask.conclude

    def act() -> None:
        for action in actions:
            action()

    def settle_and_act(self: CallTask, outcome: Any) -> None:
        if request.param != "after":
            act()
        settle_call(self, outcome)
        if request.param != "before":
            act()

    monkeypatch.setattr(CallTask, "conclude", settle_and_act)
    return actions


async def test_a_cancellation_in_the_step_of_the_result_is_not_lost(
    make_client, in_the_settling_step
):
    async with make_client() as api:
        task = asyncio.create_task(api.call_with_request(get(1)))
        in_the_settling_step.append(lambda: task.cancel("the user's reason"))
        with pytest.raises(asyncio.CancelledError, match="the user's reason"):
            await task
        in_the_settling_step.clear()
        assert_at_rest(api)
        assert await api.call_with_request(get(2)) == 2


@pytest.mark.parametrize("native_first", [False, True])
async def test_a_scope_cancelled_in_the_same_step_leaves_a_client_that_works(
    make_client, in_the_settling_step, native_first
):
    """asyncio merges the two cancellations, and either may be reported."""
    scope = CancelScope()
    results: list[Any] = []

    async def call(api: VK) -> None:
        with scope:
            results.append(await api.call_with_request(get(1)))

    async with make_client() as api:
        task = asyncio.create_task(call(api))
        actions = [lambda: task.cancel("the user's reason"), scope.cancel]
        in_the_settling_step += actions if native_first else actions[::-1]
        with suppress(asyncio.CancelledError):
            await task
        assert task.cancelled() or results == [1]
        in_the_settling_step.clear()
        assert_at_rest(api)
        assert await api.call_with_request(get(2)) == 2


@pytest.mark.parametrize("native_first", [False, True])
async def test_a_cancellation_in_the_step_of_a_timeout_is_not_lost(stuck, native_first):
    scope = CancelScope()

    async def call(api: VK) -> None:
        with scope:
            await api.call_with_request(get(1))
        await asyncio.sleep(1)

    async with stuck() as api:
        task = asyncio.create_task(call(api))
        await asyncio.sleep(0.875)
        if native_first:
            task.cancel()
        scope.cancel()
        if not native_first:
            task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        assert task.cancelled()


async def test_a_timeout_that_comes_with_the_response_leaves_one_outcome(
    make_client, simulator
):
    async with make_client() as api:
        for i in range(10):
            try:
                async with asyncio.timeout(1):
                    assert await api.call_with_request(get(i)) == i
            except TimeoutError:
                pass
            assert cancelling() == 0
            await asyncio.sleep(1)
            assert_at_rest(api)
    assert carried_out(simulator) == [*range(10)]


# Before a call


async def test_a_task_that_is_being_cancelled_sends_nothing(make_client, simulator):
    async with make_client() as api:
        task = asyncio.ensure_future(_cancel_and_call(api))
        with suppress(asyncio.CancelledError):
            await task
        assert task.cancelled()
        assert api.statistics().sent == 0
        await api.call_with_request(get(1))
    assert carried_out(simulator) == [1]


async def _cancel_and_call(api: VK) -> None:
    task = asyncio.current_task()
    assert task is not None
    task.cancel()  # delivered at the next await
    await api.call_with_request(get(0))
