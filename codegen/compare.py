"""Compare the methods with VK's newest schema, as npm has it.

VK publishes no newer JSON than that of `codegen/schema/`, but generates the npm package
``@vkontakte/api-schema-typescript`` from its current schema. ``npm pack`` gets it;
``python -m codegen.compare --package PATH`` reads the unpacked directory, and exits
with 1 if a method or a parameter differs without a reason in `reviewed`.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from . import reviewed
from ._corrected import correct
from ._review import Review
from ._schema import FACTS, load

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_COMMENT: Final = re.compile(r"/\*\*(.*?)\*/", re.DOTALL)
_METHOD: Final = re.compile(
    r"/\*\*\n \* (\w+\.\w+)\n(?:(?!\*/).)*\*/\n"
    r"export interface \w+Params \{(.*?)\n?\}\n",
    re.DOTALL,
)
_PARAMETER: Final = re.compile(r"^ {4}'?(\w+)'?(\?)?: ", re.MULTILINE)

Parameters = dict[str, bool]
"""Parameters by name, and whether they are required."""


@click.command()
@click.option(
    "--package",
    "path",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    required=True,
    help="The unpacked npm package @vkontakte/api-schema-typescript.",
)
def main(path: Path) -> None:
    """List what differs from VK's newest schema."""
    theirs = read_package(path)
    schema = correct(load(FACTS), Review())
    ours: dict[str, Parameters] = {
        name: {p["name"]: p.get("required", False) for p in raw.get("parameters", ())}
        for name, raw in schema.methods.items()
        if "." in name
    }
    problems = [*differences(ours, theirs)]
    for problem in problems:
        click.echo(problem)
    click.echo(f"{len(theirs)} methods in the package, {len(problems)} differences")
    if problems or not theirs:
        sys.exit(1)


def read_package(path: Path) -> dict[str, Parameters]:
    """Read the methods that an unpacked package declares."""
    found: dict[str, Parameters] = {}
    for file in sorted(path.glob("dist/methods/*.d.ts")):
        text = file.read_text(encoding="utf-8")
        for name, body in _METHOD.findall(text):
            parameters = _PARAMETER.findall(_COMMENT.sub("", body))
            found[name] = {each: optional != "?" for each, optional in parameters}
    return found


def differences(
    ours: Mapping[str, Parameters], theirs: Mapping[str, Parameters]
) -> Iterator[str]:
    """Describe what differs and is not in `reviewed`."""
    for name in sorted({*ours, *theirs}):
        if name not in ours:
            yield f"{name}: missing here"
        elif name not in theirs:
            if name not in reviewed.MORE_METHODS:
                yield f"{name}: not in the package"
        else:
            yield from _parameter_differences(name, ours[name], theirs[name])


def _parameter_differences(
    method: str, ours: Parameters, theirs: Parameters
) -> Iterator[str]:
    for name in sorted({*ours, *theirs}):
        where = f"{method}({name})"
        if name not in ours:
            yield f"{where}: missing here"
        elif name not in theirs:
            if (method, name) not in reviewed.MORE_PARAMETERS:
                yield f"{where}: not in the package"
        elif ours[name] != theirs[name]:
            word = "required" if theirs[name] else "optional"
            yield f"{where}: {word} in the package"


if __name__ == "__main__":
    main(prog_name="python -m codegen.compare")
