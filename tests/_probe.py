"""The one place where tests look inside an open client.

What a test asserts about the inside is asked here by name, so that the engine can
change without changing the tests.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

if TYPE_CHECKING:
    from collections import deque

    from vkanyio import VK
    from vkanyio._caller import Caller
    from vkanyio._engine._connection import Connection
    from vkanyio._engine._lane import Lane
    from vkanyio._engine._session import Session


@final
class Probe:
    """What a client that was entered holds."""

    def __init__(self, client: VK) -> None:
        session = client._session
        assert session is not None, "the client has not been entered"
        self._config = client.config
        self._session: Session = session

    @property
    def lanes(self) -> list[Lane]:
        """The lanes of all tokens, that of the client's own token first."""
        return [self._session._lane, *self._session._lanes.values()]

    @property
    def caller(self) -> Caller:
        """What the parts of the library make calls with."""
        return self._session

    @property
    def live_calls(self) -> int:
        """How many calls have no outcome yet."""
        return len(self._session._live)

    @property
    def tasks(self) -> int:
        """How many tasks the client runs."""
        return len(self._session._services._scopes)

    @property
    def free_connections(self) -> int:
        """How many more requests may be in flight."""
        return self._session._connections.value

    @property
    def idle_connections(self) -> deque[Connection]:
        """The connections that wait for the next request."""
        return self._session._transport._idle

    @property
    def open_connections(self) -> int:
        """How many of them have a socket."""
        idle: Any = self.idle_connections
        return sum(len(each._transport._pool.connections) for each in idle)

    @property
    def observed_calls(self) -> int:
        """How many calls the observer remembers."""
        return len(self._session._observer._calls)

    @property
    def is_asking(self) -> bool:
        """Whether a question is with the user's function."""
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
        return found

    def assert_at_rest(self) -> None:
        """Assert that nothing is held: no call, room, connection or permit."""
        assert not self.live_calls
        assert self.free_connections == self._config.max_connections
        for lane in self.lanes:
            assert not lane._busy
            assert lane._room.value == self._config.max_waiting
            assert not lane._sender._limiter._leaving
