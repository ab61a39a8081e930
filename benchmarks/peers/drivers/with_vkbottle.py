"""Do a job with vkbottle, which has no limit: its calls are made one at a time."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from measuring import IDLE_SECONDS, JOB, NUMBERS, SECOND_NUMBERS, SETTLING_SECONDS, Work
from vkbottle import API, vkscript

if TYPE_CHECKING:
    from collections.abc import Iterator

WORK = Work()
METHODS = {"users.get": "user_ids", "wall.post": "message"}


@vkscript
def get_users(api, ids=None):
    found = []
    for each in ids:
        found.append(api.users.get(user_ids=each))
    return found


@vkscript
def post(api, ids=None):
    found = []
    for each in ids:
        found.append(api.wall.post(message=each))
    return found


@vkscript
def get_members(api, offsets=None):
    found = []
    for each in offsets:
        found.append(api.groups.get_members(group_id=7, offset=each, count=1000))
    return found


def number_of(value: object) -> int:
    """Return the number of a call in its value."""
    return value[0]["id"] if isinstance(value, list) else value["post_id"]


async def call(api: API, number: int) -> None:
    """Make a call, and record its outcome."""
    try:
        if JOB.method == "users.get":
            [user] = await api.users.get(user_ids=[number])
            WORK.returned(number, user.id)
        else:
            response = await api.wall.post(message=str(number))
            WORK.returned(number, response.post_id)
    except Exception as error:  # of vkbottle, aiohttp, pydantic or json
        WORK.failure(number, error)


async def one_after_the_other(api: API) -> None:
    """Use ``request_many``, or single calls where that would stop at an error."""
    if JOB.faults:
        for number in NUMBERS:
            await call(api, number)
        return
    key = METHODS[JOB.method]
    requests = (API.APIRequest(JOB.method, {key: number}) for number in NUMBERS)
    numbers = iter(NUMBERS)
    async for response in api.request_many(requests):
        WORK.returned(next(numbers), number_of(response["response"]))


def batches() -> Iterator[list[int]]:
    """Divide the calls into batches."""
    for first in range(0, len(NUMBERS), 25):
        yield list(NUMBERS[first : first + 25])


async def packed(api: API) -> None:
    """Translate a script for every 25 calls."""
    script = get_users if JOB.method == "users.get" else post
    if JOB.faults:
        for batch in batches():
            try:
                response = await api.request(
                    "execute", {"code": script(ids=batch).code}
                )
            except Exception as error:  # of vkbottle, aiohttp or json
                for number in batch:
                    WORK.failure(number, error)
            else:
                check(batch, response["response"])
        return
    requests = (
        API.APIRequest("execute", {"code": script(ids=batch).code})
        for batch in batches()
    )
    each = batches()
    async for response in api.request_many(requests):
        check(next(each), response["response"])


def check(batch: list[int], values: list[object]) -> None:
    """Check the values of a script."""
    for number, value in zip(batch, values, strict=True):
        WORK.returned(number, number_of(value))


async def read(api: API) -> None:
    """Read a list by scripts of 25 pages: the first tells how many items there are.

    Nothing keeps this to the limit; in all, it sends three requests.
    """
    total = await read_pages(api, range(0, 25_000, 1000))
    await read_pages(api, range(25_000, total, 1000))


async def read_pages(api: API, offsets: range) -> int:
    """Read pages of a list.

    :return: how many items the list has
    """
    requests = (
        API.APIRequest(
            "execute",
            {"code": get_members(offsets=list(offsets[first : first + 25])).code},
        )
        for first in range(0, len(offsets), 25)
    )
    total = 0
    async for response in api.request_many(requests):
        for page in response["response"]:
            WORK.items += page["items"]
            total = page["count"]
    return total


async def now_and_then(api: API) -> None:
    """Make single calls, with a pause before each."""
    for number in NUMBERS:
        await asyncio.sleep(IDLE_SECONDS)
        began = time.perf_counter()
        await call(api, number)
        WORK.waited("few", began)


async def shared(api: API) -> None:
    """Let one caller make many calls, and another a few a moment later."""

    async def caller(name: str, numbers: range, delay: float) -> None:
        await asyncio.sleep(delay)
        began = time.perf_counter()
        for number in numbers:
            await call(api, number)
            WORK.waited(name, began)

    await asyncio.gather(
        caller("many", NUMBERS, 0), caller("few", SECOND_NUMBERS, 0.05)
    )


async def main() -> None:
    """Do the job."""
    api = API("the-token")
    api.API_URL = f"{JOB.url}/"
    shapes = {"idle": now_and_then, "share": shared, "list": read}
    shape = shapes.get(JOB.shape, packed if JOB.packed else one_after_the_other)
    await api.users.get(user_ids=[0])
    await asyncio.sleep(SETTLING_SECONDS)
    WORK.begin()
    await shape(api)
    WORK.end()
    await api.http_client.close()


asyncio.run(main())
