"""The arithmetic of the rate limit without its margin, outside an event loop."""

from __future__ import annotations

from heapq import heappop, heappush
from itertools import count, pairwise
from typing import TYPE_CHECKING, Any, get_args

import attrs
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from vkanyio import Limiter, RequestMode
from vkanyio._limiter import MIN_MARGIN, PENALTY_STEP

if TYPE_CHECKING:
    from vkanyio._limiter import Permit

both_modes = pytest.mark.parametrize("request_mode", ["sequential", "burst"])


@attrs.frozen
class Request:
    """The fate of one request."""

    idle: float = 0.0  # before it is requested
    late: float = 0.0  # the task wakes up later than scheduled
    delay: float = 0.0  # from the permit until the request leaves
    withdrawn: bool = False
    refused: bool = False


class Run:
    """Runs requests against a limiter, in order of time."""

    def __init__(self, limiter: Limiter, now: float = 0.0) -> None:
        self.limiter = limiter
        self.now = now
        self.lefts: list[float] = []
        self._order = count()
        self._leaving: list[tuple[float, int, Permit, Request]] = []

    def play(self, request: Request) -> None:
        self.advance(self.now + request.idle)
        while (ready := self.limiter.ready_at(self.now)) > self.now:
            self.advance(ready + request.late)
        permit = self.limiter.start(self.now)
        leaves_at = self.now + request.delay
        heappush(self._leaving, (leaves_at, next(self._order), permit, request))
        self.advance(self.now)

    def advance(self, until: float) -> None:
        while self._leaving and self._leaving[0][0] <= until:
            self.now, _, permit, request = heappop(self._leaving)
            if request.withdrawn:
                self.limiter.withdraw(permit)
            else:
                self.limiter.left(permit, self.now)
                self.lefts.append(self.now)
            if request.refused:
                self.limiter.slow_down(self.now)
        self.now = until
        if self.limiter.is_idle(until):
            # A new limiter may replace this one.
            assert not self._leaving
            assert not self.lefts or self.lefts[-1] <= until - self.limiter.window

    def finish(self) -> None:
        self.advance(self.now + 1e6)

    def worst_window(self) -> float:
        """Return the least time in which one more than ``limit`` left."""
        later = self.lefts[self.limiter.limit :]
        return min(
            (b - a for a, b in zip(self.lefts, later, strict=False)), default=9e9
        )


def saturated(limiter: Limiter, seconds: float, **request: Any) -> list[float]:
    run = Run(limiter)
    while run.now < seconds:
        run.play(Request(**request))
    return run.lefts


# Never more than the limit

delays = st.one_of(st.just(0.0), st.floats(0, 0.2), st.floats(0, 5))
requests = st.builds(
    Request,
    idle=delays,
    late=delays,
    delay=delays,
    withdrawn=st.booleans(),
    refused=st.sampled_from([False, False, False, True]),
)
# Only a busy program reaches the limit.
busy_requests = st.builds(Request, late=st.floats(0, 0.01), delay=st.floats(0, 2))
schedules = st.lists(requests, max_size=60) | st.lists(busy_requests, max_size=60)


@given(
    st.integers(1, 5),
    st.sampled_from(get_args(RequestMode)),
    st.sampled_from([0.5, 1.0, 3.0]),
    schedules,
)
@example(3, "burst", 1.0, [Request(delay=d) for d in (1.0, 0.0, 0.0, 0.5, 0.0, 0.0)])
@example(2, "burst", 1.0, [Request(delay=1.5, withdrawn=w) for w in (True, False) * 4])
def test_no_window_ever_holds_more_requests_than_the_limit(
    limit: int, request_mode: RequestMode, window: float, schedule: list[Request]
) -> None:
    run = Run(Limiter(limit, request_mode=request_mode, window=window))
    for request in schedule:
        run.play(request)
    run.finish()
    assert len(run.lefts) == sum(not request.withdrawn for request in schedule)
    assert run.worst_window() >= window * (1 + MIN_MARGIN / 2)


