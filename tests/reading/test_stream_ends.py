"""Streams: how they end, and what they are not used for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio
import pytest
from anyio import create_task_group, current_time, move_on_after

from _helpers import (
    assert_at_rest,
    carried_out,
    get,
    own_tasks,
    settle,
)
from _probe import Probe
from _series import (
    Interrupt,
    Source,
    outcome_of,
    pairs,
    read,
    with_latency,
)
from vkanyio import (
    VK,
    APIRequest,
    CallStream,
    ClientClosedError,
    ClientCrashedError,
    ClientUseError,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from _helpers import MakeClient
    from vkanyio.testing import Simulator

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.usefixtures("echoes", "nothing_is_left_open"),
]

# How a stream ends


@pytest.mark.parametrize("way", ["return", "raise", "cancel"])
@with_latency
async def test_leaving_gives_up_what_has_not_settled(
    simulator: Simulator, make_client: MakeClient, way: str
) -> None:
    source = Source()
    async with make_client(limit=1) as api:
        before = own_tasks()

        async def body() -> None:
            async with api.stream(source, max_pending=10) as settled:
                async for _ in settled:
                    if way == "return":
                        return
                    if way == "raise":
                        raise LookupError
                    await anyio.sleep_forever()

        start = current_time()
        with move_on_after(1.5 if way == "cancel" else 60) as scope:
            if way == "raise":
                with pytest.raises(LookupError) as caught:
                    await body()
                assert caught.value.__context__ is None
            else:
                await body()
        assert scope.cancelled_caught == (way == "cancel")
        assert current_time() - start == (1.5 if way == "cancel" else 1)
        assert not Probe(api).live_call_count
        await settle()
        assert own_tasks() == before
        await anyio.sleep(20)
        assert_at_rest(api)
    assert len(carried_out(simulator)) <= 2


@with_latency
async def test_an_error_in_the_clean_up_of_a_cancelled_body_is_not_lost(
    make_client: MakeClient,
) -> None:
    async def body(api: VK) -> None:
        with anyio.CancelScope() as scope:
            async with api.stream(pairs(range(3))) as settled:
                scope.cancel()
                try:
                    await anext(settled)
                finally:
                    raise LookupError

    async with make_client() as api:
        with pytest.raises(LookupError):
            await body(api)
        await settle()
        assert_at_rest(api)


@pytest.mark.parametrize("ordered", [False, True])
async def test_a_source_that_raises_ends_the_stream_after_the_results(
    make_client: MakeClient, ordered: bool
) -> None:
    def elements() -> Iterator[APIRequest]:
        yield from map(get, range(30))
        raise OSError("the file has a hole")

    results: list[int] = []
    async with make_client(mode="parallel") as api:
        async with api.stream(elements(), ordered=ordered) as settled:
            with pytest.raises(OSError, match="hole") as caught:  # noqa: PT012
                async for call in settled:
                    results.append(call.result())  # noqa: PERF401 - it raises
            assert sorted(results) == [*range(30)]
            assert caught.value.__context__ is None
            with pytest.raises(StopAsyncIteration):
                await anext(settled)
        assert_at_rest(api)


async def test_an_async_source_that_raises_ends_the_stream(
    make_client: MakeClient,
) -> None:
    async def elements() -> AsyncIterator[APIRequest]:
        yield get(1)
        await anyio.sleep(1)
        raise OSError

    async with make_client() as api, api.stream(elements()) as settled:
        assert (await anext(settled)).result() == 1
        with pytest.raises(OSError):  # noqa: PT011 - any
            await anext(settled)


@pytest.mark.parametrize("is_waiting", [True, False])
async def test_an_async_generator_is_closed_with_the_block(
    make_client: MakeClient, is_waiting: bool
) -> None:
    ended: list[str] = []

    async def source() -> AsyncIterator[tuple[str, dict[str, Any]]]:
        try:
            for number in range(100):
                yield "users.get", {"user_ids": number}
                if is_waiting:
                    await anyio.sleep_forever()
        finally:
            ended.append("closing")
            assert not api.statistics().waiting
            await anyio.sleep(1)
            ended.append("closed")

    async with make_client() as api:
        async with api.stream(source(), max_pending=10) as settled:
            await anext(settled)
        # One that waits is cancelled, and so is its clean-up.
        assert ended == (["closing"] if is_waiting else ["closing", "closed"])


async def test_an_error_in_the_clean_up_of_an_async_generator_is_raised(
    make_client: MakeClient,
) -> None:
    async def source() -> AsyncIterator[tuple[str, dict[str, Any]]]:
        try:
            while True:
                yield "users.get", {}
        finally:
            raise LookupError

    async with make_client() as api:
        with pytest.raises(LookupError):
            async with api.stream(source(), max_pending=10) as settled:
                await anext(settled)
        with pytest.raises(LookupError) as caught:  # noqa: PT012 - it is in the block
            async with api.stream(source(), max_pending=10) as settled:
                await anext(settled)
                raise KeyError
        assert isinstance(caught.value.__cause__, KeyError)


async def test_an_interrupt_of_the_source_leaves_as_itself(
    make_client: MakeClient,
) -> None:
    def elements() -> Iterator[APIRequest]:
        yield get(1)
        raise Interrupt

    async with make_client() as api:
        with pytest.raises(Interrupt):
            await read(api.stream(elements()))
        await settle()
        assert_at_rest(api)


async def test_a_client_that_closes_ends_the_stream(make_client: MakeClient) -> None:
    results: list[Any] = []

    async def consume(api: VK) -> None:
        with pytest.raises(ClientClosedError):  # noqa: PT012 - in the end
            async with api.stream(Source(), max_pending=3) as settled:
                async for call in settled:
                    results.append(outcome_of(call))
                    await anyio.sleep(1)

    async with create_task_group() as tasks, make_client() as api:
        tasks.start_soon(consume, api)
        await anyio.sleep(2.5)
    assert results == [*range(1, len(results) + 1)]
    assert len(results) == 6  # three, and those that took their places


@with_latency
async def test_a_client_that_is_cancelled_fails_the_calls_of_a_stream(
    make_client: MakeClient,
) -> None:
    errors: list[Any] = []

    async def consume(api: VK) -> None:
        async with api.stream(pairs(range(3)), max_pending=3) as settled:
            errors.extend([outcome_of(call) async for call in settled])

    async with create_task_group() as tasks:
        with move_on_after(0.5):
            async with make_client(limit=1) as api:
                tasks.start_soon(consume, api)
                await anyio.sleep_forever()
    assert [type(error) for error in errors] == [ClientClosedError] * 3
    assert sorted(error.maybe_carried_out for error in errors) == [False, False, True]


async def test_a_crash_fails_the_calls_of_a_stream(
    make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    results: list[Any] = []

    def crash(*_: object) -> None:
        raise ZeroDivisionError

    async def consume(api: VK) -> None:
        async with api.stream(Source(), max_pending=3) as settled:
            async for call in settled:
                results.append(outcome_of(call))
                monkeypatch.setattr("vkanyio._engine._sender.to_form", crash)

    with pytest.raises(ClientCrashedError):  # noqa: PT012 - both
        async with make_client() as api:
            with pytest.raises(ClientCrashedError):
                await consume(api)
    assert results[0] == 1
    assert ClientCrashedError in [type(each) for each in results[1:]]


# Misuse


async def test_a_stream_is_used_inside_its_block_once(make_client: MakeClient) -> None:
    async with make_client() as api:
        stream = api.stream(pairs(range(3)))
        with pytest.raises(ClientUseError, match="inside `async with"):
            await anext(stream)
        async with stream as settled:
            with pytest.raises(ClientUseError, match="entered only once"):
                async with stream:
                    pass
            await anext(settled)
            await settle()
        with pytest.raises(ClientUseError, match="has been left"):
            await anext(settled)


async def test_a_stream_needs_an_open_client(make_client: MakeClient) -> None:
    client = make_client()
    with pytest.raises(ClientClosedError, match="not been entered"):
        await read(client.stream([]))
    async with client as api:
        pass
    with pytest.raises(ClientClosedError, match="has been closed"):
        await read(api.stream([]))


def test_a_stream_belongs_to_the_event_loop_of_its_client(
    make_client: MakeClient,
) -> None:
    async def main() -> None:
        async with make_client() as api:
            await anyio.to_thread.run_sync(anyio.run, use, api.stream([]))

    async def use(stream: CallStream) -> None:
        with pytest.raises(ClientUseError, match="another event loop"):
            await read(stream)

    anyio.run(main)


async def test_several_tasks_share_the_results(make_client: MakeClient) -> None:
    results: list[int] = []

    async def work(settled: CallStream) -> None:
        async for call in settled:
            await anyio.sleep(0.1)
            results.append(call.result())

    async with make_client(mode="parallel") as api:
        stream = api.stream(pairs(range(100)), max_pending=10)
        async with stream as settled, create_task_group() as tasks:
            for _ in range(7):
                tasks.start_soon(work, settled)
    assert sorted(results) == [*range(100)]


@with_latency
async def test_who_still_waits_for_a_stream_that_is_left_gets_an_error(
    make_client: MakeClient,
) -> None:
    async def wait(settled: CallStream) -> None:
        with pytest.raises(ClientUseError, match="has been left"):
            await anext(settled)

    async with make_client() as api, create_task_group() as tasks:
        stream = api.stream(pairs(range(3)))
        async with stream as settled:
            tasks.start_soon(wait, settled)
            await settle()
