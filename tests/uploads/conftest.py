"""A client of a simulator, for uploads in virtual time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from _helpers import MakeClient
    from vkanyio import VK


@pytest.fixture
async def api(make_client: MakeClient) -> AsyncIterator[VK]:
    """A client that is open."""
    async with make_client(wait=1.0) as client:
        yield client
