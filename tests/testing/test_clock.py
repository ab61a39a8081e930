"""The virtual clock of asyncio."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import TYPE_CHECKING, Any, TypeVar

import anyio
import pytest
from anyio import from_thread, to_thread

from vkanyio.testing import VirtualClockLoop, _clock, virtual_time

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

T = TypeVar("T")


def run(function: Callable[[], Coroutine[Any, Any, T]]) -> T:
    with asyncio.Runner(loop_factory=VirtualClockLoop) as runner:
        return runner.run(function())


def test_a_year_passes_at_once() -> None:
    async def sleep() -> float:
        loop = asyncio.get_running_loop()
        before = loop.time()
        await asyncio.sleep(365 * 86400)
        return loop.time() - before

    real = time.monotonic()
    assert run(sleep) == pytest.approx(365 * 86400)
    assert time.monotonic() - real < 60


def test_tasks_wake_in_the_order_of_their_deadlines_each_at_its_own_time() -> None:
    woken: list[Any] = []

    async def sleep(seconds: float) -> None:
        loop = asyncio.get_running_loop()
        before = loop.time()
        await asyncio.sleep(seconds)
        woken.append(pytest.approx(loop.time() - before))

    async def main() -> None:
        await asyncio.gather(sleep(3), sleep(1), sleep(0.1), sleep(2))

    run(main)
    assert woken == [0.1, 1, 2, 3]


def test_time_stands_still_while_tasks_can_run() -> None:
    async def main() -> float:
        loop = asyncio.get_running_loop()
        loop.call_later(1, lambda: None)
        before = loop.time()
        for _ in range(1000):
            await asyncio.sleep(0)
        return loop.time() - before

    assert run(main) == 0


def test_the_clock_does_not_begin_at_zero() -> None:
    async def main() -> float:
        return asyncio.get_running_loop().time()

    assert run(main) > 0


def test_a_timeout_comes_due_although_nothing_else_happens() -> None:
    async def main() -> bool:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(10):
                await asyncio.Event().wait()
        return True

    assert run(main)


def test_waiting_for_what_never_comes_is_reported_as_a_deadlock(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(_clock, "GRACE", 0.01)

    async def main() -> None:
        await asyncio.Event().wait()

    with pytest.raises(RuntimeError, match="deadlock: "):
        run(main)


def test_a_thread_is_given_time_to_wake_the_loop() -> None:
    async def main() -> bool:
        loop = asyncio.get_running_loop()
        asleep, woken = threading.Event(), asyncio.Event()

        def wake() -> None:
            asleep.wait()
            loop.call_soon_threadsafe(woken.set)

        thread = threading.Thread(target=wake)
        thread.start()
        loop.call_soon(asleep.set)
        await woken.wait()
        thread.join()
        return True

    assert run(main)


BACKENDS = ["asyncio", "trio"]


def run_on(backend: str, function: Callable[[], Coroutine[Any, Any, T]]) -> T:
    return anyio.run(function, backend=backend, backend_options=virtual_time(backend))


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_clock_stands_still_while_a_thread_works(backend: str) -> None:
    async def main() -> tuple[float, float]:
        start = anyio.current_time()
        with anyio.move_on_after(5):
            await to_thread.run_sync(time.sleep, 0.05)
        spent = anyio.current_time() - start
        await anyio.sleep(3600)
        return spent, anyio.current_time() - start

    assert run_on(backend, main) == pytest.approx((0, 3600))


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_clock_jumps_over_a_thread_that_waits_for_it(
    backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_clock, "THREAD_SECONDS", 0.1)

    async def main() -> float:
        start = anyio.current_time()
        await to_thread.run_sync(from_thread.run, anyio.sleep, 60)
        return anyio.current_time() - start

    assert run_on(backend, main) == pytest.approx(60)


def test_another_event_loop_has_no_virtual_time() -> None:
    with pytest.raises(ValueError, match="'asyncio' or 'trio', got 'curio'"):
        virtual_time("curio")


def test_closing_a_loop_waits_for_its_threads_in_real_time() -> None:
    loop = VirtualClockLoop()
    ended: list[bool] = []

    def work() -> None:
        time.sleep(0.2)
        ended.append(True)

    loop.run_in_executor(None, work)
    loop.run_until_complete(loop.shutdown_default_executor(300.0))
    loop.close()
    assert ended == [True]
    assert loop.time() < _clock.START + 300
