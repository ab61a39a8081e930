"""Requests and workers cancelled at every step: nothing is lost or handled twice."""

from __future__ import annotations

from collections import Counter
from itertools import count
from typing import TYPE_CHECKING, Any

import anyio
import httpx
import pytest
import sniffio
from _callbacks import Table
from anyio import sleep

from cancellation._steps import Steps
from cancellation._ways import WAYS, Order
from vkanyio.updates import CallbackReceiver, Update

if TYPE_CHECKING:
    from vkanyio.updates import CallbackUpdates

pytestmark = pytest.mark.anyio

SECRET = "the-callback-secret"
EVENTS = 3
ways = pytest.mark.parametrize("way", WAYS)
stores = pytest.mark.parametrize("has_store", [False, True], ids=["memory", "store"])


def skip_unless_there(way: str) -> None:
    if sniffio.current_async_library() == "trio" and way in ("task", "timeout"):
        pytest.skip("asyncio's")


async def deliver(app: CallbackReceiver, n: int) -> None:
    """Send an event until the receiver says that it is handled."""
    message = {"id": n, "peer_id": n % 2}
    event = {
        "type": "message_new",
        "group_id": 9,
        "event_id": f"e{n}",
        "object": {"message": message},
        "secret": SECRET,
    }
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://bot") as vk:
        while True:
            response = await vk.post("/", json=event)
            if response.text == "ok":
                return
            await sleep(1)


class Handler:
    """Handles an event in some steps, which may be counted."""

    def __init__(self, steps: Steps | None = None) -> None:
        self.steps = steps
        self.begun: Counter[str] = Counter()
        self.ended: Counter[str] = Counter()

    async def __call__(self, update: Update[Any]) -> None:
        if self.steps is None:
            await self._work(update)
        else:
            await self.steps.counted(self._work(update))

    async def _work(self, update: Update[Any]) -> None:
        self.begun[update.event_id] += 1
        for _ in range(2):
            await sleep(1)
        self.ended[update.event_id] += 1


ONCE = {f"e{n}": 1 for n in range(EVENTS)}


def receiver(table: Table | None) -> CallbackReceiver:
    return CallbackReceiver(
        secrets={9: SECRET}, answer_within=1.5, retry_after=1, handled=table
    )


def new_table() -> Table:
    table = Table()
    table.seconds = 0.1
    return table


def assert_all_saved(table: Table | None) -> None:
    assert table is None or {event_id for _, event_id in table.ids} == {*ONCE}


@ways
@stores
async def test_a_request_that_is_broken_off_changes_nothing(
    way: str, has_store: bool
) -> None:
    skip_unless_there(way)
    for step in count(1):
        table = new_table() if has_store else None
        order, app, handler = Order(), receiver(table), Handler()
        steps = Steps(step, order.give, suspensions=False)

        async def first(app: CallbackReceiver = app, steps: Steps = steps) -> None:
            await steps.counted(deliver(app, 0))

        async with app.updates() as updates, anyio.create_task_group() as tg:
            tg.start_soon(updates.handle, handler)
            await WAYS[way](order, first)
            for n in range(EVENTS):
                await deliver(app, n)
            updates.stop()
        assert handler.begun == handler.ended == ONCE
        assert_all_saved(table)
        if not order.given:
            break
    assert step >= 3


async def handle_until_stopped(
    updates: CallbackUpdates, handler: Handler, way: str, order: Order
) -> None:
    """Handle updates; begin again when that was cancelled."""

    async def handle() -> None:
        assert handler.steps is not None
        await handler.steps.counted(updates.handle(handler, workers=2))

    await WAYS[way](order, handle)
    if order.given:
        await updates.handle(handler, workers=2)


@ways
@stores
async def test_workers_that_are_cancelled_lose_and_repeat_nothing(
    way: str, has_store: bool
) -> None:
    skip_unless_there(way)
    for step in count(1):
        table = new_table() if has_store else None
        order, app = Order(), receiver(table)
        handler = Handler(Steps(step, order.give, suspensions=False))
        async with app.updates() as updates, anyio.create_task_group() as tg:
            tg.start_soon(handle_until_stopped, updates, handler, way, order)
            async with anyio.create_task_group() as senders:
                for n in range(EVENTS):
                    senders.start_soon(deliver, app, n)
            updates.stop()
        assert handler.ended == ONCE
        assert handler.begun >= handler.ended
        assert_all_saved(table)
        if not order.given:
            break
    assert step > 5
