"""CONTRIBUTING.md names each module and each directory of tests."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from _pages import DOCS

ROOT = DOCS.parent
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
NAMED = set(re.findall(r"`([\w./]+)`", TEXT))
LISTED = ["src/vkanyio", "src/vkanyio/_engine", "codegen", "proof", "docs/_ext"]


@pytest.mark.parametrize("directory", LISTED)
def test_every_module_is_named(directory: str):
    there = {path.name for path in (ROOT / directory).glob("[!_]*.py")}
    there |= {path.name for path in (ROOT / directory).glob("_[!_]*.py")}
    # Those with a command may be in a block of shell alone.
    shown = {f"{name}.py" for name in re.findall(r"proof\.(\w+)", TEXT)}
    assert there - shown - {Path(name).name for name in NAMED} == set()


def test_every_directory_of_tests_is_named():
    there = {path.name for path in (ROOT / "tests").iterdir() if path.is_dir()}
    there -= {name for name in there if name.startswith((".", "__"))}
    assert there == {name[:-1] for name in NAMED if name[:-1] in there}


def test_the_modules_that_mutants_are_made_of_are_named():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    mutated: list[str] = settings["tool"]["mutmut"]["only_mutate"]
    listed = TEXT.partition("the pure modules (")[2].partition(")")[0]
    assert {Path(path).stem for path in mutated} == set(re.findall(r"`(\w+)`", listed))
