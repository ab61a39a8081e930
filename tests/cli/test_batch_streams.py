"""``vkanyio batch`` with pipes and terminals."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from vkanyio.cli import _progress_lines
from vkanyio.cli._app import run

from .batches import users, write_calls
from .conftest import BACKENDS, Resume, run_on_terminal

if TYPE_CHECKING:
    from pathlib import Path


def pipe(base_url: str, data: str, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "vkanyio", "batch", "--base-url", base_url]
    return subprocess.run(
        [*command, "--limit", "1000", *words],
        input=data,
        capture_output=True,
        text=True,
        check=False,
    )


@BACKENDS
def test_a_wrong_line_in_a_pipe_is_a_record_and_the_others_go_on(
    base_url: str, backend: str
) -> None:
    lines = ['{"method": "users.get", "id": 1}', "nonsense", '{"method": "users.get"}']
    done = pipe(base_url, "\n".join(lines), "--backend", backend)
    records = [json.loads(line) for line in done.stdout.splitlines()]
    assert (done.returncode, len(records)) == (2, 3)
    [bad] = [record for record in records if "error" in record]
    assert (bad["line"], bad["error"]["type"]) == (2, "BadLine")
    assert bad["error"]["message"].startswith("not JSON: ")


@BACKENDS
def test_calls_of_a_pipe_are_made_while_it_is_still_open(
    base_url: str, backend: str
) -> None:
    command = [sys.executable, "-m", "vkanyio", "batch", "--base-url", base_url]
    with subprocess.Popen(
        [*command, "--backend", backend],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for number in (1, 2):
            process.stdin.write('{"method": "users.get"}\n\n')
            process.stdin.flush()
            assert json.loads(process.stdout.readline())["line"] == 2 * number - 1
        process.stdin.close()
        assert process.wait(10) == 0


@BACKENDS
def test_a_reader_that_has_enough_ends_it_quietly(base_url: str, backend: str) -> None:
    calls = '{"method": "users.get"}\n' * 2000
    command = [sys.executable, "-m", "vkanyio", "batch", "--base-url", base_url]
    with subprocess.Popen(
        [*command, "--limit", "50", "--backend", backend],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdin.write(calls)
        process.stdin.close()
        assert process.stdout.readline()
        process.stdout.close()
        err = process.stderr.read()
        assert process.wait(10) == 1
    assert err.count("\n") == 1
    assert "HTTP requests" in err


@BACKENDS
def test_a_device_that_cannot_be_polled_is_read(
    base_url: str, backend: str, capfd: pytest.CaptureFixture[str]
) -> None:
    words = ["batch", os.devnull, "--base-url", base_url, "--backend", backend]
    assert run(words) == 0
    assert capfd.readouterr().err.startswith("vkanyio: no calls in ")


def test_a_line_without_an_end_is_not_read_whole(base_url: str) -> None:
    done = pipe(base_url, "x" * (2**24 + 2**17))
    assert (done.returncode, done.stdout) == (2, "")
    assert "line 1 is longer than 16 MB" in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_a_terminal_shows_a_bar_that_is_removed(base_url: str, tmp_path: Path) -> None:
    write_calls(tmp_path / "calls.jsonl", users(40))
    output = tmp_path / "out.jsonl"
    words = ["batch", str(tmp_path / "calls.jsonl"), "-o", str(output)]
    code, shown = run_on_terminal(*words, "--base-url", base_url, "--limit", "50")
    assert code == 0
    assert "40/40" in shown
    _, last = shown.rsplit("vkanyio: 40 succeeded", 1)
    assert "━" not in last.split("\x1b[2K")[-1]


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_records_on_a_terminal_are_not_mixed_with_a_bar(
    base_url: str, tmp_path: Path
) -> None:
    write_calls(tmp_path / "calls.jsonl", users(5))
    words = ["batch", str(tmp_path / "calls.jsonl"), "--base-url", base_url]
    code, shown = run_on_terminal(*words)
    assert code == 0
    assert "━" not in shown
    assert "\x1b" not in shown.partition('{"line"')[2]


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_a_terminal_as_input_is_refused() -> None:
    code, shown = run_on_terminal("batch")
    assert code == 2
    assert "vkanyio: no input: name a file" in shown


@pytest.mark.parametrize("verbose", [True, False])
def test_a_log_has_the_progress_of_a_verbose_batch(
    resume: Resume,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    verbose: bool,
) -> None:
    write_calls(tmp_path / "calls.jsonl", users(2))
    assert resume()[0] == 0
    monkeypatch.setattr(_progress_lines, "EVERY", 0.0)
    write_calls(tmp_path / "calls.jsonl", users(4))
    code, err = resume(*(["-v"] if verbose else []))
    assert code == 0
    lines = [line for line in err.splitlines() if " calls/s" in line]
    if verbose:
        assert len(lines) == 2
        assert lines[0].startswith("vkanyio: 3 of 4 calls, ")
        assert lines[1].startswith("vkanyio: 4 of 4 calls, ")
    else:
        assert lines == []


def test_the_progress_is_reported_once_a_minute(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    lines = _progress_lines.ProgressLines("items", 5, is_on=True)
    for _ in range(1041):
        now += 0.125
        lines.advance(None, ", 2 errors")
    first, second = capsys.readouterr().err.splitlines()
    assert first == "vkanyio: 485 items, 8 items/s, 2 errors"
    assert second == "vkanyio: 965 items, 8 items/s, 2 errors"
