"""Handle updates by a bounded number of workers, in order where order matters.

It owns the tasks of the handlers and the updates that were taken and not handled. It
does not know where updates come from: that is the business of a :class:`Source`.
"""

from __future__ import annotations

import logging
from collections import deque
from inspect import isawaitable
from typing import TYPE_CHECKING, Any, Protocol, final

import anyio
from anyio import CapacityLimiter, Event, current_effective_deadline

from .._errors import ClientCrashedError
from .._typeguards import is_group
from .._wire_checks import check_whole, shown
from ._update import Gap

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Hashable, Sequence

    from ._update import Item, Update

logger = logging.getLogger("vkanyio")


class Source(Protocol):
    """Where updates come from."""

    async def take(self) -> Item:
        """Wait for the next update or gap.

        A cancelled wait loses nothing.

        :raises StopAsyncIteration: after a stop: no more is to be begun
        """
        ...

    def done(self, item: Item, /) -> None:
        """Acknowledge what was handled. It must not raise."""
        ...

    def give_back(self, items: Sequence[Item], /) -> None:
        """Take back what was not handled, in order: :meth:`take` returns it again."""
        ...

    async def attend(self) -> None:
        """Do what has to be done while handlers work, until cancelled."""
        ...


async def handle(
    source: Source,
    handler: Callable[[Any], Awaitable[object]],
    *,
    workers: int = 10,
    max_pending: int = 1000,
    key: Callable[[Any], Hashable | None] | None = None,
    on_gap: Callable[[Gap], object] | None = None,
    on_error: Callable[[Any, Exception], object] | None = None,
    on_handled: Callable[[Any], Awaitable[None]] | None = None,
) -> None:
    """Handle the updates of a source until it stops; see :meth:`BotUpdates.handle`.

    :param on_handled: awaited after an update was handled, before it is acknowledged.
        It is not the user's, and must not raise
    :raises TypeError: for an argument of the wrong type
    :raises ValueError: if a number is less than 1
    """
    check_whole("workers", workers, 1)
    check_whole("max_pending", max_pending, 1)
    functions = {"handler": handler, "key": key, "on_gap": on_gap, "on_error": on_error}
    for name, function in functions.items():
        if not callable(function) and (function is not None or name == "handler"):
            message = f"{name} must be a function, got {shown(function)}"
            raise TypeError(message)
    await Workers(
        source,
        handler,
        workers=workers,
        max_pending=max_pending,
        key=key,
        on_gap=on_gap,
        on_error=on_error,
        on_handled=on_handled,
    ).run()


