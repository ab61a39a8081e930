"""The Russian pages say the same as the English: headings, code and tables."""

from __future__ import annotations

import io
import re
import textwrap
import tokenize
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^( *)```(\S*)[^\n]*\n(.*?)^\1```", re.DOTALL | re.MULTILINE)
DOCS = ROOT / "docs"
RUSSIAN = [ROOT / "README.ru.md", *sorted((ROOT / "docs" / "ru").rglob("*.md"))]
SUMMARY = DOCS / "ru" / "reliability.md"  # its tests and figures are in English only
WHOLE = [page for page in RUSSIAN if page != SUMMARY]


def english_of(page: Path) -> Path:
    if page.name == "README.ru.md":
        return ROOT / "README.md"
    return ROOT / "docs" / page.relative_to(ROOT / "docs" / "ru")


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def prose_of(text: str) -> str:
    return BLOCK.sub("", text)


def headings(text: str) -> list[int]:
    """Return the levels of the headings, in their order."""
    return [len(marks) for marks in re.findall(r"^(#+) ", prose_of(text), re.MULTILINE)]


def code(text: str) -> list[tuple[str, str]]:
    """Return the blocks of code with their languages; comments may be translated.

    Directives of Sphinx are no code: which pages hang where depends on the language.
    """
    return [
        (language, without_comments(language, textwrap.dedent(block)))
        for _, language, block in BLOCK.findall(text)
        if not language.startswith("{")
    ]


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


@pytest.mark.parametrize("page", WHOLE, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_russian_page_has_the_headings_and_the_code_of_the_english(page: Path):
    russian, english = text_of(page), text_of(english_of(page))
    assert headings(russian) == headings(english)
    assert code(russian) == code(english)
    assert first_columns(russian) == first_columns(english)


def test_the_russian_summary_leads_to_each_section_of_the_english_page():
    sections = re.findall("^## (.*)$", text_of(english_of(SUMMARY)), re.MULTILINE)
    anchors = [section.lower().replace(" ", "-") for section in sections]
    summary = text_of(SUMMARY)
    assert headings(summary) == [1, *[2] * len(sections)]
    assert re.findall(r"\(\.\./reliability\.md#(.*?)\)", summary) == anchors


@pytest.mark.parametrize("page", RUSSIAN, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_russian_page_is_in_russian(page: Path):
    for paragraph in prose_of(text_of(page)).split("\n\n"):
        words = re.sub(r"`[^`]*`|\(.*?\)|:::.*|\{.*?\}", "", paragraph)
        if len(words) > 100:
            assert re.search(r"[\u0430-\u044f\u0451]", words), paragraph


def test_russian_readers_find_the_pages_that_are_in_english_only():
    front = text_of(DOCS / "ru" / "index.md")
    sidebar = text_of(DOCS / "_templates" / "sidebar" / "in-english.html")
    pages = {path.name for path in DOCS.glob("*.md")} | {"reference/index.md"}
    missing = {page for page in pages if not (DOCS / "ru" / page).exists()}
    assert missing
    for page in missing:
        assert f"](../{page})" in front
    linked = set(re.findall(r"pathto\('\.\./([\w/]+)'\)", sidebar))
    assert {f"{name}.md" for name in linked} == missing


OTHER_WORDS = {
    "таймаут": "тайм-аут",
    "ретра": "повтор",
    "бросает ошибку": "бросает исключение",
    "поднимает исключение": "бросает исключение",
    " под asyncio": "на asyncio",
    " под trio": "на trio",
    "создайте клиента": "создайте клиент",
    "плановая остановка": "корректная остановка",
    "поток вызовов": "api.stream",
    "потоке вызовов": "api.stream",
    "капча открыта": "капча не решена",
    "ничего другого": "только ошибкой 6",
}


@pytest.mark.parametrize("other", OTHER_WORDS)
def test_the_russian_pages_have_one_word_for_one_thing(other: str):
    """CONTRIBUTING.md has the list of terms."""
    prose = {
        page: " ".join(prose_of(text_of(page)).lower().split()) for page in RUSSIAN
    }
    found = [str(page) for page, text in prose.items() if other in text]
    assert found == [], f"write {OTHER_WORDS[other]}"
