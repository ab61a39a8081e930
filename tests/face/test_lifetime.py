"""The block of a client: entering, leaving, and use from elsewhere."""

from __future__ import annotations

import asyncio
import os
import random
import sys
from typing import Any

import anyio
import anyio.from_thread
import anyio.to_thread
import pytest
from anyio import CancelScope
from anyio.lowlevel import checkpoint

from _helpers import assert_gone, note, own_tasks, settle
from _probe import Probe
from vkanyio import APIRequest, ClientClosedError, ClientUseError
from vkanyio._engine._transport import Transport

# ruff: noqa: PT012 - what leaves the block of a client is what this is about

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.usefixtures("nothing_is_left_open"),
]

on_a_real_clock = pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])


# What the body raises


def an_error_group() -> BaseException:
    return ExceptionGroup("raised by the body", [ValueError("one"), ValueError("two")])


ERRORS = [
    ValueError,
    an_error_group,
    StopAsyncIteration,
    StopIteration,
    KeyboardInterrupt,
    SystemExit,
    GeneratorExit,
]


@pytest.mark.parametrize("make_error", ERRORS)
async def test_an_error_of_the_body_leaves_unwrapped(make_client, make_error):
    error = make_error()
    with pytest.raises(type(error)) as caught:
        async with make_client() as api:
            await api.users.get()
            raise error
    assert caught.value is error
    assert error.__context__ is None
    assert error.__cause__ is None
    assert not hasattr(error, "__notes__")
    assert_gone(api)


@pytest.mark.parametrize("make_error", ERRORS)
async def test_an_error_leaves_three_nested_clients_unwrapped(make_client, make_error):
    error = make_error()
    with pytest.raises(type(error)) as caught:
        async with make_client() as one, make_client() as two, make_client() as three:
            for api in (one, two, three):
                await api.users.get()
            raise error
    assert caught.value is error
    assert error.__context__ is None
    for api in (one, two, three):
        assert_gone(api)


async def test_the_context_of_an_error_is_kept(make_client):
    first, second = LookupError(), ValueError()
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - it is compared below
        async with make_client():
            try:
                raise first
            except LookupError:
                raise second  # noqa: B904 - its context is what this is about
    assert caught.value is second
    assert second.__context__ is first


async def test_an_error_around_the_block_is_the_context_of_those_inside(make_client):
    first, second = LookupError(), ValueError()
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - it is compared below
        try:
            raise first
        except LookupError:
            async with make_client():
                raise second  # noqa: B904 - its context is what this is about
    assert caught.value is second
    assert second.__context__ is first


async def test_a_body_may_raise_before_its_first_checkpoint(make_client):
    client = make_client()
    with pytest.raises(ZeroDivisionError):
        async with client:
            raise ZeroDivisionError
    assert_gone(client)


async def test_an_error_in_the_clean_up_of_a_cancelled_body_is_not_lost(make_client):
    with pytest.raises(ValueError, match="clean-up"), CancelScope() as scope:
        async with make_client() as api:
            scope.cancel()
            try:
                await anyio.sleep_forever()
            finally:
                raise ValueError("clean-up")
    assert_gone(api)


async def test_a_cancelled_body_ends_with_its_scope(make_client):
    reached = False
    with anyio.move_on_after(1) as scope:
        async with make_client() as api:
            await anyio.sleep_forever()
        reached = True
    assert scope.cancelled_caught
    assert not reached
    assert_gone(api)


async def test_a_failing_task_of_an_outer_group_fails_only_that_group(make_client):
    async def fail():
        raise ValueError("raised by the task")

    with pytest.raises(ExceptionGroup) as caught:
        async with anyio.create_task_group() as tasks, make_client() as api:
            await api.users.get()
            tasks.start_soon(fail)
            await anyio.sleep_forever()
    [error] = caught.value.exceptions
    assert isinstance(error, ValueError)
    assert_gone(api)


async def test_an_error_of_an_inner_task_group_leaves_in_its_exception_group(
    make_client,
):
    async def fail():
        raise ValueError("raised by the task")

    with pytest.raises(ExceptionGroup) as caught:
        async with make_client() as api, anyio.create_task_group() as tasks:
            tasks.start_soon(fail)
    [error] = caught.value.exceptions
    assert isinstance(error, ValueError)
    assert caught.value.__context__ is None
    assert_gone(api)


