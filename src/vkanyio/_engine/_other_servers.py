"""Requests to other servers than VK's API, such as uploads and long polls.

It owns those that are under way, and the connections of the user's HTTP client that are
held for them. They are neither calls nor subject to the rate limit.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, final

from anyio import CancelScope

from .._errors import ClientUseError, ConnectionFailedError
from .._outcome import Failure

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterable, Mapping

    from anyio import Semaphore

    from .._caller import SendPost
    from .._config import Config
    from .._response import Response


@final
class OtherServers:
    """The requests of a client to other servers.

    :param send: sends a request
    :param connections: the connections of the client
    """

    def __init__(self, config: Config, send: SendPost, connections: Semaphore) -> None:
        self._config = config
        self._send = send
        self._connections = connections
        self._scopes: set[CancelScope] = set()
        self._held = 0

    async def post(
        self,
        url: str,
        body: bytes | AsyncIterable[bytes],
        *,
        length: int,
        headers: Mapping[str, str],
        secret: str,
    ) -> Response | Failure:
        """Send a request, and read the response; see :meth:`Caller.post`."""
        with CancelScope() as scope:
            self._scopes.add(scope)
            try:
                return await self._send(
                    url, body, length=length, headers=headers, secret=secret
                )
            finally:
                self._scopes.discard(scope)
        closed = ConnectionFailedError("the client closed the connection")
        return Failure(closed, maybe_carried_out=True)

    @asynccontextmanager
    async def hold_connection(self) -> AsyncGenerator[None]:
        """Hold a connection; see :meth:`Caller.hold_connection`."""
        if self._config.http_client is None:
            yield
            return
        if self._held + 1 >= self._config.max_connections:
            message = (
                f"max_connections must be more than {self._held + 1}: a long poll holds"
                " a connection of `http_client`, and calls need another"
            )
            raise ClientUseError(message)
        self._held += 1
        try:
            async with self._connections:
                yield
        finally:
            self._held -= 1

    def cancel(self) -> None:
        """End the requests under way: each fails as if its connection had broken."""
        for scope in self._scopes:
            scope.cancel()
