from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from vkanyio.cli._app import run
from vkanyio.cli._completion import SHELLS

if TYPE_CHECKING:
    from pathlib import Path


def completed(*words: str) -> list[str]:
    """Return the completions of the last word."""
    line = " ".join(("vkanyio", *words))
    done = subprocess.run(
        [sys.executable, "-m", "vkanyio"],
        env={
            **os.environ,
            "_VKANYIO_COMPLETE": "bash_complete",
            "COMP_WORDS": line,
            "COMP_CWORD": str(len(words)),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    return [line.partition(",")[2] for line in done.stdout.splitlines() if line]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["cal"], ["call"]),
        (["call", "users.getF"], ["users.getFollowers"]),
        (["methods", "users.getF"], ["users.getFollowers"]),
        (["call", "users.get", "na"], ["name_case="]),
        (["call", "users.get", "name_case=n"], ["name_case=nom"]),
        (["call", "users.get", "fields=car"], ["fields=career"]),
        (["call", "users.get", "user_ids=1", "us"], []),
        (["call", "no.such", "na"], []),
        (["batch", "--backend", "tr"], ["trio"]),
        (["upload", "message_"], ["message_document", "message_photo"]),
        (["upload", "message_photo", "ca"], ["ca"]),  # the shell completes files
    ],
)
def test_commands_methods_and_parameters_are_completed(
    words: list[str], found: list[str]
) -> None:
    assert completed(*words) == found


@pytest.mark.parametrize("shell", SHELLS)
def test_each_shell_has_its_script(
    shell: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["completion", shell]) == 0
    out, err = capsys.readouterr()
    assert f"_VKANYIO_COMPLETE={shell}_complete" in out
    assert err == ""


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_bash_takes_the_script(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["completion", "bash"]) == 0
    script = tmp_path / "vkanyio.bash"
    script.write_text(capsys.readouterr().out, encoding="utf-8")
    done = subprocess.run(
        ["bash", "--norc", "-euc", f"source {script}; complete -p vkanyio"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("vkanyio\n")
