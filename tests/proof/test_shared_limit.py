"""Processes that share a limit through Redis, in the short form of the long check."""

from __future__ import annotations

import subprocess
import sys
from itertools import product
from pathlib import Path

import attrs
import pytest
from click.testing import CliRunner
from proof._redis_server import PACKAGES, what_is_missing
from proof.shared_limit import (
    SCENARIOS,
    Plan,
    Result,
    complaints,
    longest_pause,
    used,
)

from proof import shared_limit

ROOT = Path(__file__).parents[2]
MISSING = what_is_missing()


@pytest.mark.skipif(sys.platform != "linux", reason="it stops processes")
@pytest.mark.skipif(
    bool(MISSING), reason=f"not installed: {', '.join(MISSING)} ({PACKAGES})"
)
def test_processes_never_exceed_the_limit_whatever_happens_to_redis() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "proof.shared_limit", "--short"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Never much more than the limit." in done.stdout


def test_without_redis_the_command_says_what_to_install() -> None:
    code = (
        "from proof import shared_limit as s\n"
        "s.what_is_missing = lambda: ['redis-server']\ns.main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "not installed: redis-server (apt-get install redis-server" in done.stderr


PLAN = Plan(
    scenario="quiet",
    backend="trio",
    processes=4,
    limit=20,
    request_mode="burst",
    seconds=1.0,
)
GOOD = Result(
    requests=100, refused=0, worst=20, used=0.98, pause=0.1, failed=[], events=[]
)


def test_broken_promises_are_named() -> None:
    assert complaints(PLAN, GOOD) == []
    bad = Result(
        requests=10, refused=1, worst=21, used=0, pause=0, failed=["E()"], events=[]
    )
    assert "requests" in "".join(complaints(PLAN, bad, slack=0.04))
    text = "\n".join(complaints(PLAN, bad))
    for broken in ("E()", "21 requests in a second", "1 requests refused", "10 req"):
        assert f"quiet, 4 processes, limit 20, burst, trio: {broken}" in text


def test_what_is_used_of_the_limit_does_not_depend_on_bursts() -> None:
    bursts = [second * 1.02 for second in range(10) for _ in range(20)]
    even = [number * 0.051 for number in range(200)]
    assert used(bursts, 20) == pytest.approx(1 / 1.02)
    assert used(even, 20) == pytest.approx(1 / 1.02)
    assert used(even[:20], 20) == 0


def test_all_scenarios_are_tried_with_few_and_many_processes_on_both_event_loops(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    played: list[Plan] = []

    def play(plan: Plan) -> Result:
        played.append(plan)
        return attrs.evolve(GOOD, requests=1000)

    monkeypatch.setattr(shared_limit, "play", play)
    monkeypatch.setattr(shared_limit, "what_is_missing", list)
    assert CliRunner().invoke(shared_limit.main, []).exit_code == 0
    assert {
        (plan.scenario, plan.processes, plan.limit, plan.backend) for plan in played
    } == set(product(SCENARIOS, (4, 16), (20, 200), ("asyncio", "trio")))
    played.clear()
    assert CliRunner().invoke(shared_limit.main, ["--only", "empty"]).exit_code == 0
    assert {plan.scenario for plan in played} == {"a new, empty Redis"}


def test_the_longest_pause_is_found_after_the_beginning() -> None:
    assert longest_pause([0.0, 1.9, 2.1, 2.2, 4.5, 4.6]) == pytest.approx(2.3)
    assert longest_pause([0.0]) == 0


def test_every_scenario_is_described() -> None:
    assert all(play.__doc__ for play in SCENARIOS.values())
