"""Ways to cancel a task, and what must hold for each of them."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, final

from anyio import CancelScope, current_time
from anyio.lowlevel import checkpoint

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import TypeAlias

    Way: TypeAlias = Callable[["Order", Callable[[], Awaitable[None]]], Awaitable[None]]


@final
class Order:
    """An order to cancel, which may be given before there is anything to cancel.

    :ivar given: whether it was given in time
    """

    def __init__(self) -> None:
        self.given = False
        self.over = False
        self._cancel: Callable[[], object] | None = None

    def give(self) -> None:
        """Cancel, unless it is too late or done already."""
        if not self.given and not self.over:
            self.given = True
            if self._cancel is not None:
                self._cancel()

    def obey_by(self, cancel: Callable[[], object]) -> None:
        """Set how to cancel, now that there is something to cancel."""
        self._cancel = cancel
        if self.given:
            cancel()

    def close(self) -> None:
        """Accept no more orders."""
        self.over = True


# Each runs a function, and asserts that the cancellation was delivered if the order was
# given. A cancellation that comes in the same step as the outcome may be delivered at
# the next checkpoint.


async def by_scope(order: Order, function: Callable[[], Awaitable[None]]) -> None:
    """Cancel by a scope."""
    with CancelScope() as scope:
        order.obey_by(scope.cancel)
        await function()
        if order.given:
            await checkpoint()
        order.close()
    assert scope.cancelled_caught == order.given, "the cancellation was lost"
    order.close()


async def by_deadline(order: Order, function: Callable[[], Awaitable[None]]) -> None:
    """Cancel by a scope whose deadline comes."""
    with CancelScope() as scope:
        order.obey_by(lambda: setattr(scope, "deadline", current_time()))
        await function()
        if order.given:
            await _let_timers_run()
        order.close()
    assert scope.cancelled_caught == order.given, "the deadline was lost"
    order.close()


async def by_task(order: Order, function: Callable[[], Awaitable[None]]) -> None:
    """Cancel by asyncio's ``Task.cancel``."""
    task, loop = _current_task(), asyncio.get_running_loop()
    before = task.cancelling()
    caught = False

    def cancel() -> None:
        # Another task cancels, which cannot happen while this one takes a step.
        if asyncio.current_task() is task:
            loop.call_soon(task.cancel)
        else:
            task.cancel()

    order.obey_by(cancel)
    try:
        await function()
        if order.given:
            await _let_timers_run()
    except asyncio.CancelledError:
        if not order.given:
            raise
        caught = True
    except Exception:
        # An error of the function takes precedence, and the count does not change.
        await _take_back(order, task, before)
        raise
    if caught:
        assert task.cancelling() == before + 1, "the count of cancellations is wrong"
        task.uncancel()
    order.close()
    assert caught == order.given, "the cancellation was lost"
    assert task.cancelling() == before


async def by_timeout(order: Order, function: Callable[[], Awaitable[None]]) -> None:
    """Cancel by ``asyncio.timeout``."""
    task, loop = _current_task(), asyncio.get_running_loop()
    before = task.cancelling()
    caught = False
    try:
        async with asyncio.timeout(None) as timeout:
            order.obey_by(lambda: timeout.reschedule(loop.time()))
            await function()
            if order.given:
                await _let_timers_run()
            order.close()
    except TimeoutError:
        if not order.given:
            raise
        caught = True
    finally:
        order.close()
    assert caught == order.given, "the timeout was lost"
    assert task.cancelling() == before, "the count of cancellations is wrong"


WAYS: dict[str, Way] = {
    "scope": by_scope,
    "deadline": by_deadline,
    "task": by_task,
    "timeout": by_timeout,
}


async def _take_back(order: Order, task: asyncio.Task[object], before: int) -> None:
    order.close()
    if order.given:
        with suppress(asyncio.CancelledError):
            await _let_timers_run()
        assert task.cancelling() == before + 1, "the count of cancellations is wrong"
        task.uncancel()


def _current_task() -> asyncio.Task[object]:
    task = asyncio.current_task()
    assert task is not None
    return task


async def _let_timers_run() -> None:
    for _ in range(3):
        await checkpoint()
