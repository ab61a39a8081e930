from __future__ import annotations

import os
import re
import select
import signal
import stat
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import pytest

from vkanyio.cli import _simulator_process
from vkanyio.cli._app import run
from vkanyio.cli._common import CommandError
from vkanyio.cli._demo import SCENES
from vkanyio.cli._simulator_process import simulator_process
from vkanyio.testing import Simulator, faults

from .conftest import BACKENDS, run_on_terminal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .conftest import Start


ON_REAL_CLOCKS = pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX processes")
LINUX = pytest.mark.skipif(
    not hasattr(os, "pidfd_open"), reason="watches a process that is not its child"
)


@BACKENDS
def test_shows_a_line_for_each_scene(start: Start, backend: str) -> None:
    process = start(
        *["demo", "--backend", backend, "--calls", "40"],
        *["--limit", "100", "--latency", "0.01"],
    )
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    for line in (
        r"sequential +40 calls evenly spaced: 4\d requests, \d\.\d s",
        r"burst +40 calls as soon as allowed: 4\d requests, \d\.\d s",
        r"packed +1,000 calls by execute: [45]\d requests, \d\.\d s",
        r"bad network +40 posts: 0 lost, 0 posted twice, \d+ reported as unknown",
        r"cancellation +40 calls, cancelled: \d+ were sent, \d+ never will be",
        r"a bot +13 messages to a community: 13 answered, \d\.\d s",
    ):
        assert re.search(f"^{line}$", out, re.MULTILINE), line
    assert len(SCENES) == 6
    assert re.search(
        r"The simulator counted \d+ requests, .* refused by the limit", out
    )
    assert out.replace("\n", "").isprintable()


@POSIX
def test_shows_its_progress_on_a_terminal_and_fits_it() -> None:
    code, shown = run_on_terminal("demo", "--calls", "20", "--limit", "1000")
    assert code == 0
    assert shown.count("\x1b[?25l") == shown.count("\x1b[?25h") == 1  # the cursor
    lines = re.split(r"[\r\n]+", re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", shown))
    shown_last = {line[:12].strip(): line.rstrip() for line in lines}
    for name in SCENES:
        assert re.search(r" ━{8} \d", shown_last[name])
        assert len(shown_last[name]) <= 79


@POSIX
@BACKENDS
def test_ctrl_c_on_a_terminal_leaves_it_in_order(backend: str) -> None:
    code, shown = run_on_terminal(
        "demo", "--backend", backend, awaited="sequential", typed="\x03"
    )
    assert code == 130
    assert "\x1b[?25h" in shown
    assert shown.endswith("\r\nvkanyio: interrupted\r\n")
    assert "Traceback" not in shown


def simulators_of(pid: int) -> list[int]:
    """List the child processes of all threads of a process that are simulators."""
    lists = Path(f"/proc/{pid}/task").glob("*/children")
    children = [child for path in lists for child in path.read_text().split()]
    commands = {child: Path(f"/proc/{child}/cmdline") for child in children}
    return [
        int(child)
        for child, command in commands.items()
        if command.exists() and b"vkanyio.testing" in command.read_bytes()
    ]


@POSIX
@LINUX
@BACKENDS
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_ends_at_once_and_leaves_no_simulator_behind(
    start: Start, backend: str, how: signal.Signals
) -> None:
    process = start("demo", "--backend", backend)
    assert process.stdout is not None
    while not (simulators := simulators_of(process.pid)):
        assert process.poll() is None
        time.sleep(0.01)
    [simulator] = simulators
    watched = os.pidfd_open(simulator)
    try:
        process.send_signal(how)
        _, err = process.communicate(timeout=30)
        assert select.select([watched], [], [], 30)[0], "the simulator is still there"
    finally:
        os.close(watched)
    if how is not signal.SIGKILL:
        assert (process.returncode, err) == (128 + how, "vkanyio: interrupted\n")
    else:
        assert (process.returncode, err) == (-how, "")


@BACKENDS
def test_a_reader_that_has_enough_ends_it_without_a_traceback(
    start: Start, backend: str
) -> None:
    process = start("demo", "--backend", backend)
    assert process.stdout is not None
    process.stdout.close()
    process.stdout = None
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (1, "")


@pytest.fixture
def pretend_simulator(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], None]:
    """Replaces the simulator with a shell script."""

    def pretend(script: str) -> None:
        path = tmp_path / "simulator"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setattr(sys, "executable", str(path))

    return pretend


