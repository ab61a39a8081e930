"""The figures of a run, and the table that shows them."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, final

import attrs
from rich import box
from rich.console import Console
from rich.table import Table

from vkanyio import OutcomeUnknownError

from ._errand import Cancelled, Nothing
from ._kinds import fault_in

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from vkanyio.testing import Entry

    from ._errand import Errand


WIDTH = 250
"""Columns of the table, which must not wrap in a narrow terminal."""


@final
class Broken(Exception):
    """Raised when a promise was broken; says by which call, and how."""


@final
@attrs.define(eq=False, kw_only=True)
class Tally:
    """The figures of a run.

    :ivar at_rest: memory or files in use after the warm-up, and at the end
    :ivar seconds: duration
    :ivar busy_seconds: processor time
    :ivar seeming_seconds: duration by the client's clock
    :ivar digest: the same for two runs if all their requests and outcomes are the same
    :ivar complaint: which promise was broken, None if all were kept
    """

    calls: int = 0
    requests: int = 0
    packed: int = 0
    split: int = 0
    faults: Counter[str] = attrs.field(factory=Counter[str])
    cancelled: int = 0
    values: int = 0
    unknown: int = 0
    errors: Counter[str] = attrs.field(factory=Counter[str])
    lost: int = 0
    twice: int = 0
    at_rest: tuple[str, str] = ("", "")
    seconds: float = 0.0
    busy_seconds: float = 0.0
    seeming_seconds: float = 0.0
    digest: str = ""
    complaint: str | None = None

    def count_outcome(self, errand: Errand) -> None:
        """Count the outcome of a call."""
        outcome = errand.outcome
        self.calls += 1
        if isinstance(outcome, Nothing):
            self.lost += 1
        elif isinstance(outcome, Cancelled):
            self.cancelled += 1
        elif isinstance(outcome, OutcomeUnknownError):
            self.unknown += 1
        elif isinstance(outcome, BaseException):
            self.errors[type(outcome).__name__] += 1
        else:
            self.values += 1

    def count_effects(self, errand: Errand, effects: int) -> None:
        """Compare what was carried out with the outcome, and count the differences."""
        if errand.kind.reads:
            return
        self.twice += effects > 1
        has_value = not isinstance(
            errand.outcome, BaseException | Cancelled | Nothing
        ) and not getattr(errand.outcome, "errors", ())
        self.lost += has_value and not effects

    def count_faults(self, entries: Sequence[Entry]) -> None:
        """Count the faults and errors in ledger entries."""
        for entry in entries:
            if entry.fault is not None:
                self.faults[fault_in(entry)] += 1
            elif isinstance(entry.outcome, int):
                self.faults[f"limits: error {entry.outcome}"] += 1


def report(tallies: Mapping[str, Tally]) -> int:
    """Print the figures of several runs, and the broken promises.

    :param tallies: the figures, by the names of the runs
    :return: the exit code: 1 if a promise was broken
    """
    print_table(tallies)
    broken = {name: each.complaint for name, each in tallies.items() if each.complaint}
    for name, complaint in broken.items():
        print(f"BROKEN, {name}: {complaint}")
    if not broken:
        print("Nothing was lost, done twice, or left behind.")
    return 1 if broken else 0


def print_table(tallies: Mapping[str, Tally]) -> None:
    """Print a table in Markdown with a column for each run."""
    rows: list[tuple[str, Callable[[Tally], object]]] = [
        ("calls", lambda tally: tally.calls),
        ("requests", lambda tally: tally.requests),
        ("calls in batches", lambda tally: tally.packed),
        ("batches that were halved", lambda tally: tally.split),
        *_each(tallies, lambda tally: tally.faults),
        ("**faults**", lambda tally: tally.faults.total()),
        ("cancelled", lambda tally: tally.cancelled),
        ("values", lambda tally: tally.values),
        *_each(tallies, lambda tally: tally.errors),
        ("OutcomeUnknownError", lambda tally: tally.unknown),
        ("**lost**", lambda tally: tally.lost),
        ("**twice**", lambda tally: tally.twice),
        ("in use after the warm-up", lambda tally: tally.at_rest[0]),
        ("in use at the end", lambda tally: tally.at_rest[1]),
        ("duration", lambda tally: f"{tally.seconds:,.0f} s"),
        ("processor time", lambda tally: f"{tally.busy_seconds:,.0f} s"),
        ("by the client's clock", lambda tally: f"{tally.seeming_seconds:,.0f} s"),
        ("digest", lambda tally: tally.digest),
    ]
    table = Table("", box=box.MARKDOWN)
    for name in tallies:
        table.add_column(name, justify="right", no_wrap=True)
    for name, figure in rows:
        figures = [figure(tally) for tally in tallies.values()]
        table.add_row(name, *map(_written, figures))
    Console(width=WIDTH, highlight=False).print(table)


def _each(
    tallies: Mapping[str, Tally], counter_of: Callable[[Tally], Counter[str]]
) -> list[tuple[str, Callable[[Tally], object]]]:
    """Return a row for each name that was counted in any of the runs."""

    def row(name: str) -> tuple[str, Callable[[Tally], object]]:
        return name, lambda tally: counter_of(tally)[name]

    names = {name for tally in tallies.values() for name in counter_of(tally)}
    return [row(name) for name in sorted(names)]


def _written(figure: object) -> str:
    return f"{figure:,}" if isinstance(figure, int) else str(figure)
