"""Do a job with vk_api, which holds a lock around each request.

The pause between requests is removed, since vk_api counts it from the end of a request:
with 1/20 s of it, 200 calls at 100 ms of latency take 30 s instead of 20. Calls made
one at a time do not exceed the limit, so error 6 does not occur.
"""

from __future__ import annotations

import threading
import time

import vk_api
from measuring import IDLE_SECONDS, JOB, NUMBERS, SECOND_NUMBERS, SETTLING_SECONDS, Work
from requests import RequestException
from requests.adapters import HTTPAdapter

WORK = Work()
METHODS = {"users.get": "user_ids", "wall.post": "message"}
ERRORS = (vk_api.VkApiError, RequestException, ValueError)


class Elsewhere(HTTPAdapter):
    """Redirects requests to the server, since vk_api has a fixed URL."""

    def send(self, request, *args, **options):
        request.url = request.url.replace("https://api.vk.ru/method", JOB.url)
        return super().send(request, *args, **options)


session = vk_api.VkApi(token="the-token", api_version="5.199")
session.http.mount("https://api.vk.ru", Elsewhere())
# The pause stays if one call at a time could exceed the limit.
session.RPS_DELAY = (
    0 if JOB.latency >= 1 / JOB.limit or not JOB.is_limited else 1 / JOB.limit
)
vk = session.get_api()


def number_of(value: object) -> int:
    """Return the number of a call in its value."""
    return value[0]["id"] if isinstance(value, list) else value["post_id"]


def call(number: int, token: dict[str, str] | None = None) -> None:
    """Make a call, and record its outcome."""
    try:
        params = {METHODS[JOB.method]: number, **(token or {})}
        WORK.returned(number, number_of(session.method(JOB.method, params)))
    except ERRORS as error:
        WORK.failure(number, error)


def one_by_one() -> None:
    """Make the calls."""
    for number in NUMBERS:
        call(number)


def packed() -> None:
    """Make the calls in pools of 25; if a pool fails, its later calls fail, too."""
    for first in range(0, len(NUMBERS), 25):
        batch = NUMBERS[first : first + 25]
        try:
            with vk_api.VkRequestsPool(session) as pool:
                results = [
                    pool.method(JOB.method, {METHODS[JOB.method]: number})
                    for number in batch
                ]
        except ERRORS as error:
            for number in batch:
                WORK.failure(number, error)
            continue
        for number, result in zip(batch, results, strict=True):
            WORK.returned(number, number_of(result.result))


def read() -> None:
    """Read a list whole."""
    tools = vk_api.VkTools(session)
    WORK.items = tools.get_all("groups.getMembers", 1000, {"group_id": 7})["items"]


def now_and_then() -> None:
    """Make single calls, with a pause before each."""
    for number in NUMBERS:
        time.sleep(IDLE_SECONDS)
        began = time.perf_counter()
        call(number)
        WORK.waited("few", began)


def shared() -> None:
    """Let one thread make many calls, and another a few a moment later."""

    def caller(name: str, numbers: range, token: dict[str, str] | None) -> None:
        began = time.perf_counter()
        for number in numbers:
            call(number, token)
            WORK.waited(name, began)

    token = {"access_token": "the-second-token"} if JOB.second_token else None
    many = threading.Thread(target=caller, args=("many", NUMBERS, None))
    few = threading.Thread(target=caller, args=("few", SECOND_NUMBERS, token))
    many.start()
    time.sleep(0.05)
    few.start()
    many.join()
    few.join()


shapes = {"idle": now_and_then, "share": shared, "list": read}
vk.users.get(user_ids=0)
time.sleep(SETTLING_SECONDS)
WORK.begin()
shapes.get(JOB.shape, packed if JOB.packed else one_by_one)()
WORK.end()
