"""Cancelling calls before they are sent, in flight and as they end."""

from __future__ import annotations

from typing import Any

import anyio
import pytest
from anyio import CancelScope, create_task_group, current_time, move_on_after
from anyio.lowlevel import checkpoint
from httpx import AsyncClient, MockTransport, Request, Response

from _helpers import (
    InstantTransport,
    assert_at_rest,
    assert_gone,
    carried_out,
    counted_turns,
    get,
    note,
    own_tasks,
    returns_at_once,
    settle,
)
from _probe import Probe
from vkanyio import ClientUseError, Limiter, ParameterError
from vkanyio._engine._call_task import CallTask
from vkanyio.testing import faults

# ruff: noqa: PT012 - what leaves the block of a client is what this is about

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.simulator_options(latency=1.0),
    pytest.mark.usefixtures("nothing_is_left_open", "echoes"),
]


# Before the request is sent


async def test_a_call_in_a_cancelled_scope_is_never_sent(make_client, simulator):
    async with make_client(limit=1) as api:
        with CancelScope() as scope:
            scope.cancel()
            await api.call("test.get", {"id": 1})
        assert scope.cancelled_caught
        await returns_at_once(api, 2)
        assert_at_rest(api)
    assert carried_out(simulator) == [2]
    assert api.statistics().calls == 1


@pytest.mark.parametrize("request_mode", ["sequential", "burst"])
async def test_a_call_cancelled_while_it_waits_for_a_permit_uses_none(
    make_client, simulator, request_mode
):
    async with make_client(limit=1, request_mode=request_mode) as api:
        start = current_time()
        await api.call("test.get", {"id": 1})
        first_left = simulator.ledger.starts[0] - 0.5
        window = 1.02
        with move_on_after(0.01) as scope:
            await api.call("test.get", {"id": 2})
        assert scope.cancelled_caught
        await anyio.sleep_until(first_left + window)
        await returns_at_once(api, 3)
        assert current_time() == pytest.approx(start + 1 + window)
        assert_at_rest(api)
    assert carried_out(simulator) == [1, 3]


async def test_a_call_cancelled_while_it_waits_for_a_connection_uses_no_permit(
    make_client, simulator
):
    async with make_client(limit=2, max_connections=1) as api:
        async with create_task_group() as tasks:
            tasks.start_soon(api.call_with_request, get(1))
            await anyio.sleep(0.75)  # the window is open, the connection is not
            with move_on_after(0.125) as scope:
                await api.call_with_request(get(2))
            assert scope.cancelled_caught
        await returns_at_once(api, 3)
        assert_at_rest(api)
    assert carried_out(simulator) == [1, 3]


async def test_calls_behind_a_cancelled_one_move_up(make_client, simulator):
    outcomes: list[Any] = []
    async with make_client(limit=1) as api, create_task_group() as tasks:
        start = current_time()
        doomed = CancelScope()

        async def call_and_give_up() -> None:
            with doomed:
                await api.call_with_request(get(2))

        tasks.start_soon(note, outcomes, api.call_with_request, get(1))
        await settle()
        tasks.start_soon(call_and_give_up)
        await settle()
        tasks.start_soon(note, outcomes, api.call_with_request, get(3))
        await settle()
        doomed.cancel()
    assert outcomes == [1, 3]
    assert current_time() == pytest.approx(start + 1.02 + 1)
    assert carried_out(simulator) == [1, 3]


async def test_an_abandoned_call_behind_another_in_the_queue_is_never_sent(
    make_client, simulator
):
    async with make_client(limit=1) as api, create_task_group() as tasks:
        tasks.start_soon(api.call_with_request, get(1))
        await settle()
        tasks.start_soon(api.call_with_request, get(2))  # waits for the next permit
        await settle()
        with move_on_after(0.25):
            await api.call_with_request(get(3))
        await anyio.sleep(5)
    assert carried_out(simulator) == [1, 2]
    assert_gone(api)


async def test_a_call_cancelled_while_it_waits_for_room_leaves_the_room_alone(
    make_client, simulator
):
    outcomes: list[Any] = []
    async with make_client(max_waiting=1) as api:
        async with create_task_group() as tasks:
            tasks.start_soon(note, outcomes, api.call_with_request, get(1))
            await settle()
            with move_on_after(0.5) as scope:
                await api.call_with_request(get(2))
            assert scope.cancelled_caught
            tasks.start_soon(note, outcomes, api.call_with_request, get(3))
        assert_at_rest(api)
    assert outcomes == [1, 3]
    assert carried_out(simulator) == [1, 3]


