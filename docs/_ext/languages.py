"""Link the pages of the two languages, which are separate builds.

Each page links to its translation, if there is one. The Russian pages are built into
``ru`` below the English ones. Their relative links to pages without a translation lead
to the English pages.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.util import logging

if TYPE_CHECKING:
    from sphinx.application import Sphinx

HERE = Path(__file__).parent.parent
logger = logging.getLogger(__name__)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.connect("html-page-context", _add_other_language)
    app.connect("doctree-read", _link_to_english)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _add_other_language(
    app: Sphinx, page: str, _template: str, context: dict[str, Any], _tree: object
) -> None:
    pathto = context["pathto"]
    if app.config.language == "ru":
        here, there, code, name = HERE, f"../{page}", "en", "English"
    else:
        here, there, code, name = HERE / "ru", f"ru/{page}", "ru", "Русский"
    if (here / f"{page}.md").exists():
        url = pathto(there)
        context["other_language"] = {"code": code, "name": name, "url": url}


def _link_to_english(app: Sphinx, tree: nodes.document) -> None:
    for node in tuple(tree.findall(pending_xref)):
        target = Path(node["reftarget"])
        # For a page outside this build, MyST gives its path without the suffix.
        if node.get("refdomain") != "doc" or not target.is_absolute():
            continue
        page, anchor = target.relative_to(HERE).as_posix(), node.get("reftargetid")
        if not _is_built(app, page, anchor):
            logger.warning(
                "no English page or anchor %s#%s", page, anchor, location=node
            )
        url = app.builder.get_relative_uri(app.env.docname, f"../{page}")
        link = nodes.reference("", "", refuri=f"{url}#{anchor}" if anchor else url)
        link += node.children
        node.replace_self(link)


def _is_built(app: Sphinx, page: str, anchor: str | None) -> bool:
    built = Path(app.outdir).parent / f"{page}.html"
    if not built.exists():
        return False
    return anchor is None or f'id="{anchor}"' in built.read_text(encoding="utf-8")
