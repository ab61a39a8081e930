"""What is known about one attempt while it is in flight: whether it is connected, and
sent.

It owns that knowledge, and passes it on to the limiter and the calls. Connections
report to it, and so does ``_foreign_client``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from anyio import current_time

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .._limiter import Permit
    from .._pending import Pending
    from .._rate_limiter import RateLimiter

CLOSE_SECONDS = 1.0
"""The time that closing connections may take."""


@final
class Delivery:
    """The way of one request to the server.

    :param limiter: the limiter that granted the permit, if the request needs one
    :param pending: the pending results of calls that VK may carry out from the first
        byte on

    :ivar connected_for_it: whether a connection was made for this request
    :ivar reached: whether the other end of that connection answered: the server, or a
        proxy
    :ivar sent: whether bytes of the request have begun to leave
    """

    __slots__ = (
        "_limiter",
        "_pending",
        "_permit",
        "connected_for_it",
        "reached",
        "sent",
    )

    def __init__(
        self,
        limiter: RateLimiter | None = None,
        permit: Permit | None = None,
        pending: Sequence[Pending] = (),
    ) -> None:
        self._limiter = limiter
        self._permit = permit
        self._pending = pending
        self.connected_for_it: bool = False
        self.reached: bool = False
        self.sent: bool = False

    def connecting(self) -> None:
        """Note that a connection is being made for the request."""
        self.connected_for_it = True
        # A client that sends it again counts for the first time only.
        if self._limiter is not None and self._permit is not None and not self.sent:
            self._limiter.connecting(self._permit)

    def sending(self) -> None:
        """Note that the first byte of the request is about to leave."""
        if not self.sent:
            self.sent = True
            for each in self._pending:
                each.mark_maybe_carried_out()
            if self._limiter is not None and self._permit is not None:
                self._limiter.left(self._permit, current_time())

    def reused_connection(self) -> bool:
        """Return whether the request was sent on a connection that was used before."""
        return self.sent and not self.connected_for_it
