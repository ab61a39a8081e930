"""The rate limit of one token, as arithmetic: no clock, no task, no waiting.

``_engine/_ticker.py`` is the task that waits as the limiter says.
"""

from __future__ import annotations

import enum
import math
from bisect import insort
from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal, final, get_args

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

RequestMode = Literal["sequential", "burst"]
"""How requests start: evenly spaced, or as many at once as the limit allows."""

MIN_MARGIN = 0.02
"""Always kept: clocks and networks are never exact."""
MAX_SPREAD = 0.10
"""A larger spread comes from methods of different speed, not from the network.

VK's servers refused requests 1000/3 ms apart, and accepted them 1100/3 ms apart
(VKCOM/vk-android-sdk, issue 328).
"""
MAX_LIMIT = 10**6
PENALTY_STEP = 0.05
"""What each second with an error 6 adds to the margin."""
MAX_PENALTY = 1.0
"""A margin of 1.0 doubles the window, that is, halves the rate: enough where two
programs share a token."""
PENALTY_HALF_LIFE = 30.0
"""Seconds in which half of the penalty is forgotten."""
_ROUND_TRIPS_KEPT = 64


class PermitState(enum.Enum):
    """How far the request of a permit has come."""

    GRANTED = "its request may leave"
    LEFT = "its request has left"
    WITHDRAWN = "its request will not leave"


class Permit:
    """The right to start one request, from :meth:`Limiter.start`.

    :ivar state: how far its request has come
    :ivar left_at: when its request left, or a little later if it may have arrived late,
        in seconds of the event loop's clock; meaningless before it has left
    :ivar due: when it was due in a series of evenly spaced starts
    :ivar next_even: when the one after it is due
    """

    __slots__ = ("due", "left_at", "next_even", "state")

    def __init__(self, due: float, next_even: float) -> None:
        self.state: PermitState = PermitState.GRANTED
        self.left_at: float = 0.0
        self.due: float = due
        self.next_even: float = next_even

    @property
    def is_used(self) -> bool:
        """Whether its request has left."""
        return self.state is PermitState.LEFT


