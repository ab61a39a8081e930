"""A small part of ``python -m proof.updates``; it notices broken promises."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from proof._clock import LOOPS
from proof.updates import WAYS, Way, run_lives

if TYPE_CHECKING:
    from proof._followed import Kind


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("backend", LOOPS)
@pytest.mark.parametrize(
    ("kind", "seed"),
    [("community", 0), ("community", 2), ("mailbox", 2), ("mailbox", 3)],
)
def test_a_bot_that_is_killed_anywhere_hears_everything(
    kind: Kind, backend: str, way: Way, seed: int
) -> None:
    stride = 9 if kind == "community" else 13
    tally = run_lives(kind, backend, way, seed, stride=stride)
    assert tally["steps"] > 100
    assert tally["lives"] > 20
    assert tally["gaps"] + tally["again"] > 0
