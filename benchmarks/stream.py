"""Measure many calls by ``api.stream``, and by a task for each, beside each other.

::

    uv run python benchmarks/stream.py                    # 5 min
    uv run python benchmarks/stream.py P7 --calls 1000000 # 2 min a loop: flat memory

P3 and P4 time calls at limit 20 in parallel mode, against a server with 100 ms of
latency that allows at most 20 requests in any second. P5 is the processor time of a
packed call, without latency or limit. P7 is the memory of a call: how much the process
grew, by its largest size. ``faults`` posts while 5 % of the requests fail, and counts
what was lost and what was posted twice.

Each line is measured in a new process, and ``server.py`` runs in another. uvloop is
measured if it is installed.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import anyio
import attrs

from scaling import Meter
from server import serving
from vkanyio import VK, VKError

if TYPE_CHECKING:
    from collections.abc import Iterator

LOOPS = ["asyncio", "trio", *(["uvloop"] if find_spec("uvloop") else [])]
BATCH = 25
PARALLEL: dict[str, Any] = {"mode": "parallel", "request_mode": "burst"}
MAX_TASKS = 200_000
"""More would take gigabytes."""


@attrs.define
class Outcomes:
    """How many calls ended with a value, and how many with an error."""

    values: int = 0
    errors: int = 0


def calls_of(method: str, calls: int) -> Iterator[tuple[str, dict[str, int]]]:
    """Generate the calls, as from a file."""
    name = "user_ids" if method == "users.get" else "message"
    return ((method, {name: number}) for number in range(1, calls + 1))


async def by_stream(api: VK, method: str, calls: int, outcomes: Outcomes) -> None:
    """Make calls by a stream."""
    async with api.stream(calls_of(method, calls)) as settled:
        async for call in settled:
            try:
                call.result()
                outcomes.values += 1
            except VKError:
                outcomes.errors += 1


async def by_tasks(api: VK, method: str, calls: int, outcomes: Outcomes) -> None:
    """Make calls by a task for each."""

    async def make(params: dict[str, int]) -> None:
        try:
            await api.call(method, params)
            outcomes.values += 1
        except VKError:
            outcomes.errors += 1

    async with anyio.create_task_group() as tg:
        for _, params in calls_of(method, calls):
            tg.start_soon(make, params)


async def by_gather(api: VK, method: str, calls: int, outcomes: Outcomes) -> None:
    """Make calls that are gathered."""
    outcomes.values += len(await api.gather(calls_of(method, calls)))


WAYS = {"stream": by_stream, "tasks": by_tasks, "gather": by_gather}


@attrs.frozen(kw_only=True)
class Measurement:
    """What is measured, in which ways.

    :ivar is_timed: whether the limit decides, so that the ideal time is shown
    """

    title: str
    calls: int
    ways: tuple[str, ...] = ("stream", "tasks")
    limit: int = 100_000
    latency: float = 0.0
    faults: float = 0.0
    method: str = "users.get"
    is_timed: bool = False


MEASUREMENTS = {
    "P3": Measurement(
        title="1,000 calls at limit 20, at most 1.17 s",
        calls=1_000,
        ways=("gather", "stream", "tasks"),
        limit=20,
        latency=0.1,
        is_timed=True,
    ),
    "P4": Measurement(
        title="10,000 calls at limit 20, at least 98 % of 500 a second",
        calls=10_000,
        limit=20,
        latency=0.1,
        is_timed=True,
    ),
    "P5": Measurement(title="the cost of a packed call, at most 38 us", calls=20_000),
    "P7": Measurement(
        title="the memory of a call, at most 0.2 kB by a stream", calls=100_000
    ),
    "faults": Measurement(
        title="4,000 posts, 5 % of the requests fail",
        calls=4_000,
        limit=100,
        latency=0.02,
        faults=0.05,
        method="wall.post",
    ),
}


async def measure(name: str, way: str, calls: int, url: str) -> dict[str, Any]:
    """Make the calls, and return the figures."""
    measurement = MEASUREMENTS[name]
    outcomes = Outcomes()
    options = {"limit": measurement.limit, "max_waiting": calls, **PARALLEL}
    async with VK("token", base_url=url, **options) as api:
        warm_up = [("users.get", {"user_ids": 0})] * 30
        await api.gather(warm_up)  # opens connections, and imports what packing needs
        await anyio.sleep(2 if measurement.is_timed else 0)
        meter, began = Meter(), anyio.current_time()
        await WAYS[way](api, measurement.method, calls, outcomes)
        seconds = anyio.current_time() - began
        figures: dict[str, Any] = meter.by(calls, "call")
        figures["MB in all"] = meter.by(1000, "call")["kB a call"]
        figures["seconds"] = f"{seconds:.2f}"
        if measurement.is_timed:
            ideal = calls / BATCH / measurement.limit - 1 + measurement.latency
            rate = calls / seconds / (measurement.limit * BATCH)
            figures |= {"s would be ideal": f"{ideal:.2f}"}
            if ideal > 2:  # else most of them are those of the first second
                figures["of the limit"] = f"{rate:.1%}"
    return {**figures, **attrs.asdict(outcomes)}


def show(name: str, loops: list[str], calls: int | None) -> None:
    """Print a table."""
    measurement = MEASUREMENTS[name]
    calls = calls or measurement.calls
    print(f"{name}: {measurement.title}; {calls:,} calls")
    ways = [way for way in measurement.ways if way != "tasks" or calls <= MAX_TASKS]
    for loop in loops:
        for way in ways:
            how = (measurement.latency, measurement.faults)
            limit = measurement.limit if measurement.latency else 0
            with serving(limit, *how) as witness:
                command = [sys.executable, __file__, name, "--loop", loop]
                command += ["--one", way, str(calls), witness.url]
                figures = json.loads(subprocess.check_output(command, text=True))
            if measurement.faults:
                report = witness.report
                lost = calls - figures["values"] - figures["errors"]
                figures["lost"] = lost
                figures["not carried out"] = calls - report["calls"]
                figures["twice"] = report["twice"]
            figures["refused"] = witness.report["refused"]
            cells = ", ".join(f"{value} {key}" for key, value in figures.items())
            print(f"    {loop:8} {way:7} {cells}", flush=True)


def main() -> None:
    """Print a table for each measurement."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("only", nargs="*", choices=[*MEASUREMENTS, []], metavar="WHAT")
    parser.add_argument("--loop", choices=LOOPS, action="append")
    parser.add_argument("--calls", type=int, help="make so many, in each measurement")
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        way, calls, url = options.one
        [name], [loop] = options.only, options.loop
        backend = "trio" if loop == "trio" else "asyncio"
        uvloop = {"use_uvloop": True} if loop == "uvloop" else {}
        how: dict[str, Any] = {"backend": backend, "backend_options": uvloop}
        print(json.dumps(anyio.run(measure, name, way, int(calls), url, **how)))
        return
    for name in options.only or MEASUREMENTS:
        show(name, options.loop or LOOPS, options.calls)


if __name__ == "__main__":
    main()