@pytest.mark.parametrize("limit", [1, 3, 20, 35])
@both_modes
def test_nearly_all_of_the_limit_is_spent(
    limit: int, request_mode: RequestMode
) -> None:
    lefts = saturated(Limiter(limit, request_mode=request_mode), 60)
    assert len(lefts) >= 0.95 * limit * 60
    assert len(lefts) <= limit * 60 + limit


@pytest.mark.parametrize("limit", [1, 3, 20])
def test_a_burst_gets_all_permits_of_the_limit_at_once(limit: int) -> None:
    run = Run(Limiter(limit, request_mode="burst"), now=100.0)
    for _ in range(2):
        for _ in range(limit):
            run.play(Request())
        assert run.lefts[-limit:] == [run.now] * limit
        assert run.limiter.ready_at(run.now) == pytest.approx(run.now + 1.02)
        run.advance(run.now + 50)


def test_the_window_slides_by_each_request() -> None:
    run = Run(Limiter(3, request_mode="burst"))
    for request in (Request(), Request(idle=0.5), Request(), Request(), Request()):
        run.play(request)
    assert run.lefts == pytest.approx([0, 0.5, 0.5, 1.02, 1.52])


# Even spacing


@pytest.mark.parametrize(("limit", "window"), [(1, 1.0), (3, 1.0), (20, 1.0), (3, 2.0)])
def test_permits_are_evenly_spaced_from_the_first_one_on(
    limit: int, window: float
) -> None:
    lefts = saturated(Limiter(limit, window=window), 30)
    gaps = [later - earlier for earlier, later in pairwise(lefts)]
    assert lefts[0] == 0
    assert gaps == pytest.approx([window * 1.02 / limit] * len(gaps))


def test_waking_up_a_little_late_does_not_add_up() -> None:
    beat = 1.02 / 20
    lefts = saturated(Limiter(20), 30, late=0.1 * beat)
    assert len(lefts) >= 0.97 * 20 * 30  # if lateness added up, it would be 0.89


def test_a_stall_is_not_made_up_for() -> None:
    limiter = Limiter(20)
    run = Run(limiter)
    for _ in range(20):
        run.play(Request())
    run.play(Request(late=10.0))
    stalled = len(run.lefts) - 1
    for _ in range(40):
        run.play(Request())
    gaps = [later - earlier for earlier, later in pairwise(run.lefts[stalled:])]
    assert min(gaps) == pytest.approx(1.02 / 20)


def test_the_beat_begins_anew_after_one_beat_of_lateness() -> None:
    limiter = Limiter(1)
    assert limiter.start(0.0).next_even == 1.02
    assert limiter.start(2.0399).due == 1.02
    limiter = Limiter(1)
    assert limiter.start(0.0).next_even == 1.02
    assert limiter.start(2.04).due == 2.04


def test_an_idle_client_saves_nothing_up() -> None:
    run = Run(Limiter(3))
    for idle in (0, 100, 0, 0):
        run.play(Request(idle=idle))
    assert run.lefts == pytest.approx([0, 100, 100.34, 100.68])


# Permits that have not left


@both_modes
def test_a_request_that_has_not_left_counts_as_leaving_now(
    request_mode: RequestMode,
) -> None:
    limiter = Limiter(3, request_mode=request_mode)
    run = Run(limiter)
    for _ in range(3):
        run.play(Request(delay=50.0))
    for now in (1.0, 10.0, 49.0):
        assert limiter.ready_at(now) >= now + 1.0
    run.advance(55.0)
    assert limiter.ready_at(55.0) == pytest.approx(51.02)


def test_a_request_that_left_late_counts_from_when_it_left() -> None:
    limiter = Limiter(2, request_mode="burst")
    first, second = limiter.start(0.0), limiter.start(0.0)
    assert not first.is_used
    assert not second.is_used
    limiter.left(second, 0.5)
    limiter.left(first, 3.0)
    assert (first.left_at, second.left_at) == (3.0, 0.5)
    assert limiter.ready_at(3.0) <= 3.0
    limiter.left(limiter.start(3.0), 3.0)
    assert limiter.ready_at(3.0) == pytest.approx(4.02)


