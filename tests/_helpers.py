"""Helpers of the tests of the engine and the public face."""

from __future__ import annotations

import asyncio
import gc
import os
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, final

import anyio
import httpx
import pytest
import sniffio
import trio
from anyio import current_time, get_running_tasks
from anyio.lowlevel import checkpoint

import vkanyio
from _probe import Probe
from vkanyio import APIRequest, HTTPResponse, VKError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from vkanyio import VK, Captcha
    from vkanyio.testing import Call, Simulator

    MakeClient: TypeAlias = Callable[..., VK]

TOKEN = "vk1.a.the-secret-token"
LIBRARY = f"{Path(vkanyio.__file__).parent}{os.sep}"
"""How the names of the library's own files begin, wherever it is installed."""
READ = "users.get", {"user_ids": 1}
POST = "wall.post", {"message": "hello"}
both_calls = pytest.mark.parametrize("call", [READ, POST], ids=["read", "post"])


def add_echoes(simulator: Simulator) -> None:
    """Add methods that return the ``id`` of the call."""

    def echo(call: Call) -> int:
        return call.integer("id")

    simulator.add_method("test.get", echo)  # reads: it may be retried
    simulator.add_method("test.post", echo)  # may be carried out only once


def carried_out(simulator: Simulator) -> list[int]:
    """Return the ids of the echoes that were carried out, in order."""
    return [int(entry.params["id"]) for entry in simulator.ledger.carried_out()]


def collect_garbage() -> None:
    """Collect objects left open now: their warnings fail the test."""
    gc.collect(1)  # imported objects, a hundred times as many, are older


def get(i: int, **more: Any) -> APIRequest:
    """Make a request for an echo."""
    return APIRequest("test.get", {"id": i, **more})


def calls(*methods: str) -> list[APIRequest]:
    """Make requests numbered by their ids."""
    return [APIRequest(method, {"id": i}) for i, method in enumerate(methods)]


async def solve_by(simulator: Simulator, captcha: Captcha) -> None:
    """Answer a captcha correctly."""
    await captcha.retry(simulator.solve(captcha.redirect_uri or ""))


async def returns_at_once(client: VK, i: int) -> None:
    """Make a call, and assert that it takes a second of latency and no more."""
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
    """Make calls at once, and return their results in order."""
    results: list[Any] = [None] * len(calls)

    async def keep(index: int) -> None:
        results[index] = await calls[index]()

    async with anyio.create_task_group() as tg:
        for index in range(len(calls)):
            tg.start_soon(keep, index)
    return results


async def settle() -> None:
    """Let every task run that can run without time passing."""
    for _ in range(30):
        await checkpoint()


def cancelling() -> int:
    """Return how many cancellations of this task asyncio has counted."""
    task = asyncio.current_task()
    assert task is not None
    return task.cancelling()


def own_tasks() -> list[str]:
    """Return the names of the tasks that clients run, sorted."""
    names = [task.name or "" for task in get_running_tasks()]
    return sorted(name for name in names if name.startswith("vkanyio "))


def assert_at_rest(client: VK) -> None:
    """Assert that a client holds nothing: no call, room, connection or permit."""
    assert client.statistics().in_flight == 0
    Probe(client).assert_at_rest()


def assert_gone(client: VK) -> None:
    """Assert that nothing has outlived the block of a client."""
    assert_at_rest(client)
    assert not Probe(client).task_count
    assert own_tasks() == []


@final
class Turns:
    """How many turns the event loop has made."""

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
    """Count the turns of the event loop."""
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
    """A transport that a request leaves by before the first checkpoint.

    Each request it gets counts as sent, so it shows those that should not have been.
    """

    def __init__(self) -> None:
        self.requests = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Count a request, and respond a second later."""
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
    """The least that an HTTP client of the user must have."""

    def __init__(self) -> None:
        self.headers: dict[str, str] = {}

    async def post(self, url: str, **arguments: Any) -> HTTPResponse:
        """Record the headers of a request."""
        self.headers = arguments["headers"]
        return Reply()
