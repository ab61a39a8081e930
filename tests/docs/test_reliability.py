"""Each promise of the page on reliability has a test that is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from _pages import DOCS

ROOT = DOCS.parent
PAGE = (DOCS / "reliability.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall("`(test_[a-z0-9_]+)`", PAGE)))
LINKS = re.findall(r'\[([^]]+)\]\((\.\./tests/[\w/]+\.py) "([^"]+)"\)', PAGE)
DEFINED = {
    name
    for path in (ROOT / "tests").rglob("test_*.py")
    for name in re.findall(r"def (test_\w+)\(", path.read_text(encoding="utf-8"))
}


@pytest.mark.parametrize("name", NAMED)
def test_a_test_that_a_promise_names_is_there(name: str):
    assert name in DEFINED


def test_each_link_leads_to_the_file_of_its_test():
    assert len(LINKS) > 50
    for text, place, sentence in LINKS:
        assert Path(place).stem == f"test_{text.replace(' ', '_')}"
        name = f"test_{sentence.replace(' ', '_')}"
        assert f"def {name}(" in (DOCS / place).read_text(encoding="utf-8"), sentence


def test_each_link_to_a_test_has_the_sentence_of_the_test():
    assert len(LINKS) == PAGE.count("](../tests/")
