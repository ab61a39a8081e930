"""The site shows the title of a link to a file."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
from _pages import DOCS

if TYPE_CHECKING:
    from pathlib import Path

pytest.importorskip("myst_parser", reason="needs the group docs")

from sphinx.application import Sphinx


def test_the_title_of_a_link_to_a_file_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", [str(DOCS / "_ext"), *sys.path])
    (tmp_path / "index.md").write_text(
        '# Page\n\n[one](a.py "a \\"test\\"") [two](a.py)', encoding="utf-8"
    )
    (tmp_path / "a.py").write_text("", encoding="utf-8")
    Sphinx(
        tmp_path,
        None,
        tmp_path / "html",
        tmp_path / "trees",
        "html",
        confoverrides={"extensions": ["myst_parser", "link_titles"]},
        status=None,
    ).build()
    page = (tmp_path / "html" / "index.html").read_text(encoding="utf-8")
    assert page.count("<a title=") == 1
    assert '<a title="a &quot;test&quot;" class="reference download' in page
