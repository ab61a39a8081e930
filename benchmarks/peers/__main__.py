"""Compare vkanyio to other clients: ``uv run python -m benchmarks.peers``.

Each library runs in a separate process and environment, against a new server process
(``benchmarks/server.py``). ``workloads.py`` defines the workloads; ``libraries.py`` and
``drivers/`` define how each library is used. A full run takes 28 minutes; ``--only``
and ``--workload`` select parts of it. Workloads that are bound by the processor show
the fastest of three rounds.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

# So that modules import each other by name, as in the other benchmarks.
sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[2] / "tests" / "foreign"))

import install

from peers import picture, store, table
from peers.libraries import libraries
from peers.runs import Run, run, to_show
from peers.workloads import WORKLOADS

if TYPE_CHECKING:
    from collections.abc import Generator


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(
        prog="benchmarks.peers", description=__doc__.splitlines()[0]
    )
    add = parser.add_argument
    names = [workload.name for workload in WORKLOADS]
    add(
        "--only",
        action="append",
        metavar="NAME",
        help="libraries whose names begin with this",
    )
    add("--workload", action="append", choices=names, metavar="NAME", help=str(names))
    add("--keep", type=Path, metavar="FILE", help="store figures, replacing older ones")
    add(
        "--kept",
        type=Path,
        metavar="FILE",
        help="show stored figures instead of measuring",
    )
    add("--svg", type=Path, metavar="FILE", help="draw the picture")
    options = parser.parse_args()
    if options.kept:
        runs = store.read(options.kept)
    else:
        install.main()
        runs = []
        for each in measure(options.only or [""], options.workload or names):
            runs.append(each)
            if options.keep:
                store.keep(options.keep, each)
    print(table.of(runs))
    if options.svg:
        options.svg.write_text(picture.of(runs), encoding="utf-8")


def measure(only: list[str], names: list[str]) -> Generator[Run]:
    """Run one workload at a time, so that compared figures are close in time."""
    chosen = [each for each in libraries() if each.name.startswith(tuple(only))]
    began = time.monotonic()
    for workload in WORKLOADS:
        rounds: dict[str, list[Run]] = {}
        for library in workload.rounds * chosen if workload.name in names else ():
            if library.cannot(workload) or workload.needs not in library.ways:
                continue
            done = run(library, workload)
            load = os.getloadavg()[0]
            print(
                f"{time.monotonic() - began:6.0f} s, load {load:.1f}:"
                f" {workload.name} with {library.name}: {done.summary}",
                file=sys.stderr,
            )
            rounds.setdefault(library.name, []).append(done)
        yield from map(to_show, rounds.values())


if __name__ == "__main__":
    main()
