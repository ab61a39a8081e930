"""The numbers of a client's work."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, final

import attrs

if TYPE_CHECKING:
    from collections.abc import Mapping


@final
@attrs.frozen(kw_only=True)
class Statistics:
    """A snapshot of a client's work, from :meth:`VK.statistics`.

    :ivar waiting: calls that wait for their turn
    :ivar in_flight: HTTP requests in flight
    :ivar calls: calls that were accepted
    :ivar sent: HTTP requests that were sent, retries included
    :ivar batches: how many requests carried how many calls
    :ivar split: how often a batch that failed as a whole was halved
    :ivar retries: how many requests were retried, by the error that led to the retry
    :ivar too_many_requests: how often VK returned error 6, or a gateway HTTP 429
    :ivar margin: the part of the rate limit that is kept free now, 0.02 being 2 %
    """

    waiting: int
    in_flight: int
    calls: int
    sent: int
    batches: Mapping[int, int]
    split: int
    retries: Mapping[str, int]
    too_many_requests: int
    margin: float


@final
class Counters:
    """The running totals behind :class:`Statistics`."""

    def __init__(self) -> None:
        self.in_flight: int = 0
        self.batches: Counter[int] = Counter()
        self.split: int = 0
        self.retries: Counter[str] = Counter()
        self.too_many_requests: int = 0
