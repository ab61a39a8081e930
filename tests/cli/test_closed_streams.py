"""Standard streams that are closed, full, or a pipe that nobody reads."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import BACKENDS

pytestmark = pytest.mark.skipif(
    not Path("/dev/full").exists(), reason="needs a shell, and /dev/full"
)

CALL = "call users.get user_ids=1 --base-url"


def shell(command: str, base_url: str = "") -> subprocess.CompletedProcess[str]:
    """Run the command line with the redirections of a shell."""
    words, _, redirection = command.partition(" : ")
    program = f"'{sys.executable}' -m vkanyio {words} {base_url} {redirection}"
    return subprocess.run(
        ["/bin/sh", "-c", program], capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_closed_stream_is_as_good_as_an_empty_one(base_url: str, closed: str) -> None:
    done = shell(f"{CALL} : {closed}", base_url)
    assert (done.returncode, done.stderr) == (0, "")
    assert bool(done.stdout) == (">&-" not in closed.replace("2>&-", ""))


def test_a_batch_from_a_closed_stream_has_no_calls(base_url: str) -> None:
    done = shell("batch --base-url : <&-", base_url)
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.startswith("vkanyio: no calls in ")


@pytest.mark.parametrize("words", ["--help", "methods", f"{CALL}"])
def test_a_full_disk_is_one_line(base_url: str, words: str) -> None:
    done = shell(f"{words} : >/dev/full", base_url if words == CALL else "")
    assert done.returncode == 2
    assert done.stderr == (
        "vkanyio: cannot write to standard output: No space left on device\n"
    )


@BACKENDS
def test_a_simulator_whose_address_nobody_can_read_ends(backend: str) -> None:
    done = shell(f"simulator --backend {backend} : >/dev/full")
    assert done.returncode == 2
    assert done.stderr == (
        "vkanyio: cannot write to standard output: No space left on device\n"
    )


@BACKENDS
def test_a_batch_on_a_full_disk_is_one_line_below_its_summary(
    base_url: str, backend: str
) -> None:
    method = '{"method": "users.get"}'
    words = f"batch --backend {backend} --base-url"
    done = shell(f"{words} : >/dev/full <<END\n{method}\nEND", base_url)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 2
    assert "cannot write to standard output: No space left on device" in done.stderr


@pytest.mark.parametrize("is_pipe", [False, True])
def test_a_log_that_cannot_be_written_changes_nothing(
    base_url: str, is_pipe: bool
) -> None:
    if is_pipe:
        ours, theirs = os.pipe()
        os.close(ours)
    else:
        theirs = os.open("/dev/full", os.O_WRONLY)
    done = subprocess.run(
        [sys.executable, "-m", "vkanyio", *CALL.split(), base_url, "-vv"],
        stdout=subprocess.PIPE,
        stderr=theirs,
        check=False,
    )
    os.close(theirs)
    assert done.returncode == 0
    assert b'"id": 1' in done.stdout
