"""Every test that awaits runs on asyncio and on trio, in virtual time.

Tests over real sockets ask for a real clock:
``@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import trio.testing

from vkanyio import VK
from vkanyio.testing import Simulator, VirtualClockLoop

if TYPE_CHECKING:
    from collections.abc import Callable

TOKEN = "vk1.a.the-secret-token"


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, Any]]:
    if request.param == "trio":
        clock = trio.testing.MockClock(autojump_threshold=0)
        return "trio", {"clock": clock}
    return "asyncio", {"loop_factory": VirtualClockLoop}


@pytest.fixture
def simulator() -> Simulator:
    """A VK without latency and without a limit, for tests of other things."""
    return Simulator(limit=0)


@pytest.fixture
def make_client(simulator: Simulator) -> Callable[..., VK]:
    """Makes clients of the simulator, fast enough not to be in the way."""

    def make(**options: Any) -> VK:
        options.setdefault("limit", 1000)
        options.setdefault("http_client", simulator.http_client())
        return VK(TOKEN, **options)

    return make
