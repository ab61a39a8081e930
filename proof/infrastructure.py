"""Make calls through nginx, tinyproxy and microsocks, which break off and come back.

::

    uv run python -m proof.infrastructure

The programs run on loopback ports, with temporary configurations and certificates, in
front of the simulator in a separate process. Every call is judged by what the simulator
has done. It needs Linux and the programs: ``apt-get install nginx-light tinyproxy-bin
microsocks``. Time is real, so two runs differ.
"""

from __future__ import annotations

import faulthandler
import logging
import os
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, final

import anyio
import attrs
import click
from rich import box
from rich.console import Console
from rich.table import Table

from ._clock import BACKENDS
from ._programs import PACKAGES, Programs, missing_programs
from ._real_servers import SCENARIOS, Run
from ._tally import WIDTH, Tally
from .soak import own_tasks

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ._real_servers import Play

PATIENCE = 120.0
"""Seconds after which a call without an outcome counts as lost."""
SHORT_PATIENCE = 30.0
"""The same in the short form, which makes a tenth of the calls."""
BLOCKED = 10.0
"""Seconds after that in which a scenario that does not block its loop has ended."""
SHORT = 0.1
"""The part of the calls that the short form makes."""
PROXIES = ("tinyproxy", "microsocks")


@final
@attrs.define(eq=False)
class Row:
    """The figures of a scenario, on all event loops together.

    :ivar sockets: how many were left open
    """

    tally: Tally = attrs.field(factory=Tally)
    sockets: int = 0
    seconds: float = 0.0
    notes: list[str] = attrs.field(factory=list[str])
    complaints: list[str] = attrs.field(factory=list[str])

    def add(self, run: Run, backend: str) -> None:
        """Add the calls of a run, which have been judged."""
        effects = run.effects()
        for visit in run.visits:
            self.tally.count_outcome(visit.errand)
            self.tally.count_effects(
                visit.errand, len(effects.get(visit.errand.mark, []))
            )
        self.notes += [f"{backend}: {note}" for note in run.notes]
        self.complaints += [f"{backend}: {complaint}" for complaint in run.complaints]

    def include(self, other: Row) -> None:
        """Add the figures of another event loop."""
        mine, its = self.tally, other.tally
        mine.calls += its.calls
        mine.values += its.values
        mine.cancelled += its.cancelled
        mine.errors += its.errors
        mine.unknown += its.unknown
        mine.lost += its.lost
        mine.twice += its.twice
        self.sockets += other.sockets
        self.seconds += other.seconds
        self.notes += other.notes
        self.complaints += other.complaints

    def figures(self) -> list[str]:
        """Return the row of the table."""
        tally = self.tally
        errors = ", ".join(f"{n} {name}" for name, n in sorted(tally.errors.items()))
        figures = [tally.calls, tally.values, tally.cancelled]
        more = [tally.unknown, tally.lost, tally.twice, self.sockets]
        return [
            *(f"{figure:,}" for figure in figures),
            errors,
            *(f"{figure:,}" for figure in more),
            f"{self.seconds:.0f}",
        ]


def _open_sockets() -> int:
    """Count the sockets of this process."""
    found = 0
    for name in os.listdir("/proc/self/fd"):
        try:
            found += os.readlink(f"/proc/self/fd/{name}").startswith("socket:")
        except OSError:
            continue  # the descriptor of this very directory
    return found


async def _play(play: Play, run: Run, row: Row, patience: float) -> None:
    """Run one scenario, and see what it leaves."""
    before, began = _open_sockets(), time.perf_counter()
    with anyio.move_on_after(patience) as scope:
        await play(run)
    if scope.cancelled_caught:
        run.complain(f"it is not over after {patience:g} s")
    left = _open_sockets() - before
    if left:
        run.complain(f"{left} sockets are still open")
    if tasks := own_tasks():
        run.complain(f"tasks are left: {tasks}")
    row.sockets += left
    row.seconds += time.perf_counter() - began
    run.judge()


