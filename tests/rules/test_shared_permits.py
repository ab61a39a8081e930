"""The permits that a process holds, and what Redis hears of them."""

from __future__ import annotations

import math

import pytest

from vkanyio.redis._permits import (
    LEAVES_LATER,
    LOOK_AGAIN,
    MAX_LEAVING,
    MAX_UNUSED,
    MIN_LATE,
    Permits,
)


@pytest.fixture
def permits() -> Permits:
    return Permits(1.0)


def test_a_permit_is_used_at_its_time(permits: Permits) -> None:
    permits.add("a", due=5.0, now=5.0)
    assert permits.ready_at() == 5.0
    permit = permits.start()
    assert permits.ready_at() == math.inf
    assert permits.is_any_leaving
    permits.left(permit, 5.0 + MIN_LATE)
    assert permit.is_used
    assert permit.left_at == 5.0 + MIN_LATE
    assert permits.unknown == {}  # as Redis knows it
    assert not permits.is_any_leaving


def test_a_request_that_left_late_counts_from_then_on(permits: Permits) -> None:
    permits.add("a", due=5.0, now=5.0)
    permits.left(permits.start(), 5.05)
    assert permits.unknown == {"a": pytest.approx(5.05 - MIN_LATE)}
    assert permits.late == 1


def test_a_request_counts_from_when_it_may_have_left_at_the_latest(
    permits: Permits,
) -> None:
    permits.add("a", due=5.0, now=5.0)
    permit = permits.start()
    permits.left(permit, 5.0, doubt=0.03)
    assert permits.unknown == {"a": pytest.approx(5.03 - MIN_LATE)}
    assert permit.left_at == 5.0


def test_permits_move_with_what_is_known_of_the_clock(permits: Permits) -> None:
    permits.add("a", due=5.0, now=5.0)
    permits.add("b", due=5.0, now=5.0)
    permit = permits.start()
    permits.move(-0.02)
    assert permits.ready_at() == pytest.approx(4.98)
    assert permits.unknown == {}
    permits.left(permit, 5.0)  # late, as is known now
    assert permits.unknown == {"a": pytest.approx(5.0 - MIN_LATE)}


def test_one_that_arrived_late_counts_even_later(permits: Permits) -> None:
    permits.add("a", due=5.0, now=5.0)
    permit = permits.start()
    permits.left(permit, 5.05)
    permits.arrived_late(permit, 0.03)
    assert permits.unknown == {"a": pytest.approx(5.08)}
    permits.arrived_late(permit, 0.01)
    assert permits.unknown == {"a": pytest.approx(5.08)}


def test_a_permit_for_later_is_looked_at_again_before_it_is_used(
    permits: Permits,
) -> None:
    permits.add("a", due=5.0, now=4.0)
    assert permits.ready_at() == math.inf
    look_at = 5.0 - LOOK_AGAIN / 2
    assert permits.next_due() == look_at
    assert permits.doubtful(look_at - 0.01) is None
    permit = permits.doubtful(look_at)
    assert permit is not None
    permits.place(permit, 5.02, look_at)
    assert permits.ready_at() == 5.02
    assert permits.doubtful(look_at) is None


def test_one_that_was_moved_far_ahead_is_looked_at_once_more(permits: Permits) -> None:
    permits.add("a", due=5.0, now=4.0)
    permit = permits.doubtful(4.95)
    assert permit is not None
    permits.place(permit, 8.0, 4.95)
    assert permits.ready_at() == math.inf
    assert permits.next_due() == 8.0 - LOOK_AGAIN / 2


def test_a_permit_that_nobody_uses_is_given_back(permits: Permits) -> None:
    permits.add("a", due=5.0, now=5.0)
    assert permits.next_due() == 5.0 + MAX_UNUSED
    permits.settle(5.0 + MAX_UNUSED - 0.01)
    assert permits.ready_at() == 5.0
    permits.settle(5.0 + MAX_UNUSED)
    assert permits.ready_at() == math.inf
    assert permits.unknown == {"a": None}
    assert permits.unused == 1


def test_a_request_that_does_not_leave_is_taken_to_leave_later(
    permits: Permits,
) -> None:
    permits.add("a", due=5.0, now=5.0)
    permit = permits.start()
    permits.settle(5.0)
    assert permits.unknown == {}
    assert permits.next_due() == 5.0 + MAX_LEAVING
    permits.settle(5.1)
    assert permits.unknown == {"a": pytest.approx(5.1 + LEAVES_LATER)}
    permits.settle(5.4)
    assert permits.unknown == {"a": pytest.approx(5.4 + LEAVES_LATER)}
    permits.left(permit, 5.5)
    assert permits.unknown == {"a": pytest.approx(5.5 - MIN_LATE)}


def test_a_request_that_waits_for_a_connection_after_all_has_not_left(
    permits: Permits,
) -> None:
    permits.add("a", due=5.0, now=5.0)
    permit = permits.start()
    permits.left(permit, 5.0)
    permits.connecting(permit)
    assert not permit.is_used
    permits.settle(5.1)
    assert permits.unknown == {"a": pytest.approx(5.1 + LEAVES_LATER)}
    permits.left(permit, 5.2)
    assert permit.left_at == 5.2


def test_a_permit_that_is_withdrawn_may_be_used_again_once(permits: Permits) -> None:
    permits.add("a", due=5.0, now=5.0)
    permits.add("b", due=5.1, now=5.1)
    permit = permits.start()
    assert permits.withdraw(permit)
    assert not permits.withdraw(permit)
    assert permits.ready_at() == 5.0
    assert [permits.start().name, permits.start().name] == ["a", "b"]


def test_void_permits_are_not_used(permits: Permits) -> None:
    permits.add("a", due=5.0, now=4.0)
    permit = permits.doubtful(4.95)
    assert permit is not None
    permits.drop(permit)
    permits.drop(permit)
    assert not permits
    permits.add("b", due=5.0, now=5.0)
    permits.clear()
    assert not permits
    assert permits.unknown == {}


def test_what_is_held_is_given_back_at_the_end(permits: Permits) -> None:
    permits.add("a", due=5.0, now=5.0)
    permits.add("b", due=6.0, now=5.0)
    permits.give_back()
    assert permits.unknown == {"a": None, "b": None}
    assert permits.unused == 2
    assert not permits
