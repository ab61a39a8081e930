"""A failure inside the client reaches its callers, and leaves its body alone."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import anyio
import pytest
from anyio import create_task_group
from anyio.lowlevel import checkpoint

from _helpers import assert_gone, cancelling, note, own_tasks, settle
from vkanyio import APIRequest, ClientClosedError, ClientCrashedError, Limiter
from vkanyio._engine._call_task import CallTask
from vkanyio._engine._collector import Collector
from vkanyio._engine._ticker import Ticker
from vkanyio._service_group import ServiceGroup
from vkanyio.testing import VirtualClockLoop, faults

# ruff: noqa: PT012 - what leaves the block of a client is what this is about

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.simulator_options(latency=1.0),
    pytest.mark.usefixtures("nothing_is_left_open", "echoes"),
]

only_on_asyncio = pytest.mark.parametrize(
    "anyio_backend", [("asyncio", {"loop_factory": VirtualClockLoop})]
)


class Bug(Exception):
    """A bug inside the client."""


PARTS = [
    (Ticker, "run"),
    (Ticker, "acquire_nowait"),
    (CallTask, "run"),
    (CallTask, "conclude"),
    (Limiter, "ready_at"),
    (Limiter, "start"),
]


@pytest.fixture(params=PARTS, ids=lambda part: f"{part[0].__name__}.{part[1]}")
def bug(request, monkeypatch) -> Bug:
    """A bug in one part of the client that the first call meets."""
    owner, name = request.param
    bug = Bug(name)

    def crash(*_: Any) -> None:
        raise bug

    async def crash_in_a_task(*_: Any) -> None:
        await settle()
        raise bug

    is_async = name == "run"
    monkeypatch.setattr(owner, name, crash_in_a_task if is_async else crash)
    return bug


async def test_a_crash_fails_every_call_and_the_body_goes_on(make_client, bug):
    outcomes: list[Any] = []
    with pytest.raises(ClientCrashedError) as caught:
        async with make_client() as api, create_task_group() as tasks:
            for i in range(3):
                tasks.start_soon(note, outcomes, api.call, "test.get", {"id": i})
            await anyio.sleep(0.5)
            await note(outcomes, api.call, "test.get", {"id": 3})
            await note(outcomes, api.execute, "return 1;")
            await anyio.sleep(3600)
            outcomes.append("the body goes on")
    assert outcomes.pop() == "the body goes on"
    assert [type(error) for error in outcomes] == [ClientCrashedError] * 5
    errors = [*outcomes, caught.value]
    assert len({id(error) for error in errors}) == 6
    assert all(error.__cause__ is bug for error in errors)
    assert own_tasks() == []


async def test_an_error_of_the_body_is_not_replaced_by_a_crash(make_client, bug):
    error = ValueError("raised by the body")
    with pytest.raises(ValueError, match="by the body") as caught:
        async with make_client() as api:
            await note([], api.call, "test.get", {"id": 1})
            raise error
    assert caught.value is error
    assert error.__context__ is None
    [remark] = error.__notes__
    assert repr(bug) in remark
    assert own_tasks() == []


async def test_a_cancelled_body_stays_cancelled_after_a_crash(make_client, bug):
    with anyio.move_on_after(60) as scope:
        async with make_client() as api:
            await note([], api.call, "test.get", {"id": 1})
            await anyio.sleep_forever()
    assert scope.cancelled_caught
    assert own_tasks() == []


async def test_a_crash_while_the_client_closes_is_raised(make_client, monkeypatch):
    bug = Bug("a result that cannot be settled")

    def crash(*_: Any) -> None:
        raise bug

    monkeypatch.setattr(CallTask, "conclude", crash)
    outcomes: list[Any] = []
    async with create_task_group() as outer:
        with pytest.raises(ClientCrashedError) as caught:
            async with make_client() as api:
                outer.start_soon(note, outcomes, api.call, "test.get", {"id": 1})
                await settle()
        assert caught.value.__cause__ is bug
        await settle()
    [error] = outcomes
    assert isinstance(error, ClientCrashedError)
    assert error.__cause__ is bug
    assert_gone(api)


async def test_a_crash_fails_callers_that_wait_for_room(make_client, monkeypatch):
    bug = Bug("a result that cannot be settled")

    def crash(*_: Any) -> None:
        raise bug

    monkeypatch.setattr(CallTask, "conclude", crash)
    outcomes: list[Any] = []
    request = APIRequest("test.get", {"id": 1})
    with pytest.raises(ClientCrashedError):
        async with make_client(max_waiting=1) as api, create_task_group() as tasks:
            for i in range(3):
                tasks.start_soon(note, outcomes, api.call, "test.get", {"id": i})
            await settle()
            tasks.start_soon(note, outcomes, request.wait)
            tasks.start_soon(note, outcomes, api.call_with_request, request)
    assert [type(error) for error in outcomes] == [ClientCrashedError] * 5
    assert len({id(error) for error in outcomes}) == 5
    assert_gone(api)


@pytest.mark.parametrize("mode", ["sequential", "parallel"])
async def test_a_crash_with_one_token_fails_the_client(make_client, monkeypatch, mode):
    bug = Bug("a permit that is not granted")

    def crash(*_: Any) -> None:
        raise bug

    outcomes: list[Any] = []
    with pytest.raises(ClientCrashedError):
        async with make_client(mode=mode) as api:
            await api.call("test.get", {"id": 1})
            monkeypatch.setattr(Ticker, "acquire_nowait", crash)
            for token in ("another", None):
                params = {"id": 1, "access_token": token}
                with anyio.fail_after(60):
                    await note(outcomes, api.call, "test.get", params)
    assert [type(error) for error in outcomes] == [ClientCrashedError] * 2
    assert all(error.__cause__ is bug for error in outcomes)


@pytest.mark.parametrize("owner", [Ticker, Collector])
async def test_a_task_that_ends_by_itself_is_a_crash(make_client, monkeypatch, owner):
    run = owner.run

    async def end(self: Any) -> None:
        with suppress(Bug):
            await run(self)

    async def crash(*_: Any) -> None:
        raise Bug

    monkeypatch.setattr(owner, "run", end)
    monkeypatch.setattr(
        Ticker, "_wait_for_the_limiter" if owner is Ticker else "acquire", crash
    )
    outcomes: list[Any] = []
    with pytest.raises(ClientCrashedError, match="ended"):
        async with make_client(limit=1) as api, create_task_group() as tasks:
            for i in range(2):
                tasks.start_soon(note, outcomes, api.call, "test.get", {"id": i})
    assert isinstance(outcomes[-1], ClientCrashedError)
    assert own_tasks() == []


async def test_a_handler_that_fails_is_not_a_crash(make_client, simulator):
    async def on_captcha(captcha):
        raise Bug("raised by the user")

    simulator.fault(faults.captcha())
    outcomes: list[Any] = []
    async with make_client(on_captcha=on_captcha) as api:
        await note(outcomes, api.call, "test.get", {"id": 1})
        assert await api.call("test.get", {"id": 2}) == 2
    assert isinstance(outcomes[0].__cause__, Bug)
    assert_gone(api)


# Task.cancel() of asyncio, from outside

# The warning is about the coroutine that asyncio never started.
never_awaited = pytest.mark.filterwarnings("ignore:coroutine.*never awaited")


def cancel_tasks_of_the_client(part: str = "") -> int:
    """Cancel all tasks of the client, as some programs do with all tasks."""
    found = [
        task
        for task in asyncio.all_tasks()
        if task.get_name().startswith(f"vkanyio {part}")
    ]
    for task in found:
        task.cancel()
    return len(found)


@only_on_asyncio
@pytest.mark.parametrize("part", ["Ticker", "Collector", "CallTask", ""])
async def test_cancelling_a_task_of_the_client_is_a_crash(make_client, part):
    outcomes: list[Any] = []
    with pytest.raises(ClientCrashedError, match="cancelled"):
        async with make_client() as api, create_task_group() as tasks:
            tasks.start_soon(note, outcomes, api.call, "test.get", {"id": 1})
            await anyio.sleep(0.5)
            assert cancel_tasks_of_the_client(part)
            await settle()
            await note(outcomes, api.call, "test.get", {"id": 2})
            await anyio.sleep(60)
            outcomes.append("the body goes on")
    assert outcomes.pop() == "the body goes on"
    assert [type(error) for error in outcomes] == [ClientCrashedError] * 2
    assert cancelling() == 0
    assert_gone(api)


@only_on_asyncio
@never_awaited
@pytest.mark.parametrize("turns", range(1, 8))
async def test_cancelling_the_tasks_of_the_client_at_any_time_is_a_crash(
    make_client, turns
):
    outcomes: list[Any] = []
    with pytest.raises(ClientCrashedError):
        async with make_client() as api, create_task_group() as tasks:
            tasks.start_soon(note, outcomes, api.call, "test.get", {"id": 1})
            for _ in range(turns):
                await checkpoint()
            assert cancel_tasks_of_the_client()
            with anyio.fail_after(60):
                await note(outcomes, api.call, "test.get", {"id": 2})
    assert {type(error) for error in outcomes} == {ClientCrashedError}
    assert cancelling() == 0
    assert own_tasks() == []


@only_on_asyncio
@never_awaited
@pytest.mark.parametrize("part", ["Ticker", "Collector"])
async def test_a_service_cancelled_before_its_first_step_is_a_crash(make_client, part):
    with pytest.raises(ClientCrashedError):
        async with make_client() as api:
            assert cancel_tasks_of_the_client(part)
            await note([], api.call, "test.get", {"id": 1})
    assert cancelling() == 0
    assert own_tasks() == []


@only_on_asyncio
@never_awaited
async def test_a_call_task_cancelled_before_its_first_step_is_a_crash(
    make_client, monkeypatch
):
    start_soon = ServiceGroup.start_soon

    def start_and_cancel(
        self: ServiceGroup, function: Any, *args: Any, **how: Any
    ) -> Any:
        before = asyncio.all_tasks()
        scope = start_soon(self, function, *args, **how)
        if not how.get("endless"):
            [task] = asyncio.all_tasks() - before
            task.cancel()
        return scope

    monkeypatch.setattr(ServiceGroup, "start_soon", start_and_cancel)
    outcomes: list[Any] = []
    async with create_task_group() as outer:
        with pytest.raises(ClientCrashedError):
            async with make_client() as api:
                outer.start_soon(note, outcomes, api.call, "test.get", {"id": 1})
                await anyio.sleep(60)
    # anyio ends the block itself, so the caller may get that error first.
    assert isinstance(outcomes[0], ClientClosedError | ClientCrashedError)
    assert own_tasks() == []


@only_on_asyncio
async def test_cancelling_every_task_leaves_by_the_cancellation_of_the_body(
    make_client,
):
    async def use_client():
        async with make_client() as api:
            await api.call("test.get", {"id": 1})

    task = asyncio.create_task(use_client())
    await anyio.sleep(0.5)
    for each in asyncio.all_tasks() - {asyncio.current_task()}:
        if each is task or each.get_name().startswith("vkanyio "):
            each.cancel("everybody out")
    with pytest.raises(asyncio.CancelledError):
        await task
    assert own_tasks() == []
