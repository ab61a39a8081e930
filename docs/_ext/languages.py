"""Lets each page link to itself in the other language, where that has it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx

HERE = Path(__file__).parent.parent


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.connect("html-page-context", _add_other_language)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _add_other_language(
    app: Sphinx, page: str, _template: str, context: dict[str, Any], _tree: object
) -> None:
    pathto = context["pathto"]
    if app.config.language == "ru":
        here, there, name = HERE, f"../{page}", "English"
    else:
        here, there, name = HERE / "ru", f"ru/{page}", "Русский"
    if (here / f"{page}.md").exists():
        context["other_language"] = {"name": name, "url": pathto(there)}
