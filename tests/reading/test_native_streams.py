"""Streams whose tasks are cancelled by asyncio itself."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from _helpers import assert_at_rest, cancelling, get, settle
from vkanyio import CallStream, ClientUseError
from vkanyio.testing import VirtualClockLoop

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from _helpers import MakeClient
    from vkanyio import APIRequest

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.usefixtures("echoes", "nothing_is_left_open"),
]


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, Any]]:
    return "asyncio", {"loop_factory": VirtualClockLoop}


def cancel_feeder() -> None:
    [feeder] = [
        task for task in asyncio.all_tasks() if task.get_name() == "vkanyio CallStream"
    ]
    feeder.cancel()


@pytest.mark.filterwarnings("ignore:coroutine.*never awaited")  # asyncio's
async def test_a_feeder_cancelled_before_its_first_step_does_not_end_the_block_silently(
    make_client: MakeClient,
) -> None:
    async def use(stream: CallStream) -> None:
        async with stream:
            cancel_feeder()
            await anyio.sleep(1)
            pytest.fail("asyncio cancels the host")

    async with make_client() as api:
        with pytest.raises(ClientUseError, match="not complete"):
            await use(api.stream([get(1)]))
        assert cancelling() == 0
        assert_at_rest(api)


async def test_a_cancelled_feeder_ends_the_stream_after_the_results(
    make_client: MakeClient,
) -> None:
    async def elements() -> AsyncIterator[APIRequest]:
        yield get(1)
        await anyio.sleep_forever()

    async with make_client() as api:
        async with api.stream(elements()) as settled:
            await settle()
            cancel_feeder()
            assert (await anext(settled)).result() == 1
            with pytest.raises(ClientUseError, match="not complete"):
                await anext(settled)
        assert cancelling() == 0


async def test_a_source_that_waits_for_a_cancelled_task_ends_the_stream(
    make_client: MakeClient,
) -> None:
    async def elements() -> AsyncIterator[APIRequest]:
        task = asyncio.create_task(anyio.sleep_forever())
        await anyio.sleep(1)
        task.cancel()
        await task
        yield get(1)

    async with make_client() as api, api.stream(elements()) as settled:
        with pytest.raises(ClientUseError, match="not complete"):
            await anext(settled)


@pytest.mark.simulator_options(latency=1.0)
async def test_a_reader_cancelled_by_asyncio_loses_no_result(
    make_client: MakeClient,
) -> None:
    async with make_client() as api, api.stream(map(get, range(3))) as settled:
        indexes: list[int] = []
        for _ in range(5):
            try:
                async with asyncio.timeout(0.4):
                    async for call in settled:
                        indexes.append(call.index)  # noqa: PERF401 - it is cut off
            except TimeoutError:
                continue
        assert sorted(indexes) == [0, 1, 2]
        assert cancelling() == 0
        assert_at_rest(api)
