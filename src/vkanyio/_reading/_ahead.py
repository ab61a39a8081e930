"""Pages of a list that are requested before they are needed.

They are submitted without a task for each. Which pages these are is a prediction: if a
page changes which one is next, those in flight are abandoned.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, final

from .._errors import ClientUseError, VKError

if TYPE_CHECKING:
    from .._request import APIRequest
    from ._reader import ListReader


@final
class PagesAhead:
    """The next pages of a list, in order.

    Its owner must call :meth:`give_up` in the end.

    :param reader: the reader of the list
    :param pages: how many pages may be in flight
    """

    def __init__(self, reader: ListReader, pages: int) -> None:
        self._reader = reader
        self._pages = pages
        self._under_way: deque[_PageAhead] = deque()

    async def take_next(self) -> bool:
        """Take the next page.

        :return: whether there was one
        :raises VKError: the error of this page, which is submitted again next time
        """
        self._fill()
        if not self._under_way:
            return False
        head = self._under_way[0]
        try:
            value = await self._reader.alone(head.request.wait())
        except ClientUseError:  # not the page's: another task waits for it
            raise
        except VKError:
            head.has_failed = True
            raise
        self._under_way.popleft()
        self._reader.take(head.place, value)
        self._fill()
        return True

    def give_up(self) -> None:
        """Abandon all pages in flight."""
        while self._under_way:
            self._reader.caller.give_up(self._under_way.popleft().request)

    def _fill(self) -> None:
        """Submit the pages that are next, and abandon those that no longer are."""
        reader, under_way = self._reader, self._under_way
        place = reader.place
        if under_way:
            if place is None or not reader.paging.accepts(under_way[0].place):
                self.give_up()
            elif under_way[0].has_failed:
                under_way[0] = self._submit(under_way[0].place)
        while place is not None and len(under_way) < self._bound():
            if under_way:
                place = reader.paging.after(under_way[-1].place)
            if place is not None:
                under_way.append(self._submit(place))

    def _bound(self) -> int:
        """Return how many pages may be in flight: no more than are useful."""
        wanted = self._reader.wanted
        if wanted is None:
            return self._pages
        return min(self._pages, -(-wanted // self._reader.paging.step))

    def _submit(self, place: int | str) -> _PageAhead:
        request, caller = self._reader.request(place), self._reader.caller
        caller.check_usable()
        caller.submit(request, _ignore)
        return _PageAhead(place, request)


@final
class _PageAhead:
    __slots__ = ("has_failed", "place", "request")

    def __init__(self, place: int | str, request: APIRequest) -> None:
        self.place = place
        self.request = request
        self.has_failed = False


def _ignore(_request: APIRequest) -> None:
    """Do nothing at the end of a page: its reader waits for the request."""
