"""A community on a simulator, and a client that has its token."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from vkanyio import VK

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from vkanyio.testing import Simulator


@pytest.fixture
async def api(town: Simulator, request: pytest.FixtureRequest) -> AsyncIterator[VK]:
    """A client of the community 9 of the simulator ``town``."""
    mark = request.node.get_closest_marker("client_options")
    options: dict[str, Any] = {"limit": 1000, **(mark.kwargs if mark else {})}
    client = VK("club", http_client=town.http_client(), **options)
    async with client:
        yield client
