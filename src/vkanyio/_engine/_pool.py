"""The connections to a server, or to several: which of them a request gets.

It owns the idle connections, and what was learned about how long a server keeps them.
It bounds nothing: the number of requests at a time is the business of the ticker.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from itertools import islice
from typing import TYPE_CHECKING, Protocol, final

from anyio import current_time

from .._keep_alive import KeepAlive
from ._request_body import BodyError

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Callable, Iterable

    import httpcore

    from .._response import Response
    from ._connection import Connection
    from ._delivery import Delivery

MAX_VISITS = 2
"""Pools that are visited for each request: more than it can add."""


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
        self._requests = 0
        self._keep_alive = KeepAlive()
        self._is_closed = False

    @property
    def is_needed(self) -> bool:
        """Whether it has connections, or requests that will have some."""
        return bool(self.idle or self._requests)

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
        self._requests += 1
        try:
            connection = await self._take(careful=careful) or self._connect()
            return await self._send(connection, url, body, headers, delivery)
        finally:
            self._requests -= 1

    async def _send(
        self,
        connection: Connection,
        url: httpcore.URL,
        body: bytes | AsyncIterable[bytes],
        headers: list[tuple[bytes, bytes]],
        delivery: Delivery,
    ) -> Response:
        if self._is_closed:  # while it waited
            raise ConnectionError("the connection was closed")
        idle = current_time() - connection.idle_since
        self._in_use.add(connection)
        try:
            response = await connection.request(url, body, headers, delivery)
        except BodyError:
            raise  # which says nothing about the server
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
        # First: a cancellation here must not lose one that was found.
        await self.close_oldest(now)
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

    async def close_oldest(self, now: float) -> None:
        """Close a connection left from a busier time; one for each call is enough."""
        max_idle = self._keep_alive.max_idle(now)
        if self.idle and now - self.idle[0].idle_since > max_idle:
            await self.idle.popleft().close()

    async def close(self) -> None:
        """Close all connections, also under requests that are in flight."""
        self._is_closed = True
        await close_all((*self.idle, *self._in_use))
        self.idle.clear()


@final
class Pools:
    """Pools of connections to any number of servers, each for as long as it is used."""

    def __init__(self) -> None:
        self._pools: OrderedDict[str, Pool] = OrderedDict()  # the last one visited last
        self._is_closed = False

    async def take(self, server: str, connect: Callable[[], Connection]) -> Pool:
        """Return the pool of a server, which has to be used at once.

        :param server: its scheme, host and port
        :param connect: makes a connection to it
        """
        await self._tidy_up()
        pool = self._pools.get(server)
        if pool is None:
            pool = self._pools[server] = Pool(connect)
        if self._is_closed:
            await pool.close()
        return pool

    async def _tidy_up(self) -> None:
        """Visit some pools in turn: close old connections, drop pools without any."""
        visited = [*islice(self._pools.items(), MAX_VISITS)]
        for server, _ in visited:
            self._pools.move_to_end(server)
        for server, pool in visited:
            await pool.close_oldest(current_time())
            # Another task may have dropped it meanwhile, and another made a new one.
            if not pool.is_needed and self._pools.get(server) is pool:
                del self._pools[server]

    async def close(self) -> None:
        """Close all connections, and refuse requests from now on."""
        self._is_closed = True
        await close_all([*self._pools.values()])


class _Closable(Protocol):
    async def close(self) -> None: ...


async def close_all(closables: Iterable[_Closable]) -> None:
    """Close connections or pools; what is broken is closed anyway.

    A native cancellation does not keep any of them open: it is raised afterwards.
    """
    cancelled: BaseException | None = None
    for each in closables:
        try:
            await each.close()
        except Exception:
            pass
        except BaseException as error:
            cancelled = error
    if cancelled is not None:
        raise cancelled
