"""Make small changes to the pure parts of vkanyio, and check that the tests notice.

::

    uv run --group mutation python -m proof.mutants            # all: 12 minutes
    uv run --group mutation python -m proof.mutants _limiter   # or some modules

mutmut makes the changes; ``pyproject.toml`` configures it. Each survivor must be
explained in ``survivors.md``: the exit code is 1 if an explanation is missing, or if an
explained mutant no longer survives. Mutants that only reword a message are ignored,
since tests check types and values, not sentences; so are those of the type in a `cast`.
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
NOTICED = ("killed", "timeout")  # an endless loop counts as noticed
_TEXT = re.compile(r""" "(?:[^"\\]|\\.)*" | '(?:[^'\\]|\\.)*' """, re.VERBOSE)
_WORDS = re.compile(r"[A-Za-z,] [A-Za-z]")
_CAST = re.compile(r"""\bcast\((?:"[^"]*"|None),""")


class Mutant(NamedTuple):
    """A small change of one function.

    :ivar module: the name of the module, without suffix
    :ivar function: the name of the function, with its class
    :ivar old: the changed lines, without indentation
    :ivar new: their replacement
    """

    module: str
    function: str
    old: tuple[str, ...]
    new: tuple[str, ...]

    def __str__(self) -> str:
        old, new = "\n- ".join(self.old), "\n+ ".join(self.new)
        return f"@@ {self.function}\n- {old}\n+ {new}"

    def is_wording(self) -> bool:
        """Return whether it only changes words of messages, or types of casts."""
        return _wordless(self.old) == _wordless(self.new)


def _wordless(lines: tuple[str, ...]) -> str:
    def blank(text: re.Match[str]) -> str:
        return '""' if _WORDS.search(text[0]) else text[0]

    return _TEXT.sub(blank, _CAST.sub("cast(", "\n".join(lines)))


def to_mutant(name: str, diff: str) -> Mutant:
    """Parse a mutant from the output of mutmut.

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
    """Parse the explained mutants, in blocks below the names of modules."""
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
    """Try all mutants of modules, and return the counts and the survivors."""
    os.nice(10)
    # mutmut keeps earlier results, even if the tests have changed since.
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
    """Try the mutants, compare the survivors to the list, return the exit code."""
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
    _show("are explained, but no longer survive", explained - survivors)
    return 1 if unexplained or explained - survivors else 0


def _show(what: str, mutants: set[Mutant]) -> None:
    print(f"{len(mutants)} {what}")
    for module in sorted({mutant.module for mutant in mutants}):
        print(f"\n## `{module}.py`\n")
        print(*sorted(str(each) for each in mutants if each.module == module), sep="\n")


if __name__ == "__main__":
    sys.exit(main())
