"""The reader of a list: what of it was delivered, and what is asked for next.

It combines the rules of `_paging` with the values that VK returns. When pages are asked
for, and how many at a time, is the business of `_collect` and `_ahead`.
"""

from __future__ import annotations

import logging
from collections import deque
from typing import TYPE_CHECKING, Any, final

from .._errors import ClientUseError
from ._cursors import CursorPaging
from ._paging import OffsetPaging, Search
from ._position import Position, parse_position

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator

    from .._caller import Caller
    from .._request import APIRequest
    from ._list_call import ListCall
    from ._page import Key
    from ._paging import Paging

logger = logging.getLogger("vkanyio")


@final
class ListReader:
    """What has been read of a list.

    :param caller: the client
    :param call: the method and its parameters
    :param overlap: how many items two pages share
    :param max_items: how many items to deliver at most
    :param resume_from: the position to go on from
    :ivar paging: which page is next
    """

    def __init__(
        self,
        caller: Caller,
        call: ListCall,
        *,
        overlap: int,
        max_items: int | None,
        resume_from: str | None,
    ) -> None:
        self.caller: Caller = caller
        self.call: ListCall = call
        self._left = max_items
        self._buffer: deque[tuple[Any, Key, int | str]] = deque()
        self._is_waiting = False
        position = Position(call.method, call.digest, call.start, 0, [], None)
        if resume_from is not None:
            position = parse_position(resume_from, position)
        # A page has to begin with items that are known.
        known = len(position.last)
        self._size = call.size(None if max_items is None else max_items + known)
        self._at = position.at
        self._read = position.read
        # A position in a list with cursors has all items of its page.
        maxlen = None if call.facts.by_cursor else max(overlap, 1)
        self._last: deque[Key] = deque(position.last, maxlen)
        self.paging: Paging = self._paging_from(position, overlap)

    def _paging_from(self, position: Position, overlap: int) -> Paging:
        facts, known = self.call.facts, position.last
        if isinstance(position.at, str):
            return CursorPaging(facts, position.at, known)
        start = int(self.call.start)
        search = Search(position.at, position.total) if known else None
        knows_all = position.read == len(known)
        return OffsetPaging(facts, overlap, start, known, search, knows_all=knows_all)

    @property
    def is_complete(self) -> bool:
        """Whether the list has been delivered to its end."""
        return self.paging.is_complete and not self._buffer

    @property
    def has_next(self) -> bool:
        """Whether the next item is here already."""
        return bool(self._buffer) and self._left != 0

    @property
    def place(self) -> int | str | None:
        """Where the next page begins, None if there is none or none is wanted."""
        return None if self.wanted == 0 else self.paging.place

    @property
    def wanted(self) -> int | None:
        """How many items are wanted that are not here yet, None for all."""
        if self._left is None:
            return None
        return max(self._left - len(self._buffer), 0)

    @property
    def position(self) -> Position:
        """The item that was delivered last."""
        return Position(
            method=self.call.method,
            call=self.call.digest,
            at=self._at,
            read=self._read,
            last=[*self._last],
            total=self.paging.total,
        )

    def request(self, place: int | str) -> APIRequest:
        """Return the request for a page."""
        return self.call.request(place, self._size)

    async def alone(self, page: Coroutine[Any, Any, Any]) -> Any:
        """Wait for a page, in one task at a time.

        :raises ClientUseError: if another task waits
        """
        if self._is_waiting:
            page.close()
            message = (
                "another task is already waiting for the next items of this list: read"
                " it in one task, and pass the items on"
            )
            raise ClientUseError(message)
        self._is_waiting = True
        try:
            return await page
        finally:
            self._is_waiting = False

    def take(self, place: int | str, value: Any) -> None:
        """Take a page: what is new in it is delivered next."""
        items, page = self.call.read(value)
        for index in self.paging.take(place, page):
            at = place + index if isinstance(place, int) else place
            self._buffer.append((items[index], page.keys[index], at))
        if self.paging.place is None and not self.paging.is_complete:
            text = "%s: VK returns no more items, although it reports %s"
            logger.warning(text, self.call.method, self.paging.total)

    def deliver(self) -> Any:
        """Return the next item, which is there."""
        item, key, at = self._buffer.popleft()
        if isinstance(at, str) and at != self._at:
            self._last.clear()  # a position has the items of its own page
        self._at = at
        self._read += 1
        self._last.append(key)
        if self._left is not None:
            self._left -= 1
        return item

    def deliver_all(self) -> Iterator[Any]:
        """Return all items that are here."""
        while self.has_next:
            yield self.deliver()
