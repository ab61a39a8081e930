"""Calls gathered: values in order, the first error, and what is given up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import anyio
import pytest
from anyio import create_task_group, current_time, move_on_after

from _helpers import assert_at_rest, carried_out, get, own_tasks, settle
from _packing import done, post
from _probe import Probe
from vkanyio import (
    APIRequest,
    CallEnded,
    ClientClosedError,
    ClientUseError,
    ParameterError,
    UnknownMethodError,
)
from vkanyio.testing import faults

if TYPE_CHECKING:
    from _helpers import MakeClient
    from vkanyio.testing import Simulator

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.usefixtures("echoes", "nothing_is_left_open"),
]
with_latency = pytest.mark.simulator_options(latency=1.0)


@pytest.mark.parametrize("mode", ["sequential", "parallel"])
async def test_values_come_in_the_order_of_the_requests(
    make_client: MakeClient, mode: str
) -> None:
    async with make_client(mode=mode, max_waiting=1) as api:
        requests: list[Any] = [get(0), ("test.get", {"id": 1}), *map(get, range(2, 70))]
        first, second, *rest = await api.gather(requests)
        assert_at_rest(api)
    assert [first, second, *rest] == [*range(70)]


@with_latency
async def test_the_order_does_not_depend_on_what_settles_first(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.fault(faults.delay(5), times=1)
    async with make_client() as api:
        assert await api.gather(map(get, range(4))) == [0, 1, 2, 3]


async def test_nothing_is_gathered_from_nothing(make_client: MakeClient) -> None:
    async with make_client() as api:
        assert await api.gather([]) == []


@with_latency
async def test_the_first_error_is_raised_and_the_others_are_given_up(
    simulator: Simulator, make_client: MakeClient
) -> None:
    async with make_client(limit=1, request_mode="burst") as api:
        requests = [get(1), APIRequest("test.none"), get(3), get(4)]
        start = current_time()
        with pytest.raises(UnknownMethodError) as caught:
            await api.gather(requests)
        assert caught.value.__context__ is None
        assert current_time() - start < 3  # the fourth would leave then
        assert not Probe(api).live_call_count
        await settle()
        assert_at_rest(api)
        await anyio.sleep(10)
    assert 4 not in carried_out(simulator)
    assert requests[0].result() == 1
    with pytest.raises(ClientUseError, match="abandoned"):
        requests[3].result()


async def test_no_more_are_submitted_after_an_error(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.fault(faults.error(100), "test.get", rate=1)
    async with make_client(mode="sequential") as api:
        with pytest.raises(ParameterError):
            await api.gather(map(get, range(10_000)))
        assert api.statistics().calls < 2000


async def test_errors_are_returned_in_their_places(
    make_client: MakeClient,
) -> None:
    async with make_client(mode="parallel") as api:
        requests = [get(0), APIRequest("test.none"), get(2), APIRequest("test.none")]
        values = await api.gather(requests, return_exceptions=True)
    assert values[::2] == [0, 2]
    assert [type(each) for each in values[1::2]] == [UnknownMethodError] * 2
    assert values[1] is not values[3]


async def test_all_requests_are_checked_before_the_first_is_sent(
    simulator: Simulator, make_client: MakeClient
) -> None:
    bad: list[tuple[Any, type[Exception], str]] = [
        (None, TypeError, "got NoneType"),
        (("test.get", {"id": float("nan")}), ValueError, "id must be"),
        (("test.get", [1]), TypeError, "params must be"),
    ]
    async with make_client() as api:
        for element, kind, text in bad:
            with pytest.raises(kind, match=text) as caught:
                await api.gather([get(0), element], return_exceptions=True)
            assert caught.value.__notes__ == ["in requests[1]"]
        no_requests: list[Any] = [None, "users.get", {"users.get": {}}, get(1)]
        for requests in no_requests:
            with pytest.raises(TypeError, match="requests must be an iterable"):
                await api.gather(requests)
        with pytest.raises(TypeError, match="return_exceptions must be True or False"):
            await api.gather([], return_exceptions=cast("Any", 1))
    assert not [*simulator.ledger]


async def test_a_request_that_was_sent_before_is_refused_but_not_given_up(
    make_client: MakeClient,
) -> None:
    sent = get(1)
    async with make_client(limit=1) as api, create_task_group() as tasks:
        await api.call("test.get", {"id": 0})
        tasks.start_soon(api.call_with_request, sent)
        await settle()
        with pytest.raises(ClientUseError, match="already been submitted"):
            await api.gather([get(2), sent])
        assert await sent.wait() == 1


async def test_gathering_needs_an_open_client(make_client: MakeClient) -> None:
    client = make_client()
    with pytest.raises(ClientClosedError, match="not been entered"):
        await client.gather([])
    async with client as api:
        pass
    with pytest.raises(ClientClosedError, match="has been closed"):
        await api.gather([get(1)])


@with_latency
async def test_a_client_that_closes_finishes_what_was_gathered(
    make_client: MakeClient,
) -> None:
    values: list[Any] = []

    async def collect() -> None:
        values.extend(await api.gather(map(get, range(10))))

    async with create_task_group() as tasks, make_client(limit=3) as api:
        tasks.start_soon(collect)
        await anyio.sleep(0.5)
    assert values == [*range(10)]


@with_latency
async def test_a_cancelled_gathering_gives_up_its_calls(
    simulator: Simulator, make_client: MakeClient
) -> None:
    async with make_client(limit=1) as api:
        before = own_tasks()
        with move_on_after(1.5) as scope:
            await api.gather([post(i) for i in range(10)])
        assert scope.cancelled_caught
        assert not Probe(api).live_call_count
        await settle()
        assert own_tasks() == before
        await anyio.sleep(20)
        assert_at_rest(api)
    assert len(done(simulator)) <= 2


async def test_values_that_come_in_the_step_of_a_cancellation_are_returned(
    make_client: MakeClient,
) -> None:
    def cancel(event: object) -> None:
        if isinstance(event, CallEnded):
            scope.cancel()

    scope, values = anyio.CancelScope(), list[int]()
    async with make_client(on_event=cancel) as api:
        with scope:
            values += await api.gather([get(1)])
        assert values == [1]
