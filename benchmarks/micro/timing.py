"""How the parts are timed: the best of several rounds, and how far the others were off.

A part takes the same work each time, and whatever else the machine does only adds to
it, so that the best round is the figure; the median over it says how noisy the machine
was. pyperf would tell more, and take minutes: it starts twenty processes for each part.
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
    """The best round, in seconds, and the median over it."""

    best: float
    spread: float

    @classmethod
    def of(cls, rounds: list[float]) -> Figure:
        """Make it of the seconds that each round took."""
        best = min(rounds)
        return cls(best, median(rounds) / best - 1)


def timed(part: Callable[[], object]) -> Figure:
    """Time a part that takes no event loop."""
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
