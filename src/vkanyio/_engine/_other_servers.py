"""Requests to other servers than VK's API, such as uploads and long polls.

It owns those in flight, and the connections of the user's HTTP client that are counted
for them. They are neither calls nor subject to the rate limit.
"""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, final

from anyio import CancelScope

from .._errors import ClientUseError, ConnectionFailedError
from .._outcome import Failure

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Generator, Mapping

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
        self._is_own = config.http_client is None
        self._polls = 0

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
                # Where the user's client is short of connections, a request waits in
                # its pool, and one that is cancelled there may keep its place for good.
                async with nullcontext() if self._is_own else self._connections:
                    return await self._send(
                        url, body, length=length, headers=headers, secret=secret
                    )
            finally:
                self._scopes.discard(scope)
        closed = ConnectionFailedError("the client closed the connection")
        return Failure(closed, maybe_carried_out=True)

    @contextmanager
    def polling(self) -> Generator[None]:
        """Count a long poll; see :meth:`Caller.polling`."""
        if self._polls + 1 >= self._config.max_connections and not self._is_own:
            message = (
                f"max_connections must be more than {self._polls + 1}: a long poll"
                " keeps a connection of `http_client` busy, and calls need another"
            )
            raise ClientUseError(message)
        self._polls += 1
        try:
            yield
        finally:
            self._polls -= 1

    def cancel(self) -> None:
        """End the requests in flight: each fails as if its connection had broken."""
        for scope in self._scopes:
            scope.cancel()
