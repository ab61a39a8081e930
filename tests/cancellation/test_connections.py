"""A call cancelled at every step of connecting, over real sockets.

By each way to VK: plain, TLS, TLS in a tunnel of an HTTP proxy, TLS behind a SOCKS
proxy. Afterwards the same client works at once, no socket or task is left, and a call
that was certainly not carried out is one of which the server has seen nothing.
"""

from __future__ import annotations

import gc
import ssl
from contextlib import AsyncExitStack
from itertools import count
from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel
import attrs
import pytest
from anyio import fail_after
from proof._proxies import http_proxy, socks_proxy

from _helpers import assert_gone
from _probe import Probe
from _sockets import FINE, listening, read_request
from vkanyio import VK, APIRequest

from ._steps import Steps
from ._ways import WAYS, Order

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from anyio.streams.buffered import BufferedByteStream

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.long,
    pytest.mark.usefixtures("no_proxy_of_the_environment", "trusted"),
]

ROUTES = ("plain", "TLS", "a tunnel", "SOCKS")
WAYS_ON = {"asyncio": ("scope", "deadline", "task"), "trio": ("scope", "deadline")}
MAX_SECONDS = 5.0
"""For what takes milliseconds, on a busy machine."""

CASES = [(backend, way) for backend, ways in WAYS_ON.items() for way in ways]


@pytest.fixture
def anyio_backend(case: tuple[str, str]) -> str:
    return case[0]  # with a real clock


@attrs.define
class Server:
    """What a server has seen.

    :ivar open: how many connections it has now
    :ivar requests: the bodies of the requests that it has read, as far as they came
    """

    open: int = 0
    requests: list[bytes] = attrs.field(factory=list[bytes])

    async def serve(self, stream: BufferedByteStream) -> None:
        self.open += 1
        try:
            while True:
                first = await stream.receive(1)
                self.requests.append(first)
                self.requests[-1] += await read_request(stream)
                await stream.send(FINE)
        finally:
            self.open -= 1

    def saw(self, mark: str) -> bool:
        """Return whether it has read a call, or the beginning of an unknown one."""
        return any(
            mark.encode() in request or b"\r\n\r\n" not in request
            for request in self.requests
        )


@pytest.fixture
async def way_to_vk(
    route: str, certificate: str
) -> AsyncIterator[tuple[Server, dict[str, Any]]]:
    """Run a server, and what is on the way to it."""
    server, tls = Server(), None
    if route != "plain":
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(certificate)
    async with AsyncExitStack() as stack:
        base_url = await stack.enter_async_context(listening(server.serve, tls))
        options: dict[str, Any] = {"base_url": base_url}
        if route == "a tunnel":
            options["proxy"] = await stack.enter_async_context(http_proxy())
        elif route == "SOCKS":
            options["proxy"] = await stack.enter_async_context(socks_proxy())
        yield server, options


async def cancelled_at(
    step: int, way: str, server: Server, options: dict[str, Any]
) -> bool:
    """Cancel a call at a step, and return whether it was still going on."""
    order, mark = Order(), f"marked-{step}"
    server.requests.clear()
    request = APIRequest("wall.post", {"message": mark})
    steps = Steps(step, order.give, suspensions=False)

    async def call() -> None:
        await api.call_with_request(request)

    async with VK(
        "a-token", limit=1000, retry_limit=0, timeout=MAX_SECONDS, **options
    ) as api:
        with steps.of_client_tasks():
            await WAYS[way](order, lambda: steps.counted(call()))
        with fail_after(MAX_SECONDS):
            assert await api.call("users.get") == 1
            assert await api.call("users.get") == 1
            # It learns a moment later that one was closed. A call that ends while it is
            # cancelled may leave a second one for others.
            while server.open > Probe(api).open_connection_count:
                await anyio.lowlevel.checkpoint()
        assert server.open == Probe(api).open_connection_count > 0
    with fail_after(MAX_SECONDS):
        while server.open:
            await anyio.lowlevel.checkpoint()
    if not request.maybe_carried_out:
        assert not server.saw(mark), "it was sent, and is said not to be"
    assert_gone(api)
    return order.given


@pytest.mark.parametrize("case", CASES, ids=" by ".join)
@pytest.mark.parametrize("route", ROUTES)
async def test_a_connection_survives_a_cancellation_at_every_step(
    case: tuple[str, str], way_to_vk: tuple[Server, dict[str, Any]]
) -> None:
    steps = 0
    for step in count(1):
        if not await cancelled_at(step, case[1], *way_to_vk):
            break
        steps = step
    gc.collect()  # a socket that was left would warn
    assert steps >= 5
