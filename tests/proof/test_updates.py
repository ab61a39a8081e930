"""A small part of ``python -m proof.updates``; it notices broken promises."""

from __future__ import annotations

import pytest
from proof._clock import LOOPS
from proof.updates import WAYS, Way, run_lives


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("backend", LOOPS)
@pytest.mark.parametrize("seed", [0, 2])
def test_a_bot_that_is_killed_anywhere_hears_everything(
    backend: str, way: Way, seed: int
) -> None:
    tally = run_lives(backend, way, seed, stride=9)
    assert tally["steps"] > 100
    assert tally["lives"] > 20
    assert tally["gaps"] + tally["again"] > 0
