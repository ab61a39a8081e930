"""A receiver of the Callback API, and the handler of what it receives."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from _callbacks import Handled, handled_by

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from vkanyio.updates import CallbackReceiver


@pytest.fixture
def handler() -> Handled:
    return Handled()


@pytest.fixture
async def app(handler: Handled) -> AsyncIterator[CallbackReceiver]:
    async with handled_by(handler) as app:
        yield app
