"""``vkanyio batch`` stopped and resumed: nothing is lost or done twice."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections import Counter
from typing import TYPE_CHECKING, Any, TypeAlias

import anyio
import pytest

from vkanyio.cli import _batch_book
from vkanyio.cli._app import run
from vkanyio.testing import Call, Simulator, faults

from .test_batch import users, write_calls

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from .conftest import Start

    Resume: TypeAlias = Callable[..., tuple[int, str]]

BACKENDS = pytest.mark.parametrize("backend", ["asyncio", "trio"])
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="sends signals")


@pytest.fixture(autouse=True)
def in_a_separate_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def simulator() -> Simulator:
    return Simulator(limit=0, latency=0.05)


@pytest.fixture
def words(base_url: str) -> list[str]:
    options = ["--base-url", base_url, "--limit", "40"]
    return ["batch", "calls.jsonl", "--output", "out.jsonl", *options]


@pytest.fixture
def resume(words: list[str], capfd: pytest.CaptureFixture[str]) -> Resume:
    """Runs the command in this process: exit code, standard error."""

    def again(*more: str) -> tuple[int, str]:
        code = run([*words, *more])
        out, err = capfd.readouterr()
        assert out == ""
        assert "Traceback" not in err
        return code, err

    return again


def records(path: Path) -> list[Any]:
    text = (path / "out.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def posts(count: int, method: str = "wall.post") -> list[Any]:
    peer = {"peer_id": 7} if method == "messages.send" else {}
    return [
        {"method": method, "params": {"message": f"No. {i}", **peer}}
        for i in range(1, count + 1)
    ]


def wait_for(simulator: Simulator, process: subprocess.Popen[str], calls: int) -> None:
    """Wait until so many calls were carried out: a real process in real time."""
    deadline = time.monotonic() + 30
    while len(simulator.ledger) < calls:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.01)


def carried_out(simulator: Simulator) -> Counter[int]:
    return Counter(
        int(entry.params["message"].removeprefix("No. "))
        for entry in simulator.ledger.carried_out()
        if "message" in entry.params  # and not `execute`, which carries the others
    )


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
    async def never_respond(call: Call) -> Any:
        arrived.append(call.params["message"])
        await anyio.sleep_forever()

    arrived: list[str] = []
    simulator.add_method("wall.post", never_respond)
    write_calls(tmp_path / "calls.jsonl", posts(100))
    # At one request per second, most of the calls in progress are not sent.
    options = ("--backend", backend, "--mode", "sequential", "--limit", "1")
    process = start(*words, *options)
    deadline = time.monotonic() + 30
    while not arrived:
        assert time.monotonic() < deadline
        time.sleep(0.01)
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
    assert "out.jsonl is being written by another `vkanyio batch`" in err


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
