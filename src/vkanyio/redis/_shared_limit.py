"""What one process knows of the limit that it shares, as arithmetic.

It decides when a request may start, what Redis must be asked, and what its answer
means. It has no clock, no task and no connection: ``_limiter.py`` has.
"""

from __future__ import annotations

import math
from itertools import count
from typing import TYPE_CHECKING, final

from .._limiter import MAX_PENALTY, MAX_SPREAD, PENALTY_STEP, Limiter, PermitState
from ._events import RedisAway, RedisBack
from ._permits import Permits, SharedPermit
from ._script import Question
from ._server_clock import ServerClock
from ._share import PROBE, Share
from ._statistics import RedisStatistics

if TYPE_CHECKING:
    from collections.abc import Callable

    from .._limiter import Permit, RequestMode
    from ._script import ScriptAnswer

WINDOW = 1.0
"""Seconds: VK counts requests by the second."""
HEARTBEAT = 1.0
"""Seconds after which an idle process asks Redis nevertheless. It shows the others that
it is there, and Redis that nobody has been away from it for :func:`max_gap`."""
FORGET_PROCESS = 30.0
"""Seconds after which a process that does not is forgotten, as in the script."""
EARLY = 5.0
"""Windows before the time of a permit that was not granted, it is asked for again."""
MIN_WAIT = 0.25
"""Windows between asking for it again and again."""


