"""Measure the engine: use of the rate limit, and the cost of a call.

::

    uv run python benchmarks/engine.py

P1 and P2 time 200 calls at limit 20 against a server with 100 ms of latency that
allows at most 20 requests in any second. P6 compares the processor time of a call with
that of the same request over bare httpx, in alternating rounds of one run. The server
is ``server.py``, in a separate process on a loopback socket; it counts the requests
that it refused.
"""

from __future__ import annotations

import argparse
import statistics
import time
from typing import Literal

import anyio
import httpx

from server import serving
from vkanyio import VK

CALLS = 200
LIMIT = 20
LATENCY = 0.1
ROUNDS = 15
CALLS_A_ROUND = 200


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
    """Print the processor time of a call and of a bare request, in microseconds."""
    bare: list[float] = []
    ours: list[float] = []
    headers = {"Authorization": "Bearer token"}
    async with (
        httpx.AsyncClient() as client,
        VK("token", limit=10**6, base_url=url) as api,
    ):
        for _ in range(ROUNDS):
            began = time.process_time()
            for _ in range(CALLS_A_ROUND):
                data = {"user_ids": 1, "v": "5.199"}
                response = await client.post(
                    f"{url}/users.get", data=data, headers=headers
                )
                response.json()
            bare.append(time.process_time() - began)
            began = time.process_time()
            for _ in range(CALLS_A_ROUND):
                await api.call("users.get", {"user_ids": 1})
            ours.append(time.process_time() - began)
    per_call = 1e6 / CALLS_A_ROUND
    ratios = [mine / theirs for mine, theirs in zip(ours, bare, strict=True)]
    print(
        f"    bare httpx {statistics.median(bare) * per_call:.0f} us,"
        f" vkanyio {statistics.median(ours) * per_call:.0f} us a call:"
        f" {statistics.median(ratios) - 1:+.1%} (target: at most +15 %)"
    )


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
        print(f"P6 {backend}: processor time of a call")
        with serving(limit=0, latency=0) as witness:
            anyio.run(cost_of_a_call, witness.url, backend=backend)


if __name__ == "__main__":
    main()
