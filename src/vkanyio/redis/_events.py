"""Events of a limit that processes share."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias


class RedisAway(NamedTuple):
    """Redis cannot be reached.

    :ivar at: when that was noticed, by the event loop's clock
    :ivar reason: what went wrong
    :ivar limit: how many requests a second this process may start by itself, from three
        seconds later on; 0 if it waits until Redis is back
    """

    at: float
    reason: str
    limit: int


class RedisBack(NamedTuple):
    """Redis can be reached again.

    :ivar at: when that was noticed, by the event loop's clock
    :ivar duration: seconds since it went away
    """

    at: float
    duration: float


RedisEvent: TypeAlias = RedisAway | RedisBack
"""What ``on_event`` of a :class:`RedisLimiter` gets."""
