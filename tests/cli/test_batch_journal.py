"""The journal of ``vkanyio batch``: what it has, and when; a disk that is full."""

from __future__ import annotations

import errno
import json
import os
import sys
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from vkanyio.cli import _batch_files
from vkanyio.cli._batch_files import LineFile
from vkanyio.cli._common import CommandError
from vkanyio.testing import Call, Simulator, faults

from .batches import (
    carried_out,
    hang,
    posts,
    records,
    wait_for_arrivals,
    write_calls,
)
from .conftest import BACKENDS, Resume, Start

if TYPE_CHECKING:
    from pathlib import Path

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="kills or sets limits")


def started(tmp_path: Path) -> list[int]:
    """Return the lines that the journal has as started."""
    text = (tmp_path / "out.jsonl.journal").read_text(encoding="utf-8")
    entries = [json.loads(line) for line in text.splitlines()]
    return [entry["line"] for entry in entries if entry["started"] is not False]


@POSIX
@BACKENDS
@pytest.mark.parametrize(("mode", "calls"), [("sequential", 1), ("parallel", 25)])
def test_after_kill_9_only_what_was_sent_is_in_doubt(
    simulator: Simulator,
    start: Start,
    words: list[str],
    resume: Resume,
    tmp_path: Path,
    backend: str,
    mode: str,
    calls: int,
) -> None:
    arrived = hang(simulator)
    write_calls(tmp_path / "calls.jsonl", posts(200))
    # At two requests a second, most of the calls in progress are not sent.
    options = ("--backend", backend, "--mode", mode, "--limit", "2")
    process = start(*words, *options)
    wait_for_arrivals(arrived, 2)
    process.kill()
    process.wait()
    noted = started(tmp_path)
    # One request may have been noted, but not sent.
    assert 2 <= len(noted) <= calls * (len(arrived) + 1)
    write_calls(tmp_path / "calls.jsonl", posts(max(noted) + 3))
    simulator.add_method("wall.post", lambda call: {"post_id": 1})
    code, err = resume("--backend", backend, "--limit", "40")
    assert code == 4
    assert f"3 succeeded, {len(noted)} unknown" in err


@BACKENDS
@pytest.mark.parametrize("mode", ["sequential", "parallel"])
def test_the_journal_has_a_call_on_the_disk_before_it_is_sent(
    simulator: Simulator,
    resume: Resume,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    backend: str,
    mode: str,
) -> None:
    def sync(descriptor: int) -> None:
        real_sync(descriptor)
        if journal.exists() and os.path.sameopenfile(descriptor, journal_descriptor()):
            on_disk[:] = started(tmp_path)

    def journal_descriptor() -> int:
        if not descriptors:
            descriptors.append(os.open(journal, os.O_RDONLY))
        return descriptors[0]

    def post(call: Call) -> Any:
        line = int(call.params["message"].removeprefix("No. "))
        assert line in on_disk
        return {"post_id": line}

    real_sync = os.fsync
    on_disk: list[int] = []
    descriptors: list[int] = []
    journal = tmp_path / "out.jsonl.journal"
    monkeypatch.setattr(os, "fsync", sync)
    simulator.add_method("wall.post", post)
    write_calls(tmp_path / "calls.jsonl", posts(30))
    code, err = resume("--backend", backend, "--mode", mode)
    assert (code, err.partition(" in ")[0]) == (0, "vkanyio: 30 succeeded")
    os.close(descriptors[0])


def test_a_retry_is_not_noted_again(
    simulator: Simulator, resume: Resume, tmp_path: Path
) -> None:
    write_calls(tmp_path / "calls.jsonl", posts(2))
    simulator.fault(faults.error(6), "wall.post", nth=1)
    simulator.fault(faults.drop_after(), "wall.post", nth=3)  # keeps the journal
    code, err = resume("--mode", "sequential", "--limit", "1")
    assert code == 4
    assert started(tmp_path) == [1, 2]
    assert "vkanyio: 1 unknown: check the lines whose last record is an Outcome" in err
    assert err.endswith("; --repeat-unknown makes them again\n")


@BACKENDS
@pytest.mark.parametrize("fails", ["write", "sync"])
def test_nothing_is_sent_that_the_journal_cannot_have(
    simulator: Simulator,
    resume: Resume,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    backend: str,
    fails: str,
) -> None:
    def write(file: LineFile, data: bytes) -> None:
        if file.path.endswith(".journal"):
            raise file._command_error(full())
        real_write(file, data)

    def sync(descriptor: int) -> None:
        if journal.exists():
            raise full()
        real_sync(descriptor)

    def full() -> OSError:
        return OSError(errno.ENOSPC, "No space left on device")

    real_write, real_sync = LineFile._write, os.fsync
    journal = tmp_path / "out.jsonl.journal"
    write_calls(tmp_path / "calls.jsonl", posts(100))
    with monkeypatch.context() as patched:
        if fails == "write":
            patched.setattr(LineFile, "_write", write)
        else:
            # The directory is synced when the journal is made.
            patched.setattr(_batch_files, "_sync_directory", lambda _: None)
            patched.setattr(os, "fsync", sync)
        code, err = resume("--backend", backend)
    assert code == 2
    assert "cannot write out.jsonl" in err
    assert "No space left on device" in err
    assert simulator.ledger.requests == 0
    assert records(tmp_path) == []
    assert resume("--backend", backend)[0] == 0
    assert carried_out(simulator) == Counter(range(1, 101))


