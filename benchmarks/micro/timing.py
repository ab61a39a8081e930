"""Time a part: the best of several rounds, and the spread of the others.

A part does the same work each time, and other load on the machine can only add to it,
so the best round is the figure; how far the median is above it shows the noise. pyperf
would be more precise, but takes minutes: it starts twenty processes for each part.
"""

from __future__ import annotations

import gc
import time
from statistics import median
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from collections.abc import Callable

ROUNDS = 15
SECONDS_A_ROUND = 0.02


@attrs.frozen
class Figure:
    """The best round in seconds, and the relative distance of the median from it."""

    best: float
    spread: float

    @classmethod
    def of(cls, rounds: list[float]) -> Figure:
        """Make a figure from the seconds of each round."""
        best = min(rounds)
        return cls(best, median(rounds) / best - 1)


def timed(part: Callable[[], object]) -> Figure:
    """Time a part that needs no event loop."""
    count = 1
    while (taken := _seconds(part, count)) < SECONDS_A_ROUND / 4:
        count *= 2
    count = max(1, round(count * SECONDS_A_ROUND / taken))
    return Figure.of([_seconds(part, count) / count for _ in range(ROUNDS)])


def _seconds(part: Callable[[], object], count: int) -> float:
    repeat = [None] * count
    gc.collect()
    gc.disable()
    try:
        began = time.perf_counter()
        for _ in repeat:
            part()
        return time.perf_counter() - began
    finally:
        gc.enable()
