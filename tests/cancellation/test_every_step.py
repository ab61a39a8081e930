"""Every kind of call, cancelled at every step of any task, in every way."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from ._backends import BACKENDS, MAIN_BACKENDS
from ._play import Play, at_every_step
from ._scenarios import SCENARIOS
from ._token_scenarios import TOKENS

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.long,
    pytest.mark.usefixtures("_no_threads"),
]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    is_long = metafunc.config.getoption("--long")
    metafunc.parametrize(
        ("backend", "scenario", "way", "victims"), [*_cases(is_long=is_long)]
    )


def _cases(*, is_long: bool) -> Iterator[Any]:
    """Generate the cases.

    A short run takes one set of victims for each way, and few scenarios on backends
    that resemble another.
    """
    for backend in BACKENDS:
        for scenario in [*SCENARIOS, *TOKENS]:
            for number, way in enumerate(backend.ways):
                victims = scenario.victims
                if not is_long:
                    victims = (victims[number % len(victims)],)
                if (
                    is_long
                    or backend.name in MAIN_BACKENDS
                    or (scenario.everywhere and way == backend.ways[1])
                ):
                    name = f"{scenario}, {backend.name}, {way}"
                    yield pytest.param(backend, scenario, way, victims, id=name)


async def test_a_call_can_be_cancelled_at_every_step(
    scenario, way, victims, is_long, tally
):
    for each in victims:
        play = partial(Play, scenario, each, way, thorough=is_long)
        await at_every_step(play, tally)
        assert tally.cancellations
