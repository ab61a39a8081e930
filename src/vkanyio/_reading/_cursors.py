"""Lists in which VK says where the next page begins."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from ._page import Key, PageContent, PageFacts


@final
class CursorPaging:
    """A list in which VK says where the next page begins.

    :param facts: how the method returns pages
    :param start: where the first page begins, "" for the beginning of the list
    :param known: the keys of items of that page that were read before a restart
    :ivar place: where the next page begins, None after the last one
    :ivar is_complete: whether the list was read to its end
    """

    step: int = 1

    def __init__(
        self, facts: PageFacts, start: str = "", known: Collection[Key] = ()
    ) -> None:
        self.place: str | None = start
        self.total: int | None = None
        self.is_complete: bool = False
        self._facts = facts
        self._seen = set(known)
        self._places: set[str] = set()

    def after(self, _place: str) -> None:
        """Return None: only a page says where the next one begins."""

    def accepts(self, place: str) -> bool:
        """Return whether a page can be the next one."""
        return place == self.place

    def take(self, place: str, page: PageContent) -> Sequence[int]:
        """Take the next page, and return the indexes of the items to deliver."""
        self.total = page.total
        new: list[int] = []
        for index, key in enumerate(page.keys):
            if key not in self._seen:
                self._seen.add(key)
                new.append(index)
        self._places.add(place)
        self.place = page.next_cursor
        if not self.place or self.place in self._places:  # VK starts again
            self.place = None
            most, total = self._facts.max_results, page.total
            self.is_complete = most is None or total is None or total <= most
        return new
