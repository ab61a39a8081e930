"""The rate limit is used up completely, and never exceeded."""

from __future__ import annotations

import asyncio
import itertools
import random
from typing import TYPE_CHECKING, Any

import anyio
import pytest
import trio.testing
from anyio.lowlevel import checkpoint

from _helpers import add_echoes, carried_out, get
from _probe import Probe
from vkanyio import VK, Limiter, TooManyRequestsError
from vkanyio._limiter import MIN_MARGIN
from vkanyio.testing import Call, Simulator, VKFault
from vkanyio.testing.faults import error

if TYPE_CHECKING:
    from vkanyio.testing import Entry

pytestmark = pytest.mark.anyio

TOKEN = "vk1.a.the-secret-token"
OTHER_TOKEN = "vk1.a.another-token"
ALMOST = 1e-6

both_modes = pytest.mark.parametrize("request_mode", ["burst", "sequential"])
both_limits = pytest.mark.parametrize("limit", [3, 20])
both_windows = pytest.mark.parametrize("window", ["sliding", "fixed"])


def client_of(simulator: Simulator, **options: Any) -> VK:
    return VK(TOKEN, http_client=simulator.http_client(), **options)


async def call_all(api: VK, numbers: range | list[int]) -> None:
    """Make a call for each number, all at once, in this order."""
    async with anyio.create_task_group() as tg:
        for number in numbers:
            tg.start_soon(read, api, number)
            await checkpoint()


async def read(api: VK, number: int, **params: Any) -> None:
    [user] = await api.call("users.get", {"user_ids": number, **params})
    assert user["id"] == number


async def read_as(api: VK, token: str, number: int) -> None:
    """Make a call with a request token."""
    await read(api, number, access_token=token)


def numbers_of(entries: list[Entry]) -> list[int]:
    return [int(entry.params["user_ids"]) for entry in entries]


def assert_within_limit(simulator: Simulator, limit: int) -> None:
    assert simulator.ledger.refused() == []
    assert simulator.ledger.worst_window(1.0) <= limit


def rate_of(simulator: Simulator, first: int) -> float:
    """Return the requests per second, not counting the first ones."""
    starts = simulator.ledger.starts
    return (len(starts) - first) / (starts[-1] - starts[0])


@both_windows
@both_limits
@both_modes
async def test_a_busy_client_spends_the_whole_limit_and_no_more(
    limit: int, request_mode: Any, window: Any
) -> None:
    simulator = Simulator(limit=limit, window=window, latency=0.1)
    async with client_of(simulator, limit=limit, request_mode=request_mode) as api:
        await call_all(api, range(1, 6 * limit + 1))
    assert_within_limit(simulator, limit)
    # A burst may begin with `limit` requests at once.
    first = limit if request_mode == "burst" else 1
    assert rate_of(simulator, first) >= 0.95 * limit


@both_limits
@both_modes
async def test_bursts_after_idle_time_stay_within_the_limit(
    limit: int, request_mode: Any
) -> None:
    simulator = Simulator(limit=limit)
    async with client_of(simulator, limit=limit, request_mode=request_mode) as api:
        for idle in (0.0, 0.3, 0.99, 1.01, 5.0, 3600.0):
            await anyio.sleep(idle)
            await call_all(api, range(1, 2 * limit + 2))
    assert_within_limit(simulator, limit)


@both_limits
@both_modes
@pytest.mark.parametrize("seed", range(3))
async def test_calls_at_random_times_stay_within_the_limit(
    limit: int, request_mode: Any, seed: int
) -> None:
    simulator = Simulator(limit=limit, latency=0.05)
    chance = random.Random(seed)
    async with (
        client_of(simulator, limit=limit, request_mode=request_mode) as api,
        anyio.create_task_group() as tg,
    ):
        for number in range(1, 10 * limit):
            tg.start_soon(read, api, number)
            await anyio.sleep(chance.expovariate(limit * 1.5))
    assert_within_limit(simulator, limit)


