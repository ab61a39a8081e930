"""Measure many tokens in one client: speed, memory and connections.

::

    uv run python benchmarks/tokens.py

P11: calls of several tokens, packed, at limit 20 each, through one stream
(``views=``) and by a task for each call. ``server.py`` is on a loopback socket in a
separate process, has 100 ms of latency, and allows each token 20 requests in any
second. Five tokens should make at least 2,300 calls a second; a thousand tokens, each
with a few calls, should be no slower in all, and open as many connections as there are
requests in flight. A token that a block holds should take at most 20 kB. Each line is
measured in a new process.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import subprocess
import sys
import time
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio

from server import serving
from vkanyio import VK

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

LIMIT, LATENCY = 20, 0.1
CALLS = 20_000
PACKED: dict[str, Any] = {"mode": "parallel", "limit": LIMIT, "request_mode": "burst"}


def memory() -> int:
    """Return the memory of this process in bytes."""
    gc.collect()
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return 1024 * int(line.split()[1])
    raise LookupError("VmRSS")


def sockets() -> int:
    """Return how many sockets this process has open."""
    found = 0
    for name in os.listdir("/proc/self/fd"):
        with suppress(FileNotFoundError):  # that of this list
            found += os.readlink(f"/proc/self/fd/{name}").startswith("socket:")
    return found


async def by_a_stream(url: str, tokens: int) -> dict[str, str]:
    """Make calls by one stream over all tokens."""
    async with VK("token", base_url=url, **PACKED) as api:
        views = [api.as_token(f"token-{i}") for i in range(tokens)]
        await api.gather([("users.get", {"user_ids": 0})] * 2)  # loads modules
        calls = (("users.get", {"user_ids": i}) for i in range(1, CALLS + 1))
        began, used = time.perf_counter(), time.process_time()
        async with api.stream(calls, views=views) as settled:
            async for call in settled:
                [user] = call.result()
                assert str(user["id"]) == str(call.params["user_ids"])
        return _figures(began, used, CALLS)


async def by_tasks(url: str, tokens: int) -> dict[str, str]:
    """Make calls by a task for each, with the tokens in turn."""
    count = max(5000, 25 * tokens)

    async def call(view: Any, user_id: int) -> None:
        [user] = await view.call("users.get", {"user_ids": user_id})
        assert user["id"] == user_id

    options = {**PACKED, "max_waiting": count}
    async with VK("token", base_url=url, **options) as api:
        await api.gather([("users.get", {"user_ids": 0})] * 2)
        began, used = time.perf_counter(), time.process_time()
        views = [api.as_token(f"token-{i}") for i in range(tokens)]
        async with anyio.create_task_group() as tg:
            for user_id in range(1, count + 1):
                tg.start_soon(call, views[user_id % tokens], user_id)
            await anyio.sleep(LATENCY / 2)
            most = sockets()
        figures = _figures(began, used, count)
        figures["sockets"] = str(most)
        return figures


async def held(url: str, tokens: int) -> dict[str, str]:
    """Hold tokens that have made a call each."""

    async def hold(first: int, end: int) -> None:
        for number in range(first, end, 10):
            view = api.as_token(f"token-{number}")
            await stack.enter_async_context(view)
            await view.call("users.get", {"user_ids": 0})

    async with VK("token", base_url=url, **PACKED) as api, AsyncExitStack() as stack:
        async with anyio.create_task_group() as tg:
            for first in range(10):  # loads modules, opens connections
                tg.start_soon(hold, -100 + first, 0)
        before = memory()
        async with anyio.create_task_group() as tg:
            for first in range(10):
                tg.start_soon(hold, first, tokens)
        return {
            "kB a token": f"{(memory() - before) / 1000 / tokens:.1f}",
            "sockets": str(sockets()),
        }


def _figures(began: float, used: float, calls: int) -> dict[str, str]:
    seconds = time.perf_counter() - began
    return {
        "calls/s": f"{calls / seconds:,.0f}",
        "us of CPU a call": f"{1e6 * (time.process_time() - used) / calls:.0f}",
        "seconds": f"{seconds:.2f}",
    }


MEASURES: dict[str, Callable[[str, int], Awaitable[dict[str, str]]]] = {
    "stream": by_a_stream,
    "tasks": by_tasks,
    "held": held,
}


def main() -> None:
    """Print a table for each way, on one or both backends."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--backend", choices=["asyncio", "trio"], action="append")
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        way, tokens, url = options.one
        [backend] = options.backend
        print(json.dumps(anyio.run(MEASURES[way], url, int(tokens), backend=backend)))
        return
    for backend in options.backend or ["asyncio", "trio"]:
        for way, sizes in (
            ("stream", (1, 5)),
            ("tasks", (5, 1000)),
            ("held", (100, 1000)),
        ):
            show(way, sizes, backend)


def show(way: str, sizes: tuple[int, ...], backend: str) -> None:
    """Print a table."""
    for place, tokens in enumerate(sizes):
        with serving(LIMIT, LATENCY) as witness:
            command = [sys.executable, __file__, "--backend", backend]
            command += ["--one", way, str(tokens), witness.url]
            figures = json.loads(subprocess.check_output(command, text=True))
        if not place:
            title = f"tokens, {way}, {backend}"
            print("".join([f"{title:30}", *map(_cell, figures)]))
        print("".join([f"{tokens:30,}", *map(_cell, figures.values())]))
        print(f"    {witness}", flush=True)
    print()


def _cell(text: str) -> str:
    return f"{text:>18}"


if __name__ == "__main__":
    main()