def test_a_request_leaves_once() -> None:
    limiter = Limiter(1, request_mode="burst")
    permit = limiter.start(0.0)
    limiter.left(permit, 0.0)
    limiter.left(permit, 5.0)
    limiter.withdraw(permit)
    assert permit.left_at == 0.0
    assert limiter.ready_at(0.5) == pytest.approx(1.02)


def test_a_withdrawn_burst_leaves_no_trace() -> None:
    limiter = Limiter(3, request_mode="burst")
    for _ in range(10):
        permits = [limiter.start(0.0) for _ in range(3)]
        assert limiter.ready_at(0.0) > 0.0
        for permit in permits:
            limiter.withdraw(permit)
            limiter.withdraw(permit)  # once is enough
        assert limiter.ready_at(0.0) <= 0.0
    assert limiter.is_idle(0.0)


@pytest.mark.parametrize("penalties", [0, 3])
def test_a_withdrawn_place_in_the_beat_goes_to_the_next_permit(penalties: int) -> None:
    limiter = Limiter(3)
    now = 0.0
    for _ in range(penalties):
        limiter.slow_down(now)
        now += 1.0
    for _ in range(10):
        permit = limiter.start(now)
        beat = limiter.ready_at(now) - now
        assert beat == pytest.approx((1 + limiter.margin(now)) / 3)
        limiter.withdraw(permit)
        assert limiter.ready_at(now) <= now + 1e-9


def test_a_permit_that_is_withdrawn_twice_gives_back_one_place() -> None:
    limiter = Limiter(3)
    permit, kept = limiter.start(0.0), limiter.start(0.34)
    limiter.left(kept, 0.34)
    limiter.withdraw(permit)
    ready = limiter.ready_at(0.34)
    limiter.withdraw(permit)
    assert limiter.ready_at(0.34) == ready


# A pause


@both_modes
def test_nothing_starts_during_a_pause(request_mode: RequestMode) -> None:
    limiter = Limiter(3, request_mode=request_mode)
    limiter.left(limiter.start(10.0), 10.0)
    limiter.pause(10.2, 5.0)
    assert limiter.ready_at(10.3) == pytest.approx(15.2)
    assert not limiter.is_idle(15.1)
    assert limiter.is_idle(15.2)
    assert limiter.margin(10.3) == MIN_MARGIN  # a pause alone is no slow-down


@pytest.mark.parametrize("seconds", [1.0, 0.0, -1.0])
def test_a_shorter_pause_does_not_end_a_longer_one(seconds: float) -> None:
    limiter = Limiter(3)
    limiter.pause(10.0, 5.0)
    limiter.pause(11.0, seconds)
    limiter.slow_down(12.0)
    assert limiter.ready_at(12.0) == 15.0
    limiter.pause(12.0, 4.0)
    assert limiter.ready_at(12.0) == 16.0


def test_a_pause_during_a_wait_is_found_when_it_ends() -> None:
    limiter = Limiter(1)
    limiter.left(limiter.start(0.0), 0.0)
    ready = limiter.ready_at(0.0)
    limiter.pause(0.5, 3.0)
    assert limiter.ready_at(ready) == 3.5


# Idleness


def test_a_limiter_is_idle_once_its_window_has_passed() -> None:
    for request_mode in get_args(RequestMode):
        limiter = Limiter(3, request_mode=request_mode)
        assert limiter.is_idle(0.0)
        permit = limiter.start(0.0)
        assert not limiter.is_idle(5.0)
        limiter.left(permit, 10.0)
        assert not limiter.is_idle(10.0)
        assert not limiter.is_idle(11.01)
        assert limiter.is_idle(11.02)


# Another clock


def used(request_mode: RequestMode, what: str) -> Limiter:
    limiter = Limiter(2, request_mode=request_mode)
    late = 1e6
    for permit in (limiter.start(late), limiter.start(late)):
        if what == "left":
            limiter.left(permit, late)
        elif what == "withdrawn":
            limiter.withdraw(permit)
    if what == "refused":
        limiter.slow_down(late)
    elif what == "paused":
        limiter.pause(late, 60.0)
    return limiter


