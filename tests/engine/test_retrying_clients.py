"""HTTP clients of the user that try to send a request more than once."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, final

import anyio
import httpx
import pytest

from _helpers import POST, TOKEN
from _sockets import closed_port, listening, read_request
from vkanyio import VK, ConnectionFailedError, Limiter, OutcomeUnknownError, VKError
from vkanyio._engine._delivery import Delivery

if TYPE_CHECKING:
    from types import ModuleType

    from anyio.streams.buffered import BufferedByteStream

pytestmark = pytest.mark.anyio

SENDING = "http11.send_request_headers.started"
SENT = "http11.send_request_headers.complete"
NOT_SENT = "http11.send_request_headers.failed"
TUNNEL = "CONNECT"
CONNECTING = "connection.connect_tcp.started"
REFUSED = "connection.connect_tcp.failed"

CERTAINLY_NOT_SENT = [
    [CONNECTING, REFUSED],
    [SENDING, NOT_SENT],
    [SENDING, NOT_SENT, SENDING, NOT_SENT],
    [SENDING, NOT_SENT, CONNECTING, REFUSED],
    [CONNECTING, TUNNEL, NOT_SENT],
    [CONNECTING, TUNNEL, SENT, SENDING, NOT_SENT],
]
PERHAPS_SENT = [
    [SENDING],
    [SENDING, SENT],
    [SENDING, SENT, CONNECTING, REFUSED],
    [SENDING, SENT, SENDING, NOT_SENT],
    [SENDING, NOT_SENT, SENDING, SENT],
    [CONNECTING, SENDING, SENT, CONNECTING, TUNNEL, NOT_SENT],
    [CONNECTING, TUNNEL, SENT, SENDING, SENT],
]


@final
class Reporting:
    """A client that reports what it does, and then fails or never returns."""

    def __init__(self, events: list[str], error: Exception | None) -> None:
        self._events = events
        self._error = error

    async def post(self, url: str, **arguments: Any) -> httpx.Response:
        trace = arguments["extensions"]["trace"]
        for event in self._events:
            method = b"CONNECT" if event == TUNNEL else b"POST"
            info = {"request": SimpleNamespace(method=method)}
            await trace(SENDING if event == TUNNEL else event, info)
        if self._error is None:
            await anyio.sleep_forever()
        assert self._error is not None
        raise self._error


async def error_of(http_client: Any, **options: Any) -> VKError:
    async with VK(TOKEN, http_client=http_client, retry_limit=0, **options) as api:
        with pytest.raises(VKError) as caught:
            await api.call(*POST)
    return caught.value


@pytest.mark.parametrize(
    "error",
    [httpx.ConnectError("no"), httpx.ReadError("no"), None],
    ids=["ConnectError", "ReadError", "nothing"],
)
@pytest.mark.parametrize(
    ("events", "is_certain"),
    [
        *((events, True) for events in CERTAINLY_NOT_SENT),
        *((events, False) for events in PERHAPS_SENT),
    ],
)
async def test_a_write_is_certainly_not_sent_if_no_try_sent_its_headers(
    events: list[str], is_certain: bool, error: Exception | None
) -> None:
    failure = await error_of(Reporting(events, error))
    expected = ConnectionFailedError if is_certain else OutcomeUnknownError
    assert type(failure) is expected


@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
@pytest.mark.parametrize("name", ["httpx", "httpx2"])
async def test_a_second_try_that_does_not_connect_leaves_the_first_in_doubt(
    name: str,
) -> None:
    library: ModuleType = pytest.importorskip(name)
    requests: list[bytes] = []

    async def lose(stream: BufferedByteStream) -> None:
        requests.append(await read_request(stream))

    async with (
        listening(lose) as base_url,
        closed_port() as elsewhere,
        library.AsyncClient(trust_env=False) as http_client,
    ):

        class Twice:
            """A client that tries another server if the first one fails."""

            async def post(self, url: str, **arguments: Any) -> Any:
                try:
                    return await http_client.post(url, **arguments)
                except library.RequestError:
                    return await http_client.post(elsewhere, **arguments)

        failure = await error_of(Twice(), base_url=base_url)
    assert len(requests) == 1
    assert type(failure) is OutcomeUnknownError


def test_a_request_that_is_sent_again_keeps_its_place_in_the_window() -> None:
    limiter = Limiter(3)
    permit = limiter.start(0.0)
    delivery = Delivery(limiter, permit)
    limiter.left(permit, 0.0)
    delivery.sent = True
    delivery.connecting()
    assert permit.is_used
