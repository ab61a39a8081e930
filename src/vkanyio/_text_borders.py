"""Where a long text may be cut."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_MAX_MENTION = 200
_MENTION = re.compile(rf"\[[^\[\]|\n]+\|[^\[\]\n]{{1,{_MAX_MENTION}}}\]")
_SENTENCE_END = re.compile(r"[.!?…][\"'»”)\]]*\s+\Z")
_ZERO_WIDTH_JOINER = "\u200d"


def border_before(text: str, start: int, most: int) -> int:
    """Return where a piece that begins at an index should end.

    Paragraphs, lines and sentences are considered only in the second half of the piece,
    so that no piece is much shorter than it must be.

    :param most: the last index at which it may end, greater than ``start``
    :return: an index greater than ``start``
    """
    if most >= len(text):
        return len(text)
    mentions = [
        match.span() for match in _MENTION.finditer(text, start, most + _MAX_MENTION)
    ]
    middle = start + (most - start + 1) // 2
    choices: list[tuple[Callable[[str, int], bool], int]] = [
        (_is_after_paragraph, middle),
        (_is_after_line, middle),
        (_is_after_sentence, middle),
        (_is_after_word, start + 1),
        (_is_after_character, start + 1),
    ]
    for is_border, least in choices:
        for index in range(most, least - 1, -1):
            if is_border(text, index) and not (
                any(first < index < end for first, end in mentions)
                or _is_within_character(text, index)
            ):
                return index
    return most  # something that should stay whole is longer than a piece


def _is_after_paragraph(text: str, index: int) -> bool:
    return text.endswith(("\n\n", "\n\r\n"), 0, index)


def _is_after_line(text: str, index: int) -> bool:
    return text[index - 1] == "\n"


def _is_after_sentence(text: str, index: int) -> bool:
    if not text[index - 1].isspace() or text[index].isspace():
        return False
    return _SENTENCE_END.search(text, max(index - 10, 0), index) is not None


def _is_after_word(text: str, index: int) -> bool:
    return text[index - 1].isspace()


def _is_after_character(_text: str, _index: int) -> bool:
    return True


def _is_within_character(text: str, index: int) -> bool:
    """Return whether what a reader sees as one character is on both sides."""
    before, after = text[index - 1], text[index]
    if before == "\r" and after == "\n":
        return True
    if _ZERO_WIDTH_JOINER in (before, after):
        return True
    if unicodedata.category(after).startswith("M"):  # accents, selectors, keycaps
        return True
    # Skin tones, and the letters within a flag such as that of Scotland.
    if "\U0001f3fb" <= after <= "\U0001f3ff" or "\U000e0020" <= after <= "\U000e007f":
        return True
    if not (_is_half_a_flag(before) and _is_half_a_flag(after)):
        return False
    first = index
    while first > 0 and _is_half_a_flag(text[first - 1]):
        first -= 1
    return (index - first) % 2 == 1


def _is_half_a_flag(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"
