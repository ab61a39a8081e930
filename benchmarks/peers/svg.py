"""The part of SVG that the picture needs.

The text stays text, and a media query adapts the colours to light and dark pages. No
plotting library does both: matplotlib writes each letter as a path with fixed colours,
and pygal loads a script from another site.
"""

from __future__ import annotations

from html import escape

WIDTH = 880

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
.value { paint-order: stroke; stroke: #ffffff; stroke-width: 4px }
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
.value { stroke: #131416 }
.line { stroke: #9aa4af }
.axis { stroke: #3a4048 }
}
"""


def document(drawn: list[str], height: float, title: str) -> str:
    """Return a picture."""
    size = f'viewBox="0 0 {WIDTH} {height:.0f}" width="{WIDTH}" height="{height:.0f}"'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">',
            f"<title>{escape(title)}</title>",
            f"<style>\n{STYLE}</style>",
            '<rect class="page" width="100%" height="100%" rx="6"/>',
            *drawn,
            "</svg>\n",
        ]
    )


def text(
    x: float, y: float, content: str, style: str = "", anchor: str = "start"
) -> str:
    """Return a line of text with its baseline at ``y``."""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" class="{style}" text-anchor="{anchor}">'
        f"{escape(content)}</text>"
    )


def rect(x: float, y: float, width: float, height: float, style: str) -> str:
    """Return a rectangle."""
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"'
        f' class="{style}"/>'
    )


def line(x1: float, y1: float, x2: float, y2: float, style: str) -> str:
    """Return a line."""
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
        f' class="{style}"/>'
    )
