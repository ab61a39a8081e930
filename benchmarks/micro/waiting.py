"""The parts that need an event loop: waiting for an outcome, and settling it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import anyio
from anyio.lowlevel import checkpoint, current_token

from micro.timing import ROUNDS, Figure
from vkanyio import APIRequest
from vkanyio._outcome import Success

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

TASKS = 1000


async def settled() -> float:
    """Return the seconds of a call whose task waits until the call is settled."""
    requests = [APIRequest("users.get", {"user_ids": n}) for n in range(TASKS)]
    began = time.perf_counter()
    async with anyio.create_task_group() as tg:
        for number, request in enumerate(requests):
            request._pending.claim(current_token())
            request._pending.accept(number, urgent=False, on_end=_nothing)
            tg.start_soon(request.wait)
        await checkpoint()
        for request in requests:
            request._pending.settle(Success(1))
    return (time.perf_counter() - began) / TASKS


async def set_event() -> float:
    """Return the seconds of a task that only waits for an event."""
    events = [anyio.Event() for _ in range(TASKS)]
    began = time.perf_counter()
    async with anyio.create_task_group() as tg:
        for event in events:
            tg.start_soon(event.wait)
        await checkpoint()
        for event in events:
            event.set()
    return (time.perf_counter() - began) / TASKS


def _nothing() -> None:
    """Take the place of what a lane does at the end of a call."""


async def _rounds(part: Callable[[], Awaitable[float]]) -> Figure:
    return Figure.of([await part() for _ in range(ROUNDS)])


def waiting(backend: str) -> dict[str, Figure]:
    """Measure these parts on a backend."""
    return {
        f"settle: a call and its task, {backend}": anyio.run(
            _rounds, settled, backend=backend
        ),
        f"settle: an event and its task, {backend}": anyio.run(
            _rounds, set_event, backend=backend
        ),
    }
