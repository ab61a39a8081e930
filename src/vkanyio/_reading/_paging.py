"""Which page of a list to ask for next, and which of its items are new: rules alone.

Lists change while they are read. Items that were in the list all the time are found
exactly once, under these rules:

1. A page begins a few items before the end of the one before it (the overlap), and an
   item counts once, by its key.
2. A page without any item that is known does not meet what was read: too many items
   before it were deleted. So the next page begins half a page earlier, until they meet.
   Where even the beginning does not, more items than a page has came before it: then
   pages follow from the beginning until they meet.
3. After going back, the next page begins half a page later. Where it has no known item
   even so, VK hides that many items: it is taken as it is.
4. The list ends where the offset has reached VK's total. A short page is not the end:
   VK counts hidden items, too, and returns fewer. Nor is the size of a page what was
   asked for, but the most that VK has returned so far.
5. Where VK returns no total, the list ends with a short page that has nothing new, or
   with the second page in a row that has nothing new.

They hold for lists that keep their order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, final

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from ._page import Key, PageContent, PageFacts


class Paging(Protocol):
    """Decides which page of a list is next, and what is new in it.

    A place is where a page begins: an offset, or a cursor.

    :ivar place: where the next page begins, None after the last one
    :ivar total: the length of the list, as the last page said it
    :ivar is_complete: whether the list was read to its end
    """

    place: Any
    total: int | None
    is_complete: bool

    @property
    def step(self) -> int:
        """The least number of items by which a page goes on."""
        ...

    def after(self, place: Any, /) -> Any:
        """Return the place of the page after another, None if that is not known yet."""
        ...

    def accepts(self, place: Any, /) -> bool:
        """Return whether a page at a place can be the next one."""
        ...

    def take(self, place: Any, page: PageContent, /) -> Sequence[int]:
        """Take the next page, and return the indexes of the items to deliver."""
        ...


@final
class OffsetPaging:
    """A list that is read by offsets.

    :param facts: how the method returns pages
    :param overlap: the items that two pages share, at most half a page
    :param start: the offset of the first item to read
    :param known: the keys of items that were read before a restart
    :param search: how to find them; None if nothing was read
    :param knows_all: whether they are all that was read
    :ivar place: the offset of the next page, None after the last one
    :ivar is_complete: whether the list was read to its end
    """

    def __init__(
        self,
        facts: PageFacts,
        overlap: int,
        start: int = 0,
        known: Collection[Key] = (),
        search: Search | None = None,
        *,
        knows_all: bool = False,
    ) -> None:
        self.is_complete: bool = False
        self.total: int | None = None
        self._facts = facts
        self._max_overlap = overlap
        self._size = 0
        self._start = start
        self._seen = set(known)
        self._search = search
        self._knows_all = knows_all
        self._is_resumed = search is not None
        self._is_going_back = False
        self._takes_anything = False
        self._is_idle = False
        self._total_before: int | None = None
        self.place: int | None = start
        if search is not None:
            self.place = search.first(start, len(known))

    @property
    def step(self) -> int:
        """The distance of two pages, in items."""
        return max(self._size - self._overlap, 1)

    @property
    def _half(self) -> int:
        return max(self._size // 2, 1)

    @property
    def _overlap(self) -> int:
        return min(self._max_overlap + self._facts.has_pinned, self._size // 2)

    def after(self, place: int) -> int | None:
        """Return the offset of the page after another, None if that is not known yet.

        It is only expected: a page may make another one the next.
        """
        # After going back, nothing may come between two pages.
        is_careful = self._is_going_back or self._takes_anything or self._search
        if is_careful or self.total is None or place + self._size >= self.total:
            return None
        return self._within_bounds(place, place + self.step)

    def accepts(self, place: int) -> bool:
        """Return whether a page at an offset can be the next one."""
        return self.place is not None and place <= self.place

    def take(self, place: int, page: PageContent) -> Sequence[int]:
        """Take the next page.

        :param place: its offset
        :return: the indexes of the items to deliver
        :raises ValueError: if the list has nothing of what was read before a restart
        """
        keys = page.keys
        self.total = page.total
        self._size = max(self._size, len(keys))
        known = self._indexes_of_known(keys)
        if not self._meets(place, page, known):
            self._look_elsewhere(place, page)
            return ()
        self._search = None
        if self._is_resumed and known:
            # Before a restart, all items above the known ones were read.
            self._seen.update(keys[: known[-1]])
        new = self._new_items(keys)
        self._go_on(place, page, has_new=bool(new))
        return new

    def _new_items(self, keys: Sequence[Key]) -> list[int]:
        new: list[int] = []
        for index, key in enumerate(keys):
            if key not in self._seen:
                self._seen.add(key)
                new.append(index)
        return new

    def _indexes_of_known(self, keys: Sequence[Key]) -> list[int]:
        known = [index for index, key in enumerate(keys) if key in self._seen]
        if self._facts.has_pinned and known[:1] == [0] and len(keys) > 1:
            return known[1:]  # it comes first on every page, and says nothing
        return known

    def _meets(self, place: int, page: PageContent, known: Sequence[int]) -> bool:
        """Return whether a page has all that follows the items that were read."""
        is_first = place <= self._start
        if known or (is_first and not page.keys):
            return True
        if not self._is_resumed:
            is_new = is_first and not self._seen
            return is_new or self._takes_anything or not self._overlap
        grown = (page.total or 0) - (self._total_before or 0)
        return self._takes_anything and grown < self._half

    def _look_elsewhere(self, place: int, page: PageContent) -> None:
        """Go on where the items may be that were read last.

        1. Before a restart, items were read that are not known any more. So a page
           without known ones may be before or after those that were read last.
        2. Not even the beginning has one: the page is before them.
        3. Otherwise it is after them.
        """
        if self._search is not None:
            self._search_on(place, page)
        elif self._is_resumed:
            self._is_going_back = True
            self._search = Search(place, self._total_before)
            self.place = self._search.first(self._start, self._half + 1)
        elif place <= self._start:
            self._search = Search(place, None, is_whole=True)
            self._search_on(place, page)
        else:
            self._is_going_back = True
            self.place = max(place - self._half, self._start)

    def _go_on(self, place: int, page: PageContent, *, has_new: bool) -> None:
        was_going_back, self._is_going_back = self._is_going_back, False
        self._takes_anything = was_going_back
        self._total_before = total = self.total
        was_idle, self._is_idle = self._is_idle, not has_new
        is_short = len(page.keys) < self._size
        is_last = total is None and not has_new and (is_short or was_idle)
        if not page.keys or is_last:
            self._end(is_complete=total is None or place >= total)
        elif total is not None and place + self._size >= total:
            self._end(is_complete=True)
        else:
            step = self._half if was_going_back else self.step
            self.place = self._within_bounds(place, place + step)
            if self.place is None:
                self._end(is_complete=False)

    def _within_bounds(self, place: int, following: int) -> int | None:
        bound = self._facts.max_offset
        if bound is None or following <= bound:
            return following
        return bound if place < bound else None

    def _end(self, *, is_complete: bool) -> None:
        self.place = None
        self.is_complete = is_complete

    def _search_on(self, place: int, page: PageContent) -> None:
        """Look elsewhere for what was read last before a restart.

        If it is nowhere, the list is read from its beginning, unless more was read
        before the restart than is known.
        """
        assert self._search is not None
        self.place = self._search.after(place, page, self.step)
        if self.place is None and (self._knows_all or not self._is_resumed):
            self._search, self._is_resumed = None, False
            self._takes_anything = True
            self.place = self._start
        if self.place is None:
            message = (
                "resume_from: the items that were read last are no longer in the list:"
                " read it from the beginning"
            )
            raise ValueError(message)


@final
class Search:
    """The search for the last items that were read before a restart.

    1. Where they were.
    2. There, if the list has grown or shrunk before them.
    3. From the beginning, page by page.

    :param offset: the offset of the last one at that time
    :param total: the length of the list at that time, if VK said it
    :param is_whole: whether the third has begun
    """

    def __init__(
        self, offset: int, total: int | None, *, is_whole: bool = False
    ) -> None:
        self._offset = offset
        self._total = total
        self._start = 0
        self._is_moved = total is None
        self._is_whole = is_whole

    def first(self, start: int, known: int) -> int:
        """Return the offset of the first page.

        :param start: the beginning of the list
        :param known: how many items may be found
        """
        self._start = start
        self._offset -= known - 1
        return max(self._offset, start)

    def after(self, place: int, page: PageContent, step: int) -> int | None:
        """Return where to look next, None if there is nothing left to look at."""
        if self._is_whole:
            is_end = place + step >= page.total if page.total else not page.keys
            return None if is_end else place + step
        moved = (page.total or 0) - (self._total or 0)
        if moved and not self._is_moved:
            self._is_moved = True
            return max(self._offset + moved, self._start)
        self._is_whole = True
        return self._start
