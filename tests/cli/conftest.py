"""Fixtures: a simulator served from a thread, and the command line in a process."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, TypeAlias

import pytest
from anyio.from_thread import start_blocking_portal

from vkanyio.cli._app import run
from vkanyio.testing import Simulator

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MakeCall: TypeAlias = Callable[..., tuple[int, str, str]]
Resume: TypeAlias = Callable[..., tuple[int, str]]
Start: TypeAlias = Callable[..., subprocess.Popen[str]]

BACKENDS = pytest.mark.parametrize("backend", ["asyncio", "trio"])

TOKEN = "vk1.a.the-secret-token"


@pytest.fixture
def simulator() -> Simulator:
    return Simulator(limit=0)


@pytest.fixture
def base_url(simulator: Simulator) -> Iterator[str]:
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(simulator.serve()) as base_url,
    ):
        yield base_url


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in tuple(os.environ):
        if name.lower().endswith("_proxy") or name in ("FORCE_COLOR", "NO_COLOR"):
            monkeypatch.delenv(name)
    # With it, Python drops what does not fit a pipe instead of failing.
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)
    # Set here so that it is restored: the demo sets it for its own process.
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setenv("VK_TOKEN", TOKEN)


# Makes standard input the controlling terminal, for Ctrl-C and the password prompt.
ON_TERMINAL = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.executable, [sys.executable, "-m", "vkanyio", *sys.argv[1:]])
"""


def run_on_terminal(*words: str, awaited: str = "", typed: str = "") -> tuple[int, str]:
    """Run the command line on a terminal of 80 columns.

    :param awaited: wait for this text before typing
    :param typed: the text to type
    :return: the exit code, and the text shown
    """
    ours, theirs = os.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", ON_TERMINAL, *words],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "80"},
        start_new_session=True,
    )
    os.close(theirs)
    shown = b""
    with os.fdopen(ours, "r+b", buffering=0) as terminal, suppress(OSError):
        while awaited.encode() not in shown:
            shown += terminal.read(100)
        terminal.write(typed.encode())
        while chunk := terminal.read(1000):  # Linux raises OSError at the end
            shown += chunk
    return process.wait(), shown.decode()


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts the command line in a process that ends with the test."""
    processes: list[subprocess.Popen[str]] = []

    def start_process(*words: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "vkanyio", *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )
        processes.append(process)
        return process

    yield start_process
    for process in processes:
        process.kill()
        process.communicate()


@pytest.fixture(autouse=True)
def _restore_log() -> Iterator[None]:
    """Restore the logger: commands that run in this process change it."""
    logger = logging.getLogger("vkanyio")
    level, handlers = logger.level, logger.handlers[:]
    yield
    logger.setLevel(level)
    logger.handlers[:] = handlers


@pytest.fixture
def call(base_url: str, capsys: pytest.CaptureFixture[str]) -> MakeCall:
    """Makes a call in this process: exit code, standard output, standard error."""

    def make(*words: str) -> tuple[int, str, str]:
        code = run(["call", *words, "--base-url", base_url])
        out, err = capsys.readouterr()
        assert TOKEN not in out + err
        return code, out, err

    return make


@pytest.fixture
def in_tmp_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def words(base_url: str, in_tmp_path: None) -> list[str]:
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
