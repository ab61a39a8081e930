"""The clock of another machine, as it is known from its answers."""

from __future__ import annotations

from collections import deque
from typing import final

ANSWERS_KEPT = 32
TOLERANCE = 0.01
"""Seconds by which two clocks may drift apart while the answers are kept."""
MAX_DOUBT = 0.05
"""Seconds: more comes from a server that is far away, and then half of it is the way
there and half the way back."""


@final
class ServerClock:
    """Converts times between the event loop's clock and that of a server, in seconds.

    The server looked at its clock after the question was sent, and before the answer
    was received: each answer bounds the difference of the clocks.
    """

    def __init__(self) -> None:
        self._bounds: deque[tuple[float, float]] = deque(maxlen=ANSWERS_KEPT)

    def note(self, sent: float, server: float, received: float) -> bool:
        """Learn from an answer.

        :param server: the time at the server, between the two others
        :return: whether the server's clock was set since, or another server answered
        """
        low, high = sent - server, received - server
        was_set = bool(self._bounds) and (
            low > min(high for _, high in self._bounds) + TOLERANCE
            or high < max(low for low, _ in self._bounds) - TOLERANCE
        )
        if was_set:
            self._bounds.clear()
        self._bounds.append((low, high))
        return was_set

    def to_local(self, server: float) -> float:
        """Return the time by the event loop's clock, never before the real one."""
        return server + self.difference

    def to_server(self, local: float) -> float:
        """Return the time by the server's clock, never after the real one.

        The real one may be later, by :attr:`doubt` at most.
        """
        return local - self.difference

    @property
    def difference(self) -> float:
        """The difference of the clocks at most, in seconds; 0 before any answer."""
        return min((high for _, high in self._bounds), default=0.0)

    @property
    def doubt(self) -> float:
        """By how many seconds :attr:`difference` may be too large, about."""
        lowest = max((low for low, _ in self._bounds), default=self.difference)
        return min(max(self.difference - lowest, 0.0), MAX_DOUBT)
