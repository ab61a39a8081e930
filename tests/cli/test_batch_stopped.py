"""``vkanyio batch`` killed or stopped by a signal, and resumed."""

from __future__ import annotations

import signal
import sys
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from vkanyio.testing import Simulator

from .batches import (
    carried_out,
    hang,
    posts,
    records,
    users,
    wait_for,
    wait_for_arrivals,
    write_calls,
)
from .conftest import BACKENDS, Resume, Start

if TYPE_CHECKING:
    from pathlib import Path

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="sends signals")


@pytest.fixture
def simulator() -> Simulator:
    return Simulator(limit=0, latency=0.05)


@POSIX
@BACKENDS
@pytest.mark.parametrize(("mode", "limit"), [("sequential", "100"), ("parallel", "8")])
def test_after_kill_9_no_post_is_lost_and_none_is_there_twice(
    simulator: Simulator,
    start: Start,
    words: list[str],
    resume: Resume,
    tmp_path: Path,
    mode: str,
    limit: str,
    backend: str,
) -> None:
    write_calls(tmp_path / "calls.jsonl", posts(300))
    options = ("--mode", mode, "--limit", limit, "--backend", backend)
    process = start(*words, *options)
    wait_for(simulator, process, 40)
    process.kill()
    process.wait()
    before = {record["line"] for record in records(tmp_path)}
    assert 0 < len(before) < 300

    code, err = resume(*options)
    assert f"{len(before)} lines already done" in err
    found = {record["line"]: record for record in records(tmp_path)}
    assert len(found) == len(records(tmp_path)) == 300  # a record each
    unknown = {line for line, each in found.items() if "error" in each}
    assert code == (4 if unknown else 0)
    assert all(found[n]["error"]["type"] == "OutcomeUnknownError" for n in unknown)
    assert f"{len(unknown)} unknown" in err or not unknown
    there = carried_out(simulator)
    assert set(there.values()) == {1}
    assert {*there} | unknown == {*range(1, 301)}

    # They are reported again, and still not repeated.
    if unknown:
        code, err = resume(*options)
        assert (code, carried_out(simulator)) == (4, there)
        assert f"{len(unknown)} unknown" in err
    # The user can have the missing ones repeated.
    code, err = resume(*options, "--repeat-unknown")
    assert code == 0
    assert {*carried_out(simulator)} == {*range(1, 301)}
    assert not (tmp_path / "out.jsonl.journal").exists()


@POSIX
@BACKENDS
def test_after_kill_9_messages_are_retried_with_the_keys_they_had(
    simulator: Simulator,
    start: Start,
    words: list[str],
    resume: Resume,
    tmp_path: Path,
    backend: str,
) -> None:
    write_calls(tmp_path / "calls.jsonl", posts(300, "messages.send"))
    process = start(*words, "--limit", "8", "--backend", backend)
    wait_for(simulator, process, 40)
    process.kill()
    process.wait()
    code, _ = resume("--backend", backend)
    assert code == 0
    found = [record for record in records(tmp_path) if "response" in record]
    assert {record["line"] for record in found} == {*range(1, 301)}
    there = carried_out(simulator)
    assert {*there} == {*range(1, 301)}
    assert set(there.values()) == {1}


@POSIX
@BACKENDS
@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_after_a_signal_calls_in_progress_end_and_the_same_command_resumes(
    simulator: Simulator,
    start: Start,
    words: list[str],
    resume: Resume,
    tmp_path: Path,
    signum: signal.Signals,
    backend: str,
) -> None:
    write_calls(tmp_path / "calls.jsonl", posts(3000))
    process = start(*words, "--backend", backend)
    wait_for(simulator, process, 40)
    process.send_signal(signum)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (128 + signum, "")
    stopping, summary, last = err.splitlines()
    assert stopping.startswith("vkanyio: stopping after the ")
    done = len(records(tmp_path))
    assert summary.startswith(f"vkanyio: {done} succeeded in ")
    assert f"interrupted: {done} of 3000 lines are done; the same command" in last
    assert carried_out(simulator) == Counter(range(1, done + 1))
    write_calls(tmp_path / "calls.jsonl", posts(done + 5))  # more lines may be added
    assert resume("--backend", backend)[0] == 0
    assert carried_out(simulator) == Counter(range(1, done + 6))


@POSIX
@BACKENDS
def test_a_second_signal_stops_at_once_and_what_was_not_sent_is_not_in_doubt(
    simulator: Simulator,
    start: Start,
    words: list[str],
    resume: Resume,
    tmp_path: Path,
    backend: str,
) -> None:
    arrived = hang(simulator)
    write_calls(tmp_path / "calls.jsonl", posts(100))
    # At one request per second, most of the calls in progress are not sent.
    options = ("--backend", backend, "--mode", "sequential", "--limit", "1")
    process = start(*words, *options)
    wait_for_arrivals(arrived, 1)
    process.send_signal(signal.SIGINT)
    assert process.stderr is not None
    assert "stopping after the 4 calls" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=10)
    assert (process.returncode, out) == (130, "")
    assert f"{len(arrived)} calls may have reached VK" in err
    assert 1 <= len(arrived) < 4
    write_calls(tmp_path / "calls.jsonl", posts(10))
    simulator.add_method("wall.post", lambda call: {"post_id": 1})
    code, err = resume("--backend", backend, "--limit", "40")
    assert code == 4
    assert f"{10 - len(arrived)} succeeded, {len(arrived)} unknown" in err


@POSIX
def test_two_batches_do_not_write_the_same_output(
    simulator: Simulator,
    start: Start,
    words: list[str],
    resume: Resume,
    tmp_path: Path,
) -> None:
    write_calls(tmp_path / "calls.jsonl", users(3000))
    process = start(*words)
    wait_for(simulator, process, 1)
    code, err = resume()
    assert code == 2
    assert "out.jsonl is being written by another vkanyio command" in err
