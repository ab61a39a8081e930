"""Streams: the calls that are taken, and their results."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio
import pytest
from anyio import current_time

from _helpers import (
    assert_at_rest,
    get,
    solve_by,
)
from _packing import done, post
from _probe import Probe
from _series import (
    each_mode,
    outcome_of,
    pairs,
    pairs_later,
    read,
    with_latency,
)
from vkanyio import (
    CallEnded,
    CallStarted,
    Captcha,
    ClientUseError,
    ParameterError,
)
from vkanyio.testing import faults

if TYPE_CHECKING:
    from _helpers import MakeClient
    from vkanyio.testing import Simulator

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.usefixtures("echoes", "nothing_is_left_open"),
]

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
    with pytest.raises(ClientUseError, match="already been submitted"):
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
