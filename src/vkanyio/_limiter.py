"""The rate limit of one token, as arithmetic: no clock, no task, no waiting."""

from __future__ import annotations

import math
from bisect import insort
from collections import deque
from typing import final

LEAST_MARGIN = 0.02
"""Kept at all times: clocks and networks are never exact."""
MOST_SPREAD = 0.10
"""More than this is not the network but methods of different speed.

Requests 1000/3 ms apart were refused by VK's servers, 1100/3 ms apart were not
(VKCOM/vk-android-sdk, issue 328).
"""
MOST_LIMIT = 10**6
PENALTY_STEP = 0.05
"""What each second with an error 6 adds to the margin."""
MOST_PENALTY = 1.0
"""Half of the rate: enough where two programs share a token."""
PENALTY_HALF_LIFE = 30.0
"""Seconds in which half of the penalty is forgotten."""
_ROUND_TRIPS_KEPT = 64


@final
class Start:
    """The start of one request, from :meth:`Limiter.start`.

    :ivar at: when the request left, or a little later if it may have arrived late, in
        seconds of the event loop's clock; infinite until it has left
    :ivar due: when it was due in a series of even starts
    :ivar next_even: when the one after it is due
    """

    __slots__ = ("at", "due", "next_even")

    def __init__(self, due: float, next_even: float) -> None:
        self.at: float = math.inf
        self.due: float = due
        self.next_even: float = next_even


