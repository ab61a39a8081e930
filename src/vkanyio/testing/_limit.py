"""The limit of requests a second, counted as VK may count it."""

from __future__ import annotations

from collections import deque
from typing import Literal, Protocol, TypeAlias, final

Window: TypeAlias = Literal["sliding", "fixed"]

WINDOW_SECONDS = 1.0


class Limiter(Protocol):
    """The requests that one token has spent."""

    def allows(self, now: float, limit: int) -> bool:
        """Tell whether one more request may start, without counting it."""
        ...

    def count(self, now: float) -> None:
        """Count a request that was let in."""
        ...


@final
class SlidingWindow:
    """At most ``limit`` requests in any second, whenever that second begins.

    The stricter reading of VK's limit, which says no more than "requests a second".
    """

    def __init__(self) -> None:
        self._starts: deque[float] = deque()

    def allows(self, now: float, limit: int) -> bool:
        """Tell whether one more request may start, without counting it."""
        while self._starts and now - self._starts[0] >= WINDOW_SECONDS:
            self._starts.popleft()
        return len(self._starts) < limit

    def count(self, now: float) -> None:
        """Count a request that was let in."""
        self._starts.append(now)


@final
class FixedWindow:
    """At most ``limit`` requests between two ticks of a clock of seconds.

    The reading that a counter per second suggests: a burst just before the tick and
    another just after it are both let in.
    """

    def __init__(self) -> None:
        self._second = -1
        self._spent = 0

    def allows(self, now: float, limit: int) -> bool:
        """Tell whether one more request may start, without counting it."""
        second = int(now // WINDOW_SECONDS)
        if second != self._second:
            self._second, self._spent = second, 0
        return self._spent < limit

    def count(self, now: float) -> None:  # noqa: ARG002
        """Count a request that was let in."""
        self._spent += 1


WINDOWS: dict[Window, type[SlidingWindow | FixedWindow]] = {
    "sliding": SlidingWindow,
    "fixed": FixedWindow,
}
