"""Fixtures of pytest for programs that use vkanyio: a client on a simulator of VK.

They are there once a ``conftest.py`` names this module::

    pytest_plugins = ["vkanyio.testing.pytest_plugin"]

Tests that await are marked with ``@pytest.mark.anyio``, which comes with anyio. Each
runs on asyncio and, where trio is installed, on trio, in virtual time: waiting for the
limit, for a back-off or for an hour takes no time at all.

The fixtures are made for anyio's own plugin. pytest-asyncio enters and leaves a fixture
in different tasks, which no task group survives.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import pytest

from .. import VK
from ._clock import VirtualClockLoop
from ._simulator import Simulator

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping

BACKENDS = ["asyncio", "trio"] if find_spec("trio") else ["asyncio"]


@pytest.fixture(params=BACKENDS)
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, Any]]:
    """Run a test on each backend, in virtual time."""
    if request.param == "trio":
        import trio.testing

        return "trio", {"clock": trio.testing.MockClock(autojump_threshold=0)}
    return "asyncio", {"loop_factory": VirtualClockLoop}


@pytest.fixture
def vk_simulator() -> Simulator:
    """A VK of the test's own, which allows 3 requests a second as the real one does.

    Override it for another one: with a limit of 20, with certain tokens, seeded.
    """
    return Simulator(limit=3)


@pytest.fixture
def vk_options() -> Mapping[str, Any]:
    """The options of the client ``vk``: override it to give some."""
    return {}


@pytest.fixture
async def vk(
    vk_simulator: Simulator, vk_options: Mapping[str, Any]
) -> AsyncGenerator[VK]:
    """A client of the simulator, open for as long as the test runs."""
    async with (
        vk_simulator.http_client() as http_client,
        VK("a-token-of-the-simulator", http_client=http_client, **vk_options) as client,
    ):
        yield client
