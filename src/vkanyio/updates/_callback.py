"""The updates that a receiver of the Callback API gets, for the program."""

from __future__ import annotations

from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any, Self, final

from anyio import AsyncContextManagerMixin, sleep_forever

from .._async_use import EnteredByAsyncWith, ReadByAsyncFor
from .._errors import ClientClosedError, ClientUseError
from ._handle import handle

if TYPE_CHECKING:
    from collections.abc import (
        AsyncGenerator,
        Awaitable,
        Callable,
        Generator,
        Hashable,
        Sequence,
    )

    from ._handled import HandledKeeper
    from ._inbox import CallbackDelivery, Inbox
    from ._update import Item, Update


@final
class CallbackUpdates(AsyncContextManagerMixin, EnteredByAsyncWith, ReadByAsyncFor):
    """The updates that VK delivers to a :class:`CallbackReceiver`.

    ::

        async with receiver.updates() as updates:
            await updates.handle(answer, workers=20)

    VK gets "ok" for an update once it was handled: by :meth:`handle`, or in a loop by
    requesting the next one. Outside of this block VK gets status 503, and delivers the
    updates again later.
    """

    __module__ = "vkanyio.updates"

    def __init__(self, inbox: Inbox, keeper: HandledKeeper | None) -> None:
        self._inbox = inbox
        self._source = _CallbackSource(inbox, keeper)
        self._in_hand: Update[Any] | None = None
        self._is_open = self._is_taking = self._was_entered = False

    @asynccontextmanager
    async def __asynccontextmanager__(self) -> AsyncGenerator[Self]:
        if self._was_entered:
            raise ClientUseError("a block of updates cannot be entered twice")
        self._inbox.open()
        self._is_open = self._was_entered = True
        try:
            yield self
        finally:
            self._is_open = False
            try:
                await self._source.settle_all()
            finally:
                self._inbox.close()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Update[Any]:
        """Acknowledge the last update, and wait for the next one."""
        with self._turn():
            self.acknowledge()
            await self._source.settle_all()
            self._in_hand = await self._source.take()
            return self._in_hand

    def acknowledge(self) -> None:
        """Acknowledge the update in hand, before the loop is left by ``break``.

        If the receiver has a store of handled updates, it gets this one when the next
        update is requested, or the block is left, and then VK gets "ok".
        """
        if self._in_hand is not None:
            update, self._in_hand = self._in_hand, None
            self._source.acknowledge(update)

    def stop(self) -> None:
        """Begin no more updates.

        The loop over them ends when it requests the next one, and :meth:`handle`
        returns when the updates that it has begun are handled. Call it from any task of
        the event loop.
        """
        self._inbox.stop()

    async def handle(
        self,
        handler: Callable[[Update[Any]], Awaitable[object]],
        *,
        workers: int = 10,
        max_pending: int = 1000,
        key: Callable[[Update[Any]], Hashable | None] | None = None,
        on_error: Callable[[Update[Any], Exception], object] | None = None,
    ) -> None:
        """Handle updates by a bounded number of workers, until :meth:`stop`.

        Updates of one conversation, or below one post, are handled one after the other,
        in the order in which VK delivered them.

        :param handler: an async function that handles one update
        :param workers: how many handlers run at once
        :param max_pending: maximum number of updates that are taken and not handled yet
        :param key: returns what an update must not overtake, None if that is nothing;
            by default ``Update.order_key``
        :param on_error: a function, async or not, that gets the update and the error of
            its handler; if it returns, the update counts as handled. Without it the
            error is raised here, and VK delivers the update again
        :raises ClientUseError: if another task takes updates
        """
        __tracebackhide__ = True
        with self._turn():
            if self._in_hand is not None:  # a loop was left before
                update, self._in_hand = self._in_hand, None
                self._source.give_back([update])
            await self._source.settle_all()
            await handle(
                self._source,
                handler,
                workers=workers,
                max_pending=max_pending,
                key=key,
                on_error=on_error,
                on_handled=self._source.settle,
            )

    @contextmanager
    def _turn(self) -> Generator[None]:
        """Have the right to take updates, which one task has at a time."""
        if not self._is_open:
            message = (
                "iterate over updates inside `async with receiver.updates() as"
                " updates:`"
            )
            raise ClientClosedError(message)
        if self._is_taking:
            raise ClientUseError("another task is already reading these updates")
        self._is_taking = True
        try:
            yield
        finally:
            self._is_taking = False


@final
class _CallbackSource:
    """The inbox as a source of updates.

    What was handled is noted, then saved in the store if there is one, and then VK is
    answered.
    """

    def __init__(self, inbox: Inbox, keeper: HandledKeeper | None) -> None:
        self._inbox = inbox
        self._keeper = keeper
        self._taken: dict[int, CallbackDelivery] = {}
        self._acknowledged: list[CallbackDelivery] = []  # and not saved yet

    async def take(self) -> Update[Any]:
        delivery = await self._inbox.take()
        self._taken[id(delivery.update)] = delivery
        return delivery.update

    async def settle(self, item: Item) -> None:
        """Save that an update was handled, before VK is answered."""
        delivery = self._taken[id(item)]
        self._inbox.note(delivery)
        if self._keeper is not None:
            await self._keeper.save(delivery)

    def done(self, item: Item) -> None:
        self._inbox.end(self._taken.pop(id(item)))

    def acknowledge(self, update: Update[Any]) -> None:
        """Note that an update was handled, where nothing can be awaited."""
        delivery = self._taken.pop(id(update))
        self._inbox.note(delivery)
        if self._keeper is None:
            self._inbox.end(delivery)
        else:
            self._acknowledged.append(delivery)

    async def settle_all(self) -> None:
        """Save what was acknowledged, and let VK be answered."""
        while self._acknowledged:
            delivery = self._acknowledged.pop()
            try:
                assert self._keeper is not None  # or it would not be here
                await self._keeper.save(delivery)
            finally:
                self._inbox.end(delivery)

    def give_back(self, items: Sequence[Item]) -> None:
        self._inbox.put_back([self._taken.pop(id(each)) for each in items])

    async def attend(self) -> None:
        await sleep_forever()
