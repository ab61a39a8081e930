"""Events of a limit that processes share."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias


class RedisAway(NamedTuple):
    """Redis cannot be reached.

    :ivar at: when that was noticed, by the event loop's clock
    :ivar reason: what went wrong
    :ivar limit: how many requests in a window this process may start by itself, from
        two windows later on; None if it waits until Redis is back
    """

    at: float
    reason: str
    limit: float | None


class RedisBack(NamedTuple):
    """Redis can be reached again.

    :ivar at: when that was noticed, by the event loop's clock
    :ivar duration: seconds since it went away
    """

    at: float
    duration: float


RedisEvent: TypeAlias = RedisAway | RedisBack
"""What ``on_event`` of a :class:`RedisLimiter` gets."""