def run_infrastructure(
    names: Sequence[str], backend: str, size: float
) -> dict[str, Row]:
    """Start the programs, and run scenarios on one event loop.

    It changes the environment, so it needs a process of its own.

    :param size: the part of the calls that is made, 1.0 for all
    """
    logging.getLogger("vkanyio").addHandler(logging.NullHandler())  # marks are unknown
    rows: dict[str, Row] = {}
    first = 1
    patience = SHORT_PATIENCE if size < 1.0 else PATIENCE
    with TemporaryDirectory() as directory, Programs(Path(directory)) as programs:
        _ignore_environment(programs.authority)
        for name in names:
            row = rows[name] = Row()
            run = Run(programs, size, first)
            print(f"{backend}: {name}", file=sys.stderr, flush=True)
            # What blocks an event loop cannot be cancelled; its place can be shown.
            faulthandler.dump_traceback_later(patience + BLOCKED)
            anyio.run(_play, SCENARIOS[name], run, row, patience, backend=backend)
            faulthandler.cancel_dump_traceback_later()
            row.add(run, backend)
            first += len(run.visits)
    return rows


def _run_all(
    names: Sequence[str], backends: Sequence[str], size: float
) -> dict[str, Row]:
    """Run scenarios on all event loops at once, each in a process with programs."""
    total = {name: Row() for name in names}
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as processes:
        futures = [
            processes.submit(run_infrastructure, names, backend, size)
            for backend in backends
        ]
        for future in futures:
            for name, row in future.result().items():
                total[name].include(row)
    return total


def print_table(rows: Mapping[str, Row]) -> None:
    """Print a table in Markdown with a row for each scenario."""
    table = Table("scenario", box=box.MARKDOWN)
    for title in ("calls", "values", "cancelled", "other errors"):
        table.add_column(title, justify="right", no_wrap=True)
    for title in ("OutcomeUnknownError", "lost", "twice", "sockets left", "seconds"):
        table.add_column(title, justify="right", no_wrap=True)
    for name, row in rows.items():
        table.add_row(name, *row.figures())
    Console(width=WIDTH, highlight=False).print(table)


def report(rows: Mapping[str, Row]) -> int:
    """Print the figures, and the broken promises.

    :return: the exit code: 1 if a promise was broken
    """
    print_table(rows)
    for name, row in rows.items():
        for note in row.notes:
            print(f"{name}, {note}")
    broken = 0
    for name, row in rows.items():
        for complaint, times in Counter(row.complaints).items():
            broken += times
            print(f"BROKEN, {name}, {complaint}")
    if not broken:
        print("Nothing was lost, done twice, or left behind.")
    return 1 if broken else 0


def _possible(missing: Sequence[str]) -> list[str]:
    """Return the scenarios for which the programs are installed."""
    if {"nginx", "openssl"} & set(missing):
        return []  # all of them lead through nginx
    absent = tuple(name for name in PROXIES if name in missing)
    return [name for name in SCENARIOS if not name.startswith(absent)]


def _stop_without(missing: Sequence[str]) -> None:
    packages = " ".join(PACKAGES[name] for name in missing)
    print(
        f"Not installed: {', '.join(missing)}. On Debian: apt-get install {packages}",
        file=sys.stderr,
    )
    sys.exit(2)


def _ignore_environment(authority: Path) -> None:
    """Trust the authority of this run, and no proxy but those of this run."""
    os.environ["SSL_CERT_FILE"] = str(authority)
    for name in [*os.environ]:
        if name.lower().endswith("_proxy"):
            del os.environ[name]


@click.command(help=__doc__.splitlines()[0] if __doc__ else None)
@click.option("--short", is_flag=True, help="Few calls, and only what is installed.")
@click.option("--backend", type=click.Choice(BACKENDS), help="Only on this event loop.")
@click.option("--only", default="", help="Only scenarios whose name contains this.")
def main(short: bool, backend: str | None, only: str) -> None:
    """Run the scenarios, print the table, and exit with 1 if a promise was broken."""
    missing = missing_programs()
    if missing and not short:
        _stop_without(missing)
    names = _possible(missing)
    if skipped := [name for name in SCENARIOS if name not in names]:
        print(f"skipped, without {', '.join(missing)}: {'; '.join(skipped)}")
    if not names:
        return
    names = [name for name in names if only in name]
    backends = [backend] if backend else BACKENDS
    rows = _run_all(names, backends, SHORT if short else 1.0)
    sys.exit(report(rows))


if __name__ == "__main__":
    main()
