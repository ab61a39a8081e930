"""The HTTP client and its connections when the block is left."""

from __future__ import annotations

import gc
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import anyio
import pytest
from anyio import CancelScope, current_time

from _helpers import settle
from _probe import Probe
from vkanyio import VK
from vkanyio._engine._delivery import CLOSE_SECONDS
from vkanyio.testing import Simulator

if TYPE_CHECKING:
    from collections import deque
    from collections.abc import Awaitable, Callable

# ruff: noqa: PT012 - what leaves the block of a client is what this is about

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.simulator_options(latency=1.0),
    pytest.mark.usefixtures("nothing_is_left_open", "echoes"),
]


class Broken(Exception):
    """The error that a body fails with."""


async def test_an_http_client_of_the_user_stays_open(make_client, simulator):
    http_client = simulator.http_client()
    async with make_client(http_client=http_client) as api:
        await api.call("test.get", {"id": 1})
    assert not http_client.is_closed
    await http_client.aclose()


def add_connections(api: VK, *ways: Callable[[], Awaitable[None]]) -> None:
    """Add idle connections to a client, with functions that close them."""
    idle: deque[Any] = Probe(api).idle_connections
    idle += [SimpleNamespace(close=close) for close in ways]


async def fail() -> None:
    raise anyio.BrokenResourceError


async def test_all_connections_are_closed_with_the_client(make_client):
    closed = []

    async def close():
        closed.append(True)

    async with make_client() as api:
        add_connections(api, close, close)
        await settle()
        assert closed == []
    assert closed == [True, True]


async def test_connections_that_do_not_close_are_not_waited_for_long(make_client):
    start = current_time()
    with CancelScope() as scope:
        async with make_client() as api:
            add_connections(api, anyio.sleep_forever, anyio.sleep_forever)
            scope.cancel()
            await anyio.sleep_forever()
    assert current_time() == start + CLOSE_SECONDS


async def test_a_failure_to_close_a_connection_does_not_replace_an_error(make_client):
    error = Broken()
    with pytest.raises(Broken) as caught:
        async with make_client() as api:
            add_connections(api, fail)
            raise error
    assert caught.value is error
    assert error.__context__ is None


async def test_a_failure_to_close_a_connection_is_not_raised(make_client):
    closed = []

    async def close():
        closed.append(True)

    async with make_client() as api:
        add_connections(api, close, fail, close)
    assert closed == [True, True]


@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
async def test_no_socket_outlives_the_client():
    simulator = Simulator(limit=0)
    async with simulator.serve() as base_url:
        async with VK("token", base_url=base_url, limit=1000) as api:
            await api.users.get()
        gc.collect()  # an open one would warn
