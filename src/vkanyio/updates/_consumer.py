"""What is received by long poll: the iteration, the position and the lifetime.

It does not know what is followed: that is the business of a channel.
"""

from __future__ import annotations

import enum
import logging
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, ClassVar, Self

from anyio import AsyncContextManagerMixin

from .._async_use import EnteredByAsyncWith, ReadByAsyncFor
from .._errors import ClientUseError
from .._wire_checks import check_whole
from ._errors import PositionError
from ._handle import handle
from ._long_poll import LongPollSource, two_consumers
from ._numbers import UpdateCounters, UpdateStatistics
from ._poller import Poller
from ._positions import PositionKeeper, load_position, store_and_start
from ._progress import Progress, UpdatesPosition

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Hashable

    from .._caller import Caller
    from ._channel import Channel
    from ._positions import PositionStore
    from ._update import Gap, Item, Update

WAIT = 25
"""Seconds: what VK recommends, since proxies give up after 30."""
MAX_WAIT = 90

logger = logging.getLogger("vkanyio")


class UpdatesStage(enum.Enum):
    """How far a block of updates has come."""

    NEW = "have not been entered"
    OPEN = "are open"
    CLOSED = "have been closed"


class LongPollUpdates(AsyncContextManagerMixin, EnteredByAsyncWith, ReadByAsyncFor):
    """What :class:`BotUpdates` and :class:`UserUpdates` have in common.

    :param channel: what is followed
    :param is_wanted: whether an update or gap is delivered; others are acknowledged
    """

    __module__ = "vkanyio.updates"
    _made_by: ClassVar[str]

    def __init__(
        self,
        caller: Caller,
        channel: Channel,
        *,
        position: PositionStore | str | None,
        wait: int,
        is_wanted: Callable[[Item], bool],
    ) -> None:
        check_whole("wait", wait, 1, MAX_WAIT)
        self._caller = caller
        self._channel = channel
        self._store, self._start = store_and_start(position)
        self._wait = wait
        self._is_wanted = is_wanted
        self._stage = UpdatesStage.NEW
        self._counters = UpdateCounters()
        self._source: LongPollSource | None = None
        self._in_hand: Item | None = None
        self._is_handling = False

    def __repr__(self) -> str:
        channel, stage = self._channel.name, self._stage.name.lower()
        return f"<{type(self).__name__} of {channel}, {stage}>"

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Update[Any] | Gap:
        source = self._free_source()
        self.acknowledge()
        item = self._in_hand = await source.take()
        return item

    def acknowledge(self) -> None:
        """Acknowledge the update in hand, before the loop is left by ``break``.

        Requesting the next update does that, too.
        """
        item, self._in_hand = self._in_hand, None
        if item is not None:
            self._open_source().done(item)

    def stop(self) -> None:
        """End the iteration, from any task of the event loop.

        A loop ends when it requests the next update, and at once if it is waiting for
        it. :meth:`handle` finishes the updates that it has taken.
        """
        self._open_source().stop()

    async def handle(
        self,
        handler: Callable[[Any], Awaitable[object]],
        *,
        workers: int = 10,
        max_pending: int = 1000,
        key: Callable[[Any], Hashable | None] | None = None,
        on_gap: Callable[[Gap], object] | None = None,
        on_error: Callable[[Any, Exception], object] | None = None,
    ) -> None:
        """Call an async function with every update, until :meth:`stop`.

        Updates of one conversation are handled one after the other, in order; those of
        different ones concurrently. A :class:`Gap` is a barrier: all updates before it
        are handled, then ``on_gap`` is called, and then VK is asked for more.

        An update is acknowledged when its handler returns. If one raises, its exception
        is raised here unchanged, and the other handlers are cancelled; updates that are
        not acknowledged are delivered again by the next ``handle`` or loop, or after a
        restart.

        :param handler: called with an :class:`Update`
        :param workers: how many handlers run at a time
        :param max_pending: maximum number of updates that are taken and not handled
            yet. VK keeps the rest
        :param key: returns what an update must not overtake, None for no order; by
            default :attr:`Update.order_key`, the conversation or the post
        :param on_gap: called with each :class:`Gap`, async or not; without it, a gap is
            a warning in the log
        :param on_error: called with an update and the error of its handler, async or
            not; if it returns, the update counts as handled
        :raises Exception: what a handler, ``on_gap`` or ``on_error`` raises
        :raises VKError: as the iteration does
        """
        source = self._free_source()
        self.acknowledge()
        self._is_handling = True
        try:
            await handle(
                source,
                handler,
                workers=workers,
                max_pending=max_pending,
                key=key,
                on_gap=on_gap,
                on_error=on_error,
            )
        finally:
            self._is_handling = False

    @property
    def position(self) -> str:
        """What has been acknowledged: a text to begin from after a restart.

        A program that saves it in the same transaction as the changes made for the
        update carries out each update exactly once.
        """
        if self._source is None:
            raise self._not_open()
        return str(self._source.progress.position())

    def statistics(self) -> UpdateStatistics:
        """Return the numbers of polls and updates so far."""
        source = self._source
        duplicates = 0 if source is None else source.progress.duplicates
        return self._counters.snapshot(duplicates)

    def _free_source(self) -> LongPollSource:
        source = self._open_source()
        if self._is_handling or source.is_taking:
            raise two_consumers()
        return source

    def _open_source(self) -> LongPollSource:
        if self._stage is not UpdatesStage.OPEN or self._source is None:
            raise self._not_open()
        return self._source

    def _not_open(self) -> ClientUseError:
        return ClientUseError(
            f"the updates {self._stage.value}: use them inside"
            f" `async with api.{self._made_by}(...) as updates:`"
        )

    @asynccontextmanager
    async def __asynccontextmanager__(self) -> AsyncGenerator[Self]:
        self._caller.check_usable()
        with self._caller.polling():
            keeper = await self._open()
            self._stage = UpdatesStage.OPEN
            try:
                yield self
            except BaseException as error:
                await self._close(keeper, error)
                raise
            else:
                await self._close(keeper, None)

    async def _open(self) -> PositionKeeper | None:
        channel, start = self._channel, self._start
        if self._store is not None:
            start = await load_position(self._store)
        await channel.prepare()
        if start is not None:
            self._check_position(start)
        poller = Poller(self._caller, channel, self._counters)
        first = await poller.connect(is_new=start is None)
        progress = Progress(
            start
            or UpdatesPosition(group_id=channel.group_id, ts=first.ts, pts=first.pts)
        )
        keeper = None
        if self._store is not None:
            saved = None if start is None else str(start)
            keeper = PositionKeeper(self._store, progress.position, saved=saved)
            await keeper.save_first()
        self._source = LongPollSource(
            poller, progress, keeper=keeper, wait=self._wait, is_wanted=self._is_wanted
        )
        return keeper

    def _check_position(self, start: UpdatesPosition) -> None:
        channel = self._channel
        if bool(start.pts) is not channel.has_history:
            message = (
                "the position is that of a mailbox (user_updates), not of a community"
                if start.pts
                else "the position is that of a community (bot_updates), not of a"
                " mailbox"
            )
            raise PositionError(f"{message}: keep a separate position for each")
        if start.group_id != channel.group_id:
            message = (
                f"the position belongs to community {start.group_id}, not to"
                f" {channel.group_id}: keep a separate position for each community"
            )
            raise PositionError(message)

    async def _close(
        self, keeper: PositionKeeper | None, error: BaseException | None
    ) -> None:
        self._stage = UpdatesStage.CLOSED
        assert self._source is not None  # it was opened
        self._source.close()
        if keeper is None:
            return
        try:
            await keeper.save_last()
        except PositionError as problem:
            if error is None:
                raise
            logger.warning("%s", problem)
            error.add_note(str(problem))
