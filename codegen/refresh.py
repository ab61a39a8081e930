"""Bring `codegen/schema/` up to date with VK's schema, and report what changed.

``python -m codegen.refresh --schema PATH`` keeps the facts of a clone of
VKCOM/vk-api-schema. After that, ``python -m codegen`` needs no clone.
"""

from __future__ import annotations

from pathlib import Path

import click

from ._changes import report
from ._condense import condense
from ._output import put
from ._schema import FACTS, SchemaError, files_of, load


@click.command()
@click.option(
    "--schema",
    "path",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    required=True,
    help="A clone of VK's schema (github.com/VKCOM/vk-api-schema).",
)
@click.option(
    "--dry-run", is_flag=True, help="Report what would change, and write nothing."
)
def main(path: Path, *, dry_run: bool) -> None:
    """Keep the facts of VK's schema, and print what changed, for CHANGELOG.md."""
    try:
        new = condense(path)
        old = load(FACTS) if FACTS.is_dir() else None
    except SchemaError as error:
        raise click.ClickException(str(error)) from None
    if not dry_run:
        put(files_of(new), FACTS, only=["*.json"])
    if old is not None:
        click.echo(report(old, new))


if __name__ == "__main__":
    main(prog_name="python -m codegen.refresh")
