"""The limit of requests per second, in the two ways in which VK may count it."""

from __future__ import annotations

from collections import deque
from typing import Literal, Protocol, TypeAlias, final

Window: TypeAlias = Literal["sliding", "fixed"]

WINDOW_SECONDS = 1.0


class SimulatedLimit(Protocol):
    """The requests of one token, counted against its limit."""

    def allows(self, now: float, limit: int) -> bool:
        """Return whether one more request may start, without counting it."""
        ...

    def count(self, now: float) -> None:
        """Count an admitted request."""
        ...


@final
class SlidingWindow:
    """At most ``limit`` requests in any period of one second.

    This is the stricter reading of VK's limit, which is only documented as "requests
    per second".
    """

    def __init__(self) -> None:
        self._starts: deque[float] = deque()

    def allows(self, now: float, limit: int) -> bool:
        """Return whether one more request may start, without counting it."""
        while self._starts and now - self._starts[0] >= WINDOW_SECONDS:
            self._starts.popleft()
        return len(self._starts) < limit

    def count(self, now: float) -> None:
        """Count an admitted request."""
        self._starts.append(now)


@final
class FixedWindow:
    """At most ``limit`` requests in each second of the clock.

    This is the reading that a counter per second suggests: a burst at the end of one
    second and another at the start of the next are both admitted.
    """

    def __init__(self) -> None:
        self._second = -1
        self._spent = 0

    def allows(self, now: float, limit: int) -> bool:
        """Return whether one more request may start, without counting it."""
        second = int(now // WINDOW_SECONDS)
        if second != self._second:
            self._second, self._spent = second, 0
        return self._spent < limit

    def count(self, now: float) -> None:  # noqa: ARG002
        """Count an admitted request."""
        self._spent += 1


WINDOWS: dict[Window, type[SlidingWindow | FixedWindow]] = {
    "sliding": SlidingWindow,
    "fixed": FixedWindow,
}
