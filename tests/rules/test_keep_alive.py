"""How long a connection may be idle before it is not used any more."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vkanyio._keep_alive import (
    FORGET_SECONDS,
    MAX_CAREFUL_IDLE,
    MAX_IDLE,
    MIN_IDLE,
    KeepAlive,
)


def test_at_first_servers_are_taken_to_keep_connections_for_five_seconds() -> None:
    assert KeepAlive().max_idle(1e6) == MAX_IDLE == 5.0
    assert KeepAlive().max_idle(1e6, careful=True) == MAX_CAREFUL_IDLE == 0.5


def test_a_server_that_closes_sooner_is_believed() -> None:
    keep_alive = KeepAlive()
    keep_alive.note_closed(2.0, 100.0)
    assert keep_alive.max_idle(100.0) == pytest.approx(1.8)
    keep_alive.note_closed(0.5, 101.0)
    assert keep_alive.max_idle(101.0) == pytest.approx(0.45)


@pytest.mark.parametrize("idle", [1.8, 2.0, 4.9])
def test_one_that_was_idle_for_longer_teaches_nothing(idle: float) -> None:
    keep_alive = KeepAlive()
    keep_alive.note_closed(2.0, 100.0)
    keep_alive.note_closed(idle, 100.0)
    assert keep_alive.max_idle(100.0) == pytest.approx(1.8)


def test_what_cannot_be_repeated_waits_for_half_of_what_was_learned() -> None:
    keep_alive = KeepAlive()
    keep_alive.note_closed(0.5, 100.0)
    assert keep_alive.max_idle(100.0, careful=True) == pytest.approx(0.225)
    keep_alive = KeepAlive()
    keep_alive.note_closed(4.0, 100.0)
    assert keep_alive.max_idle(100.0, careful=True) == MAX_CAREFUL_IDLE


def test_a_server_that_keeps_nothing_leaves_a_bound() -> None:
    keep_alive = KeepAlive()
    keep_alive.note_closed(0.0, 100.0)
    assert keep_alive.max_idle(100.0) == MIN_IDLE


@pytest.mark.parametrize(
    ("minutes", "seconds"), [(0, 0.45), (0.99, 0.45), (1, 0.9), (2, 1.8), (4, 5.0)]
)
def test_what_was_learned_doubles_every_minute(minutes: float, seconds: float) -> None:
    keep_alive = KeepAlive()
    keep_alive.note_closed(0.5, 100.0)
    now = 100.0 + minutes * FORGET_SECONDS
    assert keep_alive.max_idle(now) == pytest.approx(seconds)


@given(st.lists(st.tuples(st.floats(0, 10), st.floats(0, 1e9)), max_size=20))
def test_the_time_stays_within_its_bounds(closed: list[tuple[float, float]]) -> None:
    keep_alive, now = KeepAlive(), 0.0
    for idle, later in closed:
        now += later
        keep_alive.note_closed(idle, now)
        assert MIN_IDLE <= keep_alive.max_idle(now) <= MAX_IDLE
        assert keep_alive.max_idle(now, careful=True) <= keep_alive.max_idle(now) / 2
