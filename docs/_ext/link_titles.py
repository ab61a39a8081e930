"""Show the title of a link to a file, which Sphinx drops, when the mouse is over it.

Sphinx shows the titles of all other links.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from sphinx.addnodes import download_reference
from sphinx.writers.html5 import HTML5Translator

if TYPE_CHECKING:
    from sphinx.application import Sphinx


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.add_node(download_reference, override=True, html=(_open_link, _close_link))
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _open_link(translator: HTML5Translator, node: download_reference) -> None:
    HTML5Translator.visit_download_reference(translator, node)
    if "reftitle" in node:
        title = escape(node["reftitle"])
        translator.body[-1] = translator.body[-1].replace("<a", f'<a title="{title}"')


def _close_link(translator: HTML5Translator, node: download_reference) -> None:
    HTML5Translator.depart_download_reference(translator, node)
