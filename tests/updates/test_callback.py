"""Updates that VK delivers: when it gets "ok", and what the program gets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio
import pytest
from _callbacks import (
    GROUP,
    SECRET,
    Handled,
    event,
    is_asked_to_repeat,
    post,
    receiver,
)
from anyio import current_time, sleep

from _helpers import settle
from vkanyio import ClientClosedError, ClientUseError
from vkanyio.updates import CallbackReceiver, MessageNew, UnknownUpdate, Update

if TYPE_CHECKING:
    import httpx

pytestmark = pytest.mark.anyio


async def test_vk_gets_ok_once_the_update_was_handled(
    app: CallbackReceiver, handler: Handled
) -> None:
    handler.seconds = 3
    start = current_time()
    response = await post(app)
    assert (response.status_code, response.content) == (200, b"ok")
    assert current_time() == pytest.approx(start + 3)
    assert handler.ended == ["e1"]


async def test_updates_have_the_classes_that_they_have_by_long_poll() -> None:
    app = receiver()
    got: list[Any] = []
    async with app.updates() as updates, anyio.create_task_group() as tg:

        async def take() -> None:
            async for update in updates:
                got.append(update)
                if len(got) == 2:
                    updates.stop()

        tg.start_soon(take)
        await settle()
        assert (await post(app)).text == "ok"
        unknown = event(2, type="something_new", event_id="")
        assert (await post(app, unknown, headers={"X-Retry-Counter": "2"})).text == "ok"
    first, second = got
    match first:
        case MessageNew(object={"message": message}):
            assert message["text"] == "1"
    assert (first.event_id, first.group_id, first.v) == ("e1", GROUP, "5.199")
    assert (first.peer_id, first.attempt) == (1, 0)
    assert isinstance(second, UnknownUpdate)
    assert (second.type, second.attempt, len(second.event_id)) == (
        "something_new",
        2,
        40,
    )
    assert SECRET not in repr(got)


async def test_an_update_that_takes_too_long_is_repeated_and_handled_once(
    app: CallbackReceiver, handler: Handled
) -> None:
    handler.seconds = 6
    start = current_time()
    assert is_asked_to_repeat(await post(app))
    assert current_time() == pytest.approx(start + 4)
    assert (await post(app)).text == "ok"
    assert current_time() == pytest.approx(start + 6)
    assert (await post(app)).text == "ok"
    assert current_time() == pytest.approx(start + 6)
    assert handler.begun == handler.ended == ["e1"]


async def test_a_late_update_may_be_answered_with_ok() -> None:
    app, handler = receiver(late="ok", answer_within=2), Handled(3)
    async with app.updates() as updates, anyio.create_task_group() as tg:
        tg.start_soon(updates.handle, handler)
        start = current_time()
        assert (await post(app)).text == "ok"
        assert current_time() == pytest.approx(start + 2)
        assert handler.ended == []
        updates.stop()
    assert handler.ended == ["e1"]


async def test_updates_of_a_peer_are_handled_in_order_and_others_at_once(
    app: CallbackReceiver, handler: Handled
) -> None:
    handler.seconds = 1
    start = current_time()
    async with anyio.create_task_group() as tg:
        for n, peer in ((1, 1), (2, 1), (3, 2)):
            tg.start_soon(post, app, event(n, peer))
            await settle()
    assert current_time() == pytest.approx(start + 2)
    assert sorted(handler.ended[:2]) == ["e1", "e3"]
    assert handler.ended[2:] == ["e2"]


async def test_a_client_that_hangs_up_cancels_no_handler(
    app: CallbackReceiver, handler: Handled
) -> None:
    handler.seconds = 3
    with anyio.move_on_after(1):
        await post(app)
    assert handler.begun == ["e1"]
    assert (await post(app)).text == "ok"
    assert handler.begun == handler.ended == ["e1"]


async def test_nobody_who_takes_updates_means_later() -> None:
    app = receiver()
    assert is_asked_to_repeat(await post(app))
    async with app.updates() as updates:
        start = current_time()
        assert is_asked_to_repeat(await post(app))  # nobody has taken it in time
        assert current_time() == pytest.approx(start + 4)
        async for update in updates:  # it is still there
            assert update.event_id == "e1"
            break
        updates.acknowledge()
        updates.acknowledge()
        assert (await post(app)).text == "ok"
    assert (await post(app)).text == "ok"
    assert is_asked_to_repeat(await post(app, event(2)))
    assert current_time() == pytest.approx(start + 4)


async def test_an_update_in_hand_is_not_acknowledged_by_leaving_the_loop() -> None:
    app = receiver()
    responses = []

    async def deliver() -> None:
        responses.append(await post(app))

    async with anyio.create_task_group() as tg, app.updates() as updates:
        tg.start_soon(deliver)
        async for _ in updates:
            break
        start = current_time()
    assert is_asked_to_repeat(responses[0])
    assert current_time() == start  # at once
    handler = Handled()
    async with app.updates() as updates, anyio.create_task_group() as tg:
        tg.start_soon(updates.handle, handler)
        assert (await post(app)).text == "ok"
        updates.stop()
    assert handler.ended == ["e1"]


async def test_a_loop_that_was_left_gives_its_update_to_the_workers() -> None:
    app, handler = receiver(), Handled()
    responses = []

    async def deliver() -> None:
        responses.append(await post(app))

    async with app.updates() as updates, anyio.create_task_group() as tg:
        tg.start_soon(deliver)
        async for _ in updates:
            break
        tg.start_soon(updates.handle, handler)
        await settle()
        assert responses[0].text == "ok"
        updates.stop()
    assert handler.ended == ["e1"]


async def test_the_error_of_a_handler_leaves_as_itself_and_vk_repeats() -> None:
    app = receiver()
    error = ValueError("no such order")

    async def fail(update: Update[Any]) -> None:
        if update.attempt == 0:
            raise error

    responses = []

    async def deliver() -> None:
        responses.append(await post(app))

    async with anyio.create_task_group() as tg, app.updates() as updates:
        tg.start_soon(deliver)
        with pytest.raises(ValueError, match="no such order") as caught:
            await updates.handle(fail)
    assert caught.value is error
    assert is_asked_to_repeat(responses[0])
    async with app.updates() as updates, anyio.create_task_group() as tg:
        tg.start_soon(updates.handle, fail)
        assert (await post(app, headers={"X-Retry-Counter": "1"})).text == "ok"
        updates.stop()


async def test_a_failed_update_is_handled_by_the_next_workers_without_vk() -> None:
    app, handler = receiver(), Handled()

    async def fail(_update: Update[Any]) -> None:
        raise ValueError("once")

    async with app.updates() as updates, anyio.create_task_group() as tg:
        responses = []

        async def deliver() -> None:
            responses.append(await post(app))

        tg.start_soon(deliver)
        with pytest.raises(ValueError, match="once"):
            await updates.handle(fail)
        tg.start_soon(updates.handle, handler)
        await settle()
        updates.stop()
    assert handler.ended == ["e1"]
    assert responses[0].text == "ok"


async def test_an_error_that_was_dealt_with_is_handled() -> None:
    app = receiver()
    errors: list[Exception] = []

    async def fail(_update: Update[Any]) -> None:
        raise ValueError("poison")

    async with app.updates() as updates, anyio.create_task_group() as tg:

        async def handle() -> None:
            await updates.handle(fail, on_error=lambda _, error: errors.append(error))

        tg.start_soon(handle)
        assert (await post(app)).text == "ok"
        updates.stop()
    assert [str(error) for error in errors] == ["poison"]


async def test_a_stop_finishes_what_was_begun_and_begins_no_more() -> None:
    app, handler = receiver(answer_within=60), Handled(5)
    responses: dict[int, httpx.Response] = {}

    async def deliver(n: int) -> None:
        responses[n] = await post(app, event(n))

    async with app.updates() as updates, anyio.create_task_group() as tg:
        tg.start_soon(lambda: updates.handle(handler, max_pending=2))
        for n in (1, 2, 3):
            tg.start_soon(deliver, n)
            await sleep(1)
        updates.stop()
        tg.start_soon(deliver, 4)
        await settle()
        assert is_asked_to_repeat(responses[3])
        assert is_asked_to_repeat(responses[4])
    assert responses[1].text == responses[2].text == "ok"
    assert handler.ended == ["e1", "e2"]
    with pytest.raises(ClientClosedError):
        await updates.handle(handler)


async def test_a_handler_that_outlives_the_block_has_handled_its_update(
    handler: Handled,
) -> None:
    app, responses = receiver(), []
    handler.seconds = 3

    async def deliver() -> None:
        responses.append(await post(app))

    async with anyio.create_task_group() as tg:
        async with app.updates() as updates:
            tg.start_soon(updates.handle, handler)
            tg.start_soon(deliver)
            await sleep(1)
        await settle()
        assert is_asked_to_repeat(responses[0])
    assert (await post(app)).text == "ok"
    assert handler.begun == handler.ended == ["e1"]
    assert app.statistics().waiting == 0


async def test_there_is_a_bound_on_what_waits() -> None:
    app, handler = receiver(max_pending=2), Handled(1)
    async with app.updates() as updates, anyio.create_task_group() as tg:
        for n in (1, 2):
            tg.start_soon(post, app, event(n))
        await settle()
        start = current_time()
        assert is_asked_to_repeat(await post(app, event(3)))
        assert current_time() == start
        tg.start_soon(updates.handle, handler)
        assert (await post(app, event(2))).text == "ok"  # one of the two
        assert (await post(app, event(3))).text == "ok"
        updates.stop()
    assert sorted(handler.ended) == ["e1", "e2", "e3"]


async def test_only_so_many_handled_updates_are_remembered(handler: Handled) -> None:
    app = receiver(remembered=2)
    async with app.updates() as updates, anyio.create_task_group() as tg:
        tg.start_soon(updates.handle, handler)
        for n in (1, 2, 3, 3, 2, 1):
            assert (await post(app, event(n))).text == "ok"
        updates.stop()
    assert handler.ended == ["e1", "e2", "e3", "e1"]


async def test_event_ids_are_those_of_one_community(handler: Handled) -> None:
    app = receiver(secrets={8: "other", GROUP: SECRET})
    async with app.updates() as updates, anyio.create_task_group() as tg:
        tg.start_soon(updates.handle, handler)
        for group_id, secret in ((GROUP, SECRET), (8, "other")):
            same = event(1, group_id=group_id, secret=secret)
            assert (await post(app, same)).text == "ok"
        updates.stop()
    assert handler.ended == ["e1", "e1"]


async def test_updates_are_taken_by_one_task_in_one_block() -> None:
    app = receiver()
    updates = app.updates()
    with pytest.raises(ClientClosedError, match=r"async with receiver\.updates\(\)"):
        await anext(updates)
    async with updates, anyio.create_task_group() as tg:
        tg.start_soon(updates.handle, Handled())
        await settle()
        with pytest.raises(ClientUseError, match="another task"):
            await anext(updates)
        with pytest.raises(ClientUseError, match="in use"):
            async with app.updates():
                pytest.fail("there are two")
        assert (await post(app)).text == "ok"
        updates.stop()
    with pytest.raises(ClientUseError, match="twice"):
        async with updates:
            pytest.fail("it was entered again")
    async with app.updates() as other:
        other.stop()
        assert [update async for update in other] == []


async def test_a_wait_that_is_cancelled_loses_nothing() -> None:
    app = receiver()
    got = []
    async with app.updates() as updates, anyio.create_task_group() as tg:
        for n in range(1, 6):
            with anyio.move_on_after(0.5):
                await anext(updates)
            tg.start_soon(post, app, event(n))
            got.append((await anext(updates)).event_id)
        updates.stop()
    assert got == ["e1", "e2", "e3", "e4", "e5"]
