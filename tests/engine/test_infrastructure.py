"""Calls over nginx, tinyproxy and microsocks, in the short form of the long check."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from proof._kinds import KINDS
from proof._real_servers import Run, Visit

from proof import _errand, _programs, infrastructure
from vkanyio import APIRequest

ROOT = Path(__file__).parents[2]
MISSING = _programs.missing_programs()
COMMAND = [sys.executable, "-m", "proof.infrastructure"]


@pytest.mark.skipif(sys.platform != "linux", reason="it counts sockets in /proc")
@pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}")
def test_every_promise_is_kept_over_real_servers_and_proxies() -> None:
    done = subprocess.run(
        [*COMMAND, "--short"],
        cwd=ROOT,
        stdout=subprocess.PIPE,  # and its progress goes to what pytest shows
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "Nothing was lost, done twice, or left behind." in done.stdout
    assert "skipped" not in done.stdout


def run_without_programs(*options: str) -> subprocess.CompletedProcess[str]:
    """Run the command where no program is installed."""
    code = (
        "from proof import _programs; _programs.program = lambda name: None\n"
        "from proof.infrastructure import main; main()"
    )
    return subprocess.run(
        [sys.executable, "-c", code, *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_missing_programs_are_named_with_the_command_that_installs_them() -> None:
    done = run_without_programs()
    assert done.returncode == 2
    assert "nginx, tinyproxy, microsocks, openssl" in done.stderr
    assert "apt-get install nginx-light tinyproxy-bin microsocks" in done.stderr


def test_the_short_form_skips_what_is_missing_and_says_so() -> None:
    done = run_without_programs("--short")
    assert done.returncode == 0
    assert "skipped, without nginx" in done.stdout
    assert "reloads under load" in done.stdout


def test_without_a_proxy_its_scenarios_alone_are_skipped() -> None:
    possible = infrastructure._possible(["tinyproxy"])
    assert "reloads under load" in possible
    assert "microsocks: logins" in possible
    assert not [name for name in possible if "tinyproxy" in name]


def judged(place: Path, deeds: str, outcome: object) -> Run:
    """Judge one post by the ledger."""
    programs = _programs.Programs(place)
    (place / "deeds").write_text(deeds)
    run = Run(programs, 1.0, first=1)
    kind = KINDS["post"]
    errand = _errand.Errand("c1", kind, outcome=outcome)
    run.visits.append(Visit(errand, APIRequest(kind.effect, kind.params("c1"))))
    run.judge()
    return run


@pytest.mark.anyio
async def test_a_call_that_is_in_the_ledger_and_denies_it_is_noticed(
    tmp_path: Path,
) -> None:
    run = judged(tmp_path, "c1 7 \n", outcome=_errand.Cancelled())
    assert run.complaints == ["call c1, post was carried out, and says that it was not"]


@pytest.mark.anyio
async def test_a_call_that_was_carried_out_twice_is_noticed(tmp_path: Path) -> None:
    run = judged(tmp_path, "c1 7 \nc1 8 \n", outcome=7)
    assert "call c1, post was carried out 2 times: 7" in run.complaints


@pytest.mark.anyio
async def test_a_call_without_an_outcome_is_noticed(tmp_path: Path) -> None:
    run = judged(tmp_path, "", outcome=_errand.Nothing())
    assert run.complaints == ["call c1, post has no outcome: no outcome"]