@both_modes
async def test_several_clients_of_one_token_share_a_limiter(request_mode: Any) -> None:
    simulator = Simulator(limit=20, latency=0.05)
    limiter = Limiter(20, request_mode=request_mode)
    async with (
        client_of(simulator, limiter=limiter) as one,
        client_of(simulator, limiter=limiter) as two,
        client_of(simulator, limiter=limiter) as three,
        anyio.create_task_group() as tg,
    ):
        for api in (one, two, three):
            tg.start_soon(call_all, api, range(1, 41))
    assert_within_limit(simulator, 20)
    first = 20 if request_mode == "burst" else 1
    assert rate_of(simulator, first) >= 0.95 * 20


@both_modes
async def test_a_client_that_was_closed_leaves_the_limit_of_others_alone(
    request_mode: Any,
) -> None:
    simulator = Simulator(limit=3)
    limiter = Limiter(3, request_mode=request_mode)
    async with client_of(simulator, limiter=limiter) as closed:
        pass
    async with client_of(simulator, limiter=limiter) as api:
        await anyio.sleep(5)
        await call_all(api, range(1, 4))
        assert closed.statistics().margin == MIN_MARGIN
        await call_all(api, range(4, 7))
    assert_within_limit(simulator, 3)


@both_limits
@both_modes
@pytest.mark.parametrize("seed", range(3))
async def test_a_network_that_jitters_a_little_meets_no_error_6(
    limit: int, request_mode: Any, seed: int
) -> None:
    simulator = Simulator(
        limit=limit, latency=lambda chance: chance.uniform(0.08, 0.11), seed=seed
    )
    async with client_of(simulator, limit=limit, request_mode=request_mode) as api:
        await call_all(api, range(1, 8 * limit + 1))
    assert_within_limit(simulator, limit)
    first = limit if request_mode == "burst" else 1
    assert rate_of(simulator, first) >= 0.93 * limit


@pytest.mark.parametrize("seed", range(3))
async def test_the_margin_follows_a_network_that_jitters_a_lot(seed: int) -> None:
    simulator = Simulator(
        limit=20, latency=lambda chance: chance.uniform(0.05, 0.25), seed=seed
    )
    async with client_of(simulator, limit=20, request_mode="burst") as api:
        await call_all(api, range(1, 401))
        assert api.statistics().margin > 0.05
    assert len(simulator.ledger.refused()) < 0.01 * 400
    assert rate_of(simulator, 20) >= 0.85 * 20


@both_limits
async def test_sequential_requests_are_evenly_spaced(limit: int) -> None:
    simulator = Simulator(limit=limit, latency=0.1)
    async with client_of(simulator, limit=limit) as api:
        await call_all(api, range(1, 4 * limit))
    gaps = [b - a for a, b in itertools.pairwise(simulator.ledger.starts)]
    assert min(gaps) >= 1 / limit
    assert max(gaps) <= 1.03 / limit
    assert max(gaps) - min(gaps) < ALMOST


@both_modes
async def test_calls_are_sent_in_order_of_arrival(request_mode: Any) -> None:
    simulator = Simulator(limit=20)
    async with client_of(simulator, limit=20, request_mode=request_mode) as api:
        await call_all(api, range(1, 101))
    assert numbers_of(simulator.ledger.carried_out()) == [*range(1, 101)]


async def test_calls_that_are_submitted_together_are_sent_in_their_order() -> None:
    simulator = Simulator(limit=20)
    add_echoes(simulator)
    requests = [get(i) for i in range(20)]
    async with client_of(simulator, limit=20, request_mode="burst") as api:
        for request in requests:
            Probe(api).caller.submit(request, lambda _: None)
        for request in requests:
            await request.wait()
    assert carried_out(simulator) == [*range(20)]


async def test_calls_that_come_one_by_one_are_sent_in_order_of_arrival() -> None:
    simulator = Simulator(limit=3)
    async with client_of(simulator, limit=3) as api, anyio.create_task_group() as tg:
        for number in range(1, 13):
            tg.start_soon(read, api, number)
            await anyio.sleep(0.05 if number % 2 else 0.4)
    assert numbers_of(simulator.ledger.carried_out()) == [*range(1, 13)]


async def test_the_first_burst_does_not_wait() -> None:
    simulator = Simulator(limit=20)
    async with client_of(simulator, limit=20, request_mode="burst") as api:
        begin = anyio.current_time()
        await call_all(api, range(1, 22))
    assert simulator.ledger.starts[:20] == [begin] * 20
    assert simulator.ledger.starts[20] - begin == pytest.approx(1.02)


