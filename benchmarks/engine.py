"""Measure the engine: use of the rate limit, and the cost of a call.

::

    uv run python benchmarks/engine.py

P1 and P2 time 200 calls at limit 20 against a server with 100 ms of latency that
allows at most 20 requests in any second. P6 compares the processor time of a call with
that of the same request over bare httpx, and over one connection of httpcore, which is
what is below vkanyio; P9 does so for the time that a single call of an idle client
takes; P8 compares a fresh ``import vkanyio`` with that of httpx. All alternate in one
run. The server is ``server.py``, in a separate process on a loopback socket; it counts
the requests that it refused.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Literal, TypeAlias
from urllib.parse import urlencode

import anyio
import httpcore
import httpx

from server import serving
from vkanyio import VK

CALLS = 200
LIMIT = 20
LATENCY = 0.1
ROUNDS = 15
CALLS_A_ROUND = 200
IDLE_CALLS = 200

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

Ways: TypeAlias = "dict[str, Callable[[], Awaitable[None]]]"
"""Functions that make a request, by what they make it with."""


async def saturate(url: str, request_mode: Literal["burst", "sequential"]) -> float:
    """Return the seconds that all calls take, started at once."""
    async with VK("token", limit=LIMIT, request_mode=request_mode, base_url=url) as api:
        began = anyio.current_time()
        async with anyio.create_task_group() as tg:
            for user_id in range(1, CALLS + 1):
                tg.start_soon(get_user, api, user_id)
        seconds = anyio.current_time() - began
        refused = api.statistics().too_many_requests
    print(f"    error 6 at the server: {refused} of {CALLS}")
    return seconds


async def get_user(api: VK, user_id: int) -> None:
    """Make a call, and check that it gets its own value."""
    [user] = await api.users.get(user_ids=[user_id])
    assert user["id"] == user_id


async def cost_of_a_call(url: str) -> None:
    """Print the processor time of a call and of bare requests, in microseconds."""
    spent: dict[str, list[float]] = {}
    async with bare_requests(url) as ways:
        for _ in range(ROUNDS):
            for name, make in ways.items():
                began = time.process_time()
                for _ in range(CALLS_A_ROUND):
                    await make()
                spent.setdefault(name, []).append(time.process_time() - began)
    show(spent, 1e6 / CALLS_A_ROUND, "us of processor time", target=0.80)


async def latency_of_a_call(url: str) -> None:
    """Print the time of a single call of an idle client, and of bare requests."""
    spent: dict[str, list[float]] = {}
    async with bare_requests(url) as ways:
        for _ in range(IDLE_CALLS):
            for name, make in ways.items():
                await anyio.sleep(0.01)
                began = time.perf_counter()
                await make()
                spent.setdefault(name, []).append(time.perf_counter() - began)
    show(spent, 1e6, "us", target=0.90)


@asynccontextmanager
async def bare_requests(url: str) -> AsyncIterator[Ways]:
    """Make the same request by vkanyio, by httpx and by one connection of httpcore."""
    base, headers = f"{url}/users.get", {"Authorization": "Bearer token"}
    data = {"user_ids": 1, "v": "5.199"}
    target = httpcore.URL(base)
    form = urlencode(data).encode()
    lines = [
        (b"host", target.origin.host),
        (b"authorization", b"Bearer token"),
        (b"content-type", b"application/x-www-form-urlencoded"),
        (b"content-length", b"%d" % len(form)),
    ]
    connection = httpcore.AsyncHTTPConnection(target.origin)
    async with (
        httpx.AsyncClient() as client,
        VK("token", limit=10**6, base_url=url) as api,
        connection,
    ):

        async def by_httpx() -> None:
            response = await client.post(base, data=data, headers=headers)
            response.json()

        async def by_httpcore() -> None:
            response = await connection.request(
                "POST", target, headers=lines, content=form
            )
            json.loads(response.content)

        async def by_vkanyio() -> None:
            await api.call("users.get", {"user_ids": 1})

        yield {"httpx": by_httpx, "httpcore": by_httpcore, "vkanyio": by_vkanyio}


def show(
    spent: dict[str, list[float]], scale: float, unit: str, *, target: float
) -> None:
    """Print the medians, and the median ratio of vkanyio and httpx."""
    figures = [
        f"{name} {statistics.median(times) * scale:.0f}"
        for name, times in spent.items()
    ]
    pairs = zip(spent["vkanyio"], spent["httpx"], strict=True)
    ratio = statistics.median(mine / theirs for mine, theirs in pairs)
    print(f"    {', '.join(figures)} {unit}")
    print(f"    vkanyio over httpx.AsyncClient: {ratio:.2f} (target: {target:.2f})")


def cost_of_importing() -> None:
    """Print the processor time of a fresh import, and of that of httpx."""
    spent: dict[str, list[float]] = {}
    for _ in range(ROUNDS):
        for name in ("httpx", "vkanyio"):
            program = f"import time, {name}; print(time.process_time())"
            done = subprocess.run(
                [sys.executable, "-c", program],
                capture_output=True,
                text=True,
                check=True,
            )
            spent.setdefault(name, []).append(float(done.stdout))
    show(spent, 1e3, "ms of processor time", target=1.10)


def main() -> None:
    """Measure on one or both backends."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--backend", choices=["asyncio", "trio"], action="append")
    backends = parser.parse_args().backend or ["asyncio", "trio"]
    workloads: list[tuple[str, Literal["burst", "sequential"], float]] = [
        ("P1", "burst", (CALLS / LIMIT - 1) + LATENCY),
        ("P2", "sequential", (CALLS - 1) / LIMIT + LATENCY),
    ]
    for backend in backends:
        for name, request_mode, ideal in workloads:
            print(f"{name} {request_mode}, {backend}: {CALLS} calls at limit {LIMIT}")
            with serving(LIMIT, LATENCY) as witness:
                seconds = anyio.run(
                    saturate, witness.url, request_mode, backend=backend
                )
            print(
                f"    {seconds:.2f} s, ideal {ideal:.2f} s:"
                f" {seconds / ideal - 1:+.1%} (target: at most +3 %)"
            )
            print(f"    {witness}")
        with serving(limit=0, latency=0) as witness:
            print(f"P6 {backend}: a plain call")
            anyio.run(cost_of_a_call, witness.url, backend=backend)
            print(f"P9 {backend}: a single call of an idle client")
            anyio.run(latency_of_a_call, witness.url, backend=backend)
    print("P8: a fresh import")
    cost_of_importing()


if __name__ == "__main__":
    main()
