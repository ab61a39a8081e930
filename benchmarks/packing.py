"""Measure packing: use of the rate limit, and the cost of a packed call.

::

    uv run python benchmarks/packing.py

P3 and P4 time calls at limit 20 in parallel mode against a server with 100 ms of
latency that allows at most 20 requests in any second: ``server.py``, in a separate
process on a loopback socket. P5 is the processor time of this process for each of these
calls. The last part packs calls while many wait, in process and in virtual time: the
cost of a call must not grow with their number. It also shows how much of the cost is
due to the garbage collector and to the task of each caller.
"""

from __future__ import annotations

import argparse
import gc
import time
from typing import Any

import anyio
import trio.testing

from engine import LATENCY, LIMIT, get_user
from server import serving
from vkanyio import VK
from vkanyio.testing import Simulator, VirtualClockLoop

WAITING = (1_000, 10_000, 100_000)
MANY, TASKS = 10_000, 500
THRESHOLD = 5_000
BATCH = 25


async def saturate(url: str, calls: int) -> None:
    """Print the time and the processor time of calls that are started at once."""
    options: dict[str, Any] = {"mode": "parallel", "request_mode": "burst"}
    async with VK(
        "token", limit=LIMIT, base_url=url, max_waiting=calls, **options
    ) as api:
        await api.users.get(user_ids=[0])  # opens a connection; not measured
        await anyio.sleep(2)
        began, used = anyio.current_time(), time.process_time()
        async with anyio.create_task_group() as tg:
            for user_id in range(1, calls + 1):
                tg.start_soon(get_user, api, user_id)
        seconds, used = anyio.current_time() - began, time.process_time() - used
        statistics = api.statistics()
    ideal = (calls / BATCH / LIMIT - 1) + LATENCY
    rate = calls / seconds / (LIMIT * BATCH)
    print(
        f"    {seconds:.2f} s, ideal {ideal:.2f} s: {rate:.1%} of {LIMIT * BATCH}"
        f" calls/s; {statistics.sent} requests, error 6: {statistics.too_many_requests}"
    )
    print(f"    {1e6 * used / calls:.0f} us of processor time a call")


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
        for name, calls, target in (
            ("P3", 1_000, "at most 1.15 s"),
            ("P4", 10_000, "at least 97 % of 500 calls/s; P5: at most 100 us"),
        ):
            print(f"{name} {backend}: {calls} calls at limit {LIMIT}, {target}")
            with serving(LIMIT, LATENCY) as witness:
                anyio.run(saturate, witness.url, calls, backend=backend)
            print(f"    {witness}")
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
