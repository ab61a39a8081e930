"""The clock of another machine, as it is known from its answers."""

from __future__ import annotations

from collections import deque
from typing import final

ANSWERS_KEPT = 32
TOLERANCE = 0.01
"""Seconds by which two clocks may drift apart while the answers are kept."""


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
        return server + self._difference

    def to_server(self, local: float) -> float:
        """Return the time by the server's clock."""
        return local - self._difference

    @property
    def _difference(self) -> float:
        return min(high for _, high in self._bounds)
