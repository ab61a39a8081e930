"""Check the internal links and anchors of the built site, in all languages.

::

    uv run python docs/_ext/check_links.py docs/_build/html

Sphinx checks the links that it makes itself. This finds the others: those of templates
and raw HTML, and those between the builds of the two languages.
"""

from __future__ import annotations

import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator


class Page(HTMLParser):
    """The links and anchors of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.anchors = {"", "top"}
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect what an element leads to, and what leads to it."""
        for name, value in attrs:
            if name in ("href", "src") and value is not None:
                self.links.append(value)
            elif (name == "id" or (tag == "a" and name == "name")) and value:
                self.anchors.add(value)


def broken_links(site: Path) -> Iterator[str]:
    """Yield a line for each link that leads nowhere."""
    pages = {
        path.resolve(): Page(path.read_text(encoding="utf-8"))
        for path in sorted(site.rglob("*.html"))
    }
    for path, page in pages.items():
        for link in dict.fromkeys(page.links):
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            place = (path.parent / unquote(parts.path)).resolve()
            target = place if parts.path else path
            if not target.is_file():
                yield f"{path.relative_to(site.resolve())}: no file {link}"
            elif target in pages and unquote(parts.fragment) not in (
                pages[target].anchors
            ):
                yield f"{path.relative_to(site.resolve())}: no anchor {link}"


def main() -> int:
    """Print the broken links of a site, and return 1 if there are any."""
    found = list(broken_links(Path(sys.argv[1])))
    sys.stderr.writelines(f"{line}\n" for line in found)
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
