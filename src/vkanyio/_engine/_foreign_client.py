"""A request by the user's HTTP client, and what that client reports of it.

It owns nothing: the client is the user's, and stays open. What a failure means is
decided by ``_transport``.
"""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, final

from anyio import CancelScope, move_on_after

from .._response import Response
from .._typeguards import is_mapping
from ._delivery import CLOSE_SECONDS

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Mapping

    from .._http_client import HTTPClient, HTTPResponse
    from ._delivery import Delivery

# httpx and httpx2 have exceptions of the same names, but not the same classes.
_NEVER_SENT = frozenset({"ConnectError", "ConnectTimeout", "PoolTimeout", "ProxyError"})


async def post(
    client: HTTPClient,
    url: str,
    body: bytes | AsyncIterable[bytes],
    headers: Mapping[str, str],
    trace: ClientTrace,
) -> Response:
    """Send a request and read the whole response."""
    response = await client.post(
        url,
        content=body,
        headers=dict(headers),
        follow_redirects=False,
        timeout=None,
        extensions={"trace": trace},
    )
    # Convert here: an odd response of a foreign client must fail as a transport error,
    # not crash the task.
    return Response(
        int(response.status_code),
        bytes(response.content),
        partial(_header, response),
    )


def _header(response: HTTPResponse, name: str) -> str | None:
    """Return a header of the response, if it has one.

    Whatever goes wrong here must not cost the response itself, which has arrived.
    """
    with suppress(Exception):
        headers = getattr(response, "headers", None)
        if is_mapping(headers):
            for each in (name, name.lower()):  # a plain dict knows only one of them
                value = headers.get(each)
                if type(value) is str:
                    return value
    return None


@final
class ClientTrace:
    """What the client reports of a request, by httpcore's trace events.

    https://www.encode.io/httpcore/extensions/#trace

    A client may send a request several times, one after the other. It also closes
    sockets that httpcore's pool leaves open, see :meth:`__call__`.

    :ivar reports: whether the client reports at all
    """

    __slots__ = (
        "_begun",
        "_delivery",
        "_failed",
        "_is_sending",
        "_tcp_stream",
        "reports",
    )

    def __init__(self, delivery: Delivery) -> None:
        self._delivery = delivery
        self._tcp_stream: Any = None
        self._is_sending = False
        self._begun = 0
        self._failed = 0
        self.reports: bool = False

    async def __call__(self, event: str, info: dict[str, Any]) -> None:
        """Handle an event, such as "connection.connect_tcp.started"."""
        if event.endswith("connect_tcp.started"):
            self._delivery.connecting()
        elif event.endswith("send_request_headers.started"):
            self._is_sending = info["request"].method != b"CONNECT"  # for the proxy
            if self._is_sending:
                self._begun += 1
                self.reports = True
                self._delivery.sending()
        elif event.endswith("send_request_headers.failed") and self._is_sending:
            self._failed += 1
        elif event.endswith("connect_tcp.complete"):
            self._tcp_stream = info["return_value"]
        elif event.endswith(("start_tls.failed", "setup_socks5_connection.failed")):
            # httpcore leaves the socket open when a handshake is cancelled or refused.
            with CancelScope(shield=True), move_on_after(CLOSE_SECONDS):
                await self._tcp_stream.aclose()

    def never_sent(self, error: Exception | None = None) -> bool:
        """Return whether it is certain that VK did not get the request.

        1. A try sent all headers: it may have got it, whatever became of later tries.
        2. No try did, and one began: it has not got it.
        3. None began, though one connected: the same.
        4. The client does not report, but an error of this name says the same.

        :param error: what the client raised, None if it was cancelled
        """
        if self._begun > self._failed:
            return False
        if self._begun or self._delivery.connected_for_it:
            return True
        names = {cls.__name__ for cls in type(error).__mro__}
        return bool(names & _NEVER_SENT)
