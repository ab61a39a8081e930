"""The interface of a rate limit, as clients use it.

:class:`~vkanyio.Limiter` has it for the clients of one event loop, and
:class:`vkanyio.redis.RedisLimiter` for many processes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from ._limiter import Permit


@runtime_checkable
class RateLimiter(Protocol):
    """Decides how soon the next request may start, without waiting itself.

    All times are those of the event loop's clock, in seconds. Several clients may use
    one, each with tasks of its own.
    """

    @property
    def limit(self) -> int:
        """How many requests may start in a window."""
        ...

    @property
    def window(self) -> float:
        """The length of a window, in seconds."""
        ...

    def check_usable(self) -> None:
        """Raise unless clients of this event loop can use it now.

        :raises ClientUseError: if they cannot
        """

    def listening(self, on_change: Callable[[], None]) -> AbstractContextManager[None]:
        """Have a function called when a request may start sooner than it was said.

        :param on_change: called synchronously, until the context is left
        """
        ...

    def margin(self, now: float) -> float:
        """Return the part of the window that is kept free, 0.02 being 2 %."""
        ...

    def ready_at(self, now: float) -> float:
        """Return the time from which a request may start, which may be past.

        It is infinite as long as it is not known: listen for the change.
        """
        ...

    def start(self, now: float) -> Permit:
        """Grant a permit, when :meth:`ready_at` has returned ``now`` or less."""
        ...

    def left(self, permit: Permit, now: float) -> None:
        """Note that the request of a permit is leaving now."""

    def connecting(self, permit: Permit) -> None:
        """Note that the request of a permit waits for a connection after all."""

    def note_response(self, permit: Permit, now: float) -> None:
        """Learn from the response to a request."""

    def withdraw(self, permit: Permit) -> None:
        """Take back a permit whose request has not left and will not leave."""

    def slow_down(self, now: float) -> None:
        """Slow down, since VK returned error 6, or a gateway HTTP 429."""

    def pause(self, now: float, seconds: float) -> None:
        """Grant no permit for some seconds, since a gateway asks for a pause."""

    def is_idle(self, now: float) -> bool:
        """Return whether it is not in use and remembers nothing important."""
        ...
