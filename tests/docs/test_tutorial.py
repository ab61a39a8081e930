"""The first page and the tutorial: each program prints what the page says."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import anyio
import pytest
from _pages import Page

from vkanyio.testing import Simulator, faults

if TYPE_CHECKING:
    from pathlib import Path

    from vkanyio.testing import Call

INDEX = Page("index.md")
PAGE = Page("tutorial.md")

on_both = pytest.mark.parametrize("backend", ["asyncio", "trio"])


@on_both
def test_the_first_page_has_a_program_that_runs(backend: str):
    simulator = Simulator(limit=3)
    statuses: dict[str, str] = {}
    output = INDEX.find("def show(").output or ""
    for user_id, line in enumerate(output.splitlines(), 1):
        name, statuses[str(user_id)] = line.split(" ", 1)
        simulator.add_user(user_id, first_name=name)
    simulator.add_method(
        "status.get", lambda call: {"text": statuses[call.params["user_id"]]}
    )
    INDEX.run("def show(", backend, simulator, in_any_order=True, VK_TOKEN="any")
    assert len(INDEX.printed.splitlines()) == 3


@on_both
def test_the_first_call(backend: str):
    PAGE.run("user_ids=[1]", backend, Simulator())


@on_both
def test_the_same_with_a_token(backend: str):
    PAGE.run("getServerTime", backend, VK_TOKEN="any")
    assert int(PAGE.printed)


@on_both
def test_mistakes_are_told(backend: str):
    PAGE.run("users.getAll", backend)


@on_both
def test_many_calls_take_their_time(backend: str):
    simulator = Simulator(limit=3)
    PAGE.run("def read_wall", backend, simulator)
    assert not simulator.ledger.refused()


@on_both
def test_packed_calls_take_less(backend: str):
    PAGE.run("def read_status", backend, Simulator(limit=3))


@on_both
def test_the_service_goes_on_until_a_signal(
    backend: str, monkeypatch: pytest.MonkeyPatch
):
    simulator = Simulator(limit=3)
    visits: list[float] = []

    def count_posts(call: Call) -> dict[str, object]:
        visits.append(anyio.current_time())
        if len(visits) == 3:
            os.kill(os.getpid(), signal.SIGTERM)
        return {"count": len(visits), "items": []}

    simulator.add_method("wall.get", count_posts)
    simulator.fault(faults.hang_before(), "wall.get", nth=2, times=4)
    PAGE.run("def watch", backend, simulator)
    first, failed, *rounds, last = PAGE.printed.splitlines()
    assert first == "1 posts"
    assert failed == "no response in 30 seconds"
    assert rounds[0] == "2 posts"
    assert last == "stopped"
    assert visits[1] - visits[0] >= 60


def test_its_test_passes(tmp_path: Path):
    program = PAGE.find("def watch").code
    (tmp_path / "service.py").write_text(program, encoding="utf-8")
    conftest = PAGE.find("pytest_plugins").code
    (tmp_path / "conftest.py").write_text(conftest, encoding="utf-8")
    suite = PAGE.find("test_a_bad_minute").code
    (tmp_path / "test_service.py").write_text(suite, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-W", "error", "-p", "no:cacheprovider"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "2 passed" in done.stdout, done.stdout
