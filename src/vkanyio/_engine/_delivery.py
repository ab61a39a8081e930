"""What is known about one attempt while it is in flight: connected? sent?

It owns that knowledge, and passes it on to the limiter. Connections report to it; a
user's HTTP client does so by its trace events.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

from anyio import CancelScope, current_time, move_on_after

if TYPE_CHECKING:
    from .._limiter import Limiter, Permit

CLOSE_SECONDS = 1.0
"""The time that closing connections may take."""


@final
class Delivery:
    """The way of one request to the server.

    :param limiter: the limiter that granted the permit, if the request needs one

    :ivar connected_for_it: whether a connection was made for this request
    :ivar reached: whether the other end of that connection answered: the server, or a
        proxy
    :ivar sent: whether bytes of the request have begun to leave
    """

    __slots__ = ("_limiter", "_permit", "connected_for_it", "reached", "sent")

    def __init__(
        self, limiter: Limiter | None = None, permit: Permit | None = None
    ) -> None:
        self._limiter = limiter
        self._permit = permit
        self.connected_for_it: bool = False
        self.reached: bool = False
        self.sent: bool = False

    def connecting(self) -> None:
        """Note that a connection is being made for the request."""
        self.connected_for_it = True
        if self._limiter is not None and self._permit is not None:
            self._limiter.connecting(self._permit)

    def sending(self) -> None:
        """Note that the first byte of the request is about to leave."""
        if not self.sent:
            self.sent = True
            if self._limiter is not None and self._permit is not None:
                self._limiter.left(self._permit, current_time())

    def reused_connection(self) -> bool:
        """Return whether the request was sent on a connection that was used before."""
        return self.sent and not self.connected_for_it


@final
class ClientTrace:
    """What a user's HTTP client reports of a request, by httpcore's trace events.

    https://www.encode.io/httpcore/extensions/#trace

    It also closes sockets that httpcore's pool leaves open, see :meth:`__call__`.

    :ivar reports: whether the client reports at all
    :ivar sending_failed: whether not even the headers were sent completely
    """

    __slots__ = ("_delivery", "_tcp_stream", "reports", "sending_failed")

    def __init__(self, delivery: Delivery) -> None:
        self._delivery = delivery
        self._tcp_stream: Any = None
        self.reports: bool = False
        self.sending_failed: bool = False

    async def __call__(self, event: str, info: dict[str, Any]) -> None:
        """Handle an event, such as "connection.connect_tcp.started"."""
        if event.endswith("connect_tcp.started"):
            self._delivery.connecting()
        elif event.endswith("send_request_headers.started"):
            if info["request"].method != b"CONNECT":  # that one is for the proxy
                self.reports = True
                self._delivery.sending()
        elif event.endswith("send_request_headers.failed") and self._delivery.sent:
            self.sending_failed = True
        elif event.endswith("connect_tcp.complete"):
            self._tcp_stream = info["return_value"]
        elif event.endswith(("start_tls.failed", "setup_socks5_connection.failed")):
            # httpcore leaves the socket open when a handshake is cancelled or refused.
            with CancelScope(shield=True), move_on_after(CLOSE_SECONDS):
                await self._tcp_stream.aclose()

    def never_sent(self) -> bool:
        """Return whether it is certain that VK did not get the request."""
        delivery = self._delivery
        return self.sending_failed or (delivery.connected_for_it and not delivery.sent)
