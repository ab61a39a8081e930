"""Streams: the calls that are taken, their results, and how a stream ends."""

from __future__ import annotations

import gc
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import anyio
import pytest
from anyio import create_task_group, current_time, move_on_after

from _helpers import (
    assert_at_rest,
    assert_gone,
    carried_out,
    get,
    own_tasks,
    settle,
    solve_by,
)
from _packing import done, post
from _probe import Probe
from vkanyio import (
    VK,
    APIRequest,
    CallEnded,
    CallStarted,
    CallStream,
    Captcha,
    ClientClosedError,
    ClientCrashedError,
    ClientUseError,
    ParameterError,
    SettledCall,
)
from vkanyio._pending import Pending
from vkanyio.testing import faults

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator

    from _helpers import MakeClient
    from vkanyio.testing import Simulator

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.usefixtures("echoes", "nothing_is_left_open"),
]

each_mode = pytest.mark.parametrize(
    "mode", ["sequential", "parallel", "parallel_selected"]
)
with_latency = pytest.mark.simulator_options(latency=1.0)


def pairs(numbers: Iterable[int]) -> Iterator[tuple[str, dict[str, int]]]:
    return (("test.get", {"id": i}) for i in numbers)


async def pairs_later(numbers: Iterable[int]) -> AsyncIterator[APIRequest]:
    for i in numbers:
        await anyio.sleep(0.1)
        yield get(i)


async def read(stream: CallStream) -> list[SettledCall]:
    async with stream as settled:
        return [call async for call in settled]


def outcome_of(call: SettledCall) -> Any:
    """Return the value of a call, or its error."""
    try:
        return call.result()
    except Exception as error:
        return error


class Interrupt(BaseException):
    """Like KeyboardInterrupt, which would end the test itself."""


class Source:
    """More calls than a stream may take.

    :ivar taken: how many were taken
    """

    def __init__(self) -> None:
        self.taken = 0

    def __iter__(self) -> Iterator[APIRequest]:
        while self.taken < 5000:
            self.taken += 1
            yield get(self.taken)


# Results


@each_mode
async def test_every_call_of_a_stream_has_its_own_value(
    make_client: MakeClient, mode: str
) -> None:
    async with make_client(mode=mode) as api:
        calls = await read(api.stream(pairs(range(100, 300))))
        assert_at_rest(api)
    assert sorted(call.index for call in calls) == [*range(200)]
    for call in calls:
        assert call.result() == 100 + call.index
        assert (call.method, call.params) == ("test.get", {"id": 100 + call.index})
        assert call.request is not None
        assert call.request.result() == call.result()


async def test_requests_and_lists_of_two_are_calls_as_well(
    make_client: MakeClient,
) -> None:
    request = get(2)
    elements: list[Any] = [["test.get", {"id": 1}], request, ("test.get", {"id": 3})]
    async with make_client() as api:
        calls = await read(api.stream(elements, ordered=True))
    assert [call.result() for call in calls] == [1, 2, 3]
    assert calls[1].request is request


@pytest.mark.parametrize("room", [None, 1])
async def test_calls_of_an_async_iterable_are_sent_as_they_come(
    make_client: MakeClient, room: int | None
) -> None:
    start, times = current_time(), list[float]()
    async with (
        make_client() as api,
        api.stream(pairs_later(range(3)), max_pending=room) as settled,
    ):
        async for call in settled:
            assert call.result() == call.index
            times.append(current_time() - start)
    assert times == pytest.approx([0.1, 0.2, 0.3])


