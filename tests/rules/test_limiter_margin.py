"""The margin that a limiter adds to its window, outside an event loop."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vkanyio import Limiter, RequestMode
from vkanyio._limiter import MAX_PENALTY, MAX_SPREAD, MIN_MARGIN, PENALTY_STEP

both_modes = pytest.mark.parametrize("request_mode", ["sequential", "burst"])


# The margin


@pytest.mark.parametrize(
    ("round_trips", "margin"),
    [
        ([], 0.02),
        ([0.1] * 32, 0.02),
        ([0.1, 0.2, 0.1], 0.02),  # too few to know
        ([0.100, 0.110] * 16, 0.02),
        ([0.10, 0.15] * 16, 0.05),
        ([0.1, 0.9] * 16, 0.10),
        ([0.1] * 30 + [5.0] * 2, 0.02),  # the slowest few do not count
        ([0.1, 0.9] * 16 + [0.1] * 32, 0.02),  # old ones are forgotten
    ],
)
def test_the_margin_follows_the_spread_of_the_round_trips(
    round_trips: list[float], margin: float
) -> None:
    limiter = Limiter(20)
    for round_trip in round_trips:
        limiter.observe(round_trip)
    assert limiter.margin(0.0) == pytest.approx(margin)


def test_the_spread_is_known_from_four_round_trips_on() -> None:
    limiter = Limiter(3, window=2.0)
    for round_trip in (0.3, 0.1, 0.2):
        limiter.observe(round_trip)
        assert limiter.margin(0.0) == MIN_MARGIN
    limiter.observe(0.1)
    assert limiter.margin(0.0) == pytest.approx(0.05)  # 0.1 of 2 seconds


def test_old_round_trips_are_forgotten() -> None:
    limiter = Limiter(3)
    for _ in range(100):
        limiter.observe(0.1)
        limiter.observe(5.0)
    assert limiter.margin(0.0) == MAX_SPREAD
    for _ in range(64):
        limiter.observe(0.2)
    assert limiter.margin(0.0) == MIN_MARGIN


@given(st.lists(st.floats(0, 1000), max_size=80))
def test_the_margin_stays_within_its_bounds(round_trips: list[float]) -> None:
    limiter = Limiter(20)
    for round_trip in round_trips:
        limiter.observe(round_trip)
    assert MIN_MARGIN <= limiter.margin(0.0) <= MAX_SPREAD


def test_a_wider_margin_slows_permits_down() -> None:
    limiter = Limiter(20, request_mode="burst")
    for round_trip in [0.1, 0.9] * 16:
        limiter.observe(round_trip)
    for _ in range(20):
        limiter.left(limiter.start(0.0), 0.0)
    assert limiter.ready_at(0.0) == pytest.approx(1.10)


@both_modes
def test_a_refusal_makes_a_pause_and_a_wider_margin(request_mode: RequestMode) -> None:
    limiter = Limiter(20, request_mode=request_mode)
    limiter.slow_down(100.0)
    assert limiter.ready_at(100.0) == pytest.approx(100.5)
    assert limiter.margin(100.0) == pytest.approx(MIN_MARGIN + PENALTY_STEP)
    assert not limiter.is_idle(100.0)


def test_a_volley_of_refusals_counts_once_in_a_window() -> None:
    limiter = Limiter(20)
    for now in (0.0, 0.0, 0.1, 0.99):
        limiter.slow_down(now)
    assert limiter.margin(0.99) == pytest.approx(0.07, abs=0.002)
    limiter.slow_down(1.0)
    assert limiter.margin(1.0) == pytest.approx(0.12, abs=0.002)


def test_the_effect_of_refusals_halves_every_thirty_seconds() -> None:
    limiter = Limiter(20)
    limiter.slow_down(0.0)
    for seconds, penalty in ((30, 0.025), (60, 0.0125), (120, 0.003125)):
        assert limiter.margin(seconds) == pytest.approx(0.02 + penalty)
    assert limiter.is_idle(120.0)


def test_endless_refusals_slow_down_only_to_a_bound() -> None:
    limiter = Limiter(20)
    for second in range(1000):
        limiter.slow_down(float(second))
        assert limiter.margin(second) <= MIN_MARGIN + MAX_PENALTY
    assert limiter.margin(999.0) == pytest.approx(MIN_MARGIN + MAX_PENALTY, abs=0.05)


@both_modes
def test_asking_for_the_margin_of_a_time_that_is_past_changes_nothing(
    request_mode: RequestMode,
) -> None:
    limiter = Limiter(1, request_mode=request_mode)
    limiter.slow_down(1e6)
    limiter.left(limiter.start(1e6 + 5), 1e6 + 5)
    ready = limiter.ready_at(1e6 + 5)
    assert limiter.margin(5.0) == pytest.approx(MIN_MARGIN + PENALTY_STEP)
    assert limiter.ready_at(1e6 + 5) == ready > 1e6 + 6


# Requests that arrive late


def after_responses(limiter: Limiter, *round_trips: float) -> float:
    """Return when the next permit is ready after a window with these round trips."""
    for _ in range(8):
        limiter.observe(0.1)
    permits = [limiter.start(0.0) for _ in round_trips]
    for permit in permits:
        limiter.left(permit, 0.0)
    for permit, round_trip in zip(permits, round_trips, strict=True):
        limiter.note_response(permit, round_trip)
    return limiter.ready_at(round_trips[-1])


def test_a_late_arrival_delays_the_next_window() -> None:
    assert after_responses(Limiter(2, request_mode="burst"), 0.1, 0.1) == pytest.approx(
        1.02
    )
    assert after_responses(
        Limiter(2, request_mode="burst"), 0.15, 0.15
    ) == pytest.approx(1.05)


def test_what_a_penalty_keeps_free_covers_lateness() -> None:
    limiter = Limiter(1, request_mode="burst")
    limiter.slow_down(0.0)
    margin = MIN_MARGIN + PENALTY_STEP
    late = 0.1 + margin  # by 0.1 s, but for what is kept free
    assert after_responses(limiter, late) == pytest.approx(1 + margin, abs=0.001)


def test_the_second_request_may_be_late_already() -> None:
    limiter = Limiter(1, request_mode="burst")
    for start, round_trip, ready in ((0.0, 0.1, 1.02), (1.02, 0.15, 2.07)):
        permit = limiter.start(start)
        limiter.left(permit, start)
        limiter.note_response(permit, start + round_trip)
        assert limiter.ready_at(start + round_trip) == pytest.approx(ready)


def test_only_the_late_request_keeps_its_place_for_longer() -> None:
    limiter = Limiter(2, request_mode="burst")
    assert after_responses(limiter, 0.1, 0.15) == pytest.approx(1.02)
    limiter.left(limiter.start(1.02), 1.02)
    assert limiter.ready_at(1.03) == pytest.approx(1.05)


def test_the_lateness_of_a_slow_method_is_bounded() -> None:
    limiter = Limiter(1, request_mode="burst")
    assert after_responses(limiter, 5.0) == pytest.approx(1.0 + MAX_SPREAD)


def test_a_response_before_others_are_known_says_nothing_about_lateness() -> None:
    limiter = Limiter(1, request_mode="burst")
    permit = limiter.start(0.0)
    limiter.left(permit, 0.0)
    limiter.note_response(permit, 0.9)
    assert limiter.ready_at(0.9) == pytest.approx(1.02)


@pytest.mark.parametrize(
    ("round_trip", "late"), [(0.1, 0), (0.14, 0), (0.25, 0.11), (5.0, 0.16)]
)
def test_the_bounds_of_lateness_scale_with_the_window(
    round_trip: float, late: float
) -> None:
    limiter = Limiter(1, window=2.0)
    for _ in range(8):
        limiter.observe(0.1)
    permit = limiter.start(10.0)
    limiter.left(permit, 10.0)
    limiter.note_response(permit, 10.0 + round_trip)
    assert permit.left_at == pytest.approx(10.0 + late)