async def test_a_first_sequential_call_does_not_wait() -> None:
    simulator = Simulator(limit=3)
    async with client_of(simulator, limit=3) as api:
        begin = anyio.current_time()
        await read(api, 1)
        await anyio.sleep(100)
        await read(api, 2)
    assert simulator.ledger.starts == [begin, begin + 100]


def stall(seconds: float, monkeypatch: pytest.MonkeyPatch, backend_name: str) -> None:
    """Block the event loop for some time."""
    if backend_name == "trio":
        clock = trio.lowlevel.current_clock()
        assert isinstance(clock, trio.testing.MockClock)
        clock.jump(seconds)
    else:
        loop = asyncio.get_running_loop()
        time = loop.time
        monkeypatch.setattr(loop, "time", lambda: time() + seconds)


@both_limits
@both_modes
async def test_a_stalled_event_loop_does_not_catch_up_with_a_volley(
    limit: int,
    request_mode: Any,
    monkeypatch: pytest.MonkeyPatch,
    anyio_backend_name: str,
) -> None:
    simulator = Simulator(limit=limit)
    async with (
        client_of(simulator, limit=limit, request_mode=request_mode) as api,
        anyio.create_task_group() as tg,
    ):
        tg.start_soon(call_all, api, range(1, 8 * limit))
        for seconds in (0.9, 0.5, 3.0):
            await anyio.sleep(0.7)
            stall(seconds, monkeypatch, anyio_backend_name)
    assert_within_limit(simulator, limit)


async def test_waiting_calls_of_one_token_do_not_delay_those_of_another() -> None:
    simulator = Simulator(limit=3, latency=0.1)
    async with client_of(simulator, limit=3) as api, anyio.create_task_group() as tg:
        for number in range(1, 501):
            tg.start_soon(read, api, number)
        await anyio.sleep(1)
        begin = anyio.current_time()
        async with anyio.create_task_group() as others:
            for number in range(1, 8):
                others.start_soon(read_as, api, OTHER_TOKEN, number)
        took = anyio.current_time() - begin
        tg.cancel_scope.cancel()
    assert took == pytest.approx(6 * 1.02 / 3 + 0.1, abs=0.01)
    assert simulator.ledger.refused() == []
    for token in (0, 1):
        assert simulator.ledger.worst_window(1.0, token=token) == 3


async def test_the_clients_token_given_to_a_call_spends_the_same_limit() -> None:
    simulator = Simulator(limit=3)
    async with client_of(simulator, limit=3) as api, anyio.create_task_group() as tg:
        tg.start_soon(call_all, api, range(1, 5))
        for number in range(5, 9):
            tg.start_soon(read_as, api, TOKEN, number)
    assert_within_limit(simulator, 3)


@pytest.mark.parametrize("max_connections", [1, 7])
async def test_no_more_requests_are_in_flight_than_connections(
    max_connections: int,
) -> None:
    simulator = Simulator(limit=0)
    now = worst = 0
    in_flight: list[int] = []

    async def slow(call: Call) -> int:
        nonlocal now, worst
        now += 1
        worst = max(worst, now)
        in_flight.append(api.statistics().in_flight)
        await anyio.sleep(1)
        now -= 1
        return 1

    simulator.add_method("users.slow", slow)
    async with client_of(
        simulator, limit=1000, request_mode="burst", max_connections=max_connections
    ) as api:
        begin = anyio.current_time()
        async with anyio.create_task_group() as tg:
            for number in range(3 * max_connections):
                token = OTHER_TOKEN if number % 2 else TOKEN
                tg.start_soon(api.call, "users.slow", {"access_token": token})
        assert anyio.current_time() - begin == pytest.approx(3)
    assert worst == max(in_flight) == max_connections


# Error 6: the server is stricter than the client believes.


@both_windows
@both_modes
async def test_error_6_reaches_no_caller_and_leaves_the_order_unchanged(
    request_mode: Any, window: Any
) -> None:
    simulator = Simulator(limit=3, window=window)
    async with client_of(
        simulator, limit=5, request_mode=request_mode, retry_limit=0
    ) as api:
        await call_all(api, range(1, 31))
        statistics = api.statistics()
    assert numbers_of(simulator.ledger.carried_out()) == [*range(1, 31)]
    refused = len(simulator.ledger.refused(6))
    assert 0 < refused == statistics.too_many_requests
    assert statistics.sent == 30 + refused


