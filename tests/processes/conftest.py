"""A Redis server on a loopback port, for the tests of this directory."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

import pytest
from proof._redis_server import PACKAGES, RedisServer, redis_server, what_is_missing

if TYPE_CHECKING:
    from collections.abc import Iterator

MISSING = what_is_missing()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    reason = f"not installed: {', '.join(MISSING)} ({PACKAGES})"
    for item in items:
        if MISSING and item.path.parent.name == "processes":
            item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="module", autouse=True)
def _collect_garbage() -> Iterator[None]:
    """Leave no streams of coredis to the tests of other modules, which would fail."""
    yield
    gc.collect()


@pytest.fixture(scope="session")
def started_redis() -> Iterator[RedisServer]:
    with redis_server() as server:
        yield server


@pytest.fixture
def redis(started_redis: RedisServer) -> RedisServer:
    """An empty Redis server."""
    started_redis.command("FLUSHALL")
    return started_redis
