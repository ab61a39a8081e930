"""What has ended is let go of at once, without the garbage collector."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING

import anyio
import pytest

from vkanyio import VK, APIError
from vkanyio._pending import Pending
from vkanyio.testing import faults

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from _helpers import MakeClient
    from vkanyio.testing import Simulator

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("echoes")]

both_modes = pytest.mark.parametrize("mode", ["sequential", "parallel"])


@contextmanager
def no_garbage_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def calls_in_memory() -> int:
    return sum(isinstance(each, Pending) for each in gc.get_objects())


async def make_calls(api: VK, number: int) -> None:
    async def call(i: int) -> None:
        try:
            await api.call("test.get", {"id": i})
        except APIError as error:
            error.__traceback__ = None  # its frames hold the call

    async with anyio.create_task_group() as tasks:
        for i in range(number):
            tasks.start_soon(call, i)


@both_modes
async def test_a_call_with_a_value_is_gone_when_it_has_ended(
    make_client: MakeClient, mode: str
) -> None:
    async with make_client(mode=mode) as api:
        with no_garbage_collector():
            before = calls_in_memory()
            await make_calls(api, 60)
            await make_calls(api, 1)  # the tasks before it have taken their last steps
            assert calls_in_memory() <= before + 3


@both_modes
async def test_a_call_with_an_error_is_gone_when_it_has_ended(
    simulator: Simulator, make_client: MakeClient, mode: str
) -> None:
    simulator.fault(faults.error(100), "test.get")
    async with make_client(mode=mode) as api:
        with no_garbage_collector():
            before = calls_in_memory()
            await make_calls(api, 60)
            simulator.clear_faults()
            await make_calls(api, 1)
            assert calls_in_memory() <= before + 3


async def test_calls_that_are_given_up_are_gone_while_the_token_is_being_renewed(
    simulator: Simulator, make: Callable[..., VK]
) -> None:
    async def token(refused: str | None) -> str:
        if refused is not None:
            await anyio.sleep_forever()
        return "vk1.a.the-first"

    async def give_up(api: VK, number: int) -> None:
        async with anyio.create_task_group() as tasks:
            for _ in range(number):
                tasks.start_soon(api.call, "test.get", {"id": 1})
            await anyio.sleep(1)
            tasks.cancel_scope.cancel()

    async with make(token) as api:
        simulator.expire("vk1.a.the-first")
        await give_up(api, 1)
        before = calls_in_memory()
        for _ in range(3):
            await give_up(api, 20)
        gc.collect()  # the cancelled tasks are cycles
        assert calls_in_memory() <= before + 3
        assert api.statistics().waiting == 0