async def test_abandoned_calls_take_no_room(make_client):
    async with make_client(limit=1, max_waiting=3) as api:
        await api.call_with_request(get(0))
        for i in range(1, 30):
            with move_on_after(0):
                await api.call_with_request(get(i))
        async with create_task_group() as tasks:
            for i in range(3):
                tasks.start_soon(api.call_with_request, get(i))
            await settle()
            assert api.statistics().waiting + api.statistics().in_flight == 3


async def wait_for_the_permit(limiter: Limiter) -> None:
    """Wait until the next request may start: the ticker wakes up in the same turn."""
    await anyio.sleep_until(limiter.ready_at(current_time()))


turn_by_turn = pytest.mark.parametrize("turns", range(12))
at_once_or_later = pytest.mark.parametrize("waits", [False, True], ids=["now", "later"])


@turn_by_turn
@at_once_or_later
async def test_a_call_is_sent_or_withdrawn_but_not_both(make_client, turns, waits):
    transport, limiter = InstantTransport(), Limiter(1)
    http_client = AsyncClient(transport=transport)
    async with make_client(limiter=limiter, http_client=http_client) as api:
        scope = CancelScope()

        async def call() -> None:
            with scope:
                await api.call_with_request(get(1))

        if waits:
            await api.call_with_request(get(0))
        before = transport.requests
        async with create_task_group() as tasks:
            tasks.start_soon(call)
            if waits:
                await wait_for_the_permit(limiter)
            for _ in range(turns):
                await checkpoint()
            scope.cancel()
        await settle()
        sent = transport.requests - before
        assert api.statistics().sent == transport.requests
        assert_at_rest(api)
        start = current_time()
        await api.call_with_request(get(2))
        assert current_time() == pytest.approx(start + sent * 1.02 + 1)


@turn_by_turn
@at_once_or_later
async def test_an_abandoned_request_is_not_sent(make_client, turns, waits):
    request, limiter = get(1), Limiter(1)
    waited_for: list[bool] = []

    async def handle(sent: Request) -> Response:
        if b"id=1" in sent.content:
            waited_for.append(request._pending.is_live)
        await anyio.sleep(1)
        return Response(200, json={"response": 1})

    http_client = AsyncClient(transport=MockTransport(handle))
    async with make_client(limiter=limiter, http_client=http_client) as api:
        if waits:
            await api.call_with_request(get(0))
        async with create_task_group() as tasks:
            tasks.start_soon(api.call_with_request, request)
            if waits:
                await wait_for_the_permit(limiter)
            for _ in range(turns):
                await checkpoint()
            tasks.cancel_scope.cancel()
        await settle()
    assert all(waited_for)


async def test_a_request_that_is_given_up_as_it_joins_the_queue_is_never_sent(
    make_client, simulator
):
    async with make_client(limit=1) as api:
        await api.call_with_request(get(1))
        request = get(2)
        Probe(api).caller.submit(request, lambda _: None)
        Probe(api).caller.give_up(request)  # before the collector has seen it
        await anyio.sleep(5)
        assert_at_rest(api)
    assert carried_out(simulator) == [1]
    assert_gone(api)


# In flight


async def test_a_request_without_waiters_is_cancelled(make_client, simulator):
    async with make_client(max_connections=1) as api:
        with move_on_after(0.25) as scope:
            await api.call_with_request(get(1))
        assert scope.cancelled_caught
        await settle()
        assert_at_rest(api)
        assert len(own_tasks()) == 2
        await returns_at_once(api, 2)
    assert carried_out(simulator) == [2], "the other was on its way for half a second"


async def test_a_request_that_another_task_waits_for_goes_on(make_client, simulator):
    outcomes: list[Any] = []
    request = get(1)
    async with make_client() as api, create_task_group() as tasks:
        tasks.start_soon(note, outcomes, request.wait)
        await settle()
        with move_on_after(0.25) as scope:
            await api.call_with_request(request)
        assert scope.cancelled_caught
    assert outcomes == [1]
    assert carried_out(simulator) == [1]


