"""Lists that change while they are read."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from hypothesis import strategies as st

from vkanyio._reading._page import PageContent, PageFacts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from vkanyio._reading._paging import OffsetPaging

SIZE = 30
OVERLAP = 10


@final
class ChangingList:
    """A list of numbers, which notes those that are in it all the time."""

    def __init__(self, length: int) -> None:
        self.items = list(range(length))
        self.always = set(self.items)
        self.pages = 0
        self._next = length

    def add(self, index: int) -> None:
        self.items.insert(index, self._next)
        self._next += 1

    def delete(self, index: int) -> None:
        if self.items:
            self.always.discard(self.items.pop(index % len(self.items)))

    def page(self, offset: int, size: int = SIZE) -> PageContent:
        self.pages += 1
        return PageContent(self.items[offset : offset + size], len(self.items))


def changes(
    *, at_head: int = 15, at_end: int = 15, deleted: int = OVERLAP
) -> st.SearchStrategy[list[tuple[int, int, list[int]]]]:
    """Changes between two pages: how much grows at either end, and what is deleted."""
    change = st.tuples(
        st.integers(0, at_head),
        st.integers(0, at_end),
        st.lists(st.integers(0, 400), max_size=deleted),
    )
    return st.lists(change, min_size=1, max_size=12)


def apply(items: ChangingList, change: tuple[int, int, Sequence[int]]) -> None:
    at_head, at_end, deleted = change
    for index in deleted:
        items.delete(index)
    for _ in range(at_head):
        items.add(0)
    for _ in range(at_end):
        items.add(len(items.items))


def read(
    paging: OffsetPaging, items: ChangingList, change: Callable[[], None]
) -> Iterator[tuple[int, int]]:
    """Read a list page by page, and yield its items with their offsets."""
    while (place := paging.place) is not None:
        page = items.page(place)
        for index in paging.take(place, page):
            yield int(page.keys[index]), place + index
        change()
        assert items.pages < 500, "it never ends"


FACTS = PageFacts(size=SIZE)
