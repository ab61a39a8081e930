"""Statistics of a limit that processes share."""

from __future__ import annotations

from typing import final

import attrs


@final
@attrs.frozen(kw_only=True)
class RedisStatistics:
    """A snapshot of what one process has done, from :meth:`RedisLimiter.statistics`.

    :ivar is_away: whether Redis cannot be reached now
    :ivar outages: how often Redis could not be reached
    :ivar processes: how many processes share the limit, as far as is known
    :ivar asked: how often the script in Redis ran for this process
    :ivar granted: the permits that it got
    :ivar unused: permits that it gave back
    :ivar late: requests that started, or arrived, later than their permits allowed for
    :ivar by_itself: requests that it started while Redis was away
    :ivar margin: the part of the limit that is kept free now, 0.02 being 2 %
    """

    is_away: bool
    outages: int
    processes: int
    asked: int
    granted: int
    unused: int
    late: int
    by_itself: int
    margin: float
