"""A store of handled updates, and what a receiver counts."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import anyio
import pytest
from _callbacks import (
    GROUP,
    SECRET,
    Handled,
    Table,
    event,
    is_asked_to_repeat,
    post,
    receiver,
)
from anyio import current_time, fail_after, sleep

from _helpers import settle
from vkanyio import ClientCrashedError
from vkanyio.updates import UpdatesError

if TYPE_CHECKING:
    import httpx

    from vkanyio.updates import CallbackReceiver, Update

pytestmark = pytest.mark.anyio


@pytest.fixture
def table() -> Table:
    return Table()


async def deliver(
    app: CallbackReceiver, handler: Handled, *events: dict[str, Any]
) -> list[httpx.Response]:
    """Run a program for as long as VK delivers these events, one after the other."""
    async with app.updates() as updates, anyio.create_task_group() as tg:
        tg.start_soon(updates.handle, handler)
        await settle()
        responses = [await post(app, each) for each in events]
        updates.stop()
    return responses


async def test_what_another_process_has_handled_is_not_handled_again(
    table: Table, handler: Handled
) -> None:
    for _ in range(2):  # two processes
        app = receiver(handled=table)
        [response] = await deliver(app, handler, event())
        assert response.text == "ok"
    assert handler.begun == ["e1"]
    made = app.statistics()
    assert (made.received, made.handled, made.repeated) == (0, 0, 1)
    other = event(1, group_id=8, secret="other")
    app = receiver(handled=table, secrets={8: "other"}, confirmations=None)
    await deliver(app, handler, other)
    assert handler.begun == ["e1", "e1"]
    assert table.ids == {(GROUP, "e1"), (8, "e1")}


async def test_vk_gets_ok_once_the_store_has_the_update(
    table: Table, handler: Handled
) -> None:
    table.seconds, handler.seconds = 1, 1
    app = receiver(handled=table)
    start = current_time()
    async with app.updates() as updates, anyio.create_task_group() as tg:
        tg.start_soon(updates.handle, handler)
        assert (await post(app)).text == "ok"
        assert current_time() == pytest.approx(start + 3)  # asked, handled, saved
        assert (await post(app)).text == "ok"
        assert current_time() == pytest.approx(start + 3)  # its own memory comes first
        updates.stop()
    assert table.ids == {(GROUP, "e1")}


async def test_a_loop_saves_what_it_acknowledges(table: Table) -> None:
    app = receiver(handled=table)
    async with anyio.create_task_group() as tg:
        async with app.updates() as updates:
            for n in (1, 2, 3):
                tg.start_soon(post, app, event(n))
                await settle()
            await anext(updates)
            await anext(updates)
            assert table.ids == {(GROUP, "e1")}
            updates.acknowledge()
            assert table.ids == {(GROUP, "e1")}
            async for update in updates:
                assert update.event_id == "e3"
                assert table.ids == {(GROUP, "e1"), (GROUP, "e2")}
                updates.acknowledge()
                break
            table.seconds = 1
            start = current_time()
        assert current_time() == start + 1
        assert len(table.ids) == 3
    assert app.statistics().handled == 3


async def test_workers_first_save_what_a_loop_has_acknowledged(table: Table) -> None:
    app, handler = receiver(handled=table), Handled()
    async with app.updates() as updates, anyio.create_task_group() as tg:
        tg.start_soon(post, app)
        await anext(updates)
        updates.acknowledge()
        tg.start_soon(updates.handle, handler)
        assert (await post(app, event(2))).text == "ok"
        assert table.ids == {(GROUP, "e1"), (GROUP, "e2")}
        updates.stop()
    assert handler.begun == ["e2"]


async def test_while_the_store_cannot_be_asked_vk_is_asked_to_repeat(
    table: Table, handler: Handled, caplog: pytest.LogCaptureFixture
) -> None:
    app = receiver(handled=table)
    table.error = OSError("no route to the table")
    async with app.updates() as updates, anyio.create_task_group() as tg:
        tg.start_soon(updates.handle, handler)
        assert is_asked_to_repeat(await post(app))
        table.error, table.seconds = None, 60
        start = current_time()
        assert is_asked_to_repeat(await post(app))
        assert current_time() == pytest.approx(start + 4)
        assert handler.begun == []
        table.seconds = 0
        assert (await post(app)).text == "ok"
        updates.stop()
    assert handler.begun == ["e1"]
    assert "could not say whether an update was handled" in caplog.text
    assert "no route to the table" in caplog.text
    assert caplog.text.count("TimeoutError") == 1
    made = app.statistics()
    assert (made.received, made.refused, made.store_failures) == (1, {"store": 2}, 2)


async def test_an_update_that_cannot_be_saved_was_handled_all_the_same(
    table: Table, handler: Handled, caplog: pytest.LogCaptureFixture
) -> None:
    app = receiver(handled=table, answer_within=60)
    async with app.updates() as updates, anyio.create_task_group() as tg:
        tg.start_soon(updates.handle, handler)
        table.add_error = OSError("the disk is full")
        assert (await post(app)).text == "ok"
        table.add_error, table.add_seconds = None, 60
        start = current_time()
        assert (await post(app, event(2))).text == "ok"
        assert current_time() == pytest.approx(start + 5)
        for n in (1, 2):
            assert (await post(app, event(n))).text == "ok"
        updates.stop()
    assert handler.begun == ["e1", "e2"]
    assert table.ids == set()
    assert caplog.text.count("could not remember an update that was handled") == 2
    assert "the disk is full" in caplog.text
    assert app.statistics().store_failures == 2


async def test_a_store_that_fails_for_three_minutes_ends_the_program(
    table: Table, handler: Handled
) -> None:
    app = receiver(handled=table)
    table.error = error = OSError("no route to the table")
    async with app.updates() as updates, anyio.create_task_group() as tg:

        async def repeat(times: int) -> None:
            for _ in range(times):
                await post(app)
                await sleep(20)

        tg.start_soon(repeat, 10)
        start = current_time()
        problem = "has failed for 3 minutes"
        with pytest.raises(UpdatesError, match=problem) as caught, fail_after(600):
            await updates.handle(handler)
        assert current_time() == pytest.approx(start + 180)
        assert caught.value.__cause__ is error
        table.error = None
        tg.start_soon(updates.handle, handler)
        assert (await post(app)).text == "ok"
        table.error = error  # three minutes anew
        await repeat(5)
        updates.stop()


async def test_the_order_of_updates_is_that_in_which_they_came(
    table: Table, handler: Handled
) -> None:
    table.slow = {"e1": 3.0, "e2": 1.0}
    app = receiver(handled=table)
    async with app.updates() as updates, anyio.create_task_group() as tg:
        tg.start_soon(updates.handle, handler)
        for n in (1, 2, 3):
            tg.start_soon(post, app, event(n))
            await settle()
        await sleep(2)
        assert handler.begun == []
        await sleep(2)
        assert handler.begun == ["e1", "e2", "e3"]
        updates.stop()


@pytest.mark.parametrize("known", [False, True])
async def test_an_update_that_is_not_to_be_handled_holds_up_no_other(
    table: Table, handler: Handled, known: bool
) -> None:
    table.slow = {"e1": 3.0}
    if known:
        table.ids.add((GROUP, "e1"))
    app = receiver(handled=table)
    async with app.updates() as updates, anyio.create_task_group() as tg:
        tg.start_soon(updates.handle, handler)

        async def give_up() -> None:
            with anyio.move_on_after(5 if known else 1):
                await post(app)

        start = current_time()
        tg.start_soon(give_up)
        await settle()
        assert (await post(app, event(2))).text == "ok"
        assert current_time() == pytest.approx(start + (3 if known else 1))
        updates.stop()
    assert handler.begun == ["e2"]


async def test_a_stop_while_the_store_is_asked_leaves_the_update_to_vk(
    table: Table, handler: Handled
) -> None:
    table.seconds = 1
    app = receiver(handled=table)
    responses = []
    async with anyio.create_task_group() as tg:

        async def deliver_slowly() -> None:
            responses.append(await post(app))

        async with app.updates() as updates:
            tg.start_soon(deliver_slowly)
            await settle()
            updates.stop()
        async with app.updates() as updates:  # the next one brings it again
            tg.start_soon(updates.handle, handler)
            assert (await post(app)).text == "ok"
            updates.stop()
    assert is_asked_to_repeat(responses[0])
    assert handler.begun == ["e1"]
    assert app.statistics().waiting == 0


async def test_workers_that_are_cancelled_finish_saving_within_bounds(
    table: Table, handler: Handled
) -> None:
    table.add_seconds = 3
    app = receiver(handled=table, answer_within=60)
    responses = []
    async with anyio.create_task_group() as tg, app.updates() as updates:

        async def wait() -> None:
            responses.append(await post(app))

        tg.start_soon(wait)
        start = current_time()
        with anyio.move_on_after(1):
            await updates.handle(handler)
        assert current_time() == pytest.approx(start + 3)
        await settle()
        assert responses[0].text == "ok"
    assert table.ids == {(GROUP, "e1")}


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_native_cancellation_of_a_save_is_reported_and_repeats_nothing(
    table: Table, caplog: pytest.LogCaptureFixture
) -> None:
    table.add_seconds = 0.2
    app = receiver(handled=table)
    responses = []
    async with anyio.create_task_group() as tg, app.updates() as updates:

        async def wait() -> None:
            responses.append(await post(app))

        tg.start_soon(wait)
        await anext(updates)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):  # which no shield stops
                await anext(updates)
        await settle()
        assert responses[0].text == "ok"
        assert (await post(app)).text == "ok"
    assert "could not remember an update that was handled" in caplog.text
    assert app.statistics().store_failures == 1
    assert table.ids == set()


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_worker_that_is_cancelled_natively_while_it_saves_has_handled(
    table: Table, handler: Handled
) -> None:
    table.add_seconds = 60
    app = receiver(handled=table)
    responses = []
    async with anyio.create_task_group() as tg, app.updates() as updates:

        async def deliver_and_cancel() -> None:
            tg.start_soon(wait)
            await settle()
            for task in asyncio.all_tasks():
                if task.get_name() == "vkanyio handler":
                    task.cancel()

        async def wait() -> None:
            responses.append(await post(app))

        tg.start_soon(deliver_and_cancel)
        with pytest.raises(ClientCrashedError):
            await updates.handle(handler)
        await settle()
        assert responses[0].text == "ok"
        assert (await post(app)).text == "ok"
    assert handler.begun == ["e1"]
    assert app.statistics().store_failures == 1


def test_a_store_without_the_methods_is_refused() -> None:
    with pytest.raises(TypeError, match=r"`contains` and `add`, got 'ids\.db'"):
        receiver(handled="ids.db")


async def test_statistics_say_what_was_delivered_and_why_it_was_refused(
    handler: Handled,
) -> None:
    app = receiver(path="/vk", max_pending=1, max_body=400, confirmations=None)
    assert app.statistics().since_update is None
    await post(app, url="/")
    await post(app, verb="GET")
    await post(app, b" " * 401)
    await post(app, b"[]")
    await post(app, event(secret=SECRET + "x"))
    await post(app, event(type="confirmation"))
    await post(app)

    async def fail(_update: Update[Any]) -> None:
        raise ValueError("no such order")

    async with anyio.create_task_group() as tg:
        async with app.updates() as updates:
            tg.start_soon(post, app)
            await settle()
            await post(app, event(2))
            assert app.statistics().waiting == 1
            with pytest.raises(ValueError, match="no such order"):
                await updates.handle(fail)
        handler.seconds = 6
        async with app.updates() as updates:
            tg.start_soon(updates.handle, handler)
            for _ in range(3):
                await post(app, event(3))
            updates.stop()
        await sleep(10)
    made = app.statistics()
    assert made.refused == {
        "path": 1,
        "method": 1,
        "length": 1,
        "not an update": 1,
        "secret": 1,
        "confirmation": 1,
        "closed": 1,
        "full": 1,
        "not handled": 1,
    }
    assert (made.received, made.handled, made.waiting) == (2, 1, 0)
    assert (made.repeated, made.late) == (2, 1)
    assert made.since_update == pytest.approx(10)
