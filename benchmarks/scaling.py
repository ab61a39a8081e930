"""Measure how costs grow with waiting calls, tokens, clients and connections.

::

    uv run python benchmarks/scaling.py

Costs should be linear: the cost of a call should be the same in each line of a table.
Each line is measured in a new process, and ``server.py`` runs in another. ``clients``
and ``tls`` show the cost of many clients in one process, without what the first one
loads: the time to start one, and the memory that it holds while idle, after its first
call (with TLS before it, since the server does not support TLS).
"""

from __future__ import annotations

import argparse
import gc
import json
import ssl
import subprocess
import sys
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import attrs

from server import serving
from vkanyio import VK

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

CALLS = 2000
UNLIMITED: dict[str, Any] = {"limit": 10**6, "request_mode": "burst"}


@attrs.define
class Meter:
    """Measures processor time and memory since its creation."""

    cpu: float = attrs.field(factory=time.process_time)
    began: float = attrs.field(factory=time.perf_counter)
    memory: int = attrs.field(factory=lambda: _memory("VmRSS"))

    def by(self, count: int, unit: str, field: str = "VmHWM") -> dict[str, str]:
        """Return what was used per call or client."""
        cpu = 1e6 * (time.process_time() - self.cpu) / count
        memory = (_memory(field) - self.memory) / 1000 / count
        return {
            f"us of CPU a {unit}": f"{cpu:.0f}",
            f"kB a {unit}": f"{memory:.1f}",
            "seconds": f"{time.perf_counter() - self.began:.2f}",
        }


def _memory(field: str) -> int:
    gc.collect()
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(field + ":"):
            return 1024 * int(line.split()[1])
    raise LookupError(field)


async def get_user(api: VK, user_id: int, token: str | None = None) -> None:
    """Make a call, and check its value."""
    params = {"user_ids": user_id, "access_token": token}
    [user] = await api.call("users.get", params)
    assert user["id"] == user_id


async def waiting(url: str, calls: int) -> dict[str, str]:
    """Let many calls wait to be packed."""
    options: dict[str, Any] = {"mode": "parallel", "limit": 1000, "max_waiting": calls}
    async with VK("token", base_url=url, **options) as api:
        async with anyio.create_task_group() as tg:  # imports what packing needs
            for _ in range(50):
                tg.start_soon(get_user, api, 0)
        meter = Meter()
        async with anyio.create_task_group() as tg:
            for user_id in range(1, calls + 1):
                tg.start_soon(get_user, api, user_id)
        return meter.by(calls, "call")


async def connections(url: str, count: int) -> dict[str, str]:
    """Keep as many requests in flight as there are connections."""

    calls = 200 + 10 * count

    async def worker(first: int) -> None:
        for user_id in range(first, calls + 1, count):
            await get_user(api, user_id)

    async with VK("token", base_url=url, max_connections=count, **UNLIMITED) as api:
        async with anyio.create_task_group() as tg:
            for _ in range(count):
                tg.start_soon(get_user, api, 0)
        meter = Meter()
        async with anyio.create_task_group() as tg:
            for first in range(1, count + 1):
                tg.start_soon(worker, first)
        return meter.by(calls, "call")


async def tokens(url: str, count: int) -> dict[str, str]:
    """Make calls with many tokens through one client."""

    async def user(number: int) -> None:
        for user_id in range(1 + number, CALLS + 1, count):
            async with turn:
                await get_user(api, user_id, f"token-{number}")

    turn = anyio.Semaphore(10)  # the same number in flight for each count
    async with VK("token", base_url=url, **UNLIMITED) as api:
        await get_user(api, 0)
        meter = Meter()
        async with anyio.create_task_group() as tg:
            for number in range(count):
                tg.start_soon(user, number)
        return meter.by(CALLS, "call")


async def clients(url: str, count: int) -> dict[str, str]:
    """Open many clients and make a call with each; then make calls with all."""
    async with AsyncExitStack() as stack:
        first = VK("first", base_url=url, **UNLIMITED)
        await get_user(await stack.enter_async_context(first), 0)
        meter = Meter()
        apis = [
            await stack.enter_async_context(
                VK(f"token-{number}", base_url=url, **UNLIMITED)
            )
            for number in range(count)
        ]
        start = (time.perf_counter() - meter.began) / count
        for api in apis:
            await get_user(api, 0)
        idle = meter.by(count, "client", "VmRSS")
        meter = Meter()
        for user_id in range(1, CALLS + 1):
            await get_user(apis[user_id % count], user_id)
        call = meter.by(CALLS, "call")
    return {
        "ms to start": f"{1000 * start:.2f}",
        "kB a client": idle["kB a client"],
        "us of CPU a call": call["us of CPU a call"],
    }


async def tls(_url: str, count: int) -> dict[str, str]:
    """Open many clients for the real VK, and send nothing."""
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(VK("first"))
        meter = Meter()
        for number in range(count):
            await stack.enter_async_context(VK(f"token-{number}"))
        used = meter.by(count, "client", "VmRSS")
        seconds = time.perf_counter() - meter.began
        contexts = sum(isinstance(each, ssl.SSLContext) for each in gc.get_objects())
    return {
        "ms to start": f"{1000 * seconds / count:.2f}",
        "kB a client": used["kB a client"],
        "TLS contexts": str(contexts),
    }


@attrs.frozen
class Scale:
    """A quantity that grows."""

    title: str
    measure: Callable[[str, int], Awaitable[dict[str, str]]]
    sizes: tuple[int, ...]
    latency: float = 0.0


SCALES = {
    "waiting": Scale("calls that wait, packed", waiting, (100, 1000, 10_000, 100_000)),
    "connections": Scale(
        "connections in flight", connections, (1, 10, 50, 100, 300), latency=0.02
    ),
    "tokens": Scale("tokens of one client", tokens, (1, 10, 100, 1000)),
    "clients": Scale("clients in one process", clients, (1, 10, 100, 1000)),
    "tls": Scale("clients over TLS", tls, (1, 10, 100, 1000)),
}


def main() -> None:
    """Print a table for each quantity that grows."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("only", nargs="*", choices=[*SCALES, []], metavar="WHAT")
    parser.add_argument("--backend", choices=["asyncio", "trio"], action="append")
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        size, url = options.one
        [name], [backend] = options.only, options.backend
        measure = SCALES[name].measure
        print(json.dumps(anyio.run(measure, url, int(size), backend=backend)))
        return
    for name in options.only or SCALES:
        for backend in options.backend or ["asyncio", "trio"]:
            show(name, backend)


def show(name: str, backend: str) -> None:
    """Print a table."""
    scale = SCALES[name]
    for place, size in enumerate(scale.sizes):
        with serving(limit=0, latency=scale.latency) as witness:
            command = [sys.executable, __file__, name, "--backend", backend]
            command += ["--one", str(size), witness.url]
            figures = json.loads(subprocess.check_output(command, text=True))
        if not place:
            print("".join([f"{f'{scale.title}, {backend}':35}", *map(_cell, figures)]))
        print("".join([f"{size:35,}", *map(_cell, figures.values())]), flush=True)
    print()


def _cell(text: str) -> str:
    return f"{text:>20}"


if __name__ == "__main__":
    main()
