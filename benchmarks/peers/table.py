"""The table: a line for each figure, a column for each library."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING

import attrs

from peers.libraries import libraries
from peers.workloads import WORKLOADS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from peers.libraries import Library
    from peers.runs import Run
    from peers.workloads import Workload


@attrs.frozen
class Figure:
    """One figure of a workload."""

    label: str
    of: Callable[[Run], str]


def _failed(run: Run) -> str:
    return str(len(run.driver["failed"]))


SECONDS = Figure("seconds", lambda run: f"{run.driver['seconds']:.2f}")
REFUSED = Figure("refused by the server", lambda run: str(run.server["refused"]))
FAILED = Figure("calls that failed", _failed)
FULLEST = Figure("fullest second", lambda run: str(run.server["worst_window"]))
CPU = Figure(
    "CPU a call, µs",
    lambda run: f"{1e6 * run.driver['cpu'] / max(1, run.driver['done']):.0f}",
)
MEMORY = Figure(
    "memory a call, kB",
    lambda run: f"{run.driver['memory'] / 1000 / max(1, run.driver['done']):.1f}",
)
REQUESTS = Figure("requests", lambda run: str(run.server["requests"]))
LIMITED = [SECONDS, REFUSED, FAILED, FULLEST, CPU]
COST = [SECONDS, CPU, MEMORY]
FAULTY = [
    SECONDS,
    FAILED,
    Figure("of these carried out", lambda run: str(run.unnoticed)),
    Figure("of these reported as unknown", lambda run: str(run.unknown)),
    Figure("carried out twice", lambda run: str(run.server["twice"])),
    Figure("with a value, not carried out", lambda run: str(run.lost)),
]


def _milliseconds(seconds: Iterable[float]) -> str:
    """Return the median."""
    return f"{1000 * statistics.median(seconds):.2f}"


def _longest(caller: str) -> Callable[[Run], str]:
    return lambda run: f"{max(run.driver['waits'][caller]):.2f}"


def _items(run: Run) -> str:
    driver = run.driver
    return f"{driver['done']:,} / {driver['missing']:,} / {driver['twice']:,}"


SHAPES = {
    "list": [
        SECONDS,
        REQUESTS,
        REFUSED,
        Figure("items: got / missing / twice", _items),
        Figure(
            "CPU an item, µs",
            lambda run: f"{1e6 * run.driver['cpu'] / max(1, run.driver['done']):.2f}",
        ),
        Figure("memory, MB", lambda run: f"{run.driver['memory'] / 1e6:.1f}"),
    ],
    "idle": [
        Figure(
            "latency, ms (median)",
            lambda run: _milliseconds(run.driver["waits"]["few"]),
        ),
        Figure(
            "the slowest, ms",
            lambda run: f"{1000 * max(run.driver['waits']['few']):.1f}",
        ),
        CPU,
    ],
    "share": [
        FAILED,
        Figure("the ten wait, s (longest)", _longest("few")),
        Figure("the 500 wait, s (longest)", _longest("many")),
    ],
}


def figures_of(workload: Workload) -> list[Figure]:
    """Return the figures to show for a workload."""
    if workload.shape in SHAPES:
        return SHAPES[workload.shape]
    if workload.faults:
        return FAULTY
    return LIMITED if workload.is_limited else COST


def of(runs: list[Run]) -> str:
    """Return the table in Markdown, and below it how each library was used."""
    found = {(run.library, run.workload): run for run in runs}
    names = names_in(runs)
    lines = [
        _row(["work", "figure", *names]),
        _row(["---", "---", *["--:"] * len(names)]),
    ]
    for workload in WORKLOADS:
        if not any((name, workload.name) in found for name in names):
            continue
        for place, figure in enumerate(figures_of(workload)):
            ideal = f", ideal {workload.ideal} s" if workload.ideal else ""
            title = f"**{workload.name}**: {workload.title}{ideal}" if not place else ""
            cells = [_cell(found.get((name, workload.name)), figure) for name in names]
            lines.append(_row([title, figure.label, *cells]))
    return "\n".join([*lines, "", *_notes(runs, names)])


def names_in(runs: list[Run]) -> list[str]:
    """Return the names of the libraries: vkanyio, its peers, then bare HTTP clients."""
    order = {"vkanyio": 0, "httpx": 2, "httpx2": 2}
    names = dict.fromkeys(run.library for run in runs)
    return sorted(names, key=lambda name: order.get(name.split("-")[0], 1))


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(run: Run | None, figure: Figure) -> str:
    if run is None:
        return "-"
    return figure.of(run) if run.driver else "failed"


def _notes(runs: list[Run], names: list[str]) -> list[str]:
    """Return how each library was used, what it cannot do, and what went wrong."""
    lines: list[str] = []
    for library in libraries():
        if library.name not in names:
            continue
        lines.append(f"- {library.name} ({library.package}):")
        lines += [f"  - {kind}: {way}" for kind, way in library.ways.items()]
        lines += [
            f"  - no {', '.join(without)}: {why}"
            for why, without in _skipped(library).items()
        ]
        lines += [
            f"  - {run.workload}: {', '.join(_troubles(run))}"
            for run in runs
            if run.library == library.name and _troubles(run)
        ]
    return lines


def _skipped(library: Library) -> dict[str, list[str]]:
    """Return the workloads that a library does not do, by reason."""
    skipped: dict[str, list[str]] = {}
    for workload in WORKLOADS:
        if why := library.cannot(workload):
            skipped.setdefault(why, []).append(workload.name)
    return skipped


def _troubles(run: Run) -> list[str]:
    errors = run.driver.get("errors", {})
    raised = [f"{count} calls raised {error}" for error, count in errors.items()]
    return [*raised, run.problem] if run.problem else raised
