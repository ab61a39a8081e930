"""The connections to one server: which of them a request gets.

It owns the idle connections, and what was learned about how long the server keeps them.
It bounds nothing: the number of requests at a time is the business of the ticker.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, final

from anyio import current_time

from .._keep_alive import KeepAlive

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Callable

    import httpcore

    from .._response import Response
    from ._connection import Connection
    from ._delivery import Delivery


@final
class Pool:
    """Reuses connections to one server, while the server certainly keeps them.

    :param connect: makes a connection
    :ivar idle: the idle connections, the most recently used one last
    """

    def __init__(self, connect: Callable[[], Connection]) -> None:
        self.idle: deque[Connection] = deque()
        self._connect = connect
        self._in_use: set[Connection] = set()
        self._keep_alive = KeepAlive()
        self._is_closed = False

    async def request(
        self,
        url: httpcore.URL,
        body: bytes | AsyncIterable[bytes],
        headers: list[tuple[bytes, bytes]],
        delivery: Delivery,
        *,
        careful: bool,
    ) -> Response:
        """Send a request and read the whole response.

        :param careful: whether the request cannot be repeated if it is lost
        """
        connection = await self._take(careful=careful) or self._connect()
        idle = current_time() - connection.idle_since
        self._in_use.add(connection)
        try:
            response = await connection.request(url, body, headers, delivery)
        except Exception:
            if delivery.reused_connection():
                self._keep_alive.note_closed(idle, current_time())
            raise
        finally:
            self._in_use.discard(connection)
        if self._is_closed:
            await connection.close()
        elif connection.is_open:
            self.idle.append(connection)
        return response

    async def _take(self, *, careful: bool) -> Connection | None:
        """Take an idle connection that the server certainly keeps, if there is one."""
        now, found = current_time(), None
        if self.idle:  # first: a cancellation here must not lose one that was found
            await self._close_oldest(now)
        max_idle = self._keep_alive.max_idle(now, careful=careful)
        while self.idle and found is None:
            connection = self.idle.pop()
            idle = now - connection.idle_since
            if idle > max_idle:
                self.idle.append(connection)  # and all others are older
                break
            if connection.is_reusable():
                found = connection
            else:
                self._keep_alive.note_closed(idle, now)
                await connection.close()
        return found

    async def _close_oldest(self, now: float) -> None:
        """Close a connection left from a busier time; one for each call is enough."""
        if now - self.idle[0].idle_since > self._keep_alive.max_idle(now):
            await self.idle.popleft().close()

    async def close(self) -> None:
        """Close all connections, also under requests that are in flight.

        A native cancellation does not keep any of them open.
        """
        self._is_closed = True
        cancelled: BaseException | None = None
        for connection in (*self.idle, *self._in_use):
            try:
                await connection.close()
            except Exception:
                pass  # a broken connection is closed anyway
            except BaseException as error:
                cancelled = error
        self.idle.clear()
        if cancelled is not None:
            raise cancelled
