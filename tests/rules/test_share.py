"""What a process may start by itself while Redis is away."""

from __future__ import annotations

import math

import pytest

from vkanyio import Limiter
from vkanyio.redis._share import (
    GRACE,
    PATIENCE,
    PROBE,
    VALID,
    WINDOWS_AFTER,
    Share,
    max_gap,
    silence,
)


def share_of(limit: int, processes: int, *, away_at: float = 100.0) -> Share:
    """Return the share of a process that has just lost Redis."""
    share = Share(limit, 1.0, "burst")
    share.begin(away_at, processes)
    share.confirm(away_at)
    return share


def starts_between(share: Share, now: float, until: float) -> list[float]:
    """Start all requests that a share allows, and return when."""
    starts: list[float] = []
    while now < until:
        share.confirm(now)
        if (ready := share.ready_at(now)) <= now:
            share.left(share.start(now), now)
            starts.append(now)
        else:
            now = min(ready, now + PROBE)
    return starts


def fullest(starts: list[float], window: float = 1.0) -> int:
    return max(sum(at <= each < at + window for each in starts) for at in starts)


def test_it_begins_when_no_permit_is_in_use_any_more() -> None:
    share = share_of(20, 4)
    assert share.is_on
    assert share.limit == 5
    assert starts_between(share, 100.0, 103.0) == []
    assert starts_between(share, 103.0, 104.0) == [103.0] * 5


@pytest.mark.parametrize(("limit", "processes"), [(20, 4), (20, 3), (3, 2), (1, 1)])
def test_all_shares_together_are_within_the_limit(limit: int, processes: int) -> None:
    starts = [
        at
        for offset in range(processes)
        for at in starts_between(
            share_of(limit, processes, away_at=100 + offset / 7), 100, 110
        )
    ]
    assert fullest(starts) <= limit
    assert len(starts) > 5 * processes * (limit // processes)


@pytest.mark.parametrize("processes", [0, 21])
def test_nothing_starts_with_too_many_processes_or_an_unknown_number(
    processes: int,
) -> None:
    share = share_of(20, processes)
    assert share.limit == 0
    assert starts_between(share, 100, 120) == []


def test_after_a_stall_it_is_not_valid_before_redis_is_tried_again() -> None:
    share = share_of(20, 1)
    share.confirm(105.0)
    assert share.ready_at(105.0 + VALID - 0.01) <= 106
    assert share.ready_at(105.0 + VALID) == math.inf
    share.confirm(107.0)
    assert share.ready_at(107.0) <= 107


def test_it_ends_a_window_before_redis_grants_permits_again() -> None:
    share = share_of(20, 4)
    assert starts_between(share, 100, 105)
    share.end(105.0, resume=105.0 + silence(1.0))
    assert share.ready_at(105.0 + GRACE - 0.01) < math.inf
    assert share.ready_at(105.0 + GRACE) == math.inf
    assert not share.is_on
    assert share.was_used(105.0)
    assert not share.was_used(105.0 + WINDOWS_AFTER)


def test_one_that_was_not_used_ends_at_once() -> None:
    share = share_of(20, 4)
    share.end(101.0, resume=101.0 + silence(1.0))
    assert not share.is_on
    assert not share.was_used(101.0)


def test_no_process_lives_on_its_share_when_the_first_permit_is_granted() -> None:
    # The first process is back at once. Another began its last attempt just before,
    # waits for it in vain, and relies on it for as long as it may.
    back = 200.0
    other = share_of(20, 4)
    other.confirm(back + PATIENCE)
    last = max(starts_between_without_attempts(other, back, back + 5))
    assert last < back + GRACE
    assert last + 1.0 < back + silence(1.0)


def test_none_lives_on_its_share_after_an_outage_that_redis_cannot_notice() -> None:
    away_at, back = 100.0, 100.0 + max_gap(1.0)
    other = share_of(20, 4, away_at=away_at)
    other.confirm(back + PATIENCE)  # its last attempt, which began just before
    assert starts_between_without_attempts(other, away_at, back + 5) == []


def starts_between_without_attempts(
    share: Share, now: float, until: float
) -> list[float]:
    starts: list[float] = []
    while now < until:
        if share.ready_at(now) <= now:
            share.left(share.start(now), now)
            starts.append(now)
        now += 0.01
    return starts


def test_a_refusal_slows_it_down() -> None:
    share = share_of(20, 1)
    share.confirm(105.0)
    share.slow_down(105.0)
    assert share.ready_at(105.0) == 105.5
    share.pause(105.0, 0.7)
    assert share.ready_at(105.0) == 105.7


def test_permits_are_those_of_a_limiter() -> None:
    share = share_of(1, 1)
    share.confirm(105.0)
    permit = share.start(105.0)
    assert share.ready_at(105.0) > 105.0
    share.withdraw(permit)
    assert share.ready_at(105.0) <= 105.0
    permit = share.start(105.0)
    share.left(permit, 105.0)
    share.connecting(permit)
    share.confirm(106.5)
    assert share.ready_at(106.5) == math.inf  # it has not left yet
    share.left(permit, 106.5)
    assert Limiter(1).margin(0) == 0.02
    share.confirm(107.6)
    assert share.ready_at(107.6) == pytest.approx(107.52)
