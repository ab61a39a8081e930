"""Links lead somewhere: those of the READMEs, and the check of the built site."""

from __future__ import annotations

import re
import sys
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from _pages import DOCS

sys.path.insert(0, str(DOCS / "_ext"))

from check_links import broken_links

if TYPE_CHECKING:
    from pathlib import Path

ROOT = DOCS.parent


@pytest.mark.parametrize("name", ["README.md", "README.ru.md", "CONTRIBUTING.md"])
def test_the_links_of_a_page_outside_the_site_lead_to_files(name: str):
    text = (ROOT / name).read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text)
    here = {link for link in links if "://" not in link}
    assert here
    assert {link for link in here if not (ROOT / link).exists()} == set()


def test_the_russian_readme_leads_to_russian_pages():
    text = (ROOT / "README.ru.md").read_text(encoding="utf-8")
    english = re.findall(r"\]\(docs/(?!ru/)([\w/-]+\.md)", text)
    assert [page for page in english if (DOCS / "ru" / page).exists()] == []


WITH_EXAMPLES = [
    name
    for name in (path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md"))
    if not name.startswith("_build/")
    and "{literalinclude}" in (DOCS / name).read_text(encoding="utf-8")
]


@pytest.mark.parametrize("name", WITH_EXAMPLES)
def test_a_link_leads_to_each_example_that_only_the_site_shows(name: str):
    parts = (DOCS / name).read_text(encoding="utf-8").split("{literalinclude} ")
    for before, part in pairwise(parts):
        assert f"]({part.splitlines()[0]})" in before


def test_the_pages_with_examples_are_found():
    assert {"examples.md", "guides/bots.md", "ru/examples.md"} <= {*WITH_EXAMPLES}


def test_broken_links_of_a_site_are_found(tmp_path: Path):
    (tmp_path / "ru").mkdir()
    (tmp_path / "index.html").write_text(
        '<h1 id="one">1</h1> <a href="#one">here</a> <a href="ru/page.html#two">on</a>'
        ' <a href="https://example.com/#any">away</a> <a href="ru/page.html#no">no</a>'
        ' <img src="none.svg"> <a href="#none">no</a>',
        encoding="utf-8",
    )
    (tmp_path / "ru" / "page.html").write_text(
        '<h2 id="two">2</h2> <a href="../index.html#one">back</a> <a href="..">no</a>',
        encoding="utf-8",
    )
    assert list(broken_links(tmp_path)) == [
        "index.html: no anchor ru/page.html#no",
        "index.html: no file none.svg",
        "index.html: no anchor #none",
        "ru/page.html: no file ..",
    ]
