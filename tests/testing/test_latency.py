"""Distributions of latency."""

from __future__ import annotations

import random
import statistics
from typing import Any

import anyio
import pytest

from vkanyio.testing import Simulator, latency


def draw(distribution: latency.Distribution, number: int = 2000) -> list[float]:
    chance = random.Random(1)
    return [distribution(chance) for _ in range(number)]


def test_a_constant_is_always_the_same() -> None:
    assert set(draw(latency.constant(0.25))) == {0.25}


def test_a_uniform_latency_fills_its_bounds() -> None:
    times = draw(latency.uniform(1, 3))
    assert 1 <= min(times) < 1.1
    assert 2.9 < max(times) <= 3
    assert statistics.mean(times) == pytest.approx(2, abs=0.1)


def test_a_lognormal_latency_has_its_median_and_a_long_tail() -> None:
    times = draw(latency.lognormal(0.1, 0.5))
    assert statistics.median(times) == pytest.approx(0.1, rel=0.1)
    assert 0.02 < sum(time > 0.23 for time in times) / len(times) < 0.08
    assert max(draw(latency.lognormal(0.1, 1.0, max_seconds=0.2))) == 0.2


def test_spikes_come_at_their_rate() -> None:
    usual, rare = latency.constant(1), latency.constant(9)
    times = draw(latency.spikes(usual, rare, rate=0.1))
    assert set(times) == {1, 9}
    assert 100 < times.count(9) < 300


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda: latency.constant(-1), "seconds"),
        (lambda: latency.uniform(-1, 1), "min_seconds"),
        (lambda: latency.uniform(2, 1), "min_seconds must not exceed max_seconds"),
        (lambda: latency.lognormal(float("nan")), "median"),
        (lambda: latency.lognormal(1, -1), "spread"),
        (
            lambda: latency.spikes(latency.constant(1), latency.constant(1), rate=2),
            "rate",
        ),
    ],
)
def test_an_invalid_latency_is_refused(make: Any, name: str) -> None:
    with pytest.raises(ValueError, match=name):
        make()


@pytest.mark.anyio
async def test_a_simulator_draws_from_a_distribution_by_its_seed() -> None:
    async def times(seed: int) -> list[float]:
        simulator = Simulator(latency=latency.uniform(0.1, 2), limit=0, seed=seed)
        found = []
        async with simulator.http_client() as client:
            for _ in range(5):
                start = anyio.current_time()
                await client.get("https://vk/method/users.get?access_token=t&v=5.199")
                found.append(round(anyio.current_time() - start, 6))
        return found

    first = await times(1)
    assert len(set(first)) == 5
    assert first == await times(1) != await times(2)
