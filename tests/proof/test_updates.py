"""A small part of ``python -m proof.updates``; it notices broken promises."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from proof._clock import LOOPS
from proof.updates import WAYS, Way, run_lives

if TYPE_CHECKING:
    from collections import Counter

each_loop = pytest.mark.parametrize("backend", LOOPS)
each_way = pytest.mark.parametrize("way", WAYS)


def check(tally: Counter[str]) -> None:
    assert tally["steps"] > 100
    assert tally["lives"] > 20
    assert tally["gaps"] + tally["again"] > 0


@each_way
@each_loop
@pytest.mark.parametrize("seed", [0, 2])
def test_a_bot_that_is_killed_anywhere_hears_everything(
    backend: str, way: Way, seed: int
) -> None:
    check(run_lives("community", backend, way, seed, stride=9))


@each_way
@each_loop
@pytest.mark.parametrize("seed", [2, 3])
def test_a_bot_that_is_killed_anywhere_hears_all_of_a_mailbox(
    backend: str, way: Way, seed: int
) -> None:
    check(run_lives("mailbox", backend, way, seed, stride=13))
