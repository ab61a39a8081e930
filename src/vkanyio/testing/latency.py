"""How long answers take, to be handed to ``Simulator(latency=...)``.

Each function makes a distribution; the simulator draws from it, by its seed, for every
request. Any function from a :class:`random.Random` to seconds will do as well.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from typing import TypeAlias

Distribution: TypeAlias = Callable[[random.Random], float]


def constant(seconds: float) -> Distribution:
    """Take the same time always.

    :param seconds: the time
    :return: the distribution
    """
    _check(seconds=seconds)
    return lambda _chance: seconds


def uniform(least: float, most: float) -> Distribution:
    """Take any time within bounds, each as likely.

    :param least: the shortest time, in seconds
    :param most: the longest time, in seconds
    :return: the distribution
    """
    _check(least=least, most=most)
    if least > most:
        raise ValueError(f"least must not exceed most, but {least} > {most}")
    return lambda chance: chance.uniform(least, most)


def lognormal(
    median: float, spread: float = 0.5, *, most: float = math.inf
) -> Distribution:
    """Take mostly about the median, and a long time now and then, as networks do.

    :param median: the time that half of the answers stay below, in seconds
    :param spread: the standard deviation of the logarithm: with 0.5 one answer in 20
        takes more than 2.3 times the median, with 1.0 more than 5 times
    :param most: the longest time, in seconds: longer ones are cut to it
    :return: the distribution
    """
    _check(median=median, spread=spread, most=most)
    return lambda chance: min(median * math.exp(chance.gauss(0, spread)), most)


def spikes(
    usual: Distribution, rare: Distribution, *, rate: float = 0.01
) -> Distribution:
    """Take the usual time, and at a rate a different one.

    :param usual: how long answers take mostly
    :param rare: how long the others take
    :param rate: how many of them there are, between 0 and 1
    :return: the distribution
    """
    if not 0 <= rate <= 1:
        raise ValueError(f"rate must be between 0 and 1, not {rate}")
    return lambda chance: (rare if chance.random() < rate else usual)(chance)


def _check(**values: float) -> None:
    for name, value in values.items():
        if not value >= 0:
            raise ValueError(f"{name} must be 0 or more, not {value}")