@with_latency
async def test_results_come_as_they_settle(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.fault(faults.delay(5), times=1)
    async with make_client() as api:
        calls = await read(api.stream(pairs(range(4))))
    assert [call.index for call in calls] == [1, 2, 3, 0]


@with_latency
async def test_ordered_results_come_in_the_order_of_the_calls(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.fault(faults.delay(5), times=1)
    elements: list[Any] = [get(0), "no call", get(2), get(3)]
    async with make_client() as api:
        calls = await read(api.stream(elements, ordered=True, max_pending=3))
    assert [call.index for call in calls] == [0, 1, 2, 3]


async def test_a_stream_without_calls_ends_at_once(make_client: MakeClient) -> None:
    async with make_client() as api:
        assert await read(api.stream([])) == []
        assert await read(api.stream(pairs_later([]))) == []


async def test_an_error_of_one_call_is_not_that_of_another(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.fault(faults.error(100), "test.get", times=2)
    async with make_client(mode="parallel") as api:
        calls = await read(api.stream(pairs(range(60))))
    outcomes = [outcome_of(call) for call in calls]
    errors = [each for each in outcomes if isinstance(each, ParameterError)]
    assert len(errors) == 2
    assert errors[0] is not errors[1]
    assert len([each for each in outcomes if isinstance(each, int)]) == 58


async def test_scripts_have_their_results(make_client: MakeClient) -> None:
    async with make_client(mode="parallel") as api:
        [call] = await read(api.stream([("execute", {"code": "return 5;"})]))
    response, errors = call.result()
    assert (response, errors) == (5, ())


async def test_calls_with_other_tokens_have_lanes_of_their_own(
    simulator: Simulator, make_client: MakeClient
) -> None:
    elements = [
        ("test.get", {"id": i, "access_token": f"token-{i % 3}"}) for i in range(30)
    ]
    start = current_time()
    async with make_client(limit=5, request_mode="burst") as api:
        calls = await read(api.stream(elements, max_pending=30))
        assert len(Probe(api).lanes) == 4
    assert current_time() - start < 1.5  # by one lane it would take five seconds
    assert all("access_token" not in call.params for call in calls)
    assert len({(entry.params["id"], entry.token) for entry in simulator.ledger}) == 30


async def test_calls_of_a_stream_are_retried(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.fault(faults.drop_after(), times=3)
    simulator.fault(faults.error(6), times=3)
    async with make_client(mode="parallel", limit=20) as api:
        calls = await read(api.stream(pairs(range(100))))
        assert api.statistics().retries
    assert sorted(call.result() for call in calls) == [*range(100)]


async def test_calls_of_a_stream_wait_for_a_captcha(
    simulator: Simulator, make_client: MakeClient
) -> None:
    async def solve(captcha: Captcha) -> None:
        await anyio.sleep(1)
        await solve_by(simulator, captcha)

    simulator.fault(faults.captcha(), "test.post", times=1)
    elements = [post(i) for i in range(60)]
    async with make_client(mode="parallel", on_captcha=solve) as api:
        calls = await read(api.stream(elements))
    assert sorted(call.result() for call in calls) == [*range(60)]
    assert done(simulator) == [*range(60)]


async def test_calls_of_a_stream_are_reported_and_counted(
    make_client: MakeClient,
) -> None:
    events: list[Any] = []
    async with make_client(mode="parallel", on_event=events.append) as api:
        elements: list[Any] = [*pairs(range(50)), ("test.no", {}), None]
        calls = await read(api.stream(elements))
        assert Probe(api).observed_call_count == 0
        assert api.statistics().calls == 51
    assert len(calls) == 52
    started = [e.call for e in events if isinstance(e, CallStarted)]
    ended = [e for e in events if isinstance(e, CallEnded)]
    assert sorted(e.call for e in ended) == sorted(started)
    assert sorted(e.ending for e in ended) == ["error"] + ["value"] * 50


# Elements that are no calls

BAD: dict[str, tuple[Any, type[Exception], str]] = {
    "None": (None, TypeError, "got NoneType"),
    "a name": ("users.get", TypeError, "got str"),
    "three": (("users.get", {}, 1), TypeError, "got tuple"),
    "no name": ((1, {}), TypeError, "method must be the name"),
    "a bad name": (("users;get", {}), ValueError, "method must be the name"),
    "params": (("users.get", [1]), TypeError, "params must be a dict"),
    "a parameter": (("test.get", {"id": object()}), TypeError, "id must be"),
    "not a number": (("test.get", {"id": float("nan")}), ValueError, "id must be"),
}


@pytest.mark.parametrize("ordered", [False, True])
@pytest.mark.parametrize(("element", "kind", "text"), BAD.values(), ids=BAD)
async def test_an_element_that_is_no_call_has_its_own_error(
    make_client: MakeClient,
    element: Any,
    kind: type[Exception],
    text: str,
    ordered: bool,
) -> None:
    async with make_client(mode="parallel") as api:
        stream = api.stream([get(0), element, get(2)], ordered=ordered)
        calls = {call.index: call for call in await read(stream)}
    assert calls[0].result() == 0
    assert calls[2].result() == 2
    bad = calls[1]
    assert bad.request is None
    assert "refused" in repr(bad)
    for _ in range(2):
        with pytest.raises(kind, match=text):
            bad.result()


async def test_a_refused_element_shows_what_it_was(make_client: MakeClient) -> None:
    elements: list[Any] = [("test.get", {"id": float("nan"), "password": "secret"}), 1]
    async with make_client() as api:
        call, other = await read(api.stream(elements, ordered=True))
    assert (call.method, call.params["password"]) == ("test.get", "secret")
    assert "secret" not in repr(call.params)
    assert (other.method, other.params) == ("", {})


async def test_a_request_that_was_sent_before_is_refused(
    make_client: MakeClient,
) -> None:
    request = get(1)
    async with make_client() as api:
        first, second = await read(api.stream([request, request], ordered=True))
    assert first.result() == 1
    assert (second.request, second.params) == (None, {"id": 1})
    with pytest.raises(ClientUseError, match="submitted before"):
        second.result()


async def test_whatever_to_vk_raises_is_the_error_of_its_call(
    make_client: MakeClient,
) -> None:
    class Broken:
        def to_vk(self) -> int:
            raise KeyError("no photo")

    async with make_client() as api:
        stream = api.stream([("test.get", {"id": Broken()}), get(1)])
        outcomes = [outcome_of(call) for call in await read(stream)]
    assert 1 in outcomes
    [error] = [each for each in outcomes if isinstance(each, KeyError)]
    assert error.__traceback__ is not None


NO_CALLS: list[Any] = [None, 5, "users.get", b"x", {"users.get": {}}, get(1)]


@pytest.mark.parametrize("calls", NO_CALLS, ids=lambda each: type(each).__name__)
def test_what_is_no_series_of_calls_is_refused(make_client, calls):
    with pytest.raises(TypeError, match="calls must be an iterable"):
        make_client().stream(calls)


@pytest.mark.parametrize("value", [0, -1])
def test_a_stream_without_room_is_refused(make_client, value):
    with pytest.raises(ValueError, match=rf"max_pending .* got {value}"):
        make_client().stream([], max_pending=value)


@pytest.mark.parametrize("value", [True, 2.5, "3"])
def test_room_is_a_whole_number(make_client, value):
    with pytest.raises(TypeError, match=r"max_pending"):
        make_client().stream([], max_pending=value)


def test_ordered_is_true_or_false(make_client):
    with pytest.raises(TypeError, match="ordered must be True or False, got 1"):
        make_client().stream([], ordered=1)


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
            with pytest.raises(ClientUseError, match="entered once"):
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
