"""``vkanyio methods``: what VK's schema says about its methods."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click
from rich import box
from rich.console import Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from . import _catalog as catalog
from ._common import WRONG_USAGE, CommandError, make_console
from ._completion import METHOD
from ._output import print_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import RenderableType

WIDE = 200
"""Width of lists if the output is not a terminal: `grep` needs whole lines."""

NARROW = 80
"""Width of the page of a method if the output is not a terminal."""


@click.command()
@click.argument("words", nargs=-1, metavar="[GROUP | METHOD | WORD...]", type=METHOD)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
def methods(words: tuple[str, ...], as_json: bool) -> int:
    """Look up VK methods; needs no network.

    Without an argument, list the groups. With the name of a group, list its methods.
    With the name of a method, show its parameters, its result and its errors. With
    other words, list the methods whose names contain all of them.

    All information comes from VK's own schema.

    \b
    Example:
      vkanyio methods users.get
      vkanyio methods get by id
    """
    if not words:
        _show_groups(as_json)
        return 0
    name = words[0]
    method = catalog.find(name) if len(words) == 1 else None
    if method is not None:
        _show_method(method, as_json)
        return 0
    if len(words) == 1 and name in catalog.groups():
        found = catalog.groups()[name]
    else:
        found = catalog.search(words)
    if not found:
        asked = " ".join(words)
        meant = catalog.similar_methods(asked, or_groups=True)
        message = f"VK's schema has no method like {asked!r}"
        raise CommandError(f"{message}{meant}", WRONG_USAGE)
    _show_list([each for each in map(catalog.find, found) if each], as_json)
    return 0


def _show_groups(as_json: bool) -> None:
    groups = catalog.groups()
    if as_json:
        print_json(groups)
        return
    table = _list_table("group", "methods", "examples")
    for group, names in groups.items():
        shown = ", ".join(name.partition(".")[2] for name in names[:4])
        more = ", ..." if len(names) > 4 else ""
        table.add_row(group, str(len(names)), f"{shown}{more}")
    _print(table, width=WIDE)


def _show_list(found: Sequence[catalog.CatalogMethod], as_json: bool) -> None:
    if as_json:
        print_json([_to_json(method) for method in found])
        return
    table = _list_table("method", "required", "tokens", "repetition")
    for method in found:
        required = ", ".join(p.name for p in method.parameters if p.required)
        kinds = ", ".join(method.facts.tokens)
        table.add_row(method.name, required, kinds, method.facts.repetition.value)
    _print(table, width=WIDE)


def _show_method(method: catalog.CatalogMethod, as_json: bool) -> None:
    if as_json:
        print_json(_to_json(method))
        return
    if _print(Group(*_describe(method)), width=NARROW):
        # A pager takes its text away when it is closed, and `cat` leaves its end: what
        # a call is written with stays above the next prompt.
        make_console().print(_names(method))


def _names(method: catalog.CatalogMethod) -> RenderableType:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", min_width=10)
    table.add_column()
    for kind, is_required in (("required", True), ("optional", False)):
        names = [p.name for p in method.parameters if p.required is is_required]
        if names:
            table.add_row(kind, ", ".join(names))
    return Group(Text(method.name, style="bold"), table)


def _describe(method: catalog.CatalogMethod) -> Iterator[RenderableType]:
    facts = Table.grid(padding=(0, 2))
    facts.add_column(style="dim", min_width=10)
    facts.add_column()
    facts.add_row("tokens", ", ".join(method.facts.tokens) or "unknown")
    facts.add_row("repetition", catalog.repetition_text(method.facts))
    is_packed = "may be packed into execute" if method.is_packed else "never packed"
    facts.add_row("packing", is_packed)
    facts.add_row("see", method.documentation)
    yield Text(method.name, style="bold")
    yield facts
    yield from _describe_parameters(method)
    yield _heading("returns")
    for flags, kind in method.returns:
        yield _indented(f"{catalog.type_text(kind)}{_when(flags)}")
    yield from _describe_types(method)
    if method.errors:
        yield _heading("errors", " (besides the common ones)")
        for code, name in method.errors.items():
            yield _indented(f"{code:>5}  {name}")


def _describe_parameters(method: catalog.CatalogMethod) -> Iterator[RenderableType]:
    if not method.parameters:
        yield _heading("parameters", " (none besides the common ones)")
        return
    yield _heading("parameters", " (omitted ones and null are not sent)")
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for parameter in method.parameters:
        name = Text(parameter.name, style="bold" if parameter.required else "")
        kind = catalog.type_text(parameter.type)
        notes = catalog.notes_text(parameter).replace("``", "")
        required = "required" if parameter.required else ""
        table.add_row(name, "; ".join(filter(None, (kind, required, notes))))
    yield Padding(table, (0, 0, 0, 2))


def _describe_types(method: catalog.CatalogMethod) -> Iterator[RenderableType]:
    """List the values of the enums and the fields of the objects mentioned."""
    kinds = [parameter.type for parameter in method.parameters]
    kinds += [kind for _, kind in method.returns]
    named = {name: found for kind in kinds for name, found in catalog.named_types(kind)}
    for name, found in named.items():
        if isinstance(found, str):
            continue
        if "enum" in found:
            yield _heading(name, ", one of")
            yield _indented(", ".join(map(str, found["enum"])))
        elif "required" in found:
            always, perhaps = found["required"], found["optional"]
            yield _heading(name, " has" if always else " may have")
            yield _indented(", ".join(always or perhaps))
            if always and perhaps:
                yield _indented(f"and may have {', '.join(perhaps)}")


def _when(flags: Any) -> str:
    when = [f"{'with' if on else 'without'} {name}" for name, on in flags.items()]
    return f" ({', '.join(when)})" if when else ""


def _heading(text: str, more: str = "") -> RenderableType:
    return Text.assemble("\n", (text, "bold"), (more, "dim"))


def _indented(text: str) -> RenderableType:
    return Padding(Text(text), (0, 0, 0, 2))


def _list_table(*columns: str) -> Table:
    is_terminal = sys.stdout.isatty()
    table = Table(
        box=box.SIMPLE_HEAD if is_terminal else None,
        pad_edge=False,
        show_header=is_terminal,
        padding=(0, 1 if is_terminal else 2, 0, 0),  # the box adds one
    )
    for i, name in enumerate(columns):
        table.add_column(name, no_wrap=i == 0, overflow="fold")
    return table


def _print(found: RenderableType, *, width: int) -> bool:
    """Print to a terminal, by pages, or as plain text of a given width.

    :return: whether it was longer than the terminal, and shown by a pager
    """
    console = make_console()
    if not console.is_terminal:
        console.width = width
    with console.capture() as capture:
        console.print(found)
    if console.is_terminal:
        is_longer = capture.get().count("\n") >= console.height
        (click.echo_via_pager if is_longer else click.echo)(capture.get().rstrip())
        return is_longer
    click.echo("\n".join(line.rstrip() for line in capture.get().splitlines()))
    return False


def _to_json(method: catalog.CatalogMethod) -> dict[str, Any]:
    return {
        "method": method.name,
        "group": method.group,
        "documentation": method.documentation,
        "tokens": list(method.facts.tokens),
        "repetition": method.facts.repetition.value,
        "key": method.facts.key,
        "changes_if": method.facts.changes_if,
        "packed": method.is_packed,
        "parameters": [
            {
                "name": parameter.name,
                "type": catalog.type_text(parameter.type),
                "required": parameter.required,
                "notes": catalog.notes_text(parameter),
            }
            for parameter in method.parameters
        ],
        "returns": [
            {"if": flags, "type": catalog.type_text(kind)}
            for flags, kind in method.returns
        ],
        "errors": [{"code": c, "name": name} for c, name in method.errors.items()],
    }
