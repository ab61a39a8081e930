"""Counts of what was tried."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ._calls import Call


@final
class Tally:
    """The number of runs and cancellations, and the outcomes of the calls."""

    def __init__(self) -> None:
        self.runs = 0
        self.cancellations = 0
        self.outcomes: Counter[str] = Counter()

    def add(self, cancellations: int, calls: Iterable[Call]) -> None:
        """Add a run."""
        self.runs += 1
        self.cancellations += cancellations
        self.outcomes.update(each.name_of_outcome for each in calls)

    def add_all(self, other: Tally) -> None:
        """Add the runs of another."""
        self.runs += other.runs
        self.cancellations += other.cancellations
        self.outcomes.update(other.outcomes)

    def __str__(self) -> str:
        outcomes = ", ".join(f"{n:,} {name}" for name, n in self.outcomes.most_common())
        return f"{self.runs:,} runs, {self.cancellations:,} cancellations: {outcomes}"
