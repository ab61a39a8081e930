"""Read all items of a list that VK returns in pages."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Generic, Self, TypeVar, final

from anyio import AsyncContextManagerMixin

from .._async_use import EnteredByAsyncWith, ReadByAsyncFor
from .._errors import ClientUseError
from .._wire_checks import check_whole
from ._ahead import PagesAhead
from ._reader import ListReader

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from .._caller import Caller
    from ._list_call import ListCall

T = TypeVar("T")

OVERLAP = 10
MAX_OVERLAP = 1000
AHEAD = 20
AHEAD_FOR_ALL = 75
"""Three full ``execute`` requests, as many as a user token may start in a second."""
MAX_AHEAD = 1000


@final
class PagedItems(ReadByAsyncFor, Generic[T]):
    """All items of a list that VK returns in pages: :meth:`API.collect` makes it.

    ::

        async for post in api.collect(api.wall.get, owner_id=-1):
            print(post["text"])

    An item that stays in the list is returned exactly once, whatever is added or
    removed meanwhile; any other at most once. The loop may be left at any time, and
    another one continues it. The error of a page is raised unchanged; the page is
    requested again for the next item.
    """

    __module__ = "vkanyio"
    _instead = " or by `await items.all()`"

    def __init__(
        self,
        caller: Caller,
        call: ListCall,
        *,
        overlap: int = OVERLAP,
        max_items: int | None = None,
        resume_from: str | None = None,
    ) -> None:
        check_whole("overlap", overlap, 0, MAX_OVERLAP)
        if max_items is not None:
            check_whole("max_items", max_items, 1)
        self._caller = caller
        self._call = call
        self._reader = ListReader(
            caller,
            call,
            overlap=overlap,
            max_items=max_items,
            resume_from=resume_from,
        )

    def options(
        self,
        *,
        overlap: int = OVERLAP,
        max_items: int | None = None,
        resume_from: str | None = None,
    ) -> PagedItems[T]:
        """Return another reader of the same list, which starts from its beginning.

        :param overlap: how many items two pages share, at most half a page. No item is
            missed as long as fewer are deleted between two pages, and usually not even
            then
        :param max_items: how many items to deliver at most
        :param resume_from: the :attr:`position` of an earlier reader, after which to
            go on
        :raises TypeError: for a value of the wrong type
        :raises ValueError: for a value that is not allowed, such as a position in
            another list
        """
        return PagedItems(
            self._caller,
            self._call,
            overlap=overlap,
            max_items=max_items,
            resume_from=resume_from,
        )

    def __repr__(self) -> str:
        return f"<PagedItems of {self._call.method}>"

    @property
    def total(self) -> int | None:
        """The length of the list as VK reports it, None before the first page.

        VK may count items that it hides. Some methods do not return it.
        """
        return self._reader.paging.total

    @property
    def complete(self) -> bool:
        """Whether the list has been delivered to its end.

        False before that. Also False after it, if VK returned fewer items than it
        reports, or ``max_items`` was reached.
        """
        return self._reader.is_complete

    @property
    def position(self) -> str:
        """The item that was delivered last: a short JSON text for ``resume_from``.

        It contains the ids of a few items, and no parameter.
        """
        return str(self._reader.position)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        reader = self._reader
        while not reader.has_next:
            place = reader.place
            if place is None:
                raise StopAsyncIteration
            page = reader.caller.perform(reader.request(place))
            reader.take(place, await reader.alone(page))
        item: T = reader.deliver()
        return item

    async def all(self) -> list[T]:
        """Read the whole list, requesting up to 75 pages at a time.

        After an error, call it again: it continues, and returns all items, also those
        that it had read before the error.

        :return: the items, in order
        :raises VKError: the error of a page
        """
        pages = PagesAhead(self._reader, AHEAD_FOR_ALL)
        try:
            has_next = True
            while has_next:
                has_next = await pages.take_next()
        finally:
            pages.give_up()
        return [*self._reader.deliver_all()]

    def ahead(self, pages: int = AHEAD) -> ItemsAhead[T]:
        """Read several pages ahead: ``async with items.ahead(20) as items:``.

        A client that packs calls sends them in one request. The block owns the pages:
        leaving it abandons them.

        :param pages: how many, from 1 to 1000
        """
        check_whole("pages", pages, 1, MAX_AHEAD)
        return ItemsAhead(self._reader, pages)


@final
class ItemsAhead(
    AsyncContextManagerMixin, EnteredByAsyncWith, ReadByAsyncFor, Generic[T]
):
    """The items of a list in order, while further pages are being requested.

    :meth:`PagedItems.ahead` makes it.
    """

    __module__ = "vkanyio"

    def __init__(self, reader: ListReader, pages: int) -> None:
        self._reader = reader
        self._pages = PagesAhead(reader, pages)
        self._is_open = False

    @asynccontextmanager
    async def __asynccontextmanager__(self) -> AsyncGenerator[Self]:
        self._is_open = True
        try:
            yield self
        finally:
            self._is_open = False
            self._pages.give_up()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        if not self._is_open:
            message = (
                "pages are read ahead in a block: `async with items.ahead() as i:`"
            )
            raise ClientUseError(message)
        while not self._reader.has_next:
            if not await self._pages.take_next():
                raise StopAsyncIteration
        item: T = self._reader.deliver()
        return item
