"""Which calls are retried, and when."""

from __future__ import annotations

import random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from vkanyio import APIError
from vkanyio._outcome import AMBIGUOUS_CODES, Failure
from vkanyio._retry import MAX_DELAY, back_off, new_random_id

GENERATOR = random.Random(0)


@pytest.mark.parametrize("code", [1, 10, 36])
def test_internal_failures_of_vk_leave_open_what_was_done(code: int) -> None:
    failure = Failure.from_api(APIError[code](code, ""))
    assert failure.maybe_carried_out
    assert failure.is_transient
    assert not failure.retry_at_once


@given(st.integers().filter(lambda code: code not in (1, 10, 36)))
@example(6)
def test_with_all_other_codes_nothing_was_done(code: int) -> None:
    failure = Failure.from_api(APIError(code, ""))
    assert not failure.maybe_carried_out
    assert failure.is_transient is (code == 6)


def test_the_ambiguous_codes_are_three() -> None:
    assert sorted(AMBIGUOUS_CODES) == [1, 10, 36]


@given(
    st.floats(0, 1e9) | st.integers(0, 10**9),
    st.integers(1, 10**6),
)
def test_a_back_off_grows_from_the_base_up_to_its_bound(
    wait: float, tries: int
) -> None:
    delay = back_off(wait, tries, GENERATOR)
    assert 0 <= delay <= MAX_DELAY
    if tries < 30:
        assert delay <= wait * 2 ** (tries - 1)


@pytest.mark.parametrize(
    ("wait", "tries", "max_delay"),
    [(3, 1, 3), (3, 2, 6), (3, 3, 12), (3, 9, 60), (0, 5, 0)],
)
def test_a_back_off_is_jittered_over_all_of_its_range(
    wait: float, tries: int, max_delay: float
) -> None:
    delays = sorted(back_off(wait, tries, GENERATOR) for _ in range(2000))
    assert delays[-1] <= max_delay
    assert delays[0] <= 0.05 * max_delay
    assert delays[-1] >= 0.95 * max_delay
    assert delays[1000] == pytest.approx(max_delay / 2, rel=0.2)


@pytest.mark.parametrize(("place", "key"), [(0, 1), (-1, 2**31 - 1)])
def test_a_random_id_is_any_from_one_on(
    monkeypatch: pytest.MonkeyPatch, place: int, key: int
) -> None:
    def randrange(_: random.Random, *bounds: int) -> int:
        return range(*bounds)[place]

    monkeypatch.setattr("random.SystemRandom.randrange", randrange)
    assert new_random_id() == key


def test_a_program_that_seeds_and_is_started_again_gets_other_random_ids() -> None:
    keys: set[int] = set()
    state = random.getstate()
    for _ in range(2):
        random.seed(42)
        keys |= {new_random_id() for _ in range(10)}
    random.setstate(state)
    assert len(keys) == 20


def test_a_random_id_is_one_that_vk_keeps_whole() -> None:
    keys = [new_random_id() for _ in range(10_000)]
    assert min(keys) >= 1
    assert max(keys) < 2**31
    assert max(keys) > 2**30  # the whole range is used, which keeps collisions rare
    assert len(set(keys)) > 9_990
