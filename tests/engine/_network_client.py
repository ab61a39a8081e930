"""A client with its own connections, and how its calls fail."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from vkanyio import VK, VKError

TOKEN = "vk1.a.the-secret-token"


def client(base_url: str, **options: Any) -> VK:
    """Make a client of a server on a loopback socket."""
    # With a real clock: no test waits for its turn or its retry.
    options = {"limit": 1000, "wait": 0, "retry_limit": 2, **options}
    return VK(TOKEN, base_url=base_url, **options)


async def error_of(api: VK, call: tuple[str, dict[str, Any]]) -> tuple[VKError, int]:
    """Return the error of a call, and how many requests were sent."""
    with pytest.raises(VKError) as caught, anyio.fail_after(5):
        await api.call(*call)
    return caught.value, api.statistics().sent