@pytest.mark.parametrize("make_error", [KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_ctrl_c_in_a_task_of_the_client_leaves_unwrapped(
    make_client, simulator, make_error, backend
):
    from vkanyio.testing import faults

    async def on_captcha(captcha):
        raise make_error

    async def main():
        async with make_client(on_captcha=on_captcha) as api:
            await api.users.get()

    simulator.fault(faults.captcha())
    with pytest.raises(make_error):
        anyio.run(main, backend=backend)


# Entering


@pytest.fixture
def opening(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The function that opens the transport, set by the test."""
    steps: list[Any] = []

    async def open_(self: Transport) -> None:
        for step in steps:
            await step()

    monkeypatch.setattr(Transport, "open", open_)
    return steps


async def test_a_failure_to_enter_leaves_nothing_open(make_client, opening):
    async def fail():
        raise OSError("no certificates")

    opening.append(fail)
    client = make_client()
    with pytest.raises(OSError, match="no certificates"):
        async with client:
            pytest.fail("it was entered")
    assert own_tasks() == []
    with pytest.raises(ClientClosedError):
        await client.users.get()


async def test_entering_can_be_cancelled(make_client, opening):
    opening.append(anyio.sleep_forever)
    client = make_client()
    with anyio.move_on_after(1) as scope:
        async with client:
            pytest.fail("it was entered")
    assert scope.cancelled_caught
    assert own_tasks() == []
    with pytest.raises(ClientClosedError):
        await client.users.get()


async def test_a_client_that_is_being_entered_takes_no_calls(make_client, opening):
    client = make_client()

    async def call():
        with anyio.fail_after(1):
            await client.users.get()

    opening.append(call)
    with pytest.raises(ClientClosedError):
        async with client:
            pytest.fail("it was entered")


# Use too early or too late


async def test_a_new_client_takes_no_calls(make_client, simulator):
    client = make_client()
    for function in (client.users.get, client.statistics):
        with pytest.raises(ClientClosedError, match="async with") as caught:
            await function()
        assert not caught.value.maybe_carried_out
    assert simulator.ledger.requests == 0


async def test_a_request_that_came_too_early_can_be_made_later(make_client):
    client = make_client()
    request = APIRequest("users.get")
    with pytest.raises(ClientClosedError):
        await client.call_with_request(request)
    async with client:
        assert await client.call_with_request(request)


async def test_a_closed_client_takes_no_calls(make_client, simulator):
    async with make_client() as api:
        pass
    calls: list[Any] = [api.users.get, lambda: api.execute("return 1;")]
    for call in [*calls, lambda: api.procedure("stored")]:
        with pytest.raises(ClientClosedError) as caught:
            await call()
        assert not caught.value.maybe_carried_out
    assert simulator.ledger.requests == 0
    assert api.statistics().calls == 0


async def test_a_client_is_not_entered_twice(make_client):
    async with make_client() as api:
        with pytest.raises(ClientUseError):
            async with api:
                pytest.fail("it was entered again")
        assert await api.users.get(), "the first block goes on"
    assert_gone(api)


async def test_a_client_that_is_being_entered_is_not_entered_again(
    make_client, opening
):
    client = make_client()

    async def enter():
        async with client:
            pytest.fail("it was entered twice at once")

    opening.append(enter)
    with pytest.raises(ClientUseError):
        async with client:
            pytest.fail("it was entered")
    assert own_tasks() == []


async def test_a_client_is_left_by_the_task_that_entered_it(make_client):
    client = make_client()
    await client.__aenter__()
    with pytest.raises(ExceptionGroup) as caught:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(client.__aexit__, None, None, None)
    assert caught.group_contains(ClientUseError, depth=1)
    assert await client.users.get(), "it is open as before"
    await client.__aexit__(None, None, None)
    assert_gone(client)


@pytest.mark.parametrize("is_in_use", [True, False])
def test_a_client_whose_task_has_ended_is_closed_by_the_next(
    make_client, caplog, monkeypatch, is_in_use
):
    # pytest-asyncio runs the setup and the teardown of a fixture in tasks of the same
    # event loop, one after the other.
    monkeypatch.delitem(sys.modules, "pytest_asyncio", raising=False)
    if is_in_use:
        monkeypatch.setitem(sys.modules, "pytest_asyncio", sys)
    client = make_client()
    outcomes: list[Any] = []

    async def call() -> None:
        await note(outcomes, client.users.get)

    async def leave() -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(call)
            await checkpoint()
            with pytest.raises(ClientUseError, match="left by the task") as caught:
                await client.__aexit__(None, None, None)
            assert ("pytest.mark.anyio" in str(caught.value)) is is_in_use
            assert_gone(client)

    with asyncio.Runner() as runner:
        runner.run(client.__aenter__())
        assert runner.run(client.users.get())
        runner.run(leave())
        with pytest.raises(ClientClosedError):
            runner.run(client.users.get())
    assert len(outcomes) == 1
    assert isinstance(outcomes[0], list), "what it had accepted was finished"
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


async def test_a_used_client_is_not_entered_again(make_client):
    async with make_client() as api:
        pass
    with pytest.raises(ClientUseError, match="new one"):
        async with api:
            pytest.fail("it was entered again")
    with pytest.raises(ClientUseError):
        await api.run()


# Use from elsewhere


@on_a_real_clock
@pytest.mark.parametrize("other", ["asyncio", "trio"])
async def test_another_event_loop_cannot_use_a_client(make_client, simulator, other):
    async with make_client() as api:

        async def call() -> None:
            with anyio.fail_after(1):
                await api.call("users.get")

        def elsewhere() -> None:
            anyio.run(call, backend=other)

        with pytest.raises(ClientUseError, match=r"event loop.* blocking portal"):
            await anyio.to_thread.run_sync(elsewhere)
        assert simulator.ledger.requests == 0
        assert await api.users.get()
    assert_gone(api)


@on_a_real_clock
async def test_a_thread_uses_a_client_through_the_event_loop(make_client, simulator):
    async with make_client() as api:

        def elsewhere() -> Any:
            return anyio.from_thread.run(api.call, "users.get", {"user_ids": 5})

        [user] = await anyio.to_thread.run_sync(elsewhere)
    assert user["id"] == 5
    assert_gone(api)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
async def test_a_forked_process_cannot_use_a_client(make_client):
    async with make_client() as api:
        child = os.fork()
        if not child:
            code = 1
            try:
                api.call("users.get").send(None)
            except ClientUseError:
                code = 0
            finally:
                os._exit(code)
        _, status = os.waitpid(child, 0)  # noqa: ASYNC222 - it ends at once
        assert os.waitstatus_to_exitcode(status) == 0
        assert await api.users.get()


# Other ways to hold it open


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_portal_makes_a_client_synchronous(make_client, backend):
    error = ValueError()
    with anyio.from_thread.start_blocking_portal(backend) as portal:
        client = make_client()
        with portal.wrap_async_context_manager(client) as api:
            [user] = portal.call(api.call, "users.get", {"user_ids": 5})
            assert user["id"] == 5
        with pytest.raises(ClientClosedError):
            portal.call(api.call, "users.get")
        with (
            pytest.raises(ValueError) as caught,  # noqa: PT011 - compared below
            portal.wrap_async_context_manager(make_client()),
        ):
            raise error
    assert caught.value is error


async def test_a_task_of_the_user_can_hold_a_client_open(make_client):
    client = make_client()
    async with anyio.create_task_group() as tasks:
        api = await tasks.start(client.run)
        assert api is client
        assert await api.users.get()
        assert own_tasks()
        tasks.cancel_scope.cancel()
    with pytest.raises(ClientClosedError):
        await api.users.get()
    assert_gone(client)


async def test_a_task_that_holds_a_client_open_gets_an_error_of_entering(
    make_client, opening
):
    async def fail():
        raise OSError("no certificates")

    opening.append(fail)
    with pytest.raises(ExceptionGroup) as caught:
        async with anyio.create_task_group() as tasks:
            await tasks.start(make_client().run)
    assert caught.group_contains(OSError, match="no certificates", depth=1)


async def test_an_idle_client_has_two_tasks_and_a_closed_one_none(make_client):
    async with make_client() as api:
        async with anyio.create_task_group() as tasks:
            for _ in range(20):
                tasks.start_soon(api.call, "users.get")
        await settle()
        assert own_tasks() == ["vkanyio Collector.run", "vkanyio Ticker.run"]
    assert_gone(api)


async def test_jitter_is_drawn_anew_for_each_time_that_a_client_is_entered(
    make_client,
):
    # Or clients that were made before a fork would retry in step.
    made_before = [make_client() for _ in range(2)]
    random.seed(7)
    drawn = []
    for client in made_before:
        async with client as api:
            drawn.append(Probe(api).generator.random())
    assert drawn[0] != drawn[1]
    random.seed(7)
    async with make_client() as api:
        assert Probe(api).generator.random() == drawn[0]
