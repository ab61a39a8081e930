"""asyncio's own ways of cancelling: tasks, timeouts, groups and gather."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

import anyio
import pytest
from anyio import CancelScope, create_task_group, current_time, fail_after
from anyio.lowlevel import checkpoint

from _helpers import (
    Turns,
    add_echoes,
    assert_at_rest,
    assert_gone,
    cancelling,
    carried_out,
    collect_garbage,
    counted_turns,
    get,
    note,
    own_tasks,
    settle,
)
from vkanyio import ClientClosedError, ParameterError
from vkanyio._dispatch import Exchange
from vkanyio._transport import Transport
from vkanyio.testing import Simulator, VirtualClockLoop, faults

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

    from vkanyio import VK

# ruff: noqa: PT012 - what leaves the block of a client is what this is about

pytestmark = pytest.mark.anyio

MOST_TURNS = 20


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, Any]]:
    return "asyncio", {"loop_factory": VirtualClockLoop}


@pytest.fixture(autouse=True)
def _nothing_is_left_to_warn_of() -> Iterator[None]:
    yield
    collect_garbage()


@pytest.fixture
def simulator() -> Simulator:
    """A VK that takes a second to answer."""
    simulator = Simulator(limit=0, latency=1.0)
    add_echoes(simulator)
    return simulator


# Each in every state that a call can be in


def _never_solve(captcha: Any) -> Awaitable[None]:
    return anyio.sleep_forever()


STATES: dict[str, dict[str, Any]] = {
    "waiting for room": {"max_waiting": 1},
    "waiting for a tick": {"limit": 1},
    "waiting for a connection": {"max_connections": 1},
    "in flight": {},
    "waiting to be sent again": {"wait": 1000, "retry_limit": 1000},
    "waiting for a captcha": {"on_captcha": _never_solve},
}


@pytest.fixture(params=STATES)
def stuck(request, make_client, simulator) -> Any:
    """Make a client in which the next call gets as far as a state, and no further."""
    state = request.param

    @asynccontextmanager
    async def make() -> AsyncIterator[VK]:
        async with make_client(**STATES[state]) as api, create_task_group() as tasks:
            tasks.start_soon(note, [], api.call, "test.get", {"id": 0})
            await settle()
            simulator.fault(faults.hang_before(), rate=1)
            if state == "waiting to be sent again":
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
        raise ValueError("the task's own")

    with pytest.raises(ExceptionGroup) as caught:
        async with asyncio.TaskGroup() as group:
            for i in range(5):
                group.create_task(api.call_with_request(get(i)))
            group.create_task(fail())
    [error] = caught.value.exceptions
    assert isinstance(error, ValueError)
    task = asyncio.current_task()
    assert task is not None
    while task.cancelling():  # the group's own, which Python 3.11 leaves behind
        task.uncancel()
    return before


@pytest.mark.parametrize("cancel", [by_task, by_scope, by_gather, by_group])
async def test_a_cancelled_call_leaves_within_a_few_turns(stuck, cancel):
    async with stuck() as api, counted_turns() as turns:
        start = current_time()
        before = await cancel(api, turns)
        assert turns.count - before <= MOST_TURNS
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


async def test_errors_come_through_gather_each_by_itself(make_client, simulator):
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
    """What happens in the very step in which a call is settled."""
    actions: list[Callable[[], Any]] = []
    settle_call = Exchange.settle

    def act() -> None:
        for action in actions:
            action()

    def settle_and_act(self: Exchange, outcome: Any) -> None:
        if request.param != "after":
            act()
        settle_call(self, outcome)
        if request.param != "before":
            act()

    monkeypatch.setattr(Exchange, "settle", settle_and_act)
    return actions


async def test_a_cancellation_in_the_tick_of_the_result_is_not_lost(
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
async def test_a_scope_cancelled_in_the_same_tick_leaves_a_client_that_works(
    make_client, in_the_settling_step, native_first
):
    """asyncio makes one cancellation of the two, and either may be taken for it."""
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
async def test_a_cancellation_in_the_tick_of_a_timeout_is_not_lost(stuck, native_first):
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


async def test_a_timeout_that_comes_with_the_answer_leaves_one_outcome(
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


# Around the whole client


async def test_cancelling_the_task_of_the_body_leaves_at_once(make_client):
    clients: list[VK] = []
    outcomes: list[Any] = []

    async def use_client() -> None:
        async with make_client() as api:
            clients.append(api)
            await asyncio.sleep(3600)

    task = asyncio.create_task(use_client())
    await settle()
    async with create_task_group() as outer:
        outer.start_soon(note, outcomes, clients[0].call_with_request, get(1))
        await asyncio.sleep(0.25)
        start = current_time()
        task.cancel("the user's reason")
        with pytest.raises(asyncio.CancelledError, match="the user's reason"):
            await task
        assert current_time() == start
    assert task.cancelling() == 1
    [error] = outcomes
    assert isinstance(error, ClientClosedError)
    assert error.maybe_carried_out
    assert_gone(clients[0])


@pytest.mark.parametrize("turns", range(8))
async def test_cancelling_the_body_is_possible_at_any_time(make_client, turns):
    clients: list[VK] = []

    async def use_client() -> None:
        clients.append(make_client())
        async with clients[0] as api:
            await api.call_with_request(get(1))
            pytest.fail("it was not cancelled")

    task = asyncio.create_task(use_client())
    for _ in range(turns):
        await checkpoint()
    start = current_time()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert current_time() == start
    assert own_tasks() == []


async def test_entering_can_be_cancelled(make_client, monkeypatch):
    async def open_(self: Transport) -> None:
        await asyncio.sleep(3600)

    monkeypatch.setattr(Transport, "open", open_)
    client = make_client()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1), client:
            pytest.fail("it was entered")
    assert cancelling() == 0
    assert own_tasks() == []


async def test_closing_can_be_cancelled(make_client):
    outcomes: list[Any] = []
    async with create_task_group() as outer:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.25), make_client() as api:
                outer.start_soon(note, outcomes, api.call_with_request, get(1))
                await settle()
        assert cancelling() == 0
    assert isinstance(outcomes[0], ClientClosedError)
    assert_gone(api)


async def test_a_timeout_around_the_client_is_a_timeout(make_client):
    start = current_time()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.25), make_client() as api:
            await api.call_with_request(get(1))
    assert current_time() == start + 0.25
    assert cancelling() == 0
    assert_gone(api)


async def test_an_error_in_the_clean_up_of_a_cancelled_body_is_not_lost(make_client):
    async def use_client() -> None:
        async with make_client():
            try:
                await asyncio.sleep(3600)
            finally:
                raise ValueError("clean-up")

    task = asyncio.create_task(use_client())
    await settle()
    task.cancel()
    with pytest.raises(ValueError, match="clean-up"):
        await task
    assert own_tasks() == []


async def test_a_body_that_takes_its_cancellation_back_goes_on(make_client):
    async def use_client() -> Any:
        async with make_client() as api:
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                task = asyncio.current_task()
                assert task is not None
                task.uncancel()
            return await api.call_with_request(get(1))

    task = asyncio.create_task(use_client())
    await settle()
    task.cancel()
    assert await task == 1
    assert own_tasks() == []