@POSIX
def test_failed_calls_are_counted_and_reported(
    base_url: str,
    simulator: Simulator,
    pretend_simulator: Callable[[str], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    simulator.fault(faults.error(15, "Access denied"), "users.get", times=4)
    pretend_simulator(f"echo {base_url}; exec cat")
    assert run(["demo", "--calls", "8", "--limit", "1000"]) == 1
    out, err = capsys.readouterr()
    assert err == ""
    assert "4 x AccessDeniedError, for example: users.get: error 15" in out
    assert "counted" not in out  # this one printed no summary


@POSIX
def test_broken_promises_are_counted_and_reported(
    base_url: str,
    simulator: Simulator,
    pretend_simulator: Callable[[str], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    simulator.add_list(
        "wall.get", [{"id": 1, "text": "No. 0"}, {"id": 2, "text": "No. 0"}]
    )
    pretend_simulator(f"echo {base_url}; exec cat")
    assert run(["demo", "--calls", "2", "--limit", "1000"]) == 1
    out, _ = capsys.readouterr()
    assert "2 posts: 1 lost, 1 posted twice, 0 reported as unknown" in out
    assert "2 x RuntimeError, for example: 'No. 0' was posted twice" in out


@POSIX
@BACKENDS
def test_a_simulator_that_cannot_start_is_one_line(
    pretend_simulator: Callable[[str], None],
    capsys: pytest.CaptureFixture[str],
    backend: str,
) -> None:
    pretend_simulator("echo '  | OSError: no room' >&2; echo '  +-----' >&2; exit 1")
    assert run(["demo", "--backend", backend]) == 1
    err = capsys.readouterr().err
    assert err == "vkanyio: the simulator did not start: OSError: no room\n"


@POSIX
def test_a_silent_simulator_is_given_up(
    pretend_simulator: Callable[[str], None],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(_simulator_process, "START_SECONDS", 0.05)
    pretend_simulator("exec cat")
    assert run(["demo"]) == 1
    assert "did not start within 0.05 s" in capsys.readouterr().err


@POSIX
@ON_REAL_CLOCKS
async def test_a_simulator_that_does_not_end_is_killed(
    anyio_backend: str,
    pretend_simulator: Callable[[str], None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(_simulator_process, "STOP_SECONDS", 0.05)
    pid = tmp_path / "pid"
    pretend_simulator(f"echo $$ > {pid}; echo http://vk/method; exec sleep 600")
    async with simulator_process(limit=1, latency=0) as simulator:
        assert simulator.base_url == "http://vk/method"
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)


@POSIX
@ON_REAL_CLOCKS
async def test_a_simulator_may_end_by_itself_when_the_block_is_cancelled(
    anyio_backend: str, pretend_simulator: Callable[[str], None], tmp_path: Path
) -> None:
    ended = tmp_path / "ended"
    pretend_simulator(f"echo http://vk/method; cat; sleep 0.1; touch {ended}")
    with anyio.CancelScope() as scope:
        async with simulator_process(limit=1, latency=0):
            scope.cancel()
            await anyio.sleep_forever()
    assert ended.exists()


@POSIX
@ON_REAL_CLOCKS
async def test_an_error_in_the_block_leaves_as_itself(
    anyio_backend: str, pretend_simulator: Callable[[str], None]
) -> None:
    pretend_simulator("echo http://vk/method; exec cat")
    with pytest.raises(CommandError, match="mine"):
        async with simulator_process(limit=1, latency=0):
            raise CommandError("mine")


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["--calls", "0"], "--calls"),
        (["--limit", "0"], "--limit"),
        (["--latency", "-1"], "--latency"),
        (["--latency", "nan"], "--latency"),
        (["--backend", "curio"], "--backend"),
    ],
)
def test_wrong_usage_is_one_line_that_names_it(
    capsys: pytest.CaptureFixture[str], words: Sequence[str], named: str
) -> None:
    assert run(["demo", *words]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert named in err
    assert err.count("\n") == 1
