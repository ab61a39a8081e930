"""Break vkanyio on purpose, one line at a time, and check that the tests notice.

::

    uv run python -m proof.breaks             # all: about 7 minutes
    uv run python -m proof.breaks captcha     # if name or module has the word

Each break in ``breaks.toml`` is applied by itself to a copy of the repository, and the
tests named for it must fail. The exit code is 1 if a break survives, no longer applies,
or only makes the tests hang.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
LIST = Path(__file__).parent / "breaks.toml"
COPIED = ("codegen", "proof", "src", "tests", "pyproject.toml")
MAX_SECONDS = 60
"""Timeout for the tests of one break."""
VERDICTS = {"failed": "caught", "passed": "SURVIVED", "hung": "HUNG", "error": "ERROR"}
_FAILED = re.compile(r"^(?:FAILED|ERROR) \S*::(\w+)", re.MULTILINE)


class Break(NamedTuple):
    """One line that is broken on purpose.

    :ivar name: what goes wrong
    :ivar module: the module below ``src/vkanyio/``
    :ivar old: text that occurs in it exactly once
    :ivar new: the replacement
    :ivar tests: what pytest runs: a file, or tests in it
    """

    name: str
    module: str
    old: str
    new: str
    tests: tuple[str, ...]


def read_breaks() -> list[Break]:
    """Read the list of breaks."""
    listed = tomllib.loads(LIST.read_text(encoding="utf-8"))
    return [_to_break(name, **entry) for name, entry in listed.items()]


def _to_break(
    name: str,
    *,
    module: str,
    old: str,
    new: str,
    file: str,
    tests: tuple[str, ...] = (),
) -> Break:
    path = f"tests/{file}"
    chosen = tuple(f"{path}::{test}" for test in tests) or (path,)
    return Break(name, module, old, new, chosen)


def source_of(broken: Break, root: Path = ROOT) -> Path:
    """Return the file that a break changes."""
    return root / "src" / "vkanyio" / broken.module


def apply(broken: Break, source: str) -> str:
    """Return the source of a module with the break applied.

    :raises ValueError: if the text to replace does not occur exactly once
    """
    times = source.count(broken.old)
    if times != 1:
        message = (
            f"{broken.name!r}: its line occurs {times} times in {broken.module}, not"
            f" once: {broken.old!r}"
        )
        raise ValueError(message)
    return source.replace(broken.old, broken.new)


def run_tests(root: Path, tests: list[str]) -> tuple[str, str]:
    """Run tests in a copy.

    :return: "passed", "failed", "hung" or "error", and the name of the failed test or
        the output of pytest
    """
    options = ["-x", "-q", "-p", "no:cacheprovider", "--hypothesis-seed=0"]
    environment = {
        **os.environ,
        "PYTHONPATH": str(root / "src"),  # goes before the installed package
        # A cache does not notice a file that is broken and restored within a second.
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    try:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *options, *tests],
            cwd=root,
            env=environment,
            capture_output=True,
            text=True,
            timeout=MAX_SECONDS * max(1, len(tests) // 10),
            check=False,
        )
    except subprocess.TimeoutExpired:
        return "hung", ""
    if done.returncode == 0:
        return "passed", ""
    found = _FAILED.search(done.stdout)
    if done.returncode == 1 and found:
        return "failed", found[1]
    return "error", (done.stdout + done.stderr)[-2000:]


def try_out(broken: Break, root: Path) -> bool:
    """Break a copy, print whether its tests notice, and restore it."""
    path = source_of(broken, root)
    source = path.read_text(encoding="utf-8")
    began = time.monotonic()
    try:
        path.write_text(apply(broken, source), encoding="utf-8")
        result, detail = run_tests(root, list(broken.tests))
    except ValueError as error:
        result, detail = "error", str(error)
    finally:
        path.write_text(source, encoding="utf-8")
    seconds = time.monotonic() - began
    print(f"{VERDICTS[result]:8} {seconds:5.1f} s  {broken.module:18} {broken.name}")
    if detail:
        print(f"{'':19}{detail}", flush=True)
    return result == "failed"


def chosen(words: list[str]) -> list[Break]:
    """Return the breaks with one of the words in their name or module, or all."""
    breaks = read_breaks()
    if not words:
        return breaks
    return [b for b in breaks if any(w in f"{b.module} {b.name}" for w in words)]


def main() -> int:
    """Try some or all breaks, and return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("words", nargs="*", help="words of the breaks to try")
    breaks = chosen(parser.parse_args().words)
    if not breaks:
        parser.error("no break has any of these words")
    with TemporaryDirectory(prefix="vkanyio-breaks-") as directory:
        root = Path(directory)
        for name in COPIED:
            _copy(ROOT / name, root / name)
        tests = sorted({test for each in breaks for test in each.tests})
        result, detail = run_tests(root, tests)
        if result != "passed":
            print(f"the tests do not pass unbroken: {result} {detail}")
            return 1
        print(f"{len(tests)} tests and files of tests pass unbroken", flush=True)
        caught = [try_out(each, root) for each in breaks]
    print(f"{sum(caught)} of {len(caught)} breaks were caught")
    return 0 if all(caught) else 1


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copy(source, target)


if __name__ == "__main__":
    sys.exit(main())
