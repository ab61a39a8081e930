"""Measure what a packed call costs, by the number of calls that wait.

::

    uv run python benchmarks/packing.py

Calls are packed while many wait, in process and in virtual time: the cost of a call
must not grow with their number. It also shows how much of the cost is due to the
garbage collector and to the task of each caller. ``stream.py`` measures calls without
tasks, and how much of the rate limit is used.
"""

from __future__ import annotations

import argparse
import gc
import time
from typing import Any

import anyio
import trio.testing

from vkanyio import VK
from vkanyio.testing import Simulator, VirtualClockLoop

WAITING = (1_000, 10_000, 100_000)
MANY, TASKS = 10_000, 500
THRESHOLD = 5_000


async def pack(calls: int, calls_a_task: int = 1) -> float:
    """Return the microseconds of a call while many wait; the responses cost little."""

    async def make_calls(numbers: range) -> None:
        for number in numbers:
            await api.call("users.get", {"user_ids": number})

    simulator = Simulator(limit=0)
    simulator.add_method("execute", lambda call: [1] * call.params["code"].count("API"))
    http_client = simulator.http_client()
    async with VK(
        "token",
        mode="parallel",
        limit=1000,
        max_waiting=calls,
        http_client=http_client,
    ) as api:
        began = time.process_time()
        async with anyio.create_task_group() as tg:
            for first in range(0, calls, calls_a_task):
                tg.start_soon(make_calls, range(first, first + calls_a_task))
        return 1e6 * (time.process_time() - began) / calls


async def bare_tasks(calls: int) -> float:
    """Return the microseconds of a task that only waits for an event."""
    began, event = time.process_time(), anyio.Event()
    async with anyio.create_task_group() as tg:
        for _ in range(calls):
            tg.start_soon(event.wait)
        await anyio.sleep(0.1)
        event.set()
    return 1e6 * (time.process_time() - began) / calls


def main() -> None:
    """Measure on one or both backends."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--backend", choices=["asyncio", "trio"], action="append")
    for backend in parser.parse_args().backend or ["asyncio", "trio"]:
        bare = anyio.run(bare_tasks, 10_000, backend=backend)
        print(
            f"{backend}: a task that only waits takes {bare:.0f} us of processor time"
        )
        print(f"{backend}: processor time of a call, by the number that wait")
        for calls in WAITING:
            print(f"    {calls:7} calls: {cost_of(backend, calls):.0f} us")
        cost = cost_of(backend, MANY, MANY // TASKS)
        print(f"    {MANY:7} calls by {TASKS} tasks in loops: {cost:.0f} us")
        usual = gc.get_threshold()
        gc.set_threshold(THRESHOLD)
        cost = cost_of(backend, MANY)
        print(f"    {MANY:7} calls with gc.set_threshold({THRESHOLD}): {cost:.0f} us")
        gc.set_threshold(*usual)


def cost_of(backend: str, calls: int, calls_a_task: int = 1) -> float:
    """Return the microseconds of a call on a backend: the best of three rounds."""
    rounds: list[float] = []
    for _ in range(3):
        clock: dict[str, Any] = {"loop_factory": VirtualClockLoop}
        if backend == "trio":
            clock = {"clock": trio.testing.MockClock(autojump_threshold=0)}
        settings: dict[str, Any] = {"backend": backend, "backend_options": clock}
        rounds.append(anyio.run(pack, calls, calls_a_task, **settings))
    return min(rounds)


if __name__ == "__main__":
    main()
