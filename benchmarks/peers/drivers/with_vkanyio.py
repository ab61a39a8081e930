"""Do a job with vkanyio, as the variant in the job says.

It is a backend or a client of httpx2, and behind a slash how many calls are made: by a
stream or by `gather` instead of a task for each.
"""

from __future__ import annotations

import time
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

import anyio
import httpx2
from measuring import IDLE_SECONDS, JOB, NUMBERS, SECOND_NUMBERS, SETTLING_SECONDS, Work

from vkanyio import VK, APIRequest, VKError

if TYPE_CHECKING:
    from collections.abc import Callable

WORK = Work()
BACKEND, _, WAY = JOB.variant.partition("/")
SECOND_TOKEN = {"access_token": "the-second-token"}


async def call(api: VK, number: int) -> None:
    """Make a call, and record its outcome."""
    try:
        if JOB.method == "users.get":
            [user] = await api.users.get(user_ids=[number])
            WORK.returned(number, user["id"])
        else:
            post = await api.wall.post(message=str(number))
            WORK.returned(number, post["post_id"])
    except VKError as error:
        WORK.failure(number, error)


async def all_at_once(api: VK) -> None:
    """Start all calls, each in its own task."""
    async with anyio.create_task_group() as tg:
        for number in NUMBERS:
            tg.start_soon(call, api, number)


def _pair(number: int) -> tuple[str, dict[str, Any]]:
    if JOB.method == "users.get":
        return JOB.method, {"user_ids": [number]}
    return JOB.method, {"message": str(number)}


def _got(number: int, result: Callable[[], Any]) -> None:
    try:
        value = result()
    except VKError as error:
        WORK.failure(number, error)
        return
    got = value[0]["id"] if JOB.method == "users.get" else value["post_id"]
    WORK.returned(number, got)


async def streamed(api: VK) -> None:
    """Make all calls by one stream."""
    async with api.stream(map(_pair, NUMBERS)) as settled:
        async for each in settled:
            _got(NUMBERS[each.index], each.result)


async def gathered(api: VK) -> None:
    """Make all calls at once, without a task for each."""
    requests = [APIRequest(*_pair(number)) for number in NUMBERS]
    await api.gather(requests, return_exceptions=True)
    for number, request in zip(NUMBERS, requests, strict=True):
        _got(number, request.result)


async def read(api: VK) -> None:
    """Read a list whole."""
    WORK.items = await api.collect(api.groups.getMembers, group_id="7").all()


async def now_and_then(api: VK) -> None:
    """Make single calls, with a pause before each."""
    for number in NUMBERS:
        await anyio.sleep(IDLE_SECONDS)
        began = time.perf_counter()
        await call(api, number)
        WORK.waited("few", began)


async def shared(api: VK) -> None:
    """Let one caller make many calls, and another a few a moment later."""
    token = SECOND_TOKEN if JOB.second_token else {}

    async def timed(caller: str, number: int, token: dict[str, str]) -> None:
        began = time.perf_counter()
        [user] = await api.call("users.get", {"user_ids": number, **token})
        WORK.returned(number, user["id"])
        WORK.waited(caller, began)

    async with anyio.create_task_group() as tg:
        for number in NUMBERS:
            tg.start_soon(timed, "many", number, {})
        await anyio.sleep(0.05)
        for number in SECOND_NUMBERS:
            tg.start_soon(timed, "few", number, token)


async def main() -> None:
    """Do the job."""
    options: dict[str, Any] = {
        "limit": JOB.limit,
        "request_mode": "sequential" if JOB.spaced else "burst",
        "mode": "parallel" if JOB.packed else "sequential",
        "max_waiting": max(1000, JOB.calls + len(SECOND_NUMBERS)),
    }
    all_calls = {"stream": streamed, "gather": gathered}.get(WAY, all_at_once)
    shapes = {"all": all_calls, "idle": now_and_then, "share": shared, "list": read}
    async with AsyncExitStack() as stack:
        if BACKEND == "httpx2":
            options["http_client"] = httpx2.AsyncClient()
            await stack.enter_async_context(options["http_client"])
        api = VK("the-token", base_url=JOB.url, **options)
        await stack.enter_async_context(api)
        await api.users.get(user_ids=[0])
        if JOB.shape == "list":  # load the modules, as the other drivers do
            api.collect(api.groups.getMembers, group_id="7")
        await anyio.sleep(SETTLING_SECONDS)
        WORK.begin()
        await shapes[JOB.shape](api)
        WORK.end()


backend = "trio" if BACKEND == "trio" else "asyncio"
uvloop = {"use_uvloop": True} if BACKEND == "uvloop" else {}
anyio.run(main, backend=backend, backend_options=uvloop)
