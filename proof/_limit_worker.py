"""A process that makes calls with a token whose limit it shares, until it is ended.

The clock of Redis can be set for it: the script adds what a key holds.
"""

from __future__ import annotations

import logging
import signal
from typing import TYPE_CHECKING, Any

import anyio
import attrs

from vkanyio import VK, VKError
from vkanyio.redis import RedisLimiter, _script

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from vkanyio import RequestMode

CLOCK = "proof:clock"
"""The key with the seconds by which the clock of Redis is wrong."""
TOKEN = "a-token-of-many-processes"


@attrs.frozen(kw_only=True)
class Work:
    """What a process does.

    :ivar tasks: how many calls it has under way at a time
    """

    redis_url: str
    base_url: str
    name: str
    limit: int
    processes: int
    request_mode: RequestMode
    tasks: int
    backend: str


def let_the_clock_be_set() -> None:
    """Have the script of this process look at a clock that can be set."""
    line = "local now = time[1] * 1000000 + time[2]"
    text = _script.read_script()
    if text.count(line) != 1:
        message = f"the script does not have this line once: {line}"
        raise ValueError(message)
    more = f" + (tonumber(redis.call('GET', '{CLOCK}')) or 0) * 1000000"
    _script.read_script = lambda: text.replace(line, line + more)


def run(work: Work, reports: Connection) -> None:
    """Make calls until SIGTERM, and report what became of them."""
    logging.getLogger("vkanyio").addHandler(logging.NullHandler())  # events are counted
    let_the_clock_be_set()
    anyio.run(_work, work, reports, backend=work.backend)


async def _work(work: Work, reports: Connection) -> None:
    events: list[str] = []
    failed: list[str] = []
    with anyio.open_signal_receiver(signal.SIGTERM) as signals:
        async with (
            RedisLimiter(
                work.redis_url,
                name=work.name,
                limit=work.limit,
                processes=work.processes,
                request_mode=work.request_mode,
                on_event=lambda event: events.append(type(event).__name__),
            ) as limiter,
            VK(TOKEN, limiter=limiter, base_url=work.base_url) as api,
            anyio.create_task_group() as group,
        ):
            reports.send("ready")
            for _ in range(work.tasks):
                group.start_soon(_call, api, failed)
            async for _ in signals:
                break
            report: dict[str, Any] = {
                **attrs.asdict(limiter.statistics()),
                "events": events,
                "failed": failed,
            }
            reports.send(report)
            group.cancel_scope.cancel()


async def _call(api: VK, failed: list[str]) -> None:
    while True:
        try:
            await api.call("users.get", {"user_ids": 1})
        except VKError as error:
            failed.append(repr(error))
