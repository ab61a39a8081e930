"""The same requests over httpx alone, one after the other: what a client adds to."""

from __future__ import annotations

import asyncio
import time

import httpx
from measuring import IDLE_SECONDS, JOB, NUMBERS, SETTLING_SECONDS, Work

WORK = Work()


async def call(client: httpx.AsyncClient, number: int) -> None:
    """Make a call."""
    data = {"user_ids": number, "v": "5.199"}
    response = await client.post(f"{JOB.url}/users.get", data=data)
    [user] = response.json()["response"]
    WORK.answered(number, user["id"])


async def main() -> None:
    """Do the job."""
    headers = {"Authorization": "Bearer the-token"}
    async with httpx.AsyncClient(headers=headers) as client:
        await call(client, 0)
        WORK.done.clear()
        await asyncio.sleep(SETTLING_SECONDS)
        WORK.begin()
        for number in NUMBERS:
            if JOB.shape == "idle":
                await asyncio.sleep(IDLE_SECONDS)
            began = time.perf_counter()
            await call(client, number)
            WORK.waited("few", began)
        WORK.end()


asyncio.run(main())
