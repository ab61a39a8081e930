"""The console blocks of the README and of docs/ show what commands really print."""

from __future__ import annotations

import doctest
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from anyio.from_thread import start_blocking_portal

from vkanyio.testing import Simulator

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BASE_URL = "http://127.0.0.1:8000/method"
"""Where the pages have their simulator."""

MARK = "--- the next command ---"


def blocks(page: Path) -> list[str]:
    text = page.read_text(encoding="utf-8")
    return re.findall(r"```console\n(.*?)```", text, re.DOTALL)


def commands(page: Path) -> list[tuple[str, str]]:
    """Return the commands of a page, each with what it prints there."""
    found: list[tuple[str, str]] = []
    for block in blocks(page):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, printed = part.partition("\n")
            found.append((command, printed))
    return found


@pytest.fixture
def base_url() -> Iterator[str]:
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(Simulator(limit=20).serve()) as base_url,
    ):
        yield base_url


def run_in_one_shell(page: Path, base_url: str, directory: Path) -> list[str]:
    """Run the commands of a page one after the other, and return what each printed."""
    script = "".join(
        f"{command.replace(BASE_URL, base_url)}\n"
        f"code=$?; echo '{MARK}'; (exit $code)\n"  # for `echo $?`
        for command, _ in commands(page)
    )
    variables = {k: v for k, v in os.environ.items() if not k.startswith("VK")}
    done = subprocess.run(
        ["bash", "--norc"],
        input=script,
        cwd=directory,
        env={
            **variables,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "no_proxy": "127.0.0.1",
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
    )
    return done.stdout.split(f"{MARK}\n")[:-1]


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page)], ids=str)
def test_the_commands_of_a_page_print_what_it_shows(
    page: Path, base_url: str, tmp_path: Path
) -> None:
    printed = run_in_one_shell(page, base_url, tmp_path)
    assert len(printed) == len(commands(page))
    checker = doctest.OutputChecker()
    for (command, shown), got in zip(commands(page), printed, strict=True):
        want = shown.replace(BASE_URL, base_url)
        fits = checker.check_output(want, got, doctest.ELLIPSIS)
        assert fits, f"$ {command}\nprinted\n{got}\nand the page shows\n{want}"


def test_the_page_of_the_command_line_is_among_them() -> None:
    page = ROOT / "docs" / "command-line.md"
    shown = {
        command.split()[1] for command, _ in commands(page) if "vkanyio" in command
    }
    assert {"call", "execute", "methods", "batch", "completion"} <= shown
