"""Leaving the block: normally, by an error and by a cancellation."""

from __future__ import annotations

from typing import Any

import anyio
import httpx
import pytest
from anyio import CancelScope, create_task_group, current_time, move_on_after
from anyio.lowlevel import checkpoint

from _helpers import (
    InstantTransport,
    assert_gone,
    carried_out,
    counted_turns,
    note,
    settle,
)
from vkanyio import APIRequest, ClientClosedError
from vkanyio.testing import faults

# ruff: noqa: PT012 - what leaves the block of a client is what this is about

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.simulator_options(latency=1.0),
    pytest.mark.usefixtures("nothing_is_left_open", "echoes"),
]


class Broken(Exception):
    """The error that a body fails with."""


# Normally


async def test_leaving_finishes_the_calls_of_other_tasks(make_client, simulator):
    outcomes: list[Any] = []
    async with create_task_group() as outer:
        async with make_client(limit=1, max_connections=1) as api:
            for i in range(4):
                outer.start_soon(note, outcomes, api.call, "test.get", {"id": i})
                await settle()
        assert outcomes == [0, 1, 2, 3]
    assert carried_out(simulator) == [0, 1, 2, 3]
    assert_gone(api)


async def test_leaving_finishes_a_call_that_waits_for_its_retry(make_client, simulator):
    simulator.fault(faults.refuse(), times=2)
    outcomes: list[Any] = []
    async with create_task_group() as outer, make_client() as api:
        outer.start_soon(note, outcomes, api.call, "test.post", {"id": 1})
        await settle()
    assert outcomes == [1]
    assert_gone(api)


async def test_leaving_waits_for_a_captcha_that_is_being_solved(make_client, simulator):
    async def on_captcha(captcha):
        await anyio.sleep(60)
        await captcha.retry(simulator.solve(captcha.sid))

    simulator.fault(faults.captcha())
    outcomes: list[Any] = []
    client = make_client(on_captcha=on_captcha)
    async with create_task_group() as outer, client as api:
        outer.start_soon(note, outcomes, api.call, "test.post", {"id": 1})
        await settle()
    assert outcomes == [1]
    assert_gone(api)


async def test_a_closing_client_takes_no_new_calls(make_client, simulator):
    outcomes: list[Any] = []
    early = current_time()

    async def call_late(api):
        await anyio.sleep(0.5)
        await note(outcomes, api.call, "test.get", {"id": 2})
        assert current_time() == early + 0.5

    async with create_task_group() as outer:
        async with make_client() as api:
            outer.start_soon(note, outcomes, api.call, "test.get", {"id": 1})
            outer.start_soon(call_late, api)
            await settle()
        assert current_time() == early + 1
    late, first = outcomes
    assert first == 1
    assert isinstance(late, ClientClosedError)
    assert not late.maybe_carried_out
    assert carried_out(simulator) == [1]


async def test_a_call_that_waits_for_room_is_no_longer_accepted(make_client, simulator):
    outcomes: list[Any] = []
    async with create_task_group() as outer, make_client(max_waiting=1) as api:
        for i in range(3):
            outer.start_soon(note, outcomes, api.call, "test.get", {"id": i})
            await settle()
    assert outcomes.count(0) == 1
    refused = [each for each in outcomes if isinstance(each, ClientClosedError)]
    assert len(refused) == 2
    assert refused[0] is not refused[1]
    assert not any(error.maybe_carried_out for error in refused)
    assert carried_out(simulator) == [0]
    assert_gone(api)


async def test_all_waiters_get_the_error_of_a_request_that_was_not_accepted(
    make_client,
):
    outcomes: list[Any] = []
    request = APIRequest("test.get", {"id": 2})
    async with create_task_group() as outer:
        outer.start_soon(note, outcomes, request.wait)
        async with make_client(max_waiting=1) as api:
            outer.start_soon(api.call, "test.get", {"id": 1})
            await settle()
            outer.start_soon(note, outcomes, api.call_with_request, request)
            await settle()
    assert [type(each) for each in outcomes] == [ClientClosedError] * 2
    assert outcomes[0] is not outcomes[1]


