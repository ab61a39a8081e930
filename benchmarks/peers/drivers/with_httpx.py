"""Send the same requests with httpx or httpx2 alone, one at a time."""

from __future__ import annotations

import asyncio
import time
from importlib import import_module
from typing import Any

from measuring import IDLE_SECONDS, JOB, NUMBERS, SETTLING_SECONDS, Work

WORK = Work()
httpx: Any = import_module(JOB.variant or "httpx")


async def call(client: Any, number: int) -> None:
    """Make a call."""
    data = {"user_ids": number, "v": "5.199"}
    response = await client.post(f"{JOB.url}/users.get", data=data)
    [user] = response.json()["response"]
    WORK.returned(number, user["id"])


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
