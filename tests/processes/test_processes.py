"""Many processes at one limit, in virtual time: no second has more than it allows."""

from __future__ import annotations

import logging
import socket
from typing import TYPE_CHECKING

import anyio
import pytest
from anyio import current_time
from proof._redis_server import RedisServer, Wire
from proof.shared_limit import used

from vkanyio.redis._script import keys_of

from ._virtual import VirtualRedis, working

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.anyio

SILENCE = 2.6
"""Seconds after which an empty Redis grants permits."""


@pytest.fixture
def virtual_redis(
    redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> Iterator[VirtualRedis]:
    with socket.create_connection(("127.0.0.1", redis.port)) as connection:
        wire = Wire(connection)
        virtual = VirtualRedis(wire)
        virtual.install(monkeypatch)
        yield virtual
        wire.close()


@pytest.mark.parametrize(
    ("count", "limit", "mode"),
    [
        (1, 20, "burst"),
        (4, 20, "burst"),
        (4, 20, "sequential"),
        (16, 20, "burst"),
        (16, 20, "sequential"),
        (4, 200, "burst"),
        (16, 3, "sequential"),
    ],
)
async def test_processes_use_the_limit_and_never_more(
    virtual_redis: VirtualRedis, count: int, limit: int, mode: str
) -> None:
    async with working(limit, count, request_mode=mode) as (server, processes, _):
        # The first request of a process counts as late: it has nothing to compare with.
        await anyio.sleep(SILENCE + 1 + 2 * count / limit)
        start = current_time()
        await anyio.sleep(3 if limit > 100 else 10)
    assert server.refused == 0
    assert used(server.arrivals, limit, since=start) >= 0.975
    made = [process.made for process in processes]
    assert max(made) <= 2 * min(made) + 2  # they take turns


@pytest.mark.parametrize("mode", ["burst", "sequential"])
async def test_first_requests_may_arrive_late_all_together(
    virtual_redis: VirtualRedis, mode: str
) -> None:
    async with working(20, 16, request_mode=mode) as (server, processes, _):
        for process in processes:
            process.connecting = 0.07
        await anyio.sleep(SILENCE + 5)
        assert len(server.arrivals) >= 80
    assert server.refused == 0


async def test_a_process_that_is_slow_to_read_answers_exceeds_nothing(
    virtual_redis: VirtualRedis,
) -> None:
    async with working(20, 4, request_mode="burst") as (server, processes, _):
        slow, quick = processes[:2], processes[2:]
        await anyio.sleep(0.01)  # they get their names by entering their limiters
        for process in slow:
            name = process.limiter._shared.process
            assert name
            virtual_redis.reading[name] = 0.04
        await anyio.sleep(SILENCE)
        for working_now, resting in ((quick, slow), (processes, [])) * 3:
            for process in resting:
                process.work = anyio.Event()
            for process in working_now:
                process.work.set()
            await anyio.sleep(3)
    assert server.refused == 0
    assert used(server.arrivals, 20, since=server.arrivals[0]) >= 0.9


async def test_an_empty_redis_grants_nothing_for_two_seconds(
    virtual_redis: VirtualRedis,
) -> None:
    async with working(20, 4) as (server, _, _):
        await anyio.sleep(2)
        assert server.arrivals == []
        await anyio.sleep(1.5)
        assert server.arrivals
        virtual_redis.wire.command("FLUSHALL")
        await anyio.sleep(SILENCE)
        at = current_time()
        await anyio.sleep(3)
        assert server.between(at - 2, at - 0.5) == 0
        assert server.between(at + 1, at + 3) >= 38
    assert server.refused == 0


@pytest.mark.parametrize("key", [0, 1, 2])
async def test_a_key_that_is_lost_lets_nothing_more_through(
    virtual_redis: VirtualRedis, key: int
) -> None:
    """A server that is short of memory may evict keys, one by one."""
    async with working(20, 4, request_mode="burst") as (server, _, _):
        await anyio.sleep(5.1)
        virtual_redis.wire.command("DEL", keys_of("group 1")[key])
        at = current_time()
        await anyio.sleep(8)
        assert server.between(at + 4, at + 8) >= 60
    assert server.refused == 0


@pytest.mark.parametrize("jump", [-3600, -5, -0.4, 0.3, 60])
async def test_a_clock_that_is_set_lets_nothing_more_through(
    virtual_redis: VirtualRedis, jump: float
) -> None:
    async with working(20, 4, request_mode="burst") as (server, _, _):
        await anyio.sleep(5)
        virtual_redis.clock += jump
        at = current_time()
        await anyio.sleep(8)
        assert server.between(at + 0.2, at + 2) == 0
        assert server.between(at + 4, at + 8) >= 76
    assert server.refused == 0


@pytest.mark.parametrize("seconds", [0.3, 2, 6])
async def test_redis_may_go_away_for_a_while(
    virtual_redis: VirtualRedis, seconds: float
) -> None:
    async with working(20, 4, request_mode="burst") as (server, processes, _):
        await anyio.sleep(5)
        virtual_redis.is_down = True
        at = current_time()
        await anyio.sleep(seconds)
        virtual_redis.is_down = False
        back = current_time()
        await anyio.sleep(6)
        # From three seconds on, each process lives on its share.
        by_themselves = server.between(at + 3, back)
        assert by_themselves >= 20 * max(0, int(seconds) - 3)
        assert bool(by_themselves) == (seconds > 3.5)
        assert server.between(back + 4, back + 6) >= 38
        for process in processes:
            if seconds < 1 and not process.events:
                continue  # it had nothing to ask
            away, returned = process.events
            assert away.limit == 5
            assert "refused" in away.reason
            assert returned.at - returned.duration == pytest.approx(away.at)
            statistics = process.limiter.statistics()
            assert statistics.outages == 1
            assert not statistics.is_away
    assert server.refused == 0


@pytest.mark.parametrize("is_empty", [False, True])
async def test_redis_may_hang(virtual_redis: VirtualRedis, is_empty: bool) -> None:
    async with working(20, 4, request_mode="burst") as (server, processes, _):
        await anyio.sleep(5)
        virtual_redis.hangs_until = current_time() + 5
        if is_empty:
            virtual_redis.wire.command("FLUSHALL")
        await anyio.sleep(12)
        for process in processes:
            assert [type(event).__name__ for event in process.events] == [
                "RedisAway",
                "RedisBack",
            ]
        assert server.between(current_time() - 2, current_time()) >= 38
    assert server.refused == 0


@pytest.mark.parametrize("seconds", [2.6, 3.6, 4.5])
@pytest.mark.parametrize("later", [0.3, 1, 2])
@pytest.mark.parametrize("count", [4, 16])
async def test_redis_may_hang_when_some_processes_notice_it_later(
    virtual_redis: VirtualRedis, count: int, later: float, seconds: float
) -> None:
    async with working(20, count, request_mode="burst") as (server, processes, _):
        await anyio.sleep(5)
        for process in processes[::2]:
            process.work = anyio.Event()
        await anyio.sleep(2.2)
        virtual_redis.hangs_until = current_time() + seconds
        await anyio.sleep(later)
        for process in processes[::2]:
            process.work.set()
        # The others may live on their shares when it is back, and these never did.
        await anyio.sleep(14 - later)
        assert server.between(current_time() - 4, current_time()) >= 60
    assert server.refused == 0


async def test_redis_that_answers_slowly_is_used_nevertheless(
    virtual_redis: VirtualRedis,
) -> None:
    virtual_redis.trip = 0.15
    async with working(20, 4) as (server, processes, _):
        await anyio.sleep(SILENCE + 2)
        at = current_time()
        await anyio.sleep(5)
        assert server.between(at, current_time()) >= 40
        assert not any(process.events for process in processes)
    assert server.refused == 0


async def test_a_process_that_ends_leaves_its_part_to_the_others(
    virtual_redis: VirtualRedis,
) -> None:
    async with working(20, 4) as (server, processes, _):
        await anyio.sleep(5)
        processes[0].scope.cancel()
        at = current_time()
        await anyio.sleep(5)
        assert server.between(at, current_time()) >= 96
        assert {process.limiter.statistics().processes for process in processes} == {4}
    assert server.refused == 0


async def test_a_refusal_slows_all_processes_down(virtual_redis: VirtualRedis) -> None:
    async with working(20, 4) as (server, processes, _):
        await anyio.sleep(5)
        at = current_time()
        processes[0].limiter.slow_down(at)
        assert processes[0].limiter.margin(at) == pytest.approx(0.07, abs=0.01)
        await anyio.sleep(2)
        assert server.between(at + 0.2, at + 0.5) == 0
        for process in processes:
            assert process.limiter.margin(current_time()) == pytest.approx(
                0.02 + 0.05 * 2 ** (-2 / 30), abs=0.015
            )


async def test_a_volley_of_refusals_counts_once(virtual_redis: VirtualRedis) -> None:
    async with working(20, 4) as (_, processes, _):
        await anyio.sleep(5)
        for process in processes:
            process.limiter.slow_down(current_time())
        await anyio.sleep(1)
        assert processes[0].limiter.margin(current_time()) < 0.02 + 0.051 + 0.02


async def test_a_pause_is_kept_by_all_processes(virtual_redis: VirtualRedis) -> None:
    async with working(20, 4, request_mode="burst") as (server, processes, _):
        await anyio.sleep(5)
        at = current_time()
        processes[0].limiter.pause(at, 30)
        await anyio.sleep(34)
        assert server.between(at + 0.3, at + 30) == 0
        assert server.between(at + 31, at + 34) >= 55
    assert server.refused == 0


async def test_a_process_without_work_costs_little_and_comes_back_at_once(
    virtual_redis: VirtualRedis,
) -> None:
    async with working(20, 2) as (server, processes, _):
        await anyio.sleep(5)
        for process in processes:
            process.work = anyio.Event()
        await anyio.sleep(2)
        before, arrived = virtual_redis.asked, len(server.arrivals)
        await anyio.sleep(60)
        assert virtual_redis.asked - before == 2 * 60
        assert len(server.arrivals) == arrived
        for process in processes:
            process.work.set()
        await anyio.sleep(1.2)
        assert len(server.arrivals) >= arrived + 18
    assert server.refused == 0


async def test_all_processes_are_counted_and_wrong_numbers_are_said(
    virtual_redis: VirtualRedis, caplog: pytest.LogCaptureFixture
) -> None:
    async with working(20, 4, processes=2, request_mode="burst") as (
        server,
        processes,
        _,
    ):
        await anyio.sleep(12)
        assert {process.limiter.statistics().processes for process in processes} == {4}
        assert caplog.text.count("processes is 2, but 4 processes share 'group 1'") == 4
        virtual_redis.is_down = True
        await anyio.sleep(10)
        assert {process.events[0].limit for process in processes} == {5}
    assert server.refused == 0


async def test_without_redis_and_without_processes_nothing_is_sent(
    virtual_redis: VirtualRedis, caplog: pytest.LogCaptureFixture
) -> None:
    virtual_redis.is_down = True
    async with working(20, 4, processes=None) as (server, processes, _):
        await anyio.sleep(60)
        assert server.arrivals == []
        assert "nothing is sent until it is back, since the number" in caplog.text
        assert "pass `processes`" in caplog.text
        virtual_redis.is_down = False
        await anyio.sleep(15)
        assert server.arrivals
        virtual_redis.is_down = True  # now the others are known
        await anyio.sleep(10)
        assert {process.events[2].limit for process in processes} == {5}
        assert server.between(current_time() - 5, current_time()) >= 95
    assert server.refused == 0


async def test_without_redis_each_process_begins_with_its_share(
    virtual_redis: VirtualRedis, caplog: pytest.LogCaptureFixture
) -> None:
    virtual_redis.is_down = True
    async with working(20, 4, request_mode="burst") as (server, _, _):
        await anyio.sleep(10)
        assert len(server.arrivals) >= 7 * 20
        assert "this process uses 5 of 20 requests a second" in caplog.text
    assert server.refused == 0


async def test_more_processes_than_the_limit_wait_for_redis_and_say_so(
    virtual_redis: VirtualRedis, caplog: pytest.LogCaptureFixture
) -> None:
    virtual_redis.is_down = True
    async with working(3, 4) as (server, _, _):
        await anyio.sleep(10)
        assert server.arrivals == []
    assert "since 4 processes cannot share 3 requests" in caplog.text


async def test_an_empty_redis_is_said_with_what_it_means(
    virtual_redis: VirtualRedis, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "vkanyio")
    async with working(20, 2):
        await anyio.sleep(10)
        assert caplog.text.count("nothing is sent for") == 2
        assert "nothing is sent for 2.5 s" in caplog.text
        virtual_redis.wire.command("FLUSHALL")
        await anyio.sleep(10)
        assert caplog.text.count("nothing is sent for") == 4


async def test_other_limits_for_the_same_name_are_said(
    virtual_redis: VirtualRedis, caplog: pytest.LogCaptureFixture
) -> None:
    async with (
        working(20, 1, name="group 2"),
        working(3, 1, name="group 2"),
    ):
        await anyio.sleep(5)
    assert "limit is 3, but another process has limit 20 for 'group 2'" in caplog.text
    assert "limit is 20, but another process has limit 3 for 'group 2'" in caplog.text


@pytest.mark.parametrize("limit", [20, 200])
async def test_nothing_more_is_started_when_redis_goes_on(
    virtual_redis: VirtualRedis, limit: int
) -> None:
    """Those that have noticed that it hangs use their shares, one does not know."""
    async with working(limit, 16, request_mode="burst") as (server, processes, _):
        await anyio.sleep(SILENCE + 2)
        processes[0].work = anyio.Event()  # it has nothing to ask
        await anyio.sleep(1.5)
        virtual_redis.hangs_until = current_time() + 4.2
        await anyio.sleep(4)
        processes[0].work.set()
        await anyio.sleep(10)
        assert server.between(current_time() - 2, current_time()) >= 1.6 * limit
    assert server.refused == 0
