"""What is known about the pages of a method, and what identifies their items."""

from __future__ import annotations

import json
from hashlib import blake2b
from typing import (
    TYPE_CHECKING,
    Any,
    Generic,
    NamedTuple,
    TypeAlias,
    TypedDict,
    TypeVar,
)

from .._typeguards import is_dict

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

T = TypeVar("T")

Key: TypeAlias = int | str
"""What identifies an item in its list."""


class PageOf(TypedDict, Generic[T]):
    """The value of a method that returns a list in pages, for type checkers."""

    items: list[T]


class PageFacts(NamedTuple):
    """How a method returns a list in pages.

    :ivar size: the largest page, in items
    :ivar key: the fields that identify an item, with dots for fields of fields; an item
        without them is identified by all of it
    :ivar items: where the list is in the value, "" if the value is the list
    :ivar total: where the length of the list is, None if VK does not say it
    :ivar limit: the parameter for the size of a page
    :ivar by_cursor: whether VK says by ``next_from`` where the next page begins
    :ivar max_offset: the largest offset that VK accepts
    :ivar max_results: how many items VK returns at most
    :ivar order: a parameter and its value with which lists grow at the end only
    :ivar has_pinned: whether a pinned item is the first one at any offset
    :ivar needs: parameters that must be set, and why
    :ivar excludes: parameters that must not be set, and why
    """

    size: int
    key: tuple[str, ...] = ()
    items: str = "items"
    total: str | None = "count"
    limit: str = "count"
    by_cursor: bool = False
    max_offset: int | None = None
    max_results: int | None = None
    order: tuple[str, str] | None = None
    has_pinned: bool = False
    needs: Mapping[str, str] = {}
    excludes: Mapping[str, str] = {}


def key_of(item: Any, fields: Collection[str]) -> Key:
    """Return what identifies an item in its list."""
    if isinstance(item, int | str):
        return item
    found = [find(item, field) for field in fields]
    names = zip(fields, found, strict=True)
    if all(each is None for field, each in names if field != "type"):
        text = json.dumps(item, sort_keys=True)
        return blake2b(text.encode(), digest_size=8).hexdigest()
    if len(found) == 1 and isinstance(found[0], int | str):
        return found[0]
    return "_".join("" if each is None else str(each) for each in found)


def find(value: Any, path: str) -> Any:
    """Return the field of a value, None if it has none; "a.b" is a field of a field."""
    for name in path.split("."):
        if not is_dict(value):
            return None
        value = value.get(name)
    return value


class PageContent(NamedTuple):
    """What the rules need to know about a page.

    :ivar keys: the keys of its items
    :ivar total: the length of the list, if VK says it
    :ivar next_cursor: where the next page begins, if VK says it
    """

    keys: Sequence[Key]
    total: int | None = None
    next_cursor: str | None = None
