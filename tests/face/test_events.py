"""Events of calls and requests, and the log."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from _helpers import add_echoes
from _probe import Probe
from vkanyio import (
    VK,
    CallEnded,
    CallStarted,
    ClientClosedError,
    ParameterError,
    RequestEnded,
    RequestStarted,
)
from vkanyio.testing import Simulator, faults

if TYPE_CHECKING:
    from collections.abc import Callable

    from anyio.abc import TaskGroup

    from vkanyio import Event

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.usefixtures("echoes"),
]


@pytest.fixture
def events() -> list[Any]:
    return []


@pytest.fixture
def slow() -> Simulator:
    simulator = Simulator(limit=0, latency=0.5)
    add_echoes(simulator)
    return simulator


@pytest.fixture
def observed(make_client: Callable[..., VK], events: list[Event]) -> VK:
    return make_client(on_event=events.append)


@pytest.fixture
def observed_slowly(
    make_client: Callable[..., VK], slow: Simulator, events: list[Event]
) -> VK:
    return make_client(on_event=events.append, http_client=slow.http_client())


def kinds(events: list[Any]) -> list[str]:
    return [type(event).__name__ for event in events]


def one(events: list[Any], kind: type) -> Any:
    [event] = [event for event in events if type(event) is kind]
    return event


async def test_a_call_and_its_request_are_reported_as_they_start_and_end(
    observed_slowly: VK, events: list[Any]
):
    async with observed_slowly as api:
        began = anyio.current_time()
        await api.call("test.get", {"id": 7})
    assert kinds(events) == [
        "CallStarted",
        "RequestStarted",
        "RequestEnded",
        "CallEnded",
    ]
    started, sent, received, ended = events
    assert started == CallStarted(started.call, "test.get", began)
    assert sent == RequestStarted(sent.request, "test.get", (started.call,), began)
    assert (received.request, received.calls) == (sent.request, sent.calls)
    assert received.duration == pytest.approx(0.5)
    assert (received.ending, received.error, received.code) == ("value", None, None)
    assert ended.call == started.call
    assert ended.duration == pytest.approx(0.5)
    assert (ended.waited, ended.requests, ended.packed) == (0, 1, False)
    assert (ended.ending, ended.error, ended.code) == ("value", None, None)


async def test_no_event_holds_a_value_or_the_token(
    observed: VK, simulator: Simulator, events: list[Any]
):
    async with observed as api:
        await api.call("test.get", {"id": 424242})
        with pytest.raises(ParameterError):
            await api.call("test.get", {"id": "no number: 424242"})
    assert "424242" not in repr(events)
    assert "secret-token" not in repr(events)


async def test_an_error_is_reported_by_its_class_and_code(
    observed: VK, simulator: Simulator, events: list[Any]
):
    simulator.fault(faults.error(100), "test.get")
    async with observed as api:
        with pytest.raises(ParameterError):
            await api.call("test.get", {"id": 1})
    for kind in (RequestEnded, CallEnded):
        event = one(events, kind)
        assert (event.ending, event.error, event.code) == (
            "error",
            "ParameterError",
            100,
        )


async def test_each_attempt_is_a_separate_request(
    observed: VK, simulator: Simulator, events: list[Any]
):
    simulator.fault(faults.drop_before(), "test.get", times=1)
    async with observed as api:
        await api.call("test.get", {"id": 1})
    first, second = [event for event in events if type(event) is RequestEnded]
    assert first.request != second.request
    assert (first.ending, first.error) == ("error", "ConnectionFailedError")
    assert second.ending == "value"
    assert one(events, CallEnded).requests == 2


async def test_packed_calls_are_reported_one_by_one_and_their_request_names_them(
    simulator: Simulator, make_client: Callable[..., VK], events: list[Any]
):
    client = make_client(mode="parallel", on_event=events.append)
    async with client as api, anyio.create_task_group() as tg:
        for user_id in (1, 2, 3):
            tg.start_soon(api.call, "users.get", {"user_ids": user_id})
    request = one(events, RequestStarted)
    started = [event.call for event in events if type(event) is CallStarted]
    ended = [event for event in events if type(event) is CallEnded]
    assert request.method == "execute"
    assert sorted(request.calls) == sorted(started)
    assert {event.call for event in ended} == set(started)
    assert all(event.packed and event.method == "users.get" for event in ended)


async def test_a_call_that_fails_in_a_batch_is_reported_but_its_request_is_not(
    simulator: Simulator, make_client: Callable[..., VK], events: list[Any]
):
    simulator.fault(faults.error(100), "wall.get")
    client = make_client(mode="parallel", on_event=events.append)
    async with client as api, anyio.create_task_group() as tg:
        tg.start_soon(api.call, "users.get", {"user_ids": 1})
        with pytest.raises(ParameterError):
            await api.call("wall.get", {"owner_id": 1})
    assert one(events, RequestEnded).ending == "value"
    outcomes = {e.method: e.error for e in events if type(e) is CallEnded}
    assert outcomes == {"users.get": None, "wall.get": "ParameterError"}


async def test_a_cancelled_call_and_its_request_are_reported_at_once(
    observed_slowly: VK, events: list[Any]
):
    async with observed_slowly as api:
        began = anyio.current_time()
        with anyio.move_on_after(0.25):
            await api.call("test.get", {"id": 1})
    ended = one(events, CallEnded)
    assert (ended.ending, ended.at, ended.requests) == ("cancelled", began + 0.25, 1)
    assert one(events, RequestEnded).ending == "cancelled"


async def test_a_call_that_was_never_sent_has_waited_for_nothing(
    simulator: Simulator, make_client: Callable[..., VK], events: list[Any]
):
    async with make_client(limit=1, on_event=events.append) as api:
        await api.call("users.get")
        with anyio.move_on_after(0.1):
            await api.call("users.get")
    assert [(e.waited, e.requests) for e in events if type(e) is CallEnded] == [
        (0, 1),
        (None, 0),
    ]


async def test_the_time_in_the_queue_is_reported(
    simulator: Simulator, make_client: Callable[..., VK], events: list[Any]
):
    async with make_client(limit=1, on_event=events.append) as api:
        await api.call("users.get")
        await api.call("users.get")
    waited = [event.waited for event in events if type(event) is CallEnded]
    assert waited == [0, pytest.approx(1.02)]


async def test_calls_end_when_the_client_is_left_by_an_exception(
    observed_slowly: VK, events: list[Any]
):
    async def call() -> None:
        with pytest.raises(ClientClosedError):
            await observed_slowly.call("test.get", {"id": 1})

    async def leave_early(tg: TaskGroup) -> None:
        async with observed_slowly:
            tg.start_soon(call)
            await anyio.sleep(0.1)
            raise KeyError

    async with anyio.create_task_group() as tg:
        with pytest.raises(KeyError):
            await leave_early(tg)
    assert one(events, CallEnded).error == "ClientClosedError"


async def test_call_events_come_in_the_task_of_the_caller(
    simulator: Simulator, make_client: Callable[..., VK]
):
    names: list[str | None] = []

    def note(event: Event) -> None:
        if type(event) in (CallStarted, CallEnded):
            names.append(anyio.get_current_task().name)

    async with make_client(on_event=note) as api, anyio.create_task_group() as tg:
        tg.start_soon(api.call, "users.get", name="the caller")
    assert names == ["the caller", "the caller"]


async def test_a_function_that_raises_is_logged_and_disturbs_no_call(
    simulator: Simulator,
    make_client: Callable[..., VK],
    caplog: pytest.LogCaptureFixture,
):
    def fail(event: Event) -> None:
        raise ZeroDivisionError

    async with make_client(on_event=fail) as api:
        assert await api.users.get(user_ids=[1])
    assert caplog.text.count("on_event failed at CallEnded") == 1
    assert "ZeroDivisionError" in caplog.text


async def test_calls_that_have_ended_are_not_remembered(observed: VK):
    async with observed as api:
        await api.call("test.get", {"id": 1})
        assert Probe(api).observed_call_count == 0


def test_an_async_function_is_refused():
    async def on_event(event: Event) -> None:
        raise AssertionError(event)

    with pytest.raises(TypeError, match="on_event"):
        VK("token", on_event=on_event)


async def test_the_log_shows_what_a_client_does(
    simulator: Simulator,
    make_client: Callable[..., VK],
    caplog: pytest.LogCaptureFixture,
):
    caplog.set_level(logging.DEBUG, "vkanyio")
    simulator.fault(faults.error(6), "users.get", times=1)
    async with make_client(limit=20) as api:
        await api.users.get(user_ids=[123456])
    ours = [record for record in caplog.records if record.name == "vkanyio"]
    assert [(record.levelname, record.getMessage()) for record in ours] == [
        ("INFO", "open: up to 20 requests in 1 s, mode sequential, version 5.199"),
        ("DEBUG", "users.get, carrying 1: TooManyRequestsError in 0.000 s"),
        ("INFO", "error 6 for users.get: from now on, 7 % of the limit stays unused"),
        ("DEBUG", "users.get is retried in 0.0 s after TooManyRequestsError"),
        ("DEBUG", "users.get, carrying 1: value in 0.000 s"),
        ("INFO", "closed: calls 1, requests 2, retries 1"),
    ]


@pytest.mark.parametrize(
    ("version", "warnings"),
    [
        (
            "5.131",
            ["version 5.131 is older than the types, which describe version 5.199"],
        ),
        (
            "5.99",
            ["version 5.99 is older than the types, which describe version 5.199"],
        ),
        ("5.199", []),
        ("5.200", []),
        ("6.0", []),
    ],
)
async def test_a_version_older_than_the_types_is_logged_once(
    make_client: Callable[..., VK],
    caplog: pytest.LogCaptureFixture,
    version: str,
    warnings: list[str],
):
    async with make_client(version=version):
        pass
    assert [record.getMessage() for record in caplog.records] == warnings


async def test_options_that_seem_to_be_milliseconds_are_warned_of(
    make_client: Callable[..., VK], caplog: pytest.LogCaptureFixture
):
    """vk-io counts them in milliseconds."""
    async with make_client(timeout=10_000, wait=3000):
        pass
    async with make_client(timeout=600, wait=60):
        pass
    assert [record.getMessage() for record in caplog.records] == [
        "wait=3000 is in seconds, not in milliseconds: did you mean 3?",
        "timeout=10000 is in seconds, not in milliseconds: did you mean 10?",
    ]


async def test_a_quiet_client_logs_two_lines_at_level_info(
    simulator: Simulator,
    make_client: Callable[..., VK],
    caplog: pytest.LogCaptureFixture,
):
    caplog.set_level(logging.INFO, "vkanyio")
    async with make_client() as api:
        for _ in range(5):
            await api.users.get(user_ids=[1])
    assert len(caplog.records) == 2
