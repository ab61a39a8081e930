"""The picture: bars of what matters, and a time line of starts, as SVG.

It is text of a hundred lines that reads in light and dark pages by a media query, which
is why no plotting library draws it: matplotlib writes each letter as a path and knows
one set of colours, and pygal takes its style from a script of another site.
"""

from __future__ import annotations

import statistics
from collections import Counter
from html import escape
from typing import TYPE_CHECKING, TypeAlias

import attrs

from peers.table import names_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from peers.runs import Run

Runs: TypeAlias = "dict[tuple[str, str], Run]"

WIDTH = 880
MARGIN = 24
GAP = 36
COLUMN = (WIDTH - 2 * MARGIN - GAP) / 2
NAMES = 118
VALUES = 96
BAR = 13
ROW = 19
TITLE = 46
TIME_ROW = 44

STYLE = """\
.page { fill: #ffffff }
text { font: 12px system-ui, "Segoe UI", Roboto, sans-serif; fill: #1f2328 }
.head { font-size: 16px; font-weight: 600 }
.title { font-size: 13px; font-weight: 600 }
.quiet { fill: #59636e }
.ours { fill: #2563c4 }
.theirs { fill: #9aa4af }
.over { fill: #cf3a2b }
.bad { fill: #b42318 }
.line { stroke: #59636e; stroke-width: 1; stroke-dasharray: 3 3 }
.axis { stroke: #c8ced5; stroke-width: 1 }
@media (prefers-color-scheme: dark) {
.page { fill: #131416 }
text { fill: #e3e6ea }
.quiet { fill: #9aa4af }
.ours { fill: #5b9bf3 }
.theirs { fill: #5d6671 }
.over { fill: #f0705f }
.bad { fill: #ff8f80 }
.line { stroke: #9aa4af }
.axis { stroke: #3a4048 }
}
"""


@attrs.frozen(kw_only=True)
class Panel:
    """Bars of one figure."""

    workload: str
    title: str
    unit: str
    value: Callable[[Run], float]
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
    ),
    Panel(
        workload="faulty-packed",
        title="Posted twice: 4,000 posts, packed, 5 % faulty",
        unit="",
        value=_twice,
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
    """Draw what was measured; what was not is left out."""
    found: Runs = {(run.library, run.workload): run for run in runs if run.driver}
    names = names_in(runs)
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
    return _document([*drawn, *lines], y + height + MARGIN)


def _document(drawn: list[str], height: float) -> str:
    size = f'viewBox="0 0 {WIDTH} {height:.0f}" width="{WIDTH}" height="{height:.0f}"'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">',
            "<title>vkanyio beside other clients of VK</title>",
            f"<style>\n{STYLE}</style>",
            '<rect class="page" width="100%" height="100%" rx="6"/>',
            _text(MARGIN, MARGIN + 12, "vkanyio beside other clients of VK", "head"),
            _text(
                MARGIN,
                MARGIN + 30,
                "Shorter is better. Dashed: the time of a client without any cost.",
                "quiet",
            ),
            *drawn,
            "</svg>\n",
        ]
    )


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
    lines = [_text(x, y + 14, panel.title, "title")]
    top = y + 24
    for place, name in enumerate(shown):
        run, middle = found[name, panel.workload], top + place * ROW + BAR / 2
        width = max(1.0, values[name] * scale)
        lines += [
            _text(x + NAMES - 8, middle + 4, name, "quiet", anchor="end"),
            _rect(x + NAMES, middle - BAR / 2, width, BAR, _colour(name)),
            *_value(panel, run, values[name], x + NAMES + width + 6, middle + 4),
        ]
    bottom = top + len(shown) * ROW
    if panel.ideal:
        at = x + NAMES + panel.ideal * scale
        lines.append(_line(at, top - 3, at, bottom - 3, "line"))
    return lines, bottom - y + TITLE - 24


def _value(panel: Panel, run: Run, value: float, x: float, y: float) -> list[str]:
    text = f"{value:,.{panel.digits}f} {panel.unit}".strip()
    lines = [_text(x, y, text)]
    failed = len(run.driver["failed"])
    if failed and panel.value is not _twice:
        lines.append(_text(x + 7 * len(text), y, f"{failed} failed", "bad"))
    return lines


def _time_line(found: Runs, names: list[str], y: float) -> tuple[list[str], float]:
    """Draw how many requests of P1 arrived in each second."""
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
    title = "P1, second by second: requests that arrived, and the limit of 20"
    lines = [_text(MARGIN, y + 14, title, "title")]
    left = MARGIN + NAMES
    for place, name in enumerate(shown):
        base = y + 24 + (place + 1) * TIME_ROW
        scale = (TIME_ROW - 12) / tallest
        lines.append(_text(left - 8, base - 2, name, "quiet", anchor="end"))
        for second, count in starts[name].items():
            colour = "over" if count > 20 else _colour(name)
            at = left + second * step
            lines.append(
                _rect(at + 1, base - count * scale, step - 2, count * scale, colour)
            )
        lines += [
            _line(left, base, WIDTH - MARGIN, base, "axis"),
            _line(left, base - 20 * scale, WIDTH - MARGIN, base - 20 * scale, "line"),
        ]
    bottom = y + 24 + len(shown) * TIME_ROW + 16
    for second in range(0, seconds, 5):
        lines.append(_text(left + second * step, bottom, f"{second} s", "quiet"))
    return lines, bottom - y


def _colour(name: str) -> str:
    return "ours" if name.startswith("vkanyio") else "theirs"


def _text(x: float, y: float, text: str, style: str = "", anchor: str = "start") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" class="{style}" text-anchor="{anchor}">'
        f"{escape(text)}</text>"
    )


def _rect(x: float, y: float, width: float, height: float, style: str) -> str:
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"'
        f' class="{style}"/>'
    )


def _line(x1: float, y1: float, x2: float, y2: float, style: str) -> str:
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
        f' class="{style}"/>'
    )
