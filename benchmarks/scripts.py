"""Measure VKScript: the cost of a batch for the simulator.

::

    uv run python benchmarks/scripts.py

A client that packs calls sends new code with each request, so the time from source text
to value counts: parsing, compiling and running. The calls return at once. Times are
medians of wall-clock time in one thread.
"""

from __future__ import annotations

import json
import statistics
import time
from typing import TYPE_CHECKING, Any

import anyio

from vkanyio.testing.vkscript import compile_script, run

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

CALLS = 25
ROUNDS = 200
TARGET = 2.0

PEOPLE = [
    {"id": n, "first_name": "Anna", "last_name": "Melnik", "city": {"id": 2}}
    for n in range(1000)
]


def plain(number: int) -> str:
    """Pack calls as a client does, with literals as parameters."""
    return _batch('{"peer_id":"%d","random_id":"%d","message":"%s"}', number)


def computed(number: int) -> str:
    """Pack calls with an expression as one parameter."""
    return _batch('{"peer_id":Args.peer+%d,"random_id":"%d","message":"%s"}', number)


def _batch(params: str, number: int) -> str:
    text = "Hello! The library is open today until ten."
    calls = [
        f"API.messages.send({params % (2_000_000_000 + call, number + call, text)})"
        for call in range(CALLS)
    ]
    return f"return [{','.join(calls)}];"


def large(number: int) -> str:
    """Get 1,000 users 25 times, and read their ids."""
    calls = f'items = items + API.users.get({{"a":{number}}})@.id;' * CALLS
    return f"var items = []; {calls} return items.length;"


def loop(number: int) -> str:
    """Use nearly all of the 10,000 allowed operations."""
    return f"var v = {number}; while (v < {number + 990}) v = v + 1; return v;"


async def median(
    work: Callable[[str], Awaitable[object]], make: Callable[[int], str]
) -> float:
    """Return the milliseconds for code that is new each time."""
    times: list[float] = []
    for number in range(ROUNDS):
        code = make(number * CALLS)
        began = time.perf_counter()
        await work(code)
        times.append(time.perf_counter() - began)
    return statistics.median(times) * 1000


async def compile_and_run(code: str) -> object:
    """Compile and run a script."""
    return await run(code, call=lambda _method, _params: 1, args={"peer": "1"})


async def run_with_people(code: str) -> object:
    """Compile and run a script whose calls return large values."""
    return await run(code, call=lambda _method, _params: PEOPLE)


async def main() -> None:
    """Print the figures."""
    began = time.perf_counter()
    compile_script(plain(-CALLS))
    print(
        f"the first script of a process: {(time.perf_counter() - began) * 1e3:.0f} ms"
    )
    size = len(plain(0)) / CALLS
    print(f"{CALLS} calls of {size:.0f} bytes, new text each time")
    target = f"(target: at most {TARGET} ms)"
    print(f"    literals alone: {await median(compile_and_run, plain):.2f} ms {target}")
    print(
        f"    an expression in each: {await median(compile_and_run, computed):.2f} ms"
    )

    async def again(_code: str) -> Any:
        return await run(program, call=lambda _method, _params: 1)

    program = compile_script(plain(0))
    print(f"    compiled before: {await median(again, plain):.2f} ms {target}")
    kilobytes = len(json.dumps(PEOPLE)) / 1000
    print(f"{CALLS} values of {kilobytes:.0f} kB, of which only the ids are read")
    print(f"    {await median(run_with_people, large):.2f} ms")
    print("9,900 operations")
    print(f"    {await median(compile_and_run, loop):.2f} ms")


if __name__ == "__main__":
    anyio.run(main)
