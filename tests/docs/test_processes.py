"""The guide to several processes: its code does what its text says."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from unittest import mock

import anyio
import pytest
from _pages import Page
from proof._redis_server import PACKAGES, redis_server, what_is_missing

from vkanyio import VK

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vkanyio.testing import Simulator

PAGE = Page("guides/processes.md")
MISSING = what_is_missing()

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(
        bool(MISSING), reason=f"not installed: {', '.join(MISSING)} ({PACKAGES})"
    ),
]
on_real_clocks = pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])


@pytest.fixture
def redis_url() -> Iterator[str]:
    with redis_server() as redis:
        yield redis.url


@pytest.fixture
def clients_of_the_simulator(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    def client(token: str, **options: object) -> VK:
        return VK(token, http_client=simulator.http_client(), **options)  # type: ignore[arg-type]

    monkeypatch.setattr("vkanyio.VK", client)


def test_tokens_are_divided_among_processes():
    process_of = PAGE.load("def process_of")["process_of"]
    found = [process_of(group_id, 4) for group_id in range(1000)]
    assert {found.count(number) > 200 for number in range(4)} == {True}
    assert found == [process_of(group_id, 4) for group_id in range(1000)]


@on_real_clocks
@pytest.mark.usefixtures("clients_of_the_simulator")
async def test_a_process_shares_the_limit(
    redis_url: str, simulator: Simulator, capsys: pytest.CaptureFixture[str]
):
    with mock.patch.dict(os.environ, {"REDIS_URL": redis_url}):
        await PAGE.load("async def main")["main"]("a-token")
    assert int(capsys.readouterr().out) > 0
    assert simulator.ledger.requests == 1


@on_real_clocks
@pytest.mark.usefixtures("clients_of_the_simulator")
async def test_hooks_start_the_limiter_before_the_client(redis_url: str):
    start = PAGE.load("async def start")["start"]
    async with anyio.create_task_group() as tasks:
        api = await start(tasks, "a-token", redis_url)
        assert await api.utils.getServerTime() > 0
        tasks.cancel_scope.cancel()


@on_real_clocks
@pytest.mark.filterwarnings("ignore:Unclosed <MemoryObject:ResourceWarning")
@pytest.mark.usefixtures("nothing_is_left_open")
async def test_events_say_that_redis_is_away_and_back(
    capsys: pytest.CaptureFixture[str],
):
    names = PAGE.load("def report")
    async with names["make_limiter"]("redis://127.0.0.1:1"):
        printed = capsys.readouterr().out
    assert printed.startswith("Redis is away (")
    assert "0 requests a second are left" in printed
    names["report"](names["RedisBack"](at=3.0, duration=2.0))
    assert capsys.readouterr().out == "Redis is back after 2.0 s\n"
