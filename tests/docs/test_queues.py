"""The guide to queues: its workers run their tasks, and repeat no message."""

from __future__ import annotations

import asyncio
import os
import sys
from importlib.util import find_spec
from types import ModuleType
from typing import TYPE_CHECKING, Any
from unittest import mock

import anyio
import pytest
from _pages import Page
from proof._redis_server import redis_server, what_is_missing

from vkanyio import VK, random_id

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vkanyio.testing import Simulator

PAGE = Page("guides/queues.md")
MISSING = what_is_missing()
MISSING += [name for name in ("streaq", "taskiq_redis") if find_spec(name) is None]

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(
        bool(MISSING),
        reason=f"not installed: {', '.join(MISSING)}"
        " (apt-get install redis-server, uv sync --group queues)",
    ),
    # The queues leave streams of their own, and connections.
    pytest.mark.filterwarnings("ignore:Unclosed <MemoryObject:ResourceWarning"),
    pytest.mark.usefixtures("nothing_is_left_open"),
]
END_SECONDS = 30.0


@pytest.fixture
def environment(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """Redis in the environment, and clients of the simulator."""

    def client(token: str, **options: Any) -> VK:
        return VK(token, http_client=simulator.http_client(), **options)

    monkeypatch.setattr("vkanyio.VK", client)
    with redis_server() as redis:
        variables = {"REDIS_URL": redis.url, "VK_TOKEN": "a-token"}
        with mock.patch.dict(os.environ, variables):
            yield


def messages_of(simulator: Simulator) -> list[tuple[str, str, object]]:
    """Return the receiver and the key of each message, and what became of it."""
    return [
        (entry.params["user_id"], entry.params["random_id"], entry.outcome)
        for entry in simulator.ledger
        if entry.method == "messages.send"
    ]


@pytest.mark.parametrize("anyio_backend", ["trio"])
@pytest.mark.usefixtures("environment")
async def test_a_task_of_streaq_that_runs_twice_sends_one_message(
    simulator: Simulator,
):
    names = PAGE.load("from streaq import")
    worker, congratulate = names["worker"], names["congratulate"]
    worker.handle_signals = False

    @worker.middleware  # type: ignore[untyped-decorator]
    def twice(function: Any) -> Any:
        async def run(*args: Any) -> Any:
            # As if a worker had been killed before the queue heard of the end.
            await function(*args)
            return await function(*args)

        return run

    with anyio.fail_after(END_SECONDS):
        async with anyio.create_task_group() as tasks:
            await tasks.start(worker.run_async)
            task = await congratulate.enqueue(7)
            result = await task.result(END_SECONDS)
            tasks.cancel_scope.cancel()
    assert result.success
    key = random_id("congratulate", task.id)
    assert messages_of(simulator) == [
        ("7", str(key), "carried out"),
        ("7", str(key), "repeated"),
    ]


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.usefixtures("environment")
async def test_a_task_of_taskiq_sends_its_message(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch
):
    from taskiq.receiver import Receiver

    # taskiq puts the task into its module.
    monkeypatch.setitem(sys.modules, "an_example", ModuleType("an_example"))
    names = PAGE.load("from taskiq import")
    broker, remind = names["broker"], names["remind"]
    broker.is_worker_process = True
    finish, sent = asyncio.Event(), asyncio.Event()
    simulator.between("messages.send", sent.set)
    with anyio.fail_after(END_SECONDS):
        await broker.startup()
        receiver = Receiver(broker, max_async_tasks=9, run_startup=False)
        listening = asyncio.create_task(receiver.listen(finish))
        task = await remind.kiq(8)
        await sent.wait()
        finish.set()
        await listening
        await broker.shutdown()
    key = random_id("remind", task.task_id)
    assert messages_of(simulator) == [("8", str(key), "carried out")]