@final
class SharedLimit:
    """What one process knows of a shared limit.

    All times are those of the event loop's clock, in seconds.

    :param processes: how many processes there are, None if that is not known
    :param on_need: called when Redis must be asked something sooner than
        :meth:`next_due` has returned
    :ivar process: the name of this process, which has to be set before Redis is asked
    :ivar other_limit: the limit that another process has for the same name
    :ivar silence: for how many seconds nothing is granted, if the last answer was the
        first to say so
    """

    def __init__(
        self,
        limit: int,
        request_mode: RequestMode,
        processes: int | None,
        on_need: Callable[[], None],
    ) -> None:
        # Learns how long requests take; it grants nothing.
        self._pace = Limiter(limit, request_mode=request_mode, window=WINDOW)
        self._given = processes or 0
        self._on_need = on_need
        self._clock = ServerClock()
        self._permits = Permits(WINDOW)
        self._share = Share(limit, WINDOW, request_mode)
        self._names = count(1)
        self._is_wanted = False
        self._ask_at = -math.inf
        self._is_refused = False
        self._not_before = self._reported_not_before = -math.inf
        self._resume: float | None = None
        self._needs_reset = False
        self._penalty = 0.0
        self._penalty_at = -math.inf
        self._seen = 0
        self._seen_at = -math.inf
        self._first_contact = math.inf
        self._contact = -math.inf
        self._away_since: float | None = None
        self._probe_at = -math.inf
        self._asked = self._granted = self._by_itself = self._outages = 0
        self.process: str = ""
        self.other_limit: int = limit
        self.silence: float = 0.0

    # For clients

    def margin(self, now: float) -> float:
        """Return the part of the window that is kept free."""
        return self._pace.margin(now) + self._penalty

    def ready_at(self, now: float) -> float:
        """Return when a request may start; infinite if that is not known."""
        if self._share.is_on:
            ready = self._share.ready_at(now)
            if ready < math.inf or self._away_since is not None:
                return ready
        self._permits.settle(now)
        self._report()
        if not self._permits and not self._is_wanted:
            self._is_wanted = True
            self._on_need()
        return max(self._permits.ready_at(), self._not_before)

    def start(self, now: float) -> Permit:
        """Grant a permit, when :meth:`ready_at` has returned ``now`` or less."""
        if self._share.ready_at(now) <= now:
            self._by_itself += 1
            return self._share.start(now)
        permit = self._permits.start()
        self._on_need()
        return permit

    def left(self, permit: Permit, now: float) -> None:
        """Note that the request of a permit is leaving now."""
        if isinstance(permit, SharedPermit):
            self._permits.left(permit, now, self._clock.doubt)
            self._report()
            return
        self._share.left(permit, now)
        if not permit.is_used:  # of a share that has ended meanwhile
            permit.state = PermitState.LEFT
            permit.left_at = now

    def connecting(self, permit: Permit) -> None:
        """Note that the request of a permit waits for a connection after all."""
        if isinstance(permit, SharedPermit):
            self._permits.connecting(permit)
            self._on_need()
        else:
            self._share.connecting(permit)

    def note_response(self, permit: Permit, now: float) -> None:
        """Learn from the response to a request, as :class:`~vkanyio.Limiter` does.

        The first one has nothing to be compared with, and counts as late: processes
        that start together often send their first requests together.
        """
        if not permit.is_used:
            return
        late = round_trip = now - permit.left_at
        self._pace.observe(round_trip)
        if self._pace.usual_trip < math.inf:
            late -= self._pace.usual_trip
        late = min(late, MAX_SPREAD * WINDOW)
        late -= self.margin(now) * WINDOW / 2  # the other half is for what is not known
        if isinstance(permit, SharedPermit):
            self._permits.arrived_late(permit, late + self._clock.doubt)
            self._report()

    def withdraw(self, permit: Permit) -> bool:
        """Take back a permit whose request will not leave.

        :return: whether another request may have it
        """
        if isinstance(permit, SharedPermit):
            return self._permits.withdraw(permit)
        self._share.withdraw(permit)
        return True

    def slow_down(self, now: float) -> None:
        """Slow down, since VK has refused a request."""
        self._is_refused = True
        self._not_before = max(self._not_before, now + WINDOW / 2)
        if now - self._penalty_at >= WINDOW:  # until Redis says what it is for all
            self._penalty = min(self._penalty + PENALTY_STEP, MAX_PENALTY)
            self._penalty_at = now
        self._share.slow_down(now)
        self._on_need()

    def pause(self, now: float, seconds: float) -> None:
        """Grant no permit for some seconds."""
        if seconds > 0:
            self._not_before = max(self._not_before, now + seconds)
            self._share.pause(now, seconds)
            self._on_need()

    def is_idle(self) -> bool:
        """Return whether no request is about to leave."""
        return not self._permits.is_any_leaving

    # For the task that asks Redis

    def next_due(self, now: float) -> float:
        """Return when Redis must be asked, which may be past."""
        if self._away_since is not None:
            return self._probe_at
        if (
            self._is_refused
            or self._needs_reset
            or self._permits.unknown
            or self._not_before > max(now, self._reported_not_before)
        ):
            return now
        due = min(self._contact + HEARTBEAT, self._permits.next_due())
        if self._is_wanted and not self._permits:
            due = min(due, self._ask_at)
        return due

    def ask(self, now: float) -> Question:
        """Return what to ask Redis now."""
        self._permits.settle(now)
        is_away = self._away_since is not None
        # Not while Redis is away: each attempt would leave a permit to be given back.
        may_want = self._is_wanted and not is_away
        wants = may_want and not self._permits and self._ask_at <= now
        needs_reset = self._needs_reset or (is_away and self._share.was_used(now))
        self._asked += 1
        to_server = self._clock.to_server
        return Question(
            process=self.process,
            limit=self._pace.limit,
            request_mode=self._pace.request_mode,
            window=WINDOW,
            margin=self._pace.margin(now),
            reset_since=self._resume if needs_reset else None,
            is_refused=self._is_refused,
            not_before=self._not_before,
            pause=max(self._not_before - now, 0.0),
            wanted=f"{self.process}:{next(self._names)}" if wants else "",
            doubtful=self._permits.doubtful(now),
            processes=self._given,
            reported=dict(self._permits.unknown),
            corrections={
                name: None if at is None else to_server(at)
                for name, at in self._permits.unknown.items()
            },
        )

    def note_answer(
        self, question: Question, answer: ScriptAnswer, sent: float, received: float
    ) -> RedisBack | None:
        """Learn from the answer of Redis to a question.

        :return: the event to report, if Redis was away
        """
        clock, difference = self._clock, self._clock.difference
        was_set = clock.note(sent, answer.now, received)
        if not was_set:
            self._permits.move(clock.difference - difference)
        self._forget_reported(question)
        if was_set:
            # The permits lie in the past or the future of the new clock.
            self._permits.clear()
        self._needs_reset = was_set and answer.resume == self._resume
        is_news = answer.resume != self._resume and answer.resume > answer.now
        self.silence = answer.resume - answer.now if is_news else 0.0
        self._resume = answer.resume
        if not self._needs_reset:
            self._take(question, answer, received)
        self._note_processes(answer.processes, received)
        self._penalty = answer.penalty
        self.other_limit = answer.other_limit
        self._contact = received
        self._first_contact = min(self._first_contact, received)
        if self._away_since is None:
            return None
        duration = received - self._away_since
        self._away_since = None
        self._share.end(received, clock.to_local(answer.resume))
        return RedisBack(received, duration)

    def note_failure(
        self, question: Question | None, now: float, reason: str, *, may_share: bool
    ) -> RedisAway | None:
        """Note that Redis has not answered.

        :param question: what it was asked, if it came to that
        :param may_share: whether the other processes may be without Redis, too
        :return: the event to report, if it was not away before
        """
        if question is not None and question.wanted:
            self._permits.unknown[question.wanted] = None  # it may have been granted
        self._probe_at = now + PROBE
        event = None
        if self._away_since is None:
            self._away_since = now
            self._outages += 1
            self._share.begin(now, self._processes(now) if may_share else 0)
            event = RedisAway(now, reason, self._share.limit)
        self._share.confirm(now)
        return event

    def give_back(self) -> None:
        """Give back the permits that are held, since no more requests start."""
        self._is_wanted = False
        self._permits.give_back()

    def statistics(self, now: float) -> RedisStatistics:
        """Return what this process has done so far."""
        return RedisStatistics(
            is_away=self._away_since is not None,
            outages=self._outages,
            processes=self.processes,
            asked=self._asked,
            granted=self._granted,
            unused=self._permits.unused,
            late=self._permits.late,
            by_itself=self._by_itself,
            margin=self.margin(now),
        )

    @property
    def is_away(self) -> bool:
        """Whether Redis cannot be reached."""
        return self._away_since is not None

    @property
    def processes(self) -> int:
        """How many processes share the limit, as far as is known."""
        return max(self._given, self._seen)

    def _take(self, question: Question, answer: ScriptAnswer, now: float) -> None:
        """Take the permits of an answer."""
        if question.wanted and answer.is_granted:
            self._granted += 1
            self._is_wanted = False
            self._ask_at = -math.inf
            due = self._clock.to_local(answer.at)
            self._permits.add(question.wanted, due, now)
        elif question.wanted:
            due = self._clock.to_local(answer.at)
            self._ask_at = max(now + MIN_WAIT * WINDOW, due - EARLY * WINDOW)
        if question.doubtful is not None:
            if answer.moved_to is None:
                self._permits.drop(question.doubtful)
            else:
                due = self._clock.to_local(answer.moved_to)
                self._permits.place(question.doubtful, due, now)

    def _forget_reported(self, question: Question) -> None:
        self._is_refused = self._is_refused and not question.is_refused
        self._reported_not_before = question.not_before
        unknown = self._permits.unknown
        for name, at in question.reported.items():
            if name in unknown and unknown[name] == at:
                del unknown[name]

    def _note_processes(self, seen: int, now: float) -> None:
        # An empty Redis knows only those that have asked since.
        if seen >= self._seen or now - self._seen_at > FORGET_PROCESS:
            self._seen, self._seen_at = seen, now

    def _processes(self, now: float) -> int:
        """Return how many processes use shares, 0 if that is not certain.

        Without the option ``processes`` it is certain only if Redis has reported this
        process to the others, and they have not forgotten it.
        """
        is_new = self._contact - self._first_contact < 2 * HEARTBEAT
        is_forgotten = now - self._contact > FORGET_PROCESS / 2
        if not self._given and (is_new or is_forgotten):
            return 0
        return self.processes

    def _report(self) -> None:
        if self._permits.unknown:
            self._on_need()