async def test_a_request_is_cancelled_with_its_last_waiter(make_client, simulator):
    request = get(1)

    async def wait(seconds: float) -> None:
        with move_on_after(seconds):
            await request.wait()

    async with make_client() as api, create_task_group() as tasks:
        tasks.start_soon(wait, 0.25)
        tasks.start_soon(wait, 0.375)
        with move_on_after(0.125):
            await api.call_with_request(request)
    await anyio.sleep(5)
    assert simulator.ledger.requests == 0
    assert_gone(api)


async def test_waiting_for_an_abandoned_request_raises(make_client):
    request = get(1)
    async with make_client() as api:
        with move_on_after(0.25):
            await api.call_with_request(request)
        with pytest.raises(ClientUseError):
            await request.wait()


async def test_an_abandoned_call_does_not_disturb_another(make_client, simulator):
    outcomes: list[Any] = []
    async with make_client() as api, create_task_group() as tasks:
        for i in range(5):
            tasks.start_soon(note, outcomes, api.call_with_request, get(i))
        await settle()
        with move_on_after(0.25):
            await api.call_with_request(get(9))
    assert sorted(outcomes) == [0, 1, 2, 3, 4]
    assert sorted(carried_out(simulator)) == [0, 1, 2, 3, 4]


# In the step of the deadline


@pytest.fixture(params=["settled first", "cancelled first"])
def coincidence(request, monkeypatch) -> list[CancelScope]:
    """Scopes that are cancelled in the same step in which a call is settled."""
    scopes: list[CancelScope] = []
    settle_call = CallTask.conclude

    def settle_and_cancel(self: CallTask, outcome: Any) -> None:
        if request.param == "settled first":
            settle_call(self, outcome)
        for scope in scopes:
            scope.cancel()
        settle_call(self, outcome)

    monkeypatch.setattr(CallTask, "conclude", settle_and_cancel)
    return scopes


async def test_a_result_in_the_step_of_a_cancellation_wins(make_client, coincidence):
    async with make_client() as api:
        with CancelScope() as scope:
            coincidence.append(scope)
            assert await api.call_with_request(get(1)) == 1
        assert scope.cancel_called
        assert not scope.cancelled_caught
        coincidence.clear()
        assert await api.call_with_request(get(2)) == 2


async def test_an_error_in_the_step_of_a_cancellation_wins(
    make_client, simulator, coincidence
):
    simulator.fault(faults.error(100))
    async with make_client() as api:
        with pytest.raises(ParameterError), CancelScope() as scope:
            coincidence.append(scope)
            await api.call_with_request(get(1))
        assert not scope.cancelled_caught


async def test_all_waiters_get_a_result_in_the_step_of_a_cancellation(
    make_client, coincidence
):
    request = get(1)
    results: list[int] = []

    async def wait() -> None:
        with CancelScope() as scope:
            coincidence.append(scope)
            results.append(await request.wait())

    async with make_client() as api, create_task_group() as tasks:
        for _ in range(3):
            tasks.start_soon(wait)
        await api.call_with_request(request)
    assert results == [1, 1, 1]


async def test_after_such_a_result_the_scope_is_still_cancelled(
    make_client, coincidence
):
    async with make_client() as api:
        with CancelScope() as scope:
            coincidence.append(scope)
            assert await api.call_with_request(get(1)) == 1
            await checkpoint()
            pytest.fail("it went on")
        assert scope.cancelled_caught


async def test_a_deadline_that_comes_with_the_response_leaves_one_outcome(
    make_client, simulator
):
    async with make_client() as api:
        for i in range(20):
            start = current_time()
            result = None
            with move_on_after(1) as scope:
                result = await api.call_with_request(get(i))
            assert current_time() == start + 1
            assert scope.cancelled_caught == (result is None)
            assert result in (None, i)
            await anyio.sleep(1)
            assert_at_rest(api)
    assert carried_out(simulator) == [*range(20)]


async def test_a_cancelled_caller_leaves_within_a_few_turns(make_client):
    async with make_client(limit=1) as api:
        for i in range(3):  # in flight and in the queue
            with CancelScope() as scope:
                async with create_task_group() as tasks:
                    tasks.start_soon(api.call_with_request, get(i))
                    await anyio.sleep(0.25)
                    async with counted_turns() as turns:
                        scope.cancel()
                        with CancelScope(shield=True):
                            await checkpoint()
                        before = turns.count
            assert turns.count - before <= 20
