"""pytest fixtures for programs that use vkanyio: a client of a simulated VK.

Enable them in a ``conftest.py``::

    pytest_plugins = ["vkanyio.testing.pytest_plugin"]

Mark asynchronous tests with ``@pytest.mark.anyio``, which comes with anyio. Each runs
on asyncio and, if trio is installed, on trio, in virtual time: waiting for the rate
limit, for a back-off or for an hour takes no real time.

The fixtures require anyio's pytest plugin. pytest-asyncio enters and leaves a fixture
in different tasks, which task groups do not allow.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import pytest

from .. import VK
from ._clock import virtual_time
from ._simulator import Simulator

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping

BACKENDS = ["asyncio", "trio"] if find_spec("trio") else ["asyncio"]


@pytest.fixture(params=BACKENDS)
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, Any]]:
    """Run a test on each backend, in virtual time."""
    return request.param, virtual_time(request.param)


@pytest.fixture
def vk_simulator() -> Simulator:
    """Return a simulator for one test; it allows 3 requests per second, as VK does.

    Override this fixture to choose another limit, the valid tokens, or the seed.
    """
    return Simulator(limit=3)


@pytest.fixture
def vk_options() -> Mapping[str, Any]:
    """Return options for the client ``vk``; override this fixture to set some."""
    return {}


@pytest.fixture
async def vk(
    vk_simulator: Simulator, vk_options: Mapping[str, Any]
) -> AsyncGenerator[VK]:
    """Return a client of the simulator, open while the test runs."""
    async with (
        vk_simulator.http_client() as http_client,
        VK("a-token-of-the-simulator", http_client=http_client, **vk_options) as client,
    ):
        yield client