async def test_refused_calls_of_one_burst_are_retried_in_order() -> None:
    simulator = Simulator(limit=0)
    all_sent = anyio.Event()
    first_tries: list[int] = []
    order: list[int] = []

    async def probe(call: Call) -> int:
        number = call.integer("user_ids")
        if number in first_tries or number > 8:
            order.append(number)
            return number
        first_tries.append(number)
        if len(first_tries) == 8:
            all_sent.set()
        await all_sent.wait()
        raise VKFault(6)

    simulator.add_method("users.probe", probe)
    async with (
        client_of(simulator, limit=8, request_mode="burst") as api,
        anyio.create_task_group() as tg,
    ):
        for number in range(1, 13):
            tg.start_soon(api.call, "users.probe", {"user_ids": number})
            await checkpoint()
    assert order == [*range(1, 13)]


async def test_a_refused_write_is_posted_once() -> None:
    simulator = Simulator(limit=1)
    async with client_of(simulator, limit=5) as api, anyio.create_task_group() as tg:
        for number in range(6):
            tg.start_soon(api.call, "wall.post", {"message": f"post {number}"})
    posts = [entry.params["message"] for entry in simulator.ledger.carried_out()]
    assert sorted(posts) == [f"post {number}" for number in range(6)]
    assert simulator.ledger.refused(6)


async def test_the_margin_grows_with_refusals_and_shrinks_with_quiet_time() -> None:
    simulator = Simulator(limit=3)
    async with client_of(simulator, limit=4) as api:
        assert api.statistics().margin == pytest.approx(0.02)
        await call_all(api, range(1, 61))
        grown = api.statistics().margin
        assert grown > 0.15
        await anyio.sleep(30)
        assert 0.02 < api.statistics().margin < grown
        await anyio.sleep(600)
        assert api.statistics().margin == pytest.approx(0.02, abs=0.001)


async def test_a_client_learns_the_true_limit_from_refusals() -> None:
    simulator = Simulator(limit=3)
    async with client_of(simulator, limit=4) as api:
        await call_all(api, range(1, 101))
    soon = simulator.ledger.starts[0] + 10
    late = [entry for entry in simulator.ledger if entry.time > soon]
    assert sum(entry.outcome == 6 for entry in late) < 0.1 * len(late)


async def test_a_method_that_is_always_refused_fails_alone_after_a_minute() -> None:
    simulator = Simulator(limit=0)
    simulator.fault(error(6), "wall.get", rate=1)
    async with client_of(simulator, limit=20, retry_limit=0) as api:
        begin = anyio.current_time()
        with anyio.fail_after(1000):
            async with anyio.create_task_group() as tg:
                tg.start_soon(fail_with_error_6, api)
                for number in range(1, 71):
                    with anyio.fail_after(2):
                        await read(api, number)
                    await anyio.sleep(0.5)
        assert 45 <= anyio.current_time() - begin <= 75
        # The other calls come first, whatever the method did to the limit.
        assert api.statistics().sent - 70 < 20


async def fail_with_error_6(api: VK) -> None:
    with pytest.raises(TooManyRequestsError):
        await api.wall.get(owner_id=1)


@pytest.mark.parametrize("times", [1, 2, 5])
async def test_error_6_does_not_count_against_the_limit_of_retries(times: int) -> None:
    simulator = Simulator(limit=0)
    simulator.fault(error(6), times=times)
    async with client_of(simulator, limit=20, retry_limit=0) as api:
        await read(api, 1)
        assert api.statistics().sent == times + 1
        assert api.statistics().retries == {"TooManyRequestsError": times}


@both_modes
async def test_requests_that_arrive_late_delay_those_of_the_next_second(
    request_mode: Any,
) -> None:
    """The server or the network delays requests by 60 ms in the third second."""
    sent = itertools.count()

    def latency(_: random.Random) -> float:
        return 0.22 if 40 <= next(sent) < 46 else 0.1

    simulator = Simulator(limit=20, latency=latency)
    async with client_of(simulator, limit=20, request_mode=request_mode) as api:
        await call_all(api, range(1, 101))
        assert api.statistics().too_many_requests == 0
    assert simulator.ledger.worst_window() <= 20
