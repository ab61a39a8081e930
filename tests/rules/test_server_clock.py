"""The clock of Redis, as a process knows it."""

from __future__ import annotations

import pytest

from vkanyio.redis._server_clock import MAX_DOUBT, TOLERANCE, ServerClock

AHEAD = 1_700_000_000.0
"""By how much the clock of the server is ahead."""


def ask(
    clock: ServerClock, now: float, *, there: float = 0.1, back: float = 0.1
) -> bool:
    """Ask for the time; the way there and back takes some seconds."""
    return clock.note(now, now + there + AHEAD, now + there + back)


def test_a_time_is_never_taken_for_an_earlier_one() -> None:
    clock = ServerClock()
    for now, back in enumerate((0.3, 0.05, 0.2)):
        assert not ask(clock, now, back=back)
    # The quickest answer was under way for 0.05 s.
    assert clock.to_local(10 + AHEAD) == pytest.approx(10.05)
    assert clock.to_server(10.05) == pytest.approx(10 + AHEAD)


def test_the_quickest_ways_say_how_well_the_clock_is_known() -> None:
    clock = ServerClock()
    assert clock.difference == clock.doubt == 0
    ask(clock, 0, there=0.01, back=0.02)
    assert clock.doubt == pytest.approx(0.03, abs=1e-6)
    ask(clock, 1, there=0.3, back=0.005)
    assert clock.doubt == pytest.approx(0.015, abs=1e-6)
    assert clock.difference == pytest.approx(0.005 - AHEAD)


def test_a_server_that_is_far_away_is_known_well_enough() -> None:
    clock = ServerClock()
    ask(clock, 0, there=0.2, back=0.2)
    assert clock.doubt == MAX_DOUBT


@pytest.mark.parametrize("jump", [-60, -0.5, 0.5, 60])
def test_a_clock_that_was_set_is_noticed_and_followed(jump: float) -> None:
    clock = ServerClock()
    assert not ask(clock, 0)
    assert clock.note(1, 1.1 + AHEAD + jump, 1.2)
    assert clock.to_local(5 + AHEAD + jump) == pytest.approx(5.1)
    assert not clock.note(2, 2.1 + AHEAD + jump, 2.2)


def test_an_answer_that_takes_long_is_no_clock_that_was_set() -> None:
    clock = ServerClock()
    assert not ask(clock, 0)
    assert not ask(clock, 1, there=5)
    assert not ask(clock, 9, back=5)


def test_clocks_may_drift() -> None:
    clock = ServerClock()
    for now in range(100):
        drift = now * TOLERANCE / 40
        assert not clock.note(now, now + AHEAD + drift, now)
    assert clock.to_local(100 + AHEAD) < 100  # it has followed