@BACKENDS
def test_what_was_sent_before_the_journal_was_full_is_kept(
    simulator: Simulator,
    resume: Resume,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    backend: str,
) -> None:
    def write(file: LineFile, data: bytes) -> None:
        if file.path.endswith(".journal") and file.size() > 500:
            raise file._command_error(OSError(errno.ENOSPC, "No space left on device"))
        real_write(file, data)

    real_write = LineFile._write
    write_calls(tmp_path / "calls.jsonl", posts(50))
    options = ("--backend", backend, "--mode", "sequential")
    with monkeypatch.context() as patched:
        patched.setattr(LineFile, "_write", write)
        code, err = resume(*options)
    assert code == 2
    assert "cannot write out.jsonl.journal: No space left on device" in err
    there = carried_out(simulator)
    done = {record["line"] for record in records(tmp_path) if "response" in record}
    assert done <= {*there} <= {*started(tmp_path)}
    assert len(done) >= 5
    assert len(there) < 20
    code, err = resume(*options)
    assert code in (0, 4)
    found = {record["line"]: record for record in records(tmp_path)}
    unknown = {line for line, each in found.items() if "error" in each}
    assert unknown <= {*started(tmp_path)} if unknown else code == 0
    assert {*carried_out(simulator)} | unknown == {*range(1, 51)}
    assert set(carried_out(simulator).values()) == {1}


def test_a_refusal_says_nothing_about_what_an_earlier_run_has_sent(
    simulator: Simulator, resume: Resume, tmp_path: Path
) -> None:
    write_calls(tmp_path / "calls.jsonl", posts(1, "messages.send"))
    simulator.fault(faults.drop_after(), "messages.send", nth=1)
    simulator.fault(faults.error(9), "messages.send", nth=2)
    options = ("--mode", "sequential", "--retries", "0")
    codes = [resume(*options)[0] for _ in range(3)]
    assert codes == [4, 1, 0]
    keys = {entry.params["random_id"] for entry in simulator.ledger}
    assert len(keys) == 1
    assert not (tmp_path / "out.jsonl.journal").exists()


def test_the_age_of_a_key_is_that_of_its_first_use(
    simulator: Simulator, resume: Resume, tmp_path: Path
) -> None:
    from .test_batch_resumed import journal

    write_calls(tmp_path / "calls.jsonl", posts(1, "messages.send"))
    now = int(time.time())
    journal(
        tmp_path,
        {"line": 1, "started": now - 4000, "random_id": 11},
        {"line": 1, "started": now - 10, "random_id": 11},
    )
    assert resume()[0] == 4
    assert simulator.ledger.requests == 0


@POSIX
def test_a_line_that_does_not_fit_is_taken_back(tmp_path: Path) -> None:
    import resource

    file = LineFile(str(tmp_path / "lines"))
    file.append({"n": 1})
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (file.size() + 10, before[1]))
    try:
        with pytest.raises(CommandError, match="File too large"):
            file.append({"n": "a line of more than ten bytes"})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    file.append({"n": 2})
    file.close()
    assert (tmp_path / "lines").read_text() == '{"n":1}\n{"n":2}\n'


def test_after_a_line_that_could_not_be_taken_back_none_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken:
        closed = False

        def __init__(self, file: Any) -> None:
            self.fileno, self.close = file.fileno, file.close

        def write(self, _: bytes) -> int:
            raise OSError(errno.EIO, "Input/output error")

        truncate = write

    file = LineFile(str(tmp_path / "lines"))
    with monkeypatch.context() as patched:
        patched.setattr(file, "_file", Broken(file._file))
        with pytest.raises(CommandError, match="Input/output error"):
            file.append({"n": 1})
    with pytest.raises(CommandError, match="Input/output error"):
        file.append({"n": 2})
    file.close()
    assert (tmp_path / "lines").read_bytes() == b""


@pytest.mark.anyio
async def test_after_a_sync_that_failed_none_succeeds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    file = LineFile(str(tmp_path / "lines"))
    file.append({"n": 1})
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", fail)
        with pytest.raises(CommandError, match="Input/output error"):
            await file.sync()
    with pytest.raises(CommandError, match="Input/output error"):
        await file.sync()
    file.close()