@final
class Workers:
    """The handlers of a source at work: one run of :func:`handle`."""

    def __init__(
        self,
        source: Source,
        handler: Callable[[Any], Awaitable[object]],
        *,
        workers: int,
        max_pending: int,
        key: Callable[[Any], Hashable | None] | None,
        on_gap: Callable[[Gap], object] | None,
        on_error: Callable[[Any, Exception], object] | None,
        on_handled: Callable[[Any], Awaitable[None]] | None,
    ) -> None:
        self._source = source
        self._handler = handler
        self._max_pending = max_pending
        self._key = _order_key if key is None else key
        self._on_gap = on_gap
        self._on_error = on_error
        self._on_handled = on_handled
        self._limiter = CapacityLimiter(workers)
        self._group = anyio.create_task_group()
        self._lanes: dict[Hashable, deque[Update[Any]]] = {}
        self._taken: dict[int, Item] = {}  # and not handled, in order
        self._change = Event()
        self._failure: Exception | None = None
        self._is_complete = False

    async def run(self) -> None:
        """Handle updates until the source stops.

        1. The source stops: what was taken is handled first.
        2. A handler or the source fails: the other handlers are cancelled, and the
           error is raised unchanged; later errors of handlers become notes of it.
        3. This task is cancelled: the handlers are, too.
        """
        __tracebackhide__ = True
        try:
            async with self._group:
                self._group.start_soon(self._attend, name="vkanyio attend")
                try:
                    await self._take_all()
                    self._is_complete = True
                except Exception as error:
                    self._fail(error)
                self._group.cancel_scope.cancel()
        except BaseExceptionGroup as group:
            # Nothing but KeyboardInterrupt and the like: all else is caught below.
            raise _first(group) from None
        except anyio.get_cancelled_exc_class():
            if self._failure is None:
                raise
        finally:
            self._source.give_back([*self._taken.values()])
        if self._failure is not None:
            raise self._failure
        if not self._is_complete:  # asyncio: the group took it for its own end
            raise _cancelled_from_outside()

    async def _take_all(self) -> None:
        while True:
            await self._wait_until(self._max_pending)
            try:
                item = await self._source.take()
            except StopAsyncIteration:
                break
            self._taken[id(item)] = item
            if isinstance(item, Gap):
                await self._wait_until(2)  # all that came before it is handled
                await self._report_gap(item)
                self._done(item)
            else:
                self._begin(item)
        await self._wait_until(1)

    async def _wait_until(self, fewer_than: int) -> None:
        while len(self._taken) >= fewer_than:
            self._change = Event()
            await self._change.wait()

    def _begin(self, update: Update[Any]) -> None:
        key = self._key(update)
        lane = None if key is None else self._lanes.get(key)
        if lane is not None:
            lane.append(update)
            return
        lane = deque([update])
        if key is not None:
            self._lanes[key] = lane
        self._group.start_soon(self._work, key, lane, name="vkanyio handler")

    async def _work(self, key: Hashable | None, lane: deque[Update[Any]]) -> None:
        """Handle the updates of one lane, one after the other."""
        try:
            while lane:
                update = lane[0]
                async with self._limiter:
                    await self._handle(update)
                    if self._on_handled is not None:
                        await self._on_handled(update)
                self._done(update)
                lane.popleft()
        except Exception as error:
            self._fail(error)
        except anyio.get_cancelled_exc_class():
            if current_effective_deadline() == -float("inf"):
                raise
            # asyncio: somebody cancelled the task itself, or the handler waited for
            # something that was cancelled. The group would end silently.
            self._fail(_cancelled_from_outside())
        finally:
            if key is not None:
                del self._lanes[key]

    async def _handle(self, update: Update[Any]) -> None:
        handling = self._handler(update)
        if not isawaitable(handling):
            name = shown(self._handler)
            message = f"handler must be an async function, but {name} returned no"
            raise TypeError(f"{message} awaitable")
        try:
            await handling
        except Exception as error:
            if self._on_error is None:
                raise
            await _finish(self._on_error(update, error))

    async def _report_gap(self, gap: Gap) -> None:
        if self._on_gap is not None:
            await _finish(self._on_gap(gap))
        else:
            text = "updates were lost (%s): those after %s, up to %s"
            logger.warning(text, gap.reason, gap.before, gap.after)

    async def _attend(self) -> None:
        try:
            await self._source.attend()
        except Exception as error:
            self._fail(error)

    def _done(self, item: Item) -> None:
        del self._taken[id(item)]
        self._source.done(item)
        self._change.set()

    def _fail(self, error: Exception) -> None:
        if self._failure is None:
            self._failure = error
        elif error is not self._failure:
            self._failure.add_note(f"another handler failed, too: {shown(error)}")
        self._group.cancel_scope.cancel()


def _order_key(update: Update[Any]) -> Hashable | None:
    return update.order_key


async def _finish(result: object) -> None:
    """Wait for what a function returned, if it is async."""
    if isawaitable(result):
        await result


def _first(error: BaseException) -> BaseException:
    while is_group(error):
        error = error.exceptions[0]
    return error


def _cancelled_from_outside() -> ClientCrashedError:
    return ClientCrashedError(
        "a handler was cancelled by Task.cancel(), or waited for a task that was:"
        " cancel `handle` as a whole instead"
    )
