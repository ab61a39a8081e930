"""Streams and gatherings, cancelled at every step of any task, in every way."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from ._backends import BACKENDS, MAIN_BACKENDS
from ._play import at_every_step
from ._streams import FEEDER, GATHERING, STREAMS, VICTIMS, StreamPlay

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.anyio, pytest.mark.long]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    is_long = metafunc.config.getoption("--long")
    metafunc.parametrize(
        ("backend", "scenario", "way", "victim"), [*_cases(is_long=is_long)]
    )


def _cases(*, is_long: bool) -> Iterator[Any]:
    """Generate the cases; a short run takes one way for each victim."""
    for backend in BACKENDS:
        if not is_long and backend.name not in MAIN_BACKENDS:
            continue
        for place, scenario in enumerate(STREAMS):
            for number, victim in enumerate(VICTIMS):
                if victim == FEEDER and "task" not in backend.ways:
                    continue
                if victim == GATHERING and scenario.how:
                    continue
                ways = backend.ways
                if victim == FEEDER:
                    ways = ("task",)
                elif not is_long:
                    ways = (ways[(place + number) % len(ways)],)
                for way in ways:
                    name = f"{victim}, {scenario}, {backend.name}, {way}"
                    yield pytest.param(backend, scenario, way, victim, id=name)


async def test_a_stream_can_be_cancelled_at_every_step(
    scenario, way, victim, is_long, tally
):
    play = partial(StreamPlay, scenario, victim, way, thorough=is_long)
    await at_every_step(play, tally)
    assert tally.cancellations