@final
class Limiter:
    """Says how soon the next request of a token may start.

    It keeps a log of the last ``limit`` starts. A request may start when fewer than
    ``limit`` of them lie within the last ``window * (1 + margin)`` seconds, so that VK
    never sees more than ``limit`` requests in any ``window``, in whatever way it
    counts. Without ``burst`` the starts are spaced evenly on top of that.

    The margin allows for requests that take different times to arrive: it is at least
    2 %, follows the spread of the measured round trips up to 10 %, and grows by 5 % in
    each second in which VK refused a request, which is forgotten over minutes. A single
    request that took longer than usual is taken to have arrived late, and what starts a
    window later waits for as much longer.

    Make one and give it to several clients of the same token, in the same event loop;
    its methods are for them.

    :param limit: requests in a window: 3 for a user token, 20 for a community token
    :param burst: start up to ``limit`` requests at once
    :param window: seconds
    """

    def __init__(self, limit: int, *, burst: bool = False, window: float = 1.0) -> None:
        _check(limit, burst, window)
        self.limit = limit
        self.burst = burst
        self.window = window
        self._log: list[float] = []  # when requests left, sorted, the last `limit`
        self._leaving: set[Start] = set()  # started, but not left yet
        self._next_even = -math.inf
        self._not_before = -math.inf
        self._round_trips: deque[float] = deque(maxlen=_ROUND_TRIPS_KEPT)
        self._spread = 0.0
        self._usual_trip = math.inf
        self._penalty = 0.0
        self._penalty_at = -math.inf
        self._seen = -math.inf

    def __repr__(self) -> str:
        return f"Limiter({self.limit}, burst={self.burst}, window={self.window})"

    def margin(self, now: float) -> float:
        """Return the part of the window that is kept free, 0.02 being 2 %."""
        self._see(now)
        return max(LEAST_MARGIN, self._spread) + self._penalty_left(now)

    def ready_at(self, now: float) -> float:
        """Return the time from which a request may start, which may be past.

        Ask again at that time: a pause may have come in between.
        """
        self._see(now)
        ready = self._not_before
        if not self.burst:
            ready = max(ready, self._next_even)
        period = self.window * (1 + self.margin(now))
        room = self.limit - len(self._leaving)
        if room <= 0:
            ready = max(ready, now + period)  # they leave now at the earliest
        elif len(self._log) >= room:
            ready = max(ready, self._log[-room] + period)
        return ready

    def start(self, now: float) -> Start:
        """Enter a request that is about to leave.

        It counts as just leaving until :meth:`left` says when it did: however long a
        connection takes, and however the event loop stalls in between, no volley comes
        of it.
        """
        # A little late, the beat is kept, so that lateness does not add up; after a
        # stall it begins anew, so that nothing is caught up with.
        beat = self.window * (1 + self.margin(now)) / self.limit
        due = self._next_even if now < self._next_even + beat else now
        start = Start(due, due + beat)
        self._next_even = start.next_even
        self._leaving.add(start)
        return start

    def left(self, start: Start, now: float) -> None:
        """Note that the request of this start is leaving now."""
        if start in self._leaving:
            self._leaving.remove(start)
            self._enter(start, now)

    def connecting(self, start: Start) -> None:
        """Note that the request of this start has to wait for a connection first."""
        if start.at in self._log:
            self._log.remove(start.at)
            self._leaving.add(start)
            start.at = math.inf

    def answered(self, start: Start, now: float) -> None:
        """Learn from an answer how long requests take.

        One that took longer than usual may have arrived late by as much: what starts a
        window later must not arrive early for it.
        """
        round_trip = now - start.at
        self.observe(round_trip)
        late = min(round_trip - self._usual_trip, MOST_SPREAD * self.window)
        late -= self.margin(now) * self.window  # that much is kept free anyway
        if late > 0 and start.at in self._log:
            self._log.remove(start.at)
            self._enter(start, start.at + late)

    def withdraw(self, start: Start) -> None:
        """Give back a start whose request has not left and will not."""
        if start in self._leaving:
            self._leaving.remove(start)
            if self._next_even == start.next_even:  # no other start has followed
                self._next_even = start.due

    def observe(self, round_trip: float) -> None:
        """Learn from the seconds between a request and its answer alone."""
        trips = self._round_trips
        trips.append(round_trip)
        if len(trips) >= 4:
            ranked = sorted(trips)
            quarter = len(ranked) // 4
            self._usual_trip = ranked[quarter]
            between_quartiles = ranked[-1 - quarter] - ranked[quarter]
            self._spread = min(between_quartiles / self.window, MOST_SPREAD)

    def slow_down(self, now: float) -> None:
        """Slow down, since VK answered error 6."""
        self._see(now)
        self._not_before = max(self._not_before, now + self.window / 2)
        if now - self._penalty_at >= self.window:  # a volley of refusals counts once
            penalty = self._penalty_left(now) + PENALTY_STEP
            self._penalty = min(penalty, MOST_PENALTY)
            self._penalty_at = now

    def is_idle(self, now: float) -> bool:
        """Return whether nothing would be lost by making this limiter anew."""
        period = self.window * (1 + self.margin(now))
        last = self._log[-1] if self._log else -math.inf
        return (
            not self._leaving
            and max(last + period, self._not_before) <= now
            and self._penalty_left(now) < LEAST_MARGIN
        )

    def _enter(self, start: Start, at: float) -> None:
        start.at = at
        insort(self._log, at)
        del self._log[: -self.limit]

    def _penalty_left(self, now: float) -> float:
        if not self._penalty:
            return 0.0
        half_lives = (now - self._penalty_at) / PENALTY_HALF_LIFE
        return self._penalty * math.exp2(-half_lives)

    def _see(self, now: float) -> None:
        # Each event loop has a clock of its own: what an earlier one wrote could lie
        # far in the future of this one.
        if now < self._seen:
            self._log.clear()
            self._leaving.clear()
            self._next_even = self._not_before = self._penalty_at = -math.inf
            self._penalty = 0.0
        self._seen = now


def _check(limit: object, burst: object, window: object) -> None:
    if not isinstance(limit, int) or isinstance(limit, bool):
        message = f"limit must be a whole number of requests, got {limit!r}"
        raise TypeError(message)
    if not 1 <= limit <= MOST_LIMIT:
        message = (
            f"limit must be from 1 to {MOST_LIMIT} requests a window, got {limit!r}"
        )
        raise ValueError(message)
    if not isinstance(burst, bool):
        message = f"burst must be True or False, got {burst!r}"
        raise TypeError(message)
    if not isinstance(window, int | float) or isinstance(window, bool):
        message = f"window must be a number of seconds, got {window!r}"
        raise TypeError(message)
    if not 0 < window < math.inf:
        message = f"window must be a number of seconds above 0, got {window!r}"
        raise ValueError(message)
