"""The task that grants permits, without a client."""

from __future__ import annotations

import math
from itertools import count
from typing import Any

import anyio
import pytest
from anyio import Semaphore, create_task_group

from _helpers import settle
from vkanyio import Limiter
from vkanyio._engine._credentials import FixedToken
from vkanyio._engine._ticker import Ticker

pytestmark = pytest.mark.anyio


def make_ticker(limiter: Limiter, connections: Semaphore) -> Ticker:
    return Ticker(limiter, FixedToken("a-token", {}), connections)


@pytest.mark.parametrize("must_wait", [False, True])
async def test_a_permit_is_granted_at_the_time_at_which_the_limiter_was_asked(
    monkeypatch: pytest.MonkeyPatch, must_wait: bool
) -> None:
    asked: list[float] = []
    granted: list[float] = []
    ready_at, start = Limiter.ready_at, Limiter.start

    def note_ready_at(self: Limiter, now: float) -> float:
        asked.append(now)
        return ready_at(self, now)

    def note_start(self: Limiter, now: float) -> Any:
        granted.append(now)
        return start(self, now)

    monkeypatch.setattr(Limiter, "ready_at", note_ready_at)
    monkeypatch.setattr(Limiter, "start", note_start)
    # A clock that goes on with each look at it: time never stands still for long.
    looks = count(1)
    monkeypatch.setattr(
        "vkanyio._engine._ticker.current_time",
        lambda: anyio.current_time() + next(looks) * 1e-6,
    )
    connections = Semaphore(0 if must_wait else 1)
    ticker = make_ticker(Limiter(1), connections)
    async with create_task_group() as tasks:
        tasks.start_soon(ticker.run)
        tasks.start_soon(ticker.acquire)
        await settle()
        if must_wait:
            assert granted == []
            connections.release()
            await settle()
        tasks.cancel_scope.cancel()
    assert granted == [asked[-1]]


async def test_retries_are_granted_before_new_requests_in_their_order() -> None:
    order: list[int | None] = []
    ticker = make_ticker(Limiter(1), Semaphore(9))

    async def acquire(retry_of: int | None) -> None:
        permit = await ticker.acquire(retry_of=retry_of)
        order.append(retry_of)
        ticker.release(permit)  # unused: the next one may have it at once

    async with create_task_group() as tasks:
        held = await ticker.acquire()
        for retry_of in (None, 7, None, 3):
            tasks.start_soon(acquire, retry_of)
            await settle()
        tasks.start_soon(ticker.run)
        ticker.release(held)
        await anyio.sleep(10)
        tasks.cancel_scope.cancel()
    assert order == [3, 7, None, None]


async def test_a_task_that_gives_up_waiting_takes_no_permit() -> None:
    limiter, connections = Limiter(1), Semaphore(1)
    ticker = make_ticker(limiter, connections)
    async with create_task_group() as tasks:
        tasks.start_soon(ticker.run)
        held = await ticker.acquire()
        with anyio.move_on_after(3):
            await ticker.acquire()
        ticker.release(held)
        assert connections.value == 1
        assert limiter.ready_at(anyio.current_time()) <= anyio.current_time()
        tasks.cancel_scope.cancel()


async def test_a_permit_that_one_client_returns_is_granted_to_another_at_once() -> None:
    limiter = Limiter(1)
    one, other = make_ticker(limiter, Semaphore(1)), make_ticker(limiter, Semaphore(1))
    async with create_task_group() as tasks:
        tasks.start_soon(other.run)
        held = await one.acquire()
        tasks.start_soon(other.acquire)
        await settle()
        start = anyio.current_time()
        one.release(held)
        await settle()
        assert limiter.ready_at(start) > start  # the other has it
        assert anyio.current_time() == start
        tasks.cancel_scope.cancel()


async def test_every_ticker_is_woken_when_a_limiter_knows_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    limiter = Limiter(1)
    tickers = [make_ticker(limiter, Semaphore(1)) for _ in range(2)]
    with monkeypatch.context() as unknown:
        unknown.setattr(limiter, "ready_at", lambda now: math.inf)
        async with create_task_group() as tasks:
            for ticker in tickers:
                tasks.start_soon(ticker.run)
                tasks.start_soon(ticker.acquire)
            await anyio.sleep(3600)
            unknown.undo()
            for on_change in limiter._listeners:
                on_change()
            await settle()
            assert len(limiter._leaving) == 1
            await anyio.sleep(2)
            assert len(limiter._leaving) == 1  # the other waits as usual
            tasks.cancel_scope.cancel()
    assert limiter._listeners == []
