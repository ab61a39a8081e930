"""Random schedules: calls, cancellations, responses and ends in the same step."""

from __future__ import annotations

import pytest

from ._backends import BACKENDS, MAIN_BACKENDS
from ._schedules import Schedule

pytestmark = [pytest.mark.anyio, pytest.mark.long]

QUICK, LONG = 150, 3000
"""Schedules on the main backends; the others run a fifth as many."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "backend" in metafunc.fixturenames:
        params = [pytest.param(each, id=each.name) for each in BACKENDS]
        metafunc.parametrize("backend", params)


async def test_random_schedules_keep_every_promise(backend, request, is_long, tally):
    number = LONG if is_long else QUICK
    seeds = range(number if backend.name in MAIN_BACKENDS else number // 5)
    only = request.config.getoption("--seed")
    for seed in seeds if only is None else [only]:
        schedule = Schedule(seed, backend.ways)
        try:
            await schedule.run(tally)
        except BaseException as error:
            error.add_note(f"{schedule}: again by --seed={seed}")
            raise