@final
class Limiter:
    """Computes how soon the next request of a token may start.

    It keeps the times at which the last ``limit`` requests left. A request may start
    when fewer than ``limit`` of them lie within the last ``window * (1 + margin)``
    seconds, so that VK never sees more than ``limit`` requests in any ``window``,
    however it counts. With ``request_mode="sequential"`` the starts are also spaced
    evenly.

    The margin allows for requests that take different times to arrive. It is at least
    2 %, follows the spread of the measured round trips up to 10 %, and grows by 5 % for
    each second in which VK refused a request; this penalty decays over minutes. A
    single request that took longer than usual is assumed to have arrived late: the
    request that starts one window later waits for as much longer.

    Create one, and pass it to several clients of the same token, in the same event
    loop; its methods are for the clients.

    :param limit: requests per window: 3 for a user token, 20 for a community token
    :param request_mode: "sequential" spaces the starts evenly, "burst" starts up to
        ``limit`` requests at once
    :param window: seconds
    :raises TypeError: for a value of the wrong type
    :raises ValueError: for a value that is not allowed
    """

    def __init__(
        self,
        limit: int,
        *,
        request_mode: RequestMode = "sequential",
        window: float = 1.0,
    ) -> None:
        _check(limit, request_mode, window)
        self.limit = limit
        self.request_mode: RequestMode = request_mode
        self.window = window
        self._is_even = request_mode == "sequential"
        self._log: list[float] = []  # when requests left, sorted, the last `limit`
        self._leaving: set[Permit] = set()  # granted, but not left yet
        self._next_even = -math.inf
        self._not_before = -math.inf
        self._round_trips: deque[float] = deque(maxlen=_ROUND_TRIPS_KEPT)
        self._spread = 0.0
        self.usual_trip: float = math.inf  # in seconds, as far as it is known
        self._penalty = 0.0
        self._penalty_at = -math.inf
        self._seen = -math.inf
        self._listeners: list[Callable[[], None]] = []

    def __repr__(self) -> str:
        if not hasattr(self, "window"):  # an argument was refused
            return "<Limiter, not complete>"
        return (
            f"Limiter({self.limit}, request_mode={self.request_mode!r},"
            f" window={self.window})"
        )

    def check_usable(self) -> None:
        """Raise unless it can be used, which is always the case."""

    @contextmanager
    def listening(self, on_change: Callable[[], None]) -> Generator[None]:
        """Have a function called when a request may start sooner than it was said.

        That is so when a permit is withdrawn, perhaps by another client.

        :param on_change: called synchronously, until the context is left
        """
        self._listeners.append(on_change)
        try:
            yield
        finally:
            self._listeners.remove(on_change)

    def margin(self, now: float) -> float:
        """Return the part of the window that is kept free, 0.02 being 2 %.

        The time may be past: a client that was closed is still asked for it.
        """
        return max(MIN_MARGIN, self._spread) + self._penalty_left(now)

    def ready_at(self, now: float) -> float:
        """Return the time from which a request may start, which may be past.

        Ask again at that time: a pause may have begun in between.
        """
        self._see(now)
        period = self.window * (1 + self.margin(now))
        ready = self._not_before
        if self._is_even:
            ready = max(ready, self._next_even)
        room = self.limit - len(self._leaving)
        if room <= 0:
            # The requests that are about to leave will leave now at the earliest.
            ready = max(ready, now + period)
        elif len(self._log) >= room:
            ready = max(ready, self._log[-room] + period)
        return ready

    def start(self, now: float) -> Permit:
        """Grant a permit for a request that is about to leave.

        It counts as just leaving until :meth:`left` is called: however long connecting
        takes, and however long the event loop stalls in between, no volley follows.
        """
        self._see(now)
        # A start that is a little late keeps the beat, so that delays do not add up.
        # After a stall the beat begins anew, so that nothing has to be caught up.
        beat = self.window * (1 + self.margin(now)) / self.limit
        due = self._next_even if now < self._next_even + beat else now
        permit = Permit(due, due + beat)
        self._next_even = permit.next_even
        self._leaving.add(permit)
        return permit

    def left(self, permit: Permit, now: float) -> None:
        """Note that the request of a permit is leaving now."""
        if permit in self._leaving:
            self._leaving.remove(permit)
            self._enter(permit, now)

    def connecting(self, permit: Permit) -> None:
        """Note that the request of a permit waits for a connection after all."""
        if permit.is_used and permit.left_at in self._log:
            self._log.remove(permit.left_at)
            self._leaving.add(permit)
            permit.state = PermitState.GRANTED

    def note_response(self, permit: Permit, now: float) -> None:
        """Learn from the response to a request how long requests take.

        One that took longer than usual may have arrived late by the difference: what
        starts one window later must not arrive early in comparison.
        """
        if not permit.is_used:  # another clock has taken over since
            return
        round_trip = now - permit.left_at
        self.observe(round_trip)
        late = min(round_trip - self.usual_trip, MAX_SPREAD * self.window)
        late -= self.margin(now) * self.window  # that much is kept free anyway
        if late > 0 and permit.left_at in self._log:
            self._log.remove(permit.left_at)
            self._enter(permit, permit.left_at + late)

    def withdraw(self, permit: Permit) -> None:
        """Take back a permit whose request has not left and will not leave."""
        if permit in self._leaving:
            self._leaving.remove(permit)
            permit.state = PermitState.WITHDRAWN
            if self._next_even == permit.next_even:  # no other start has followed
                self._next_even = permit.due
            for on_change in self._listeners:
                on_change()

    def observe(self, round_trip: float) -> None:
        """Learn from the time between a request and its response alone, in seconds."""
        trips = self._round_trips
        trips.append(round_trip)
        ranked = sorted(trips)
        quarter = len(ranked) // 4
        if len(ranked) >= 2:
            self.usual_trip = ranked[quarter]
        if len(ranked) >= 4:
            between_quartiles = ranked[-1 - quarter] - ranked[quarter]
            self._spread = min(between_quartiles / self.window, MAX_SPREAD)

    def slow_down(self, now: float) -> None:
        """Slow down, since VK returned error 6, or a gateway HTTP 429."""
        self._see(now)
        self._not_before = max(self._not_before, now + self.window / 2)
        if now - self._penalty_at >= self.window:  # a volley of refusals counts once
            penalty = self._penalty_left(now) + PENALTY_STEP
            self._penalty = min(penalty, MAX_PENALTY)
            self._penalty_at = now

    def pause(self, now: float, seconds: float) -> None:
        """Grant no permit for some seconds, since a gateway asks for a pause.

        A longer pause that has begun is not shortened.
        """
        self._see(now)
        self._not_before = max(self._not_before, now + seconds)

    def is_idle(self, now: float) -> bool:
        """Return whether it is not in use and remembers nothing important."""
        self._see(now)
        period = self.window * (1 + self.margin(now))
        last = self._log[-1] if self._log else -math.inf
        return (
            not self._leaving
            and max(last + period, self._not_before) <= now
            and self._penalty_left(now) < MIN_MARGIN
        )

    def _enter(self, permit: Permit, at: float) -> None:
        permit.state = PermitState.LEFT
        permit.left_at = at
        insort(self._log, at)
        del self._log[: -self.limit]

    def _penalty_left(self, now: float) -> float:
        if not self._penalty:
            return 0.0
        half_lives = max(now - self._penalty_at, 0.0) / PENALTY_HALF_LIFE
        return self._penalty * math.exp2(-half_lives)

    def _see(self, now: float) -> None:
        # Each event loop has its own clock: times from an earlier loop could lie far in
        # the future of this one.
        if now < self._seen:
            self._log.clear()
            self._leaving.clear()
            self._next_even = self._not_before = self._penalty_at = -math.inf
            self._penalty = 0.0
        self._seen = now


def _check(limit: object, request_mode: object, window: object) -> None:
    if not isinstance(limit, int) or isinstance(limit, bool):
        message = f"limit must be a whole number of requests, got {limit!r}"
        raise TypeError(message)
    if not 1 <= limit <= MAX_LIMIT:
        message = (
            f"limit must be from 1 to {MAX_LIMIT} requests a window, got {limit!r}"
        )
        raise ValueError(message)
    modes = " or ".join(f'"{mode}"' for mode in get_args(RequestMode))
    if request_mode not in get_args(RequestMode):
        kind = ValueError if isinstance(request_mode, str) else TypeError
        message = f"request_mode must be {modes}, got {request_mode!r}"
        raise kind(message)
    if not isinstance(window, int | float) or isinstance(window, bool):
        message = f"window must be a number of seconds, got {window!r}"
        raise TypeError(message)
    if not 0 < window < math.inf:
        message = f"window must be a number of seconds above 0, got {window!r}"
        raise ValueError(message)
