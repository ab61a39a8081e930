"""The command line: ``python -m codegen [--check]``."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from ._output import ToolMissingError, differences, put, write_files
from ._read import read
from ._schema import FACTS, SchemaError, load

PACKAGE = Path(__file__).parent.with_name("src") / "vkanyio"


@click.command()
@click.option(
    "--check", is_flag=True, help="Write nothing; exit 1 if a file would change."
)
def main(*, check: bool) -> None:
    """Generate methods, objects, error codes and method facts from VK's schema."""
    try:
        files = write_files(read(load(FACTS)))
    except (SchemaError, ToolMissingError) as error:
        raise click.ClickException(str(error)) from None
    changed = differences(files, PACKAGE)
    if not check:
        put(files, PACKAGE)
    for name in changed:
        click.echo(f"{'differs' if check else 'written'}: {name}")
    click.echo(f"{len(files)} files, {len(changed)} changed")
    if check and changed:
        sys.exit(1)


if __name__ == "__main__":
    main(prog_name="python -m codegen")
