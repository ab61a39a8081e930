"""``handle``: bounded workers, in order where order matters, and an orderly end."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from typing import TYPE_CHECKING, Any

import anyio
import pytest
from _source import GAP, HandSource, message, text_of
from anyio import current_time, sleep

from _helpers import cancelling, own_tasks, settle
from vkanyio import ClientCrashedError
from vkanyio.updates._handle import handle

if TYPE_CHECKING:
    from collections.abc import Callable

    from vkanyio.updates import Gap, Update

pytestmark = pytest.mark.anyio


class Handler:
    """Handles messages in some seconds each, and notes what happens."""

    def __init__(self, seconds: float = 1.0, **failures: Exception) -> None:
        self.seconds = seconds
        self.failures = failures
        self.begun: list[int] = []
        self.ended: list[int] = []
        self.cancelled: list[int] = []
        self.running = 0
        self.most_running = 0

    async def __call__(self, update: Update[Any]) -> None:
        n = text_of(update)
        self.begun.append(n)
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        try:
            await sleep(self.seconds)
        except BaseException:
            self.cancelled.append(n)
            raise
        finally:
            self.running -= 1
        if f"e{n}" in self.failures:
            raise self.failures[f"e{n}"]
        self.ended.append(n)


async def stopped_after(
    source: HandSource,
    seconds: float,
    handler: Callable[[Update[Any]], Any],
    **options: Any,
) -> None:
    """Handle what a source has, and stop it after some seconds."""

    async def stop() -> None:
        await sleep(seconds)
        source.stop()

    async with anyio.create_task_group() as tg:
        tg.start_soon(stop)
        await handle(source, handler, **options)
        assert not source.attended


async def test_handlers_of_different_peers_run_at_once() -> None:
    source = HandSource(*(message(n, peer=n) for n in range(6)))
    handler = Handler()
    start = current_time()
    await stopped_after(source, 0.5, handler)
    assert current_time() == pytest.approx(start + 1)
    assert sorted(handler.ended) == [0, 1, 2, 3, 4, 5]
    assert len(source.handled) == 6


async def test_updates_of_one_peer_are_handled_one_after_the_other_in_order() -> None:
    source = HandSource(*(message(n, peer=n % 2) for n in range(8)))
    handler = Handler()
    await stopped_after(source, 0.5, handler)
    assert handler.most_running == 2
    assert [n for n in handler.ended if n % 2] == [1, 3, 5, 7]
    assert [n for n in handler.ended if not n % 2] == [0, 2, 4, 6]


async def test_at_most_as_many_handlers_run_as_there_are_workers() -> None:
    source = HandSource(*(message(n, peer=n) for n in range(9)))
    handler = Handler()
    start = current_time()
    await stopped_after(source, 0.5, handler, workers=3)
    assert handler.most_running == 3
    assert current_time() == pytest.approx(start + 3)


async def test_a_key_decides_what_is_ordered() -> None:
    source = HandSource(*(message(n, peer=n) for n in range(4)))
    handler = Handler()
    await stopped_after(source, 0.5, handler, key=lambda update: "all")
    assert handler.most_running == 1
    source = HandSource(*(message(n, peer=1) for n in range(4)))
    handler = Handler()
    await stopped_after(source, 0.5, handler, key=lambda update: None)
    assert handler.most_running == 4


async def test_no_more_is_taken_than_may_be_pending() -> None:
    source = HandSource(*(message(n, peer=1) for n in range(20)))
    handler = Handler()
    with anyio.move_on_after(2.5):
        await handle(source, handler, max_pending=5)
    assert handler.ended == [0, 1]
    assert source.asked == 5 + 2
    assert handler.cancelled == [2]
    # What was taken and not handled is there for the next to take, in order.
    assert [text_of(each) for each in source.ready] == [*range(2, 20)]  # type: ignore[arg-type]


async def test_a_stop_finishes_what_was_taken_and_begins_nothing_new() -> None:
    source = HandSource(*(message(n, peer=n % 3) for n in range(30)))
    handler = Handler()
    await stopped_after(source, 2.5, handler, workers=3, max_pending=6)
    assert sorted(handler.begun) == sorted(handler.ended)
    taken = len(handler.ended)
    assert 6 < taken < 30
    assert len(source.handled) == taken
    rest = [text_of(each) for each in source.ready]  # type: ignore[arg-type]
    assert sorted(handler.ended + rest) == [*range(30)]


async def test_an_error_of_a_handler_leaves_as_itself_and_cancels_the_others() -> None:
    error = ValueError("mine")
    source = HandSource(*(message(n, peer=n) for n in range(3)), message(3, peer=1))
    handler = Handler(e1=error)
    source.add(message(4, peer=0))

    async def slow_but_one(update: Update[Any]) -> None:
        handler.seconds = 1 if text_of(update) == 1 else 5
        await handler(update)

    with pytest.raises(ValueError, match="mine") as caught:
        await handle(source, slow_but_one)
    assert caught.value is error
    assert not hasattr(error, "__notes__")
    assert sorted(handler.cancelled) == [0, 2]
    assert source.handled == []
    assert [text_of(each) for each in source.ready] == [0, 1, 2, 3, 4]  # type: ignore[arg-type]
    await settle()
    assert own_tasks() == []


async def test_of_several_errors_the_first_leaves_and_names_the_others() -> None:
    async def handler(update: Update[Any]) -> None:
        try:
            await sleep(1 if text_of(update) == 1 else 5)
        finally:
            raise ValueError(text_of(update))

    source = HandSource(message(0, peer=0), message(1, peer=1))
    with pytest.raises(ValueError, match=r"^1\n") as caught:
        await handle(source, handler)
    assert caught.value.__notes__ == ["another handler failed, too: ValueError(0)"]


async def test_what_on_error_accepts_counts_as_handled() -> None:
    errors: list[tuple[int, str]] = []
    error = KeyError("text")
    source = HandSource(*(message(n, peer=1) for n in range(3)))

    def note(update: Update[Any], error: Exception) -> None:
        errors.append((text_of(update), repr(error)))

    await stopped_after(source, 1, Handler(e1=error), on_error=note)
    assert errors == [(1, "KeyError('text')")]
    assert len(source.handled) == 3

    async def note_later(update: Update[Any], error: Exception) -> None:
        await sleep(1)
        note(update, error)

    source = HandSource(message(1))
    await stopped_after(source, 1, Handler(e1=error), on_error=note_later)
    assert len(errors) == 2
    assert len(source.handled) == 1


async def test_what_on_error_raises_leaves() -> None:
    def give_up(update: Update[Any], error: Exception) -> None:
        raise OSError("full") from error

    source = HandSource(message(1))
    error = KeyError("text")
    with pytest.raises(OSError, match="full") as caught:
        await handle(source, Handler(e1=error), on_error=give_up)
    assert caught.value.__cause__ is error
    assert source.handled == []


async def test_on_error_does_not_see_a_cancellation() -> None:
    errors: list[Any] = []
    source = HandSource(message(1))
    with anyio.move_on_after(0.5):
        await handle(source, Handler(), on_error=lambda *args: errors.append(args))
    assert errors == source.handled == []


async def test_a_gap_is_reported_between_what_came_before_and_after_it() -> None:
    order: list[object] = []
    source = HandSource(message(1, 1), message(2, 2), GAP, message(3, 3))
    asked: list[int] = []

    async def handler(update: Update[Any]) -> None:
        await sleep(1)
        order.append(text_of(update))

    async def on_gap(gap: Gap) -> None:
        asked.append(source.asked)
        assert source.handled[-1] is not gap
        await sleep(1)
        order.append(gap)

    await stopped_after(source, 2.5, handler, on_gap=on_gap)
    assert [*sorted(order[:2]), *order[2:]] == [1, 2, GAP, 3]  # type: ignore[type-var]
    assert asked == [3]
    assert source.handled[2] is GAP


async def test_a_gap_that_could_not_be_handled_comes_again() -> None:
    source = HandSource(GAP, message(1))

    def on_gap(gap: Gap) -> None:
        raise OSError(gap.reason)

    with pytest.raises(OSError, match="outdated"):
        await handle(source, Handler(), on_gap=on_gap)
    assert source.ready[0] is GAP
    assert source.handled == []


async def test_without_on_gap_a_gap_is_a_warning(
    caplog: pytest.LogCaptureFixture,
) -> None:
    source = HandSource(GAP, message(1))
    await stopped_after(source, 1, Handler())
    expected = "updates were lost (outdated): those after 5, up to 9"
    assert caplog.record_tuples == [("vkanyio", logging.WARNING, expected)]
    assert len(source.handled) == 2


async def test_an_error_of_the_source_leaves_as_itself() -> None:
    source = HandSource(message(1))
    error = OSError("gone")
    handler = Handler(5)
    async with anyio.create_task_group() as tg:

        async def fail() -> None:
            await sleep(1)
            source.fail(error)

        tg.start_soon(fail)
        with pytest.raises(OSError, match="gone") as caught:
            await handle(source, handler)
    assert caught.value is error
    assert handler.cancelled == [1]


async def test_an_error_while_a_source_is_attended_leaves_as_itself() -> None:
    class Unattended(HandSource):
        async def attend(self) -> None:
            await sleep(1)
            raise OSError("full")

    with pytest.raises(OSError, match="full"):
        await handle(Unattended(message(1)), Handler(5))


async def test_an_error_in_the_clean_up_of_a_cancelled_handler_is_not_lost() -> None:
    async def handler(update: Update[Any]) -> None:
        try:
            await sleep(5)
        finally:
            raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"), anyio.move_on_after(1):
        await handle(HandSource(message(1)), handler)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_what_ends_a_program_leaves_as_itself(
    error: type[BaseException], backend: str
) -> None:
    async def handler(update: Update[Any]) -> None:
        raise error("now")

    with pytest.raises(error, match="now"):
        anyio.run(handle, HandSource(message(0)), handler, backend=backend)


async def test_a_group_of_the_user_is_not_taken_apart() -> None:
    group = ExceptionGroup("mine", [ValueError(1), OSError(2)])
    with pytest.raises(ExceptionGroup) as caught:
        await handle(HandSource(message(1)), Handler(e1=group))
    assert caught.value is group


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"workers": 0}, "workers must be a whole number of at least 1, got 0"),
        ({"workers": 1.5}, "workers must be a whole number of at least 1, got 1.5"),
        ({"max_pending": 0}, "max_pending must be a whole number of at least 1"),
        ({"key": 5}, "key must be a function, got 5"),
        ({"on_gap": "x"}, "on_gap must be a function, got 'x'"),
        ({"on_error": 5}, "on_error must be a function, got 5"),
        ({"handler": None}, "handler must be a function, got None"),
    ],
)
async def test_wrong_arguments_are_refused(
    options: dict[str, Any], problem: str
) -> None:
    source = HandSource(message(1))
    with pytest.raises((TypeError, ValueError), match=problem):
        await handle(source, **{"handler": Handler(), **options})
    assert source.asked == 0


async def test_a_handler_that_is_not_async_is_refused() -> None:
    errors: list[Any] = []
    source = HandSource(message(1))
    with pytest.raises(TypeError, match="handler must be an async function, but"):
        await handle(
            source,
            lambda update: None,  # type: ignore[arg-type, return-value]
            on_error=lambda *args: errors.append(args),
        )
    assert errors == source.handled == []


asyncio_only = pytest.mark.parametrize("anyio_backend", ["asyncio"])


@asyncio_only
async def test_a_native_cancellation_of_handle_leaves_as_itself() -> None:
    source, handler = HandSource(message(1)), Handler(5)
    task = asyncio.ensure_future(handle(source, handler))
    await settle()
    task.cancel("enough")
    with pytest.raises(asyncio.CancelledError, match="enough"):
        await task
    assert handler.cancelled == [1]
    assert len(source.ready) == 1
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await handle(source, handler)
    assert cancelling() == 0


@asyncio_only
@pytest.mark.parametrize("way", ["cancelled itself", "waited for a cancelled task"])
async def test_a_handler_that_is_cancelled_natively_does_not_end_handle_silently(
    way: str,
) -> None:
    async def handler(update: Update[Any]) -> None:
        if way == "cancelled itself":
            task = asyncio.current_task()
            assert task is not None
            task.cancel()
            await sleep(1)
        else:
            other = asyncio.ensure_future(sleep(1))
            other.cancel()
            await other

    source = HandSource(message(1))
    problem = r"cancelled by Task\.cancel\(\)"
    with pytest.raises(ClientCrashedError, match=problem), anyio.fail_after(2):
        await handle(source, handler)
    assert source.handled == []


@asyncio_only
async def test_cancelling_all_tasks_natively_does_not_end_handle_silently() -> None:
    source = HandSource(message(1))
    own = asyncio.current_task()

    async def handler(update: Update[Any]) -> None:
        for task in asyncio.all_tasks():
            if task.get_name() == "vkanyio attend":
                task.cancel()
        await sleep(1)

    with pytest.raises(ClientCrashedError):
        await handle(source, handler)
    assert own is not None
    assert own.cancelling() == 0


async def test_many_updates_leave_nothing_behind() -> None:
    source = HandSource(*(message(n, peer=n % 5) for n in range(2000)))
    handler = Handler(0.001)
    await stopped_after(source, 10, handler, workers=4, max_pending=50)
    assert Counter(handler.ended) == Counter(range(2000))
    assert handler.most_running == 4
