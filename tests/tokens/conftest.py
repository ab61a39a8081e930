"""Clients with a token function."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from vkanyio import VK

if TYPE_CHECKING:
    from _tokens import Make
    from vkanyio.testing import Simulator


@pytest.fixture
def make(simulator: Simulator) -> Make:
    """Makes clients with a token function."""

    def make(token: Any, **options: Any) -> VK:
        http_client = simulator.http_client()
        options = {"limit": 1000, "request_mode": "burst", **options}
        return VK(token, http_client=http_client, **options)

    return make
