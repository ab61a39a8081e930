"""How long a server keeps idle connections: a rule without I/O or a clock.

A request on a connection that its server closes at the same moment is lost, and nobody
can tell whether VK has got it. So connections are used only while the server certainly
keeps them.
"""

from __future__ import annotations

from typing import final

MAX_IDLE = 5.0
"""Seconds: shorter than servers usually keep idle connections."""
MIN_IDLE = 0.05
"""Seconds: a server that closes connections sooner keeps none."""
MAX_CAREFUL_IDLE = 0.5
"""Seconds, for requests that must not be lost."""
FORGET_SECONDS = 60.0
"""The time in which what was learned doubles: a reload closes connections, too."""


@final
class KeepAlive:
    """For how long a connection to a server may be idle and is used again."""

    def __init__(self) -> None:
        self._learned = MAX_IDLE
        self._learned_at = 0.0

    def max_idle(self, now: float, *, careful: bool = False) -> float:
        """Return the seconds after which an idle connection is not used any more.

        :param careful: for a request that cannot be repeated if it is lost
        """
        doublings = min(int((now - self._learned_at) / FORGET_SECONDS), 10)
        seconds: float = min(self._learned * 2.0**doublings, MAX_IDLE)
        return min(seconds / 2, MAX_CAREFUL_IDLE) if careful else seconds

    def note_closed(self, idle: float, now: float) -> None:
        """Learn that the server closed a connection.

        :param idle: for how many seconds it was idle, at most
        """
        if idle < self.max_idle(now):
            self._learned = max(idle * 0.9, MIN_IDLE)
            self._learned_at = now
