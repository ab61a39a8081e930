"""The Russian pages say the same as the English: headings, code and tables."""

from __future__ import annotations

import io
import re
import tokenize
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
RUSSIAN = [ROOT / "README.ru.md", *sorted((ROOT / "docs" / "ru").rglob("*.md"))]


def english_of(page: Path) -> Path:
    if page.name == "README.ru.md":
        return ROOT / "README.md"
    return ROOT / "docs" / page.relative_to(ROOT / "docs" / "ru")


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def headings(text: str) -> list[int]:
    """Return the levels of the headings, in their order."""
    prose = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    return [len(marks) for marks in re.findall(r"^(#+) ", prose, re.MULTILINE)]


def code(text: str) -> list[tuple[str, str]]:
    """Return the blocks of code with their languages; comments may be translated."""
    found = re.findall(r"^```(\S*)[^\n]*\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    return [(language, without_comments(language, block)) for language, block in found]


def without_comments(language: str, block: str) -> str:
    if language != "python":
        return re.sub(r"\s*#.*", "", block)
    tokens = tokenize.generate_tokens(io.StringIO(block).readline)
    kept = [token.string for token in tokens if token.type != tokenize.COMMENT]
    return " ".join(" ".join(kept).split())


def first_columns(text: str) -> list[list[str]]:
    """Return the code that each row of the tables has in its first cell."""
    cells = re.findall(r"^\| (.*?) \|", text, re.MULTILINE)
    return [re.findall(r"`[^`]*`", cell) for cell in cells]


@pytest.mark.parametrize("page", RUSSIAN, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_russian_page_has_the_headings_and_the_code_of_the_english(page: Path):
    russian, english = text_of(page), text_of(english_of(page))
    assert headings(russian) == headings(english)
    assert code(russian) == code(english)
    assert first_columns(russian) == first_columns(english)


@pytest.mark.parametrize("page", RUSSIAN, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_russian_page_is_in_russian(page: Path):
    prose = re.sub(r"^```.*?^```", "", text_of(page), flags=re.DOTALL | re.MULTILINE)
    for paragraph in prose.split("\n\n"):
        words = re.sub(r"`[^`]*`|\(.*?\)|:::.*|\{.*?\}", "", paragraph)
        if len(words) > 100:
            assert re.search(r"[\u0430-\u044f\u0451]", words), paragraph
