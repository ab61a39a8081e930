"""What is followed by long poll, and a receiver of the Callback API."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from _bots import Followed
from _callbacks import Handled, handled_by

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from vkanyio import VK
    from vkanyio.updates import CallbackReceiver


@pytest.fixture(params=["community", "mailbox"])
def followed(request: pytest.FixtureRequest, club: VK) -> Followed:
    """The community of ``club``, or its mailbox."""
    if request.param == "mailbox":
        return Followed("messages.getLongPollServer", club.user_updates)
    return Followed("groups.getLongPollServer", club.bot_updates)


@pytest.fixture
def handler() -> Handled:
    return Handled()


@pytest.fixture
async def app(handler: Handled) -> AsyncIterator[CallbackReceiver]:
    async with handled_by(handler) as app:
        yield app
