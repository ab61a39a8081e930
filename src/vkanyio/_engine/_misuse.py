"""What errors say about a client that is used, or closed, at the wrong time."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from .._errors import ClientClosedError

if TYPE_CHECKING:
    from .._request import APIRequest


def with_hint(message: str) -> str:
    """Add what to use instead of pytest-asyncio, if that is in use.

    It may run the parts of a fixture, and a test, in several tasks and event loops.
    """
    if "pytest_asyncio" not in sys.modules:
        return message
    instead = "`@pytest.mark.anyio` and the fixtures of vkanyio.testing.pytest_plugin"
    return f"{message}; instead of pytest-asyncio, use {instead}"


def closed_meanwhile(request: APIRequest) -> ClientClosedError:
    """Make the error of a call whose client is closed before the call has ended."""
    maybe_carried_out = request.maybe_carried_out
    fate = "may have carried it out" if maybe_carried_out else "did not carry it out"
    message = f"the client was closed before {request.method} ended: VK {fate}"
    return ClientClosedError(message, maybe_carried_out=maybe_carried_out)
