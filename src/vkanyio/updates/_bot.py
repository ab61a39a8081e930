"""Updates about a community by long poll: what :meth:`API.bot_updates` returns."""

from __future__ import annotations

import enum
import logging
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Self, final

from anyio import AsyncContextManagerMixin

from .._errors import ClientUseError
from .._similar import did_you_mean
from .._wire_checks import check_whole, shown
from ._errors import PositionError
from ._group import find_own_group, switch_on
from ._handle import handle
from ._long_poll import LongPollSource, two_consumers
from ._numbers import UpdateCounters, UpdateStatistics
from ._poller import Poller
from ._positions import PositionKeeper, load_position, store_and_start
from ._progress import Progress, UpdatesPosition
from ._types import UPDATE_TYPES
from ._update import Gap, UnknownUpdate, Update

if TYPE_CHECKING:
    from collections.abc import (
        AsyncGenerator,
        Awaitable,
        Callable,
        Hashable,
        Iterable,
    )

    from .._caller import Caller
    from ._positions import PositionStore
    from ._progress import Item

WAIT = 25
"""Seconds: what VK recommends, since proxies give up after 30."""
MAX_WAIT = 90

_NAMES: dict[type[Update[Any]], str] = {
    UnknownUpdate: "",
    **{cls: name for name, cls in UPDATE_TYPES.items()},
}

logger = logging.getLogger("vkanyio")


class UpdatesStage(enum.Enum):
    """How far a block of updates has come."""

    NEW = "have not been entered"
    OPEN = "are open"
    CLOSED = "have been closed"


@final
class BotUpdates(AsyncContextManagerMixin):
    """Updates about a community: :meth:`~vkanyio.API.bot_updates` makes it.

    ::

        async with api.bot_updates(position=FilePosition("bot.json")) as updates:
            async for update in updates:
                match update:
                    case MessageNew(object={"message": message}):
                        print(message["text"])
                    case Gap():
                        print("VK has lost some")

    Requesting the next update acknowledges the one before. The loop may be left and
    continued, also by another task, but only one task may wait at a time. A wait may be
    cancelled at any time, and loses nothing.

    Guarantees: every update that VK hands out after the position is delivered, or a
    :class:`Gap` reports between which numbers VK has lost some. One is delivered again
    only if it was not acknowledged in the position that was saved last.
    """

    __module__ = "vkanyio.updates"

    def __init__(
        self,
        caller: Caller,
        group_id: int | None = None,
        *,
        position: PositionStore | str | None = None,
        wait: int = WAIT,
        configure: bool = False,
        kinds: Iterable[type[Update[Any]] | str] | None = None,
    ) -> None:
        if group_id is not None:
            check_whole("group_id", group_id, 1)
        check_whole("wait", wait, 1, MAX_WAIT)
        self._caller = caller
        self._group_id = group_id
        self._store, self._start = store_and_start(position)
        self._wait = wait
        self._configure = configure
        self._kinds = _check_kinds(kinds)
        self._stage = UpdatesStage.NEW
        self._counters = UpdateCounters()
        self._source: LongPollSource | None = None
        self._in_hand: Item | None = None
        self._is_handling = False

    def __repr__(self) -> str:
        of = "" if self._group_id is None else f" of community {self._group_id}"
        return f"<BotUpdates{of}, {self._stage.name.lower()}>"

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
            " `async with api.bot_updates(...) as updates:`"
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
        start = self._start
        if self._store is not None:
            start = await load_position(self._store)
        if self._group_id is None:
            self._group_id = await find_own_group(self._caller)
        if start is not None and start.group_id != self._group_id:
            message = (
                f"the position belongs to community {start.group_id}, not to"
                f" {self._group_id}: keep a separate position for each community"
            )
            raise PositionError(message)
        if self._configure:
            await switch_on(self._caller, self._group_id, self._kinds or ())
        poller = Poller(self._caller, self._group_id, self._counters)
        newest = await poller.connect()
        progress = Progress(
            start or UpdatesPosition(group_id=self._group_id, ts=newest)
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

    async def _close(
        self, keeper: PositionKeeper | None, error: BaseException | None
    ) -> None:
        self._stage = UpdatesStage.CLOSED
        if self._source is not None:
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

    def _is_wanted(self, item: Item) -> bool:
        if self._kinds is None or isinstance(item, Gap):
            return True
        return _NAMES[type(item)] in self._kinds


def _check_kinds(
    kinds: Iterable[type[Update[Any]] | str] | None,
) -> frozenset[str] | None:
    if kinds is None:
        return None
    listed = [kinds] if isinstance(kinds, str | type) else [*kinds]
    return frozenset(_kind(each) for each in listed)


def _kind(kind: type[Update[Any]] | str) -> str:
    """Return the name of a type of updates; that of unknown ones is empty."""
    if isinstance(kind, str):
        if kind in UPDATE_TYPES:
            return kind
        message = (
            f"kinds has {shown(kind)}, which vkanyio does not"
            f" know{did_you_mean(kind, UPDATE_TYPES)} (UnknownUpdate stands for all"
            " unknown kinds)"
        )
        raise ValueError(message)
    if isinstance(kind, type) and kind in _NAMES:
        return _NAMES[kind]
    message = (
        "kinds must have classes such as MessageNew, or their names such as"
        f" 'message_new', got {shown(kind)}"
    )
    raise TypeError(message)