async def test_leaving_does_not_wait_for_abandoned_calls(make_client):
    start = current_time()
    async with make_client() as api:
        for delay in (0.0, 0.25):
            with move_on_after(delay):
                await api.call("test.get", {"id": 1})
    assert current_time() == start + 0.25
    assert_gone(api)


async def test_leaving_waits_for_a_request_that_has_waiters_but_no_sender(make_client):
    outcomes: list[Any] = []
    request = APIRequest("test.get", {"id": 1})
    async with create_task_group() as outer:
        outer.start_soon(note, outcomes, request.wait)
        async with make_client() as api:
            await settle()
            with move_on_after(0.5):
                await api.call_with_request(request)
    assert outcomes == [1]
    assert_gone(api)


async def test_leaving_ends_when_vk_never_answers(make_client, simulator):
    simulator.fault(faults.hang_before(), rate=1)
    outcomes: list[Any] = []
    async with create_task_group() as outer:
        async with make_client(timeout=5, retry_limit=0) as api:
            outer.start_soon(note, outcomes, api.call, "test.get", {"id": 1})
            await settle()
            start = current_time()
        assert current_time() == start + 5
    assert isinstance(outcomes[0], TimeoutError)


# By an error or a cancellation


async def start_every_kind(api, outer, simulator) -> dict[str, list[Any]]:
    """Bring calls into every state of a call, for a quarter of a second."""
    kinds: dict[str, list[Any]] = {}

    def start(name: str, method: str = "test.get", **params: Any) -> None:
        kinds[name] = []
        outer.start_soon(note, kinds[name], api.call, method, {"id": 1, **params})

    simulator.fault(faults.refuse(), "test.refused", rate=1)
    start("refused", "test.refused", access_token="refused")
    start("in flight")
    await settle()
    start("waiting for a permit")
    await settle()
    start("waiting for room")
    await anyio.sleep(0.75)
    return kinds


MAYBE_SENT = {
    "refused": False,
    "in flight": True,
    "waiting for a permit": False,
    "waiting for room": False,
}


def fate(kinds: dict[str, list[Any]]) -> dict[str, bool]:
    for [error] in kinds.values():
        assert isinstance(error, ClientClosedError), error
    return {name: error.maybe_carried_out for name, [error] in kinds.items()}


@pytest.fixture
def busy_client(make_client):
    return make_client(limit=1, max_waiting=2, wait=1000, retry_limit=1000)


async def test_an_error_abandons_the_calls_of_other_tasks(busy_client, simulator):
    async with create_task_group() as outer:
        with pytest.raises(Broken):
            async with busy_client as api:
                kinds = await start_every_kind(api, outer, simulator)
                left = current_time()
                raise Broken
        assert current_time() == left
        await settle()
        assert fate(kinds) == MAYBE_SENT
        assert current_time() == left
        assert_gone(api)
        requests = simulator.ledger.requests
        await anyio.sleep(5000)
    assert simulator.ledger.requests == requests
    assert carried_out(simulator) == [1]


async def test_a_cancellation_abandons_the_calls_of_other_tasks(busy_client, simulator):
    async with create_task_group() as outer:
        with CancelScope() as scope:
            async with busy_client as api:
                kinds = await start_every_kind(api, outer, simulator)
                left = current_time()
                scope.cancel()
                await anyio.sleep_forever()
        assert scope.cancelled_caught
        await settle()
        assert fate(kinds) == MAYBE_SENT
        assert current_time() == left
        assert_gone(api)
    assert carried_out(simulator) == [1]


async def test_closing_can_be_cancelled(busy_client, simulator):
    async with create_task_group() as outer:
        with CancelScope() as scope:
            async with busy_client as api:
                kinds = await start_every_kind(api, outer, simulator)
                scope.deadline = left = current_time() + 0.125
        assert scope.cancelled_caught
        await settle()
        assert fate(kinds) == MAYBE_SENT
        assert current_time() == left
        assert_gone(api)


async def test_closing_can_be_bounded(make_client):
    async with create_task_group() as outer:
        outcomes: list[Any] = []
        with pytest.raises(TimeoutError), anyio.fail_after(0.5):
            async with make_client() as api:
                outer.start_soon(note, outcomes, api.call, "test.get", {"id": 1})
                await settle()
    [error] = outcomes
    assert isinstance(error, ClientClosedError)
    assert error.maybe_carried_out
    assert_gone(api)


