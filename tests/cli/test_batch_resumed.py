"""``vkanyio batch`` resumed: what is repeated, and what is refused."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from vkanyio.cli import _batch_book
from vkanyio.testing import Simulator, faults

from .batches import carried_out, posts, records, users, write_calls

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Resume


def journal(tmp_path: Path, *entries: dict[str, Any]) -> None:
    """Write a journal and an empty output, as a killed run leaves them."""
    (tmp_path / "out.jsonl").touch()
    digests = digests_of(tmp_path)
    lines = [{"digest": digests[entry["line"] - 1], **entry} for entry in entries]
    write_calls(tmp_path / "out.jsonl.journal", lines)


def digests_of(tmp_path: Path) -> list[str]:
    from vkanyio.cli._batch_lines import Line

    lines = (tmp_path / "calls.jsonl").read_bytes().splitlines()
    return [f"{Line.from_bytes(1, line).digest:08x}" for line in lines]


def test_a_key_that_vk_may_have_forgotten_is_not_relied_on(
    simulator: Simulator, resume: Resume, tmp_path: Path
) -> None:
    write_calls(tmp_path / "calls.jsonl", posts(2, "messages.send"))
    now = int(time.time())
    old, fresh = now - 3600, now - 60
    journal(
        tmp_path,
        {"line": 1, "started": old, "random_id": 11},
        {"line": 2, "started": fresh, "random_id": 22},
    )
    code, err = resume()
    assert code == 4
    assert "1 succeeded, 1 unknown" in err
    [entry] = simulator.ledger.carried_out()
    assert (entry.params["message"], entry.params["random_id"]) == ("No. 2", "22")
    code, _ = resume("--repeat-unknown")
    assert code == 0
    [_, entry] = simulator.ledger.carried_out()
    assert (entry.params["message"], entry.params["random_id"]) == ("No. 1", "11")


def test_a_key_that_the_user_chose_is_relied_on_as_well(
    simulator: Simulator, resume: Resume, tmp_path: Path
) -> None:
    params = {"message": "No. 1", "peer_id": 7, "random_id": 5}
    unkeyed = {"message": "No. 2", "peer_id": 7, "random_id": 0}
    calls = [{"method": "messages.send", "params": each} for each in (params, unkeyed)]
    write_calls(tmp_path / "calls.jsonl", calls)
    now = int(time.time())
    journal(tmp_path, {"line": 1, "started": now}, {"line": 2, "started": now})
    assert resume()[0] == 4
    assert {*carried_out(simulator)} == {1}


def test_a_call_that_was_withdrawn_is_made(
    simulator: Simulator, resume: Resume, tmp_path: Path
) -> None:
    write_calls(tmp_path / "calls.jsonl", posts(1))
    journal(tmp_path, {"line": 1, "started": 1000}, {"line": 1, "started": False})
    assert resume()[0] == 0
    assert {*carried_out(simulator)} == {1}


def test_what_was_never_carried_out_is_repeated_but_not_what_vk_refused(
    simulator: Simulator, resume: Resume, tmp_path: Path
) -> None:
    write_calls(tmp_path / "calls.jsonl", [*users(1), *posts(3)[1:]])
    simulator.fault(faults.drop_before(), "users.get", nth=1)
    simulator.fault(faults.error(15), "wall.post", nth=1)
    simulator.fault(faults.error(9), "wall.post", nth=2)
    options = ("--mode", "sequential", "--retries", "0")
    assert resume(*options)[0] == 3
    assert (tmp_path / "out.jsonl.journal").exists()
    assert carried_out(simulator) == Counter()
    assert resume(*options)[0] == 0
    assert carried_out(simulator) == Counter({3: 1})
    assert resume(*options, "--retry-errors")[0] == 0
    assert carried_out(simulator) == Counter({2: 1, 3: 1})
    lines = [record["line"] for record in records(tmp_path)]
    assert (sorted(lines[:3]), sorted(lines[3:5]), lines[5:]) == (
        [1, 2, 3],
        [1, 3],
        [2],
    )
    assert "no calls" in resume(*options)[1]


@pytest.mark.parametrize("code", [1, 10, 36])
def test_a_read_in_which_vk_failed_is_repeated(
    simulator: Simulator, resume: Resume, tmp_path: Path, code: int
) -> None:
    write_calls(tmp_path / "calls.jsonl", users(2))
    simulator.fault(faults.error(code), "users.get", nth=1)
    options = ("--mode", "sequential", "--retries", "0")
    assert resume(*options)[0] == 1
    assert resume(*options)[0] == 0
    lines = [record["line"] for record in records(tmp_path)]
    assert sorted(lines[:2]) == [1, 2]
    assert len(lines) == 3


def test_a_line_that_was_edited_is_refused(
    simulator: Simulator, resume: Resume, tmp_path: Path
) -> None:
    write_calls(tmp_path / "calls.jsonl", users(5))
    assert resume()[0] == 0
    requests = simulator.ledger.requests
    edited = [*users(2), {"method": "users.get", "params": {"user_ids": 99}}]
    write_calls(tmp_path / "calls.jsonl", [*edited, *users(5)[3:]])
    code, err = resume()
    assert code == 2
    assert "line 3 has changed since an earlier run" in err
    write_calls(tmp_path / "calls.jsonl", users(4))
    code, err = resume()
    assert code == 2
    assert "the output has line 5, but the input ends with line 4" in err
    assert simulator.ledger.requests == requests


@pytest.mark.parametrize(
    ("ending", "done"),
    [
        (b"", 3),
        (b'{"line":4,"digest":"0', 3),
        (b"\0" * 100, 3),
        (None, 3),  # only the newline of the last line is missing
    ],
)
def test_a_last_line_that_was_cut_off_is_repaired(
    resume: Resume, tmp_path: Path, ending: bytes | None, done: int
) -> None:
    write_calls(tmp_path / "calls.jsonl", users(5))
    output = tmp_path / "out.jsonl"
    assert resume()[0] == 0
    kept = b"".join(output.read_bytes().splitlines(keepends=True)[:3])
    output.write_bytes(kept[:-1] if ending is None else kept + ending)
    code, err = resume()
    assert code == 0
    assert f"{done} lines already done" in err
    assert {record["line"] for record in records(tmp_path)} == {*range(1, 6)}
    assert len(records(tmp_path)) == 5


def test_a_journal_without_its_output_is_refused(
    simulator: Simulator, resume: Resume, tmp_path: Path
) -> None:
    write_calls(tmp_path / "calls.jsonl", posts(1))
    journal(tmp_path, {"line": 1, "started": 1000})
    (tmp_path / "out.jsonl").unlink()
    code, err = resume()
    assert code == 2
    assert "out.jsonl.journal exists, but out.jsonl does not" in err
    assert simulator.ledger.requests == 0


@pytest.mark.parametrize(
    "line",
    [
        "[]",
        "{}",
        '{"line": 0, "digest": "1", "response": 1}',
        '{"line": 1, "digest": "xyz", "response": 1}',
        '{"line": 1, "response": 1}',
        '{"line": 1, "digest": "1"}',
        '{"line": true, "digest": "1", "response": 1}',
        '{"line": 1, "digest": "123456789abc", "response": 1}',
        '{"line": 2147483648000, "digest": "1", "response": 1}',
        "[" * 100_000,
    ],
)
def test_a_file_of_something_else_is_left_alone(
    simulator: Simulator, resume: Resume, tmp_path: Path, line: str
) -> None:
    write_calls(tmp_path / "calls.jsonl", users(1))
    write_calls(tmp_path / "out.jsonl", [line])
    code, err = resume()
    assert code == 2
    assert "out.jsonl exists, but its line 1 was not written by `vkanyio batch`" in err
    assert (tmp_path / "out.jsonl").read_text(encoding="utf-8") == f"{line}\n"
    assert simulator.ledger.requests == 0


@pytest.mark.parametrize("key", ['"x"', "[1]", "99999999999", "true"])
def test_a_journal_of_something_else_is_left_alone(
    simulator: Simulator, resume: Resume, tmp_path: Path, key: str
) -> None:
    write_calls(tmp_path / "calls.jsonl", posts(1, "messages.send"))
    write_calls(tmp_path / "out.jsonl", [])
    entry = f'{{"line": 1, "digest": "1", "started": 1, "random_id": {key}}}'
    write_calls(tmp_path / "out.jsonl.journal", [entry])
    code, err = resume()
    assert code == 2
    assert "out.jsonl.journal exists, but its line 1 was not written by `vka" in err
    assert simulator.ledger.requests == 0


def test_an_error_of_another_version_is_one_that_stays(
    simulator: Simulator, resume: Resume, tmp_path: Path
) -> None:
    write_calls(tmp_path / "calls.jsonl", users(1))
    resume()
    record = {**records(tmp_path)[0], "error": {"type": ["new"], "code": [1]}}
    write_calls(tmp_path / "out.jsonl", [record])
    requests = simulator.ledger.requests
    assert resume()[0] == 0
    assert simulator.ledger.requests == requests


@pytest.mark.skipif(sys.platform == "win32", reason="modes are of POSIX")
@pytest.mark.parametrize("mode", [None, 0o644, 0o660])
def test_only_the_owner_may_read_what_a_batch_creates(
    simulator: Simulator, resume: Resume, tmp_path: Path, mode: int | None
) -> None:
    output, journal = tmp_path / "out.jsonl", tmp_path / "out.jsonl.journal"
    if mode is not None:
        for path in (output, journal):
            path.touch()
            path.chmod(mode)
    write_calls(tmp_path / "calls.jsonl", posts(2))
    simulator.fault(faults.drop_after(), "execute", rate=1)  # keeps the journal
    umask = os.umask(0)
    try:
        resume()
    finally:
        os.umask(umask)
    for path in (output, journal):
        assert stat.S_IMODE(path.stat().st_mode) == (mode or 0o600)
        assert path.stat().st_size


def test_a_wrong_line_leaves_no_output_behind(resume: Resume, tmp_path: Path) -> None:
    write_calls(tmp_path / "calls.jsonl", ["{"])
    assert resume()[0] == 2
    assert not (tmp_path / "out.jsonl").exists()


def test_reads_need_no_journal(resume: Resume, tmp_path: Path) -> None:
    write_calls(tmp_path / "calls.jsonl", users(5))
    assert resume()[0] == 0
    assert [path.name for path in sorted(tmp_path.iterdir())] == [
        "calls.jsonl",
        "out.jsonl",
    ]


def test_a_disk_that_is_full_is_one_line(
    resume: Resume, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from vkanyio.cli import _batch_files

    def full(self: Any, data: bytes) -> None:
        raise self._command_error(OSError(28, "No space left on device"))

    monkeypatch.setattr(_batch_files.LineFile, "_write", full)
    write_calls(tmp_path / "calls.jsonl", users(5))
    code, err = resume()
    assert code == 2
    assert "vkanyio: cannot write out.jsonl: No space left on device" in err


@pytest.mark.usefixtures("in_tmp_path")
def test_a_pipe_is_resumed_by_giving_it_again(
    base_url: str, simulator: Simulator, tmp_path: Path
) -> None:
    def pipe(calls: list[Any]) -> tuple[int, str]:
        command = [sys.executable, "-m", "vkanyio", "batch", "-o", "out.jsonl"]
        done = subprocess.run(
            [*command, "--base-url", base_url, "--limit", "40"],
            input="\n".join(json.dumps(call) for call in calls),
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stderr

    assert pipe(posts(3))[0] == 0
    assert pipe(posts(5))[0] == 0
    assert carried_out(simulator) == Counter(range(1, 6))
    code, err = pipe([*posts(2), *posts(2)])
    assert code == 2
    assert "line 3 has changed" in err
    code, err = pipe(posts(2))
    assert code == 2
    assert "the input ends with line 2" in err
    assert carried_out(simulator) == Counter(range(1, 6))


def test_a_million_lines_that_are_done_take_a_few_bytes_each() -> None:
    book = _batch_book.Book()
    record = '{"line":%d,"digest":"0000ffff","response":1}'
    lines = ((record % number).encode() for number in range(1, 100_001))
    book.read_records("out", lines, retry_errors=False)
    assert book.done() == 100_000
    size = len(book._states) + book._digests.itemsize * len(book._digests)
    assert size <= 100_000 * 5 * 2
