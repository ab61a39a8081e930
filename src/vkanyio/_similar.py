"""Suggestions for errors about names that do not exist."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


MIN_RATIO = 0.7
"""How similar a name must be, from 0 to 1: else ``audio.get`` suggests ``docs.get``."""


def similar_names(name: str, known: Iterable[str], *, most: int = 1) -> list[str]:
    """Return the names that were probably meant, the most similar first.

    camelCase, snake_case and separate words are equal.
    """
    import difflib  # lazily: only mistakes need it

    by_key: dict[str, str] = {}
    for each in known:
        by_key.setdefault(_key(each), each)
    if _key(name) in by_key:
        return [by_key[_key(name)]]
    keys = difflib.get_close_matches(_key(name), by_key, n=most, cutoff=MIN_RATIO)
    return [by_key[key] for key in keys]


def did_you_mean(name: str, known: Iterable[str], *, most: int = 1) -> str:
    """Return a hint with the names that were probably meant, or an empty string."""
    names = similar_names(name, known, most=most)
    return f": did you mean {' or '.join(names)}?" if names else ""


def _key(name: str) -> str:
    return "".join(name.replace("_", " ").split()).lower()
