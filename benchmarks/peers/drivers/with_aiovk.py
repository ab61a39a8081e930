"""Do a job with aiovk, its rate-limited driver, and its pool for execute."""

from __future__ import annotations

import asyncio
import time

from aiovk import API, TokenSession
from aiovk.drivers import HttpDriver
from aiovk.mixins import LimitRateDriverMixin
from aiovk.pools import AsyncVkExecuteRequestPool, VkExecuteMethodsPool
from measuring import IDLE_SECONDS, JOB, NUMBERS, SECOND_NUMBERS, SETTLING_SECONDS, Work

WORK = Work()
PERIOD = 1.05
METHODS = {"users.get": "user_ids", "wall.post": "message"}


class Limited(LimitRateDriverMixin, HttpDriver):
    """As in the documentation of aiovk."""


class Session(TokenSession):
    """A session with the current version of the API, and the URL of the server."""

    API_VERSION = "5.199"
    REQUEST_URL = f"{JOB.url}/"


def session(token: str = "the-token") -> Session:
    """Return a session that keeps to the limit.

    With a period of 1 s, the default, half of the calls exceed it: the seconds are
    counted from the creation of the session, not from the first request.
    """
    return Session(token, driver=Limited(requests_per_period=JOB.limit, period=PERIOD))


def number_of(value: object) -> int:
    """Return the number of a call in its value."""
    return value[0]["id"] if isinstance(value, list) else value["post_id"]


async def call(api: API, number: int) -> None:
    """Make a call, and record its outcome."""
    try:
        value = await api(JOB.method, **{METHODS[JOB.method]: number})
        WORK.returned(number, number_of(value))
    except Exception as error:  # of aiovk, aiohttp or asyncio
        code = getattr(error, "error_code", None)
        WORK.failure(number, f"error {code}" if code else error)


async def all_at_once(api: API) -> None:
    """Start all calls."""
    await asyncio.gather(*[call(api, number) for number in NUMBERS])


async def packed(_api: API) -> None:
    """Put all calls into a pool; an error of one request fails the whole pool."""
    results = {}
    error: object = "no response"
    try:
        async with AsyncVkExecuteRequestPool(token_session_class=session) as pool:
            for number in NUMBERS:
                params = {METHODS[JOB.method]: number}
                results[number] = pool.add_call(JOB.method, "the-token", params)
    except Exception as raised:  # of aiovk, aiohttp or asyncio
        error = raised
        await asyncio.gather(*on_their_way(), return_exceptions=True)
    for number, result in results.items():
        if result.ok:
            WORK.returned(number, number_of(result.result))
        else:
            WORK.failure(number, result.error or error)


async def read(_api: API) -> None:
    """Read a list by two pools: the first tells how many items there are.

    Each pool keeps to the limit for itself only; in all, they send three requests.
    """
    total = await read_pages(range(0, 25_000, 1000))
    await read_pages(range(25_000, total, 1000))


async def read_pages(offsets: range) -> int:
    """Read pages of a list by a pool.

    :return: how many items the list has
    """
    async with AsyncVkExecuteRequestPool(token_session_class=session) as pool:
        pages = [
            pool.add_call("groups.getMembers", "the-token", page(offset))
            for offset in offsets
        ]
    for each in pages:
        WORK.items += each.result["items"]
    return pages[0].result["count"]


def page(offset: int) -> dict[str, int]:
    """Return the parameters for a page of a list."""
    return {"group_id": 7, "offset": offset, "count": 1000}


def on_their_way() -> list[asyncio.Task]:
    """Return the other requests of the pool, which it does not await after an error."""
    pool = VkExecuteMethodsPool.execute.__code__
    return [task for task in asyncio.all_tasks() if task.get_coro().cr_code is pool]


async def now_and_then(api: API) -> None:
    """Make single calls, with a pause before each."""
    for number in NUMBERS:
        await asyncio.sleep(IDLE_SECONDS)
        began = time.perf_counter()
        await call(api, number)
        WORK.waited("few", began)


async def shared(api: API) -> None:
    """Let one caller make many calls, and another a few a moment later."""

    async def timed(caller: str, number: int) -> None:
        began = time.perf_counter()
        await call(api, number)
        WORK.waited(caller, began)

    many = [asyncio.create_task(timed("many", number)) for number in NUMBERS]
    await asyncio.sleep(0.05)
    await asyncio.gather(*many, *[timed("few", number) for number in SECOND_NUMBERS])


async def main() -> None:
    """Do the job."""
    shapes = {"idle": now_and_then, "share": shared, "list": read}
    shape = shapes.get(JOB.shape, packed if JOB.packed else all_at_once)
    async with session() as first:
        await API(first).users.get(user_ids=0)
    await asyncio.sleep(SETTLING_SECONDS)
    # Seconds are counted from the creation of the session: start with a whole one.
    async with session() as limited:
        WORK.begin()
        await shape(API(limited))
        WORK.end()


asyncio.run(main())
