"""What one process makes of the answers of Redis, without Redis."""

from __future__ import annotations

import math

import pytest

from vkanyio.redis._script import Question, ScriptAnswer, keys_of
from vkanyio.redis._shared_limit import HEARTBEAT, SharedLimit

AHEAD = 1_700_000_000.0
"""By how much the clock of Redis is ahead."""


class Needs:
    """Counts how often Redis must be asked."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> None:
        self.count += 1


def make(*, processes: int | None = 4) -> SharedLimit:
    limit = SharedLimit(20, "burst", processes, Needs())
    limit.process = "me"
    return limit


def answer_to(
    limit: SharedLimit,
    now: float,
    *,
    at: float | None = None,
    resume: float = 0.0,
    moved_to: float | None = None,
) -> Question:
    """Ask Redis, which answers at once.

    :param at: the time of the permit that it grants, by our clock
    """
    question = limit.ask(now)
    answer = ScriptAnswer(
        now=now + AHEAD,
        resume=resume + AHEAD,
        processes=4,
        penalty=0.0,
        at=(now if at is None else at) + AHEAD,
        is_granted=True,
        moved_to=None if moved_to is None else moved_to + AHEAD,
        other_limit=20,
    )
    limit.note_answer(question, answer, now, now)
    return question


def test_a_permit_is_asked_for_when_somebody_wants_one() -> None:
    limit = make()
    answer_to(limit, 0.0)
    assert limit.next_due(0.0) == HEARTBEAT
    assert limit.ready_at(1.0) == math.inf
    assert limit.next_due(1.0) <= 1.0
    assert answer_to(limit, 1.0, at=1.0).wanted == "me:1"
    assert limit.ready_at(1.0) == 1.0
    assert limit.next_due(1.0) > 1.0


def test_after_a_stall_the_permits_of_before_are_not_used() -> None:
    limit = make()
    limit.ready_at(1.0)
    answer_to(limit, 1.0, at=1.0)
    assert limit.ready_at(4.0) == math.inf
    assert limit.ask(4.0).reported == {"me:1": None}


def test_a_permit_that_may_have_been_granted_is_given_back() -> None:
    limit = make()
    answer_to(limit, 0.0)
    limit.ready_at(1.0)
    question = limit.ask(1.0)
    assert limit.note_failure(question, 1.5, "no answer", may_share=True)
    assert answer_to(limit, 2.0).corrections == {"me:1": None}
    question = limit.ask(2.0)
    assert question.corrections == {}
    assert question.wanted == "me:2"


def test_attempts_while_redis_is_away_leave_nothing_to_report() -> None:
    limit = make()
    answer_to(limit, 0.0)
    limit.ready_at(1.0)
    for attempt in range(1000):
        now = 1.0 + attempt / 4
        limit.note_failure(limit.ask(now), now, "no answer", may_share=True)
    assert limit.ask(300.0).corrections == {"me:1": None}


def test_permits_are_not_used_while_redis_is_away() -> None:
    limit = make()
    limit.ready_at(0.0)
    answer_to(limit, 0.0, at=0.0)
    limit.note_failure(None, 0.0, "refused", may_share=True)
    assert limit.ready_at(0.0) == math.inf
    assert limit.note_failure(None, 2.9, "refused", may_share=True) is None
    assert limit.ready_at(2.9) == 3.0  # the share


@pytest.mark.parametrize(
    ("processes", "contact", "away", "share"),
    [
        (None, 0, 1, 0),  # the others may not have heard of it
        (None, 12, 13, 5),
        (None, 12, 40, 0),  # they may have forgotten it
        (4, 0, 1, 5),
        (4, 12, 40, 5),
        (2, 12, 13, 5),  # there are more than the user knows of
        (10, 12, 13, 2),
    ],
)
def test_the_share_is_that_of_a_certain_number_of_processes(
    processes: int | None, contact: float, away: float, share: int
) -> None:
    limit = make(processes=processes)
    for now in (0.0, contact):
        answer_to(limit, now)
    event = limit.note_failure(None, away, "refused", may_share=True)
    assert event is not None
    assert event.limit == share


def test_there_is_no_share_where_the_others_may_be_in_contact() -> None:
    limit = make()
    answer_to(limit, 0.0)
    event = limit.note_failure(None, 1.0, "other data", may_share=False)
    assert event is not None
    assert event.limit == 0
    assert limit.ready_at(5.0) == math.inf


def test_a_reset_is_asked_for_once_the_clock_was_set() -> None:
    limit = make()
    answer_to(limit, 0.0, resume=-1)
    limit.ready_at(1.0)
    question = limit.ask(1.0)
    assert question.reset_since is None
    answer = ScriptAnswer(
        AHEAD + 61.0, AHEAD - 1.0, 4, 0.0, AHEAD + 61.0, True, None, 20
    )
    limit.note_answer(question, answer, 1.0, 1.0)
    assert limit.ready_at(1.0) == math.inf  # the permit is not used
    question = limit.ask(1.0)
    assert question.reset_since == AHEAD - 1.0
    assert question.wanted
    answer = ScriptAnswer(
        AHEAD + 61.0, AHEAD + 63.0, 4, 0.0, AHEAD + 63.0, True, None, 20
    )
    limit.note_answer(question, answer, 1.0, 1.0)
    assert limit.ask(1.1).reset_since is None


def test_no_reset_is_asked_for_where_another_process_has() -> None:
    limit = make()
    answer_to(limit, 0.0, resume=-1)
    limit.ready_at(1.0)
    question = limit.ask(1.0)
    answer = ScriptAnswer(
        AHEAD + 61.0, AHEAD + 61.0, 4, 0.0, AHEAD + 61.0, True, None, 20
    )
    limit.note_answer(question, answer, 1.0, 1.0)
    assert limit.ask(1.0).reset_since is None
    assert limit.ready_at(1.0) == 1.0


def test_a_permit_too_far_ahead_is_asked_for_later() -> None:
    limit = make()
    answer_to(limit, 0.0)
    limit.ready_at(1.0)
    question = limit.ask(1.0)
    answer = ScriptAnswer(AHEAD + 1, AHEAD, 4, 0.0, AHEAD + 31, False, None, 20)
    limit.note_answer(question, answer, 1.0, 1.0)
    assert limit.next_due(1.0) == 1.0 + HEARTBEAT
    for now in (6.0, 11.0, 16.0, 21.0, 25.5):
        assert answer_to(limit, now).wanted == ""
    assert limit.next_due(25.5) == 26.0
    assert limit.ask(26.0).wanted


@pytest.mark.parametrize(
    ("left_late", "took_longer", "counted"),
    [
        (0.0, 0.06, 0.05),
        (0.0, 0.009, 0.0),  # as half of the margin of 0.02 s allows
        (0.005, 0.0, 0.0),  # the same
        (0.005, 0.009, 0.004),  # both together are more than that
    ],
)
def test_requests_that_arrive_late_count_from_then_on(
    left_late: float, took_longer: float, counted: float
) -> None:
    limit = make()
    answer_to(limit, 0.0)
    for i in range(40):
        now = 1.0 + i / 10
        limit.ready_at(now)
        answer_to(limit, now, at=now)
        permit = limit.start(now)
        limit.left(permit, now)
        limit.note_response(permit, now + 0.05)
    limit.ready_at(6.0)
    answer_to(limit, 6.0, at=6.0)
    permit = limit.start(6.0)
    limit.left(permit, 6.0 + left_late)
    limit.note_response(permit, 6.0 + left_late + 0.05 + took_longer)
    at = limit.ask(6.0).reported.get("me:41", 6.0)
    assert at == pytest.approx(6.0 + counted, abs=1e-6)


def test_a_refusal_is_reported_once() -> None:
    limit = make()
    answer_to(limit, 0.0)
    limit.slow_down(1.0)
    limit.slow_down(1.1)
    assert limit.margin(1.1) == pytest.approx(0.07)
    assert limit.next_due(1.1) <= 1.1
    question = answer_to(limit, 1.1)
    assert question.is_refused
    assert question.pause == pytest.approx(0.5)
    assert not limit.ask(1.2).is_refused
    assert limit.next_due(1.2) > 1.2


def test_the_keys_show_no_name_and_lie_together() -> None:
    keys = keys_of("group 123")
    assert len({key.split("{")[1].split("}")[0] for key in keys}) == 1
    assert all(key.startswith("vkanyio:1:{") for key in keys)
    assert "123" not in "".join(keys)
    assert keys == keys_of("group 123")
    assert keys != keys_of("group 124")
