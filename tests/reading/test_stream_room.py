"""Streams: how many calls are under way, and what is kept of them."""

from __future__ import annotations

import gc
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import anyio
import pytest
from anyio import create_task_group

from _helpers import (
    assert_gone,
    get,
    settle,
)
from _series import (
    Source,
    pairs,
    read,
    with_latency,
)
from vkanyio._pending import Pending

if TYPE_CHECKING:
    from collections.abc import Iterator

    from _helpers import MakeClient
    from vkanyio import (
        APIRequest,
    )
    from vkanyio.testing import Simulator

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.usefixtures("echoes", "nothing_is_left_open"),
]

# Back-pressure


@with_latency
@pytest.mark.parametrize(
    ("options", "room"),
    [
        ({"limit": 3}, 6),
        ({"limit": 20}, 40),
        ({"limit": 3, "mode": "parallel"}, 150),
        ({"limit": 20, "mode": "parallel"}, 1000),
        ({"limit": 50, "mode": "parallel"}, 1000),
        ({"limit": 3, "mode": "parallel", "execute_count": 10}, 60),
    ],
)
async def test_no_more_calls_are_taken_than_vk_takes_in_two_seconds(
    make_client: MakeClient, options: dict[str, Any], room: int
) -> None:
    source = Source()
    async with make_client(**options) as api, api.stream(source):
        await anyio.sleep(20)
    assert source.taken == room
    assert_gone(api)


@pytest.mark.parametrize("ordered", [False, True])
async def test_a_slow_consumer_stops_the_feeding(
    make_client: MakeClient, ordered: bool
) -> None:
    source = Source()
    async with make_client(mode="parallel") as api:
        stream = api.stream(source, max_pending=8, ordered=ordered)
        async with stream as settled:
            for count in range(1, 30):
                await anyio.sleep(1)
                assert source.taken <= 8 + count - 1
                await anext(settled)
            await settle()
            assert source.taken >= 8 + count - 2  # it goes on in steps of two


async def test_a_stream_takes_no_room_of_other_calls(make_client: MakeClient) -> None:
    async with make_client(max_waiting=1) as api:
        calls = await read(api.stream(pairs(range(50)), max_pending=50))
    assert len(calls) == 50


@with_latency
async def test_the_first_batch_leaves_before_all_calls_are_taken(
    simulator: Simulator, make_client: MakeClient
) -> None:
    sent: list[int] = []

    def elements() -> Iterator[APIRequest]:
        for i in range(200):
            sent.append(api.statistics().sent)
            yield get(i)

    async with make_client(mode="parallel") as api:
        await read(api.stream(elements()))
        assert api.statistics().batches == {25: 8}
    assert sent[:25] == [0] * 25
    assert sent[-1] > 0


async def test_packed_calls_come_by_one_wake_up(
    make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits = 0
    event = anyio.Event

    def counted() -> anyio.Event:
        nonlocal waits
        waits += 1
        return event()

    monkeypatch.setattr("vkanyio._reading._stream.Event", counted)
    async with make_client(mode="parallel") as api:
        calls = await read(api.stream(pairs(range(500))))
    assert len(calls) == 500
    assert waits <= 40  # of consumer and feeder, for 20 batches


async def test_a_consumer_that_never_waits_lets_others_run(
    make_client: MakeClient,
) -> None:
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            await anyio.lowlevel.checkpoint()
            turns += 1

    async with make_client(mode="parallel") as api, create_task_group() as tasks:
        async with api.stream(pairs(range(500)), max_pending=500) as settled:
            await anyio.sleep(1)  # all have settled
            tasks.start_soon(count)
            async for _ in settled:
                pass
            assert turns >= 15
        tasks.cancel_scope.cancel()


# Memory, and what is loaded


@pytest.mark.parametrize("mode", ["sequential", "parallel"])
async def test_a_call_that_was_read_is_gone(make_client: MakeClient, mode: str) -> None:
    def in_memory() -> int:
        return sum(isinstance(each, Pending) for each in gc.get_objects())

    async with make_client(mode=mode) as api:
        gc.collect()
        gc.disable()
        try:
            before = in_memory()
            most = 0
            async with api.stream(pairs(range(300)), max_pending=25) as settled:
                async for call in settled:
                    most = max(most, in_memory() if call.index % 25 == 0 else 0)
        finally:
            gc.enable()
    assert most <= before + 60


def test_a_program_without_streams_loads_none_of_it() -> None:
    code = (
        "import sys, vkanyio; vkanyio.VK('t');"
        " print([name for name in sys.modules if '_reading' in name])"
    )
    command = [sys.executable, "-c", code]
    assert subprocess.check_output(command, text=True).strip() == "[]"
