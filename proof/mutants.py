"""Change the pure parts of vkanyio in small ways, and see that the tests notice.

::

    uv run --group mutation python -m proof.mutants            # all: 12 minutes
    uv run --group mutation python -m proof.mutants _limiter   # or some modules

mutmut does it, as ``pyproject.toml`` says. What survives has to be explained in
``survivors.md``: a survivor that is not there makes this end with exit code 1, and so
does an explanation of one that survives no longer. Mutants that only put the words of a
message differently are left out, since tests ask for types and values, not sentences.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections import Counter
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
EXPLAINED = Path(__file__).parent / "survivors.md"
NOTICED = ("killed", "timeout")  # an endless loop is noticed, too
_TEXT = re.compile(r""" "(?:[^"\\]|\\.)*" | '(?:[^'\\]|\\.)*' """, re.VERBOSE)
_WORDS = re.compile(r"[A-Za-z,] [A-Za-z]")


class Mutant(NamedTuple):
    """A small change of one function.

    :ivar module: without its suffix
    :ivar function: its name, with that of its class
    :ivar old: the lines that are changed, without their indentation
    :ivar new: what they become
    """

    module: str
    function: str
    old: tuple[str, ...]
    new: tuple[str, ...]

    def __str__(self) -> str:
        old, new = "\n- ".join(self.old), "\n+ ".join(self.new)
        return f"@@ {self.function}\n- {old}\n+ {new}"

    def is_wording(self) -> bool:
        """Return whether it only changes sentences."""
        return _wordless(self.old) == _wordless(self.new)


def _wordless(lines: tuple[str, ...]) -> str:
    def blank(text: re.Match[str]) -> str:
        return '""' if _WORDS.search(text[0]) else text[0]

    return _TEXT.sub(blank, "\n".join(lines))


def to_mutant(name: str, diff: str) -> Mutant:
    """Read a mutant as mutmut tells of it.

    :param name: ``vkanyio._retry.x_back_off__mutmut_15`` or, of a class,
        ``vkanyio._limiter.xǁLimiterǁleft__mutmut_1``
    :param diff: what ``mutmut show`` prints
    """
    module, mangled = name.split(".")[-2:]
    function = mangled.partition("__mutmut")[0].removeprefix("x")
    parts = function.split("ǁ") if "ǁ" in function else ["", function[1:]]
    return Mutant(
        module, ".".join(filter(None, parts)), _lines(diff, "-"), _lines(diff, "+")
    )


def _lines(diff: str, sign: str) -> tuple[str, ...]:
    return tuple(
        line[1:].strip()
        for line in diff.splitlines()
        if line.startswith(sign) and not line.startswith(sign * 3)
    )


def read_explained(text: str) -> set[Mutant]:
    """Read the mutants that are explained, in blocks below the names of modules."""
    found: set[Mutant] = set()
    for section in re.split(r"^## ", text, flags=re.MULTILINE)[1:]:
        module = re.match(r"`(\w+)\.py`", section)
        if module is None:
            message = f"not the name of a module: {section.partition(chr(10))[0]!r}"
            raise ValueError(message)
        blocks = re.findall(r"^```diff\n(.*?)^```$", section, re.DOTALL | re.MULTILINE)
        for hunk in re.split(r"^@@ ", "\n".join(blocks), flags=re.MULTILINE)[1:]:
            function, _, diff = hunk.partition("\n")
            found.add(Mutant(module[1], function, _lines(diff, "-"), _lines(diff, "+")))
    return found


def modules() -> dict[str, str]:
    """Return the modules that are mutated, and the package of each."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    paths = [Path(path) for path in project["tool"]["mutmut"]["only_mutate"]]
    return {path.stem: ".".join(path.parent.parts[1:]) for path in paths}


def _mutmut(*arguments: str) -> str:
    done = subprocess.run(
        ["mutmut", *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True
    )
    return done.stdout


def run(names: list[str]) -> tuple[Counter[str], set[Mutant]]:
    """Try all mutants of modules, and return how they fared and which survived."""
    os.nice(10)
    # mutmut remembers what survived, but not which tests there were then.
    shutil.rmtree(ROOT / "mutants", ignore_errors=True)
    chosen = [f"{modules()[name]}.{name}.*" for name in names]
    command = ["mutmut", "run", "--max-children", "1", *chosen]
    subprocess.run(command, cwd=ROOT, check=True)
    fates: dict[str, str] = {}
    for line in _mutmut("results", "--all", "true").splitlines():
        name, _, fate = line.strip().partition(": ")
        if not names or name.split(".")[-2] in names:
            fates[name] = fate
    survivors = {
        to_mutant(name, _mutmut("show", name))
        for name, fate in fates.items()
        if fate not in NOTICED
    }
    return Counter(fates.values()), survivors


def main() -> int:
    """Try the mutants, compare the survivors with the list, return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("modules", nargs="*", help=" ".join(modules()))
    names = parser.parse_args().modules
    if unknown := sorted({*names} - {*modules()}):
        parser.error(f"not mutated: {', '.join(unknown)}")
    counts, survivors = run(names)
    explained = {
        mutant
        for mutant in read_explained(EXPLAINED.read_text(encoding="utf-8"))
        if not names or mutant.module in names
    }
    unexplained = {
        mutant for mutant in survivors - explained if not mutant.is_wording()
    }
    print(", ".join(f"{count} {fate}" for fate, count in counts.most_common()))
    print(f"{len(survivors & explained)} survivors are explained")
    _show("survived without an explanation", unexplained)
    _show("are explained, but survive no longer", explained - survivors)
    return 1 if unexplained or explained - survivors else 0


def _show(what: str, mutants: set[Mutant]) -> None:
    print(f"{len(mutants)} {what}")
    for module in sorted({mutant.module for mutant in mutants}):
        print(f"\n## `{module}.py`\n")
        print(*sorted(str(each) for each in mutants if each.module == module), sep="\n")


if __name__ == "__main__":
    sys.exit(main())