async def test_a_request_on_its_way_is_cancelled_when_the_body_fails(
    make_client, simulator
):
    async with create_task_group() as outer:
        with pytest.raises(Broken):
            async with make_client() as api:
                outer.start_soon(note, [], api.call, "test.get", {"id": 1})
                await anyio.sleep(0.25)
                raise Broken
        await anyio.sleep(10)
    assert simulator.ledger.requests == 0, "it would have arrived after half a second"


@pytest.mark.parametrize("turns", range(12))
async def test_requests_not_sent_before_an_error_are_never_sent(make_client, turns):
    transport = InstantTransport()
    client = make_client(http_client=httpx.AsyncClient(transport=transport))
    outcomes: list[Any] = []
    async with create_task_group() as outer:
        with pytest.raises(Broken):
            async with client as api:
                outer.start_soon(note, outcomes, api.call, "test.get", {"id": 1})
                for _ in range(turns):
                    await checkpoint()
                raise Broken
    [error] = outcomes
    assert transport.requests == error.maybe_carried_out
    assert_gone(client)


async def test_all_waiters_get_separate_errors(make_client):
    outcomes: list[Any] = []
    request = APIRequest("test.get", {"id": 1})
    async with create_task_group() as outer:
        with pytest.raises(Broken):
            async with make_client() as api:
                outer.start_soon(note, outcomes, api.call_with_request, request)
                for _ in range(2):
                    outer.start_soon(note, outcomes, request.wait)
                    outer.start_soon(note, outcomes, api.call, "test.get", {"id": 2})
                await anyio.sleep(0.5)
                raise Broken
    assert len({id(error) for error in outcomes}) == len(outcomes) == 5
    assert all(isinstance(error, ClientClosedError) for error in outcomes)
    assert all(error.maybe_carried_out for error in outcomes)


async def test_outer_tasks_get_their_errors_within_a_few_turns(make_client):
    outcomes: list[Any] = []
    async with create_task_group() as outer:
        with pytest.raises(Broken):
            async with make_client() as api:
                for i in range(50):
                    outer.start_soon(note, outcomes, api.call, "test.get", {"id": i})
                await anyio.sleep(0.5)
                async with counted_turns() as turns:
                    turns_before = turns.count
                    raise Broken
        await settle()
        assert len(outcomes) == 50
    assert turns.count - turns_before <= 20


async def test_a_captcha_handler_ends_with_the_client(make_client, simulator):
    fates: list[str] = []

    async def on_captcha(captcha):
        try:
            await anyio.sleep_forever()
        finally:
            fates.append("ended")

    simulator.fault(faults.captcha())
    outcomes: list[Any] = []
    async with create_task_group() as outer:
        with pytest.raises(Broken):
            async with make_client(on_captcha=on_captcha) as api:
                outer.start_soon(note, outcomes, api.call, "test.get", {"id": 1})
                await anyio.sleep(2)
                raise Broken
        assert fates == ["ended"]
    [error] = outcomes
    assert isinstance(error, ClientClosedError)
    assert not error.maybe_carried_out, "a call that meets a captcha is not carried out"
    assert_gone(api)


async def test_calls_still_work_in_the_clean_up_of_a_cancelled_body(make_client):
    results: list[Any] = []
    with move_on_after(1) as scope:
        async with make_client() as api:
            try:
                await anyio.sleep_forever()
            finally:
                with CancelScope(shield=True):
                    results.append(await api.call("test.get", {"id": 1}))
    assert scope.cancelled_caught
    assert results == [1]
    assert_gone(api)


async def test_a_task_that_outlives_the_client_gets_an_error_at_once(make_client):
    outcomes: list[Any] = []
    left = anyio.Event()

    async def call_afterwards(api):
        await left.wait()
        await note(outcomes, api.call, "test.get", {"id": 1})

    async with create_task_group() as outer:
        async with make_client() as api:
            outer.start_soon(call_afterwards, api)
        left.set()
    [error] = outcomes
    assert isinstance(error, ClientClosedError)
