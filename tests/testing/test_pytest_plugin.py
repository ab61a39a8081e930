"""The pytest fixtures, used in separate test suites."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

pytest_plugins = ["pytester"]

CONFTEST = 'pytest_plugins = ["vkanyio.testing.pytest_plugin"]\n'

SUITE = """
import anyio
import pytest
from vkanyio import OutcomeUnknownError
from vkanyio.testing import faults

pytestmark = pytest.mark.anyio


async def post_to_many(vk):
    async with anyio.create_task_group() as tg:
        for number in range(30):
            tg.start_soon(post, vk, number)


async def post(vk, number):
    await vk.wall.post(message=f"No. {number}")


async def test_everything_is_posted_once_and_within_the_limit(vk, vk_simulator):
    start = anyio.current_time()
    await post_to_many(vk)
    assert len(vk_simulator.ledger.carried_out("wall.post")) == 30
    assert vk_simulator.ledger.worst_window() <= 3
    assert anyio.current_time() - start > 9


async def test_an_hour_passes_at_once(vk):
    await anyio.sleep(3600)
    assert await vk.utils.get_server_time()


async def test_a_lost_response(vk, vk_simulator):
    vk_simulator.fault(faults.drop_after(), "wall.post")
    with pytest.raises(OutcomeUnknownError):
        await vk.wall.post(message="hello")


def test_that_awaits_nothing(vk_simulator):
    assert vk_simulator.ledger.requests == 0
"""


@pytest.fixture
def suite(pytester: pytest.Pytester) -> pytest.Pytester:
    pytester.makeconftest(CONFTEST)
    return pytester


def run(suite: pytest.Pytester, *options: str) -> pytest.RunResult:
    return suite.runpytest_subprocess("-p", "no:cacheprovider", "-W", "error", *options)


def test_a_suite_runs_on_both_backends_in_virtual_time(suite: pytest.Pytester) -> None:
    suite.makepyfile(SUITE)
    result = run(suite, "-v")
    result.assert_outcomes(passed=7)
    result.stdout.fnmatch_lines_random(["*once_and_within*asyncio*", "*once*trio*"])
    assert result.duration < 60


def test_the_simulator_and_the_options_can_be_overridden(
    suite: pytest.Pytester,
) -> None:
    suite.makepyfile(
        """
        import anyio
        import pytest
        from vkanyio.testing import Account, Simulator

        TOKEN = "a-token-of-the-simulator"

        @pytest.fixture
        def vk_simulator():
            return Simulator(limit=20, tokens={TOKEN: Account(id=77)})

        @pytest.fixture
        def vk_options():
            return {"limit": 20, "request_mode": "burst"}

        @pytest.mark.anyio
        async def test_who_it_is(vk):
            [user] = await vk.users.get()
            assert user["id"] == 77
            assert vk.config.limit == 20
        """
    )
    run(suite).assert_outcomes(passed=2)


def test_a_test_that_fails_is_shown_as_its_own_failure(suite: pytest.Pytester) -> None:
    suite.makepyfile(
        """
        import pytest

        @pytest.mark.anyio
        async def test_wrong(vk):
            assert await vk.wall.post(message="hello") == {"post_id": 2}
        """
    )
    result = run(suite)
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(["*assert {'post_id': 1} == {'post_id': 2}*"])
    result.stdout.no_fnmatch_line("*ExceptionGroup*")


def test_without_trio_it_runs_on_asyncio_alone(
    suite: pytest.Pytester, tmp_path: Path
) -> None:
    suite.makeconftest(
        """
        import sys
        from importlib import util

        find = util.find_spec
        util.find_spec = lambda name, *more: None if name == "trio" else find(name)
        pytest_plugins = ["vkanyio.testing.pytest_plugin"]
        """
    )
    suite.makepyfile(
        """
        import pytest

        @pytest.mark.anyio
        async def test_alone(vk):
            assert await vk.users.get()
        """
    )
    run(suite).assert_outcomes(passed=1)


def test_nothing_is_there_unless_it_is_asked_for(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_it(vk_simulator): ...")
    result = run(pytester)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*fixture 'vk_simulator' not found*"])
