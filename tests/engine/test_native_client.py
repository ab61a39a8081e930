"""Cancelling the task that holds a client open, by asyncio itself."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from anyio import create_task_group, current_time
from anyio.lowlevel import checkpoint

from _helpers import assert_gone, cancelling, get, note, own_tasks, settle
from vkanyio import ClientClosedError
from vkanyio._engine._transport import Transport
from vkanyio.testing import VirtualClockLoop

if TYPE_CHECKING:
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
async def test_the_body_can_be_cancelled_at_any_time(make_client, turns):
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
