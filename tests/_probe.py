"""The only place where tests look inside an open client.

Tests ask for internals by name here, so that the engine can change without them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

from vkanyio import Limiter
from vkanyio._engine._session import MAX_UPLOADS

if TYPE_CHECKING:
    from collections import deque
    from collections.abc import Mapping
    from random import Random

    from vkanyio import VK
    from vkanyio._caller import Caller
    from vkanyio._engine._connection import Connection
    from vkanyio._engine._lane import Lane
    from vkanyio._engine._pool import Pool
    from vkanyio._engine._session import Session


def was_opened(client: VK) -> bool:
    """Return whether a client that is closed by now has been open."""
    session = client._session
    return session is not None and session._closed_at is not None


@final
class Probe:
    """The internals of a client that has been entered."""

    def __init__(self, client: VK) -> None:
        session = client._session
        assert session is not None, "the client has not been entered"
        self._config = client.config
        self._session: Session = session

    @property
    def lanes(self) -> list[Lane]:
        """The lanes of all tokens, the lane of the client's token first."""
        return list(self._session._lanes)

    @property
    def tokens(self) -> list[str]:
        """The tokens that the lanes send now, in their order."""
        return [lane._credentials.token for lane in self.lanes]

    @property
    def generator(self) -> Random:
        """The source of the jitter of back-offs."""
        return self._session._generator

    @property
    def caller(self) -> Caller:
        """The interface by which parts of the library make calls."""
        return self._session

    @property
    def other_pools(self) -> Mapping[str, Pool]:
        """The pools of connections to other servers than that of the methods."""
        return self._session._transport._other_pools._pools

    @property
    def url_count(self) -> int:
        """The number of methods whose URLs are remembered."""
        return len(self._session._transport._urls)

    @property
    def live_call_count(self) -> int:
        """The number of calls without an outcome."""
        return len(self._session._live)

    @property
    def task_count(self) -> int:
        """The number of tasks that the client runs."""
        return len(self._session._services._scopes)

    @property
    def free_connection_count(self) -> int:
        """The number of requests that may still be sent at once."""
        return self._session._connections.value

    @property
    def idle_connections(self) -> deque[Connection]:
        """The connections that wait for the next request."""
        return self._session._transport._pool.idle

    @property
    def open_connection_count(self) -> int:
        """The number of idle connections that have a socket."""
        return sum(connection.is_open for connection in self.idle_connections)

    @property
    def observed_call_count(self) -> int:
        """The number of calls that the observer remembers."""
        return len(self._session._observer._calls)

    @property
    def is_asking(self) -> bool:
        """Whether a handler is answering a question."""
        return self._session._questions._turn.locked()

    @property
    def is_holding_back(self) -> bool:
        """Whether a captcha holds calls back."""
        return any(lane._gate.is_closed for lane in self.lanes)

    @property
    def parts(self) -> list[Any]:
        """The objects that a traceback or a debugger may show."""
        session = self._session
        found: list[Any] = [session, session._transport, session._observer]
        for lane in self.lanes:
            found += [lane, lane._sender, lane._packer, lane._collector, lane._gate]
            found.append(lane._credentials)
        return found

    def assert_at_rest(self) -> None:
        """Assert that the client holds nothing: no call, room, connection or permit."""
        assert not self.live_call_count
        assert self.free_connection_count == self._config.max_connections
        assert self._session._uploads.value == MAX_UPLOADS
        for lane in self.lanes:
            assert not lane._busy
            assert lane._room.value == self._config.max_waiting
            limiter = lane._sender._limiter
            assert not isinstance(limiter, Limiter) or not limiter._leaving
