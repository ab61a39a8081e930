"""What the tests of the engine and the public face have in common."""

from __future__ import annotations

import asyncio
import gc
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeAlias, final

import anyio
import httpx
import pytest
import sniffio
import trio
from anyio import current_time, get_running_tasks
from anyio.lowlevel import checkpoint

from _probe import Probe
from vkanyio import APIRequest, HTTPResponse, VKError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from vkanyio import VK, Captcha
    from vkanyio.testing import Call, Simulator

    MakeClient: TypeAlias = Callable[..., VK]

TOKEN = "vk1.a.the-secret-token"


def add_echoes(simulator: Simulator) -> None:
    """Add methods that answer with their own ``id``."""

    def echo(call: Call) -> int:
        return call.integer("id")

    simulator.add_method("test.get", echo)  # reads: it may be sent again
    simulator.add_method("test.post", echo)  # may be carried out once


def carried_out(simulator: Simulator) -> list[int]:
    """Return the ids of the echoes that were carried out, in their order."""
    return [int(entry.params["id"]) for entry in simulator.ledger.carried_out()]


def collect_garbage() -> None:
    """Have what was left unclosed warn of it now, which fails the test."""
    gc.collect(1)  # what was imported, a hundred times as much, is older


def get(i: int, **more: Any) -> APIRequest:
    """Make a request for an echo."""
    return APIRequest("test.get", {"id": i, **more})


def calls(*methods: str) -> list[APIRequest]:
    """Make calls whose ids are their places."""
    return [APIRequest(method, {"id": i}) for i, method in enumerate(methods)]


async def solve_by(simulator: Simulator, captcha: Captcha) -> None:
    """Answer a captcha rightly."""
    await captcha.retry(simulator.solve(captcha.redirect_uri or ""))


async def answered_at_once(client: VK, i: int) -> None:
    """Make a call, and assert that nothing but a second's latency held it up."""
    start = current_time()
    assert await client.call_with_request(get(i)) == i
    assert current_time() == pytest.approx(start + 1)


async def note(
    outcomes: list[Any], function: Callable[..., Awaitable[Any]], *args: Any
) -> None:
    """Append what a call returns, or its error."""
    try:
        outcomes.append(await function(*args))
    except VKError as error:
        outcomes.append(error)


async def gather(*calls: Callable[[], Awaitable[Any]]) -> list[Any]:
    """Make calls at once, and list their results in order."""
    results: list[Any] = [None] * len(calls)

    async def keep(index: int) -> None:
        results[index] = await calls[index]()

    async with anyio.create_task_group() as tg:
        for index in range(len(calls)):
            tg.start_soon(keep, index)
    return results


async def settle() -> None:
    """Let everything run that can run without time going by."""
    for _ in range(30):
        await checkpoint()


def cancelling() -> int:
    """Return how many cancellations of this task are on asyncio's books."""
    task = asyncio.current_task()
    assert task is not None
    return task.cancelling()


def own_tasks() -> list[str]:
    """Return the names of the tasks that clients have running."""
    names = [task.name or "" for task in get_running_tasks()]
    return [name for name in names if name.startswith("vkanyio ")]


def assert_at_rest(client: VK) -> None:
    """Assert that a client holds nothing: no call, room, connection or permit."""
    assert client.statistics().in_flight == 0
    Probe(client).assert_at_rest()


def assert_gone(client: VK) -> None:
    """Assert that nothing of a client has outlived its block."""
    assert_at_rest(client)
    assert not Probe(client).tasks
    assert own_tasks() == []


@final
class Turns:
    """How often the event loop went round."""

    def __init__(self) -> None:
        self.count = 0


@final
class _CountTurns(trio.abc.Instrument):
    def __init__(self, turns: Turns) -> None:
        self._turns = turns

    def after_io_wait(self, timeout: float) -> None:
        self._turns.count += 1


@asynccontextmanager
async def counted_turns() -> AsyncIterator[Turns]:
    """Count how often the event loop goes round."""
    turns = Turns()
    if sniffio.current_async_library() == "trio":
        instrument = _CountTurns(turns)
        trio.lowlevel.add_instrument(instrument)
        try:
            yield turns
        finally:
            trio.lowlevel.remove_instrument(instrument)
        return
    loop: Any = asyncio.get_running_loop()
    once = loop._run_once

    def counted() -> None:
        turns.count += 1
        once()

    loop._run_once = counted
    try:
        yield turns
    finally:
        loop._run_once = once


@final
class InstantTransport(httpx.AsyncBaseTransport):
    """A way to VK on which a request arrives before the first checkpoint.

    Whatever is handed to it has been sent, so it shows what should not have been.
    """

    def __init__(self) -> None:
        self.requests = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Count a request, and answer it a second later."""
        self.requests += 1
        await anyio.sleep(1)
        return httpx.Response(200, json={"response": 1}, request=request)


@final
class Reply:
    """The response to every request of a `Recorder`."""

    status_code = 200
    content = b'{"response":1}'


@final
class Recorder:
    """All that a user's own HTTP client has to be."""

    def __init__(self) -> None:
        self.headers: dict[str, str] = {}

    async def post(self, url: str, **arguments: Any) -> HTTPResponse:
        """Note the headers of a request."""
        self.headers = arguments["headers"]
        return Reply()
