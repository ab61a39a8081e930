"""Tokens of VK ID in memory, and what renews them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from _stored import CLIENT_ID, Store, issued
from vkanyio.vkid import VKID

if TYPE_CHECKING:
    from vkanyio.testing import Simulator


@pytest.fixture
def store(simulator: Simulator) -> Store:
    return Store(issued(simulator))


@pytest.fixture
def vkid(store: Store) -> VKID:
    return VKID(client_id=CLIENT_ID, store=store)
