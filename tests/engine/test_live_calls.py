"""`LiveCalls`, the calls without an outcome, outside a client."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import anyio
import pytest
from anyio import create_task_group
from anyio.lowlevel import current_token

from _helpers import counted_turns, settle
from _parts import gate, sender_of
from vkanyio import APIRequest, ClientClosedError, Config
from vkanyio._engine._call_task import CallTask
from vkanyio._engine._live_calls import LiveCalls
from vkanyio._engine._packer import Packer
from vkanyio._engine._questions import Questions
from vkanyio._outcome import Success

if TYPE_CHECKING:
    from vkanyio.testing import Simulator

pytestmark = pytest.mark.anyio


def add(live: LiveCalls) -> APIRequest:
    request = APIRequest("users.get")
    request._pending.claim(current_token())
    order = live.add(request)

    def end() -> None:
        live.end(request)

    request._pending.accept(order, urgent=False, on_end=end)
    return request


def begin(live: LiveCalls, request: APIRequest, simulator: Simulator) -> CallTask:
    config = Config("a-token")
    packer, questions = Packer(config), Questions(config)
    task = CallTask(request, sender_of(simulator), gate(), packer, questions)
    live.begin(request, task)
    return task


async def test_calls_are_numbered_in_the_order_of_arrival() -> None:
    live = LiveCalls()
    requests = [add(live) for _ in range(3)]
    assert [request._pending.order for request in requests] == [0, 1, 2]
    requests[0]._pending.settle(Success(1))
    assert add(live)._pending.order == 3
    assert len(live) == 3


async def test_the_end_of_a_call_says_whether_it_was_taken_for_a_request(
    simulator: Simulator,
) -> None:
    live, taken = LiveCalls(), []
    for is_taken in (False, True):
        request = APIRequest("users.get")
        live.add(request)
        if is_taken:
            begin(live, request, simulator)
        taken.append(live.end(request))
    assert taken == [False, True]


async def test_a_batch_learns_of_every_call_that_it_has_not_ended_itself(
    simulator: Simulator,
) -> None:
    live = LiveCalls()
    abandoned, settled = add(live), add(live)
    tasks = [begin(live, each, simulator) for each in (abandoned, settled)]
    given_up: list[CallTask] = []
    for task in tasks:
        task.batch_give_up = partial(given_up.append, task)
    abandoned._pending.give_up()
    settled._pending.settle(Success(1))
    assert given_up == tasks
    assert len(live) == 0


async def test_an_answer_that_is_being_sent_ends_with_its_call(
    simulator: Simulator,
) -> None:
    live = LiveCalls()
    request = add(live)
    scope = begin(live, request, simulator).answering()
    request._pending.settle(Success(1))
    assert scope.cancel_called


async def test_all_calls_fail_with_separate_errors() -> None:
    live = LiveCalls()
    requests = [add(live) for _ in range(3)]
    live.fail_all(lambda request: ClientClosedError(request.method))
    assert len(live) == 0
    errors = []
    for request in requests:
        with pytest.raises(ClientClosedError) as caught:
            request.result()
        errors.append(caught.value)
    assert len(set(map(id, errors))) == 3


async def test_the_end_comes_with_the_last_outcome() -> None:
    live, ended = LiveCalls(), []

    async def wait() -> None:
        await live.wait_for_the_end()
        ended.append(anyio.current_time())

    await live.wait_for_the_end()  # there is none
    async with create_task_group() as tasks:
        first, second = add(live), add(live)
        tasks.start_soon(wait)
        await settle()
        first._pending.settle(Success(1))
        third = add(live)
        second._pending.settle(Success(1))
        await settle()
        assert ended == []
        third._pending.give_up()
        await settle()
        assert len(ended) == 1


async def test_a_call_added_in_the_step_of_the_last_end_is_waited_for() -> None:
    live, ended = LiveCalls(), []

    async def wait() -> None:
        await live.wait_for_the_end()
        ended.append(len(live))

    add(live)._pending.settle(Success(1))  # there was an end before anybody waited
    async with create_task_group() as tasks:
        first = add(live)
        tasks.start_soon(wait)
        await settle()
        first._pending.settle(Success(1))
        second = add(live)
        async with counted_turns() as turns:
            await anyio.sleep(3)
        assert ended == []
        assert turns.count < 20
        second._pending.settle(Success(1))
        await settle()
    assert ended == [0]


async def test_the_end_is_not_reported_while_others_are_live() -> None:
    live = LiveCalls()
    first, _ = add(live), add(live)
    async with create_task_group() as tasks:
        tasks.start_soon(live.wait_for_the_end)
        await settle()
        async with counted_turns() as turns:
            first._pending.settle(Success(1))
            await anyio.sleep(3)
        tasks.cancel_scope.cancel()
    assert turns.count < 10