@both_modes
@pytest.mark.parametrize("what", ["left", "withdrawn", "refused", "paused", "leaving"])
@pytest.mark.parametrize(
    "first", ["ready_at", "margin", "is_idle", "slow_down", "start"]
)
def test_times_of_another_clock_are_forgotten(
    request_mode: RequestMode, what: str, first: str
) -> None:
    limiter = used(request_mode, what)
    permit = getattr(limiter, first)(5.0)
    if first == "start":
        limiter.left(permit, 5.0)
    assert limiter.ready_at(5.0) <= 5.51
    assert limiter.margin(5.0) <= MIN_MARGIN + PENALTY_STEP
    run = Run(limiter, now=10.0)
    for _ in range(20):
        run.play(Request())
    assert run.now <= 25.0
    assert run.worst_window() >= 1.0


@both_modes
@pytest.mark.parametrize("what", ["left", "withdrawn", "refused", "leaving"])
def test_the_first_permit_on_another_clock_counts(
    request_mode: RequestMode, what: str
) -> None:
    limiter = used(request_mode, what)
    permits = [limiter.start(5.0), limiter.start(5.0)]
    assert limiter.ready_at(5.0) > 5.9
    for permit in permits:
        limiter.left(permit, 6.0)
    assert limiter.ready_at(6.0) == pytest.approx(7.02)


# Connections


def test_a_request_that_waits_for_a_connection_has_not_left() -> None:
    limiter = Limiter(1, request_mode="burst")
    permit = limiter.start(0.0)
    limiter.left(permit, 0.0)
    limiter.connecting(permit)
    assert not permit.is_used
    assert limiter.ready_at(50.0) == pytest.approx(51.02)
    limiter.left(permit, 50.0)
    assert permit.left_at == 50.0
    assert limiter.ready_at(50.5) == pytest.approx(51.02)


def test_a_request_that_has_not_left_may_wait_for_a_connection() -> None:
    limiter = Limiter(1, request_mode="burst")
    permit = limiter.start(0.0)
    limiter.connecting(permit)
    limiter.left(permit, 3.0)
    assert limiter.ready_at(3.0) == pytest.approx(4.02)


def test_permits_stay_evenly_spaced_after_one_was_withdrawn() -> None:
    limiter = Limiter(3)
    limiter.left(limiter.start(0.0), 0.0)
    withdrawn = limiter.start(0.34)
    limiter.left(limiter.start(0.68), 0.68)
    limiter.withdraw(withdrawn)
    permits = [0.68]
    while len(permits) < 10:
        now = limiter.ready_at(permits[-1])
        limiter.left(limiter.start(now), now)
        permits.append(now)
    gaps = [b - a for a, b in pairwise(permits)]
    assert max(gaps) - min(gaps) < 1e-6


# The state of a permit


def test_a_permit_knows_how_far_its_request_has_come() -> None:
    limiter = Limiter(3, request_mode="burst")
    permit, unused = limiter.start(0.0), limiter.start(0.0)
    states = [permit.state]
    limiter.left(permit, 1.0)
    states.append(permit.state)
    limiter.connecting(permit)
    states.append(permit.state)
    limiter.left(permit, 2.0)
    states.append(permit.state)
    limiter.withdraw(unused)
    states.append(unused.state)
    assert [state.name for state in states] == [
        "GRANTED",
        "LEFT",
        "GRANTED",
        "LEFT",
        "WITHDRAWN",
    ]
    assert permit.left_at == 2.0


def test_a_request_that_waits_for_a_connection_leaves_others_in_the_log() -> None:
    limiter = Limiter(1, request_mode="burst")
    limiter.left(limiter.start(0.0), 0.0)
    permit = limiter.start(0.5)
    limiter.connecting(permit)  # though it has not left
    limiter.withdraw(permit)
    assert limiter.ready_at(0.9) > 0.9


def test_a_response_to_what_another_clock_forgot_teaches_nothing() -> None:
    limiter = Limiter(3, request_mode="burst")
    for now in (7.0, 8.0, 9.0, 10.0):
        permit = limiter.start(1e6)
        limiter.ready_at(0.0)  # another event loop has begun
        limiter.left(permit, 1.0)
        limiter.note_response(permit, now)
    assert limiter.margin(10.0) == MIN_MARGIN
