"""The picture: bar charts of the main figures, and a time line, as SVG."""

from __future__ import annotations

import statistics
from collections import Counter
from typing import TYPE_CHECKING, TypeAlias

import attrs

from peers.svg import WIDTH, document, line, rect, text
from peers.table import names_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from peers.runs import Run

Runs: TypeAlias = "dict[tuple[str, str], Run]"

MARGIN = 24
GAP = 36
COLUMN = (WIDTH - 2 * MARGIN - GAP) / 2
NAMES = 118
VALUES = 96
BAR = 13
ROW = 19
BELOW = 22
TIME_ROW = 44

OURS = {
    "vkanyio-asyncio": "vkanyio, asyncio",
    "vkanyio-trio": "vkanyio, trio",
    "vkanyio-asyncio/stream": "vkanyio, stream",
    "vkanyio-asyncio/gather": "vkanyio, gather",
}
"""The names of the variants of vkanyio that are drawn: the others are like these."""

TITLE = "vkanyio and other VK clients"
EXPLANATION = "Shorter is better. Dashed: the time of an ideal client."


@attrs.frozen(kw_only=True)
class Panel:
    """A bar chart of one figure."""

    workload: str
    title: str
    unit: str
    value: Callable[[Run], float]
    counts: bool = False
    digits: int = 0
    ideal: float | None = None


def _seconds(run: Run) -> float:
    return float(run.driver["seconds"])


def _latency(run: Run) -> float:
    return 1000 * float(statistics.median(run.driver["waits"]["few"]))


def _cpu(run: Run) -> float:
    return 1e6 * float(run.driver["cpu"]) / max(1, int(run.driver["done"]))


def _memory(run: Run) -> float:
    return float(run.driver["memory"]) / 1000 / max(1, int(run.driver["done"]))


def _twice(run: Run) -> float:
    return float(run.server["twice"])


def _failed(run: Run) -> float:
    return float(len(run.driver["failed"]))


def _longest(run: Run) -> float:
    return float(max(run.driver["waits"]["few"]))


def _work(name: str, title: str, ideal: float) -> Panel:
    return Panel(
        workload=name, title=title, unit="s", value=_seconds, digits=2, ideal=ideal
    )


PANELS = [
    _work("P1", "200 calls at limit 20, in bursts", 9.1),
    _work("P2", "200 calls at limit 20, evenly spaced", 10.05),
    _work("P3", "1,000 calls at limit 20, packed", 1.1),
    _work("P4", "10,000 calls at limit 20, packed", 19.1),
    _work("P10", "60,000 members at limit 3, read whole", 0.4),
    Panel(
        workload="idle",
        title="A single call of an idle client",
        unit="ms",
        value=_latency,
        digits=2,
    ),
    Panel(
        workload="share-tokens",
        title="Ten calls of another token, while 500 wait",
        unit="s",
        value=_longest,
        digits=2,
    ),
    Panel(
        workload="faulty-posts",
        title="Posted twice: 300 posts, 5 % of requests faulty",
        unit="",
        value=_twice,
        counts=True,
    ),
    Panel(
        workload="faulty-packed",
        title="Posted twice: 4,000 posts, packed, 5 % faulty",
        unit="",
        value=_twice,
        counts=True,
    ),
    Panel(
        workload="faulty-reads",
        title="Reads that fail: of 300, 5 % of requests faulty",
        unit="",
        value=_failed,
        counts=True,
    ),
    Panel(
        workload="packed-100000",
        title="Memory of a packed call, of 100,000",
        unit="kB",
        value=_memory,
        digits=1,
    ),
    Panel(
        workload="plain-1000",
        title="Processor time of a call, one in a request",
        unit="µs",
        value=_cpu,
    ),
    Panel(
        workload="packed-10000",
        title="Processor time of a packed call, of 10,000",
        unit="µs",
        value=_cpu,
    ),
]


