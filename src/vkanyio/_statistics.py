"""Statistics of a client."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, final

import attrs

if TYPE_CHECKING:
    from collections.abc import Mapping


@final
@attrs.frozen(kw_only=True)
class Statistics:
    """A snapshot of a client's statistics, from :meth:`VK.statistics`.

    :meth:`TokenView.statistics` returns one of the work with one token.

    :ivar waiting: calls in the queue
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

    __slots__ = (
        "batches",
        "calls",
        "in_flight",
        "retries",
        "split",
        "too_many_requests",
        "waiting",
    )

    def __init__(self) -> None:
        self.waiting: int = 0
        self.in_flight: int = 0
        self.calls: int = 0
        self.batches: Counter[int] = Counter()
        self.split: int = 0
        self.retries: Counter[str] = Counter()
        self.too_many_requests: int = 0

    def add(self, other: Counters) -> None:
        """Add the totals of another."""
        self.waiting += other.waiting
        self.in_flight += other.in_flight
        self.calls += other.calls
        self.batches += other.batches
        self.split += other.split
        self.retries += other.retries
        self.too_many_requests += other.too_many_requests

    def snapshot(self, margin: float) -> Statistics:
        """Return a snapshot of the totals.

        :param margin: the part of the rate limit that is kept free now
        """
        return Statistics(
            waiting=self.waiting,
            in_flight=self.in_flight,
            calls=self.calls,
            sent=self.batches.total(),
            batches=dict(self.batches),
            split=self.split,
            retries=dict(self.retries),
            too_many_requests=self.too_many_requests,
            margin=margin,
        )
