"""Distributions of response times, for ``Simulator(latency=...)``.

Each function returns a distribution. The simulator draws from it for every request,
with a generator that depends on its seed. Any other function that takes a
:class:`random.Random` and returns seconds works too.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from typing import TypeAlias

Distribution: TypeAlias = Callable[[random.Random], float]


def constant(seconds: float) -> Distribution:
    """Always take the same time.

    :param seconds: the time, in seconds
    :return: the distribution
    """
    _check(seconds=seconds)
    return lambda _chance: seconds


def uniform(min_seconds: float, max_seconds: float) -> Distribution:
    """Take a time between two bounds, uniformly distributed.

    :param min_seconds: the shortest time, in seconds
    :param max_seconds: the longest time, in seconds
    :return: the distribution
    """
    _check(min_seconds=min_seconds, max_seconds=max_seconds)
    if min_seconds > max_seconds:
        raise ValueError(
            "min_seconds must not exceed max_seconds, "
            f"but {min_seconds} > {max_seconds}"
        )
    return lambda chance: chance.uniform(min_seconds, max_seconds)


def lognormal(
    median: float, spread: float = 0.5, *, max_seconds: float = math.inf
) -> Distribution:
    """Take about the median most times, and occasionally much longer, as networks do.

    :param median: the median time, in seconds
    :param spread: the standard deviation of the logarithm: with 0.5 one response in 20
        takes more than 2.3 times the median, with 1.0 more than 5 times
    :param max_seconds: the longest time, in seconds: longer ones are reduced to it
    :return: the distribution
    """
    _check(median=median, spread=spread, max_seconds=max_seconds)
    return lambda chance: min(median * math.exp(chance.gauss(0, spread)), max_seconds)


def spikes(
    usual: Distribution, rare: Distribution, *, rate: float = 0.01
) -> Distribution:
    """Take the usual time, but at a given rate a different one.

    :param usual: how long most responses take
    :param rare: how long the other responses take
    :param rate: the share of the other responses, between 0 and 1
    :return: the distribution
    """
    if not 0 <= rate <= 1:
        raise ValueError(f"rate must be between 0 and 1, not {rate}")
    return lambda chance: (rare if chance.random() < rate else usual)(chance)


def _check(**values: float) -> None:
    for name, value in values.items():
        if not value >= 0:
            raise ValueError(f"{name} must be 0 or more, not {value}")