def of(runs: list[Run]) -> str:
    """Draw what was measured, and leave out the rest."""
    found: Runs = {(run.library, run.workload): run for run in runs if run.driver}
    names = [name for name in names_in(runs) if _is_drawn(name)]
    drawn: list[str] = []
    y = MARGIN + 44.0
    panels = [panel for panel in PANELS if _names_in(panel, found, names)]
    for left, right in zip(panels[::2], [*panels[1::2], None], strict=False):
        heights = []
        for column, panel in enumerate([left, right]):
            if panel is not None:
                x = MARGIN + column * (COLUMN + GAP)
                lines, height = _bars(panel, found, names, x, y)
                drawn += lines
                heights.append(height)
        y += max(heights)
    lines, height = _time_line(found, names, y)
    head = [
        text(MARGIN, MARGIN + 12, TITLE, "head"),
        text(MARGIN, MARGIN + 30, EXPLANATION, "quiet"),
    ]
    return document([*head, *drawn, *lines], y + height + MARGIN, TITLE)


def _is_drawn(name: str) -> bool:
    return name in OURS or not name.startswith(("vkanyio", "httpx2"))


def _names_in(panel: Panel, found: Runs, names: list[str]) -> list[str]:
    return [name for name in names if (name, panel.workload) in found]


def _bars(
    panel: Panel, found: Runs, names: list[str], x: float, y: float
) -> tuple[list[str], float]:
    """Draw a panel.

    :return: its elements, and its height
    """
    shown = _names_in(panel, found, names)
    values = {name: panel.value(found[name, panel.workload]) for name in shown}
    scale = (COLUMN - NAMES - VALUES) / (max([*values.values(), panel.ideal or 0]) or 1)
    top = y + 24
    bottom = top + len(shown) * ROW
    bars: list[str] = []
    words = [text(x, y + 14, panel.title, "title")]
    for place, name in enumerate(shown):
        middle = top + place * ROW + BAR / 2
        width = max(1.0, values[name] * scale) if values[name] else 0
        bars.append(rect(x + NAMES, middle - BAR / 2, width, BAR, _colour(name)))
        words.append(
            text(x + NAMES - 8, middle + 4, OURS.get(name, name), "quiet", anchor="end")
        )
        run, at = found[name, panel.workload], x + NAMES + width + 6
        words += _value(panel, run, values[name], at, middle + 4)
    if panel.ideal:
        at = x + NAMES + panel.ideal * scale
        bars.append(line(at, top - 3, at, bottom - 3, "line"))
    return [*bars, *words], bottom - y + BELOW


def _value(panel: Panel, run: Run, value: float, x: float, y: float) -> list[str]:
    shown = f"{value:,.{panel.digits}f} {panel.unit}".strip()
    lines = [text(x, y, shown, "value")]
    failed = len(run.driver["failed"])
    if failed and not panel.counts:
        lines.append(text(x + 7 * len(shown), y, f"{failed} failed", "value bad"))
    return lines


def _time_line(found: Runs, names: list[str], y: float) -> tuple[list[str], float]:
    """Draw the number of requests in P1 that arrived in each second."""
    shown = [name for name in names if (name, "P1") in found]
    if not shown:
        return [], 0
    starts = {
        name: Counter(int(each) for each in found[name, "P1"].server["starts"])
        for name in shown
    }
    seconds = 1 + max(max(counts) for counts in starts.values())
    tallest = max(20, *(max(counts.values()) for counts in starts.values()))
    step = (WIDTH - 2 * MARGIN - NAMES) / seconds
    title = "200 calls in bursts: requests that arrived in each second, and the limit"
    lines = [text(MARGIN, y + 14, title, "title")]
    left = MARGIN + NAMES
    for place, name in enumerate(shown):
        base = y + 24 + (place + 1) * TIME_ROW
        scale = (TIME_ROW - 12) / tallest
        lines.append(
            text(left - 8, base - 2, OURS.get(name, name), "quiet", anchor="end")
        )
        for second, count in starts[name].items():
            colour = "over" if count > 20 else _colour(name)
            at = left + second * step
            lines.append(
                rect(at + 1, base - count * scale, step - 2, count * scale, colour)
            )
        lines += [
            line(left, base, WIDTH - MARGIN, base, "axis"),
            line(left, base - 20 * scale, WIDTH - MARGIN, base - 20 * scale, "line"),
        ]
    bottom = y + 24 + len(shown) * TIME_ROW + 16
    for second in range(0, seconds, 5):
        lines.append(text(left + second * step, bottom, f"{second} s", "quiet"))
    return lines, bottom - y


def _colour(name: str) -> str:
    return "ours" if name.startswith("vkanyio") else "theirs"
