"""Write the pages about VK's methods: one for each group, and a table of all groups."""

from __future__ import annotations

import importlib
import inspect
from collections import Counter
from typing import TYPE_CHECKING

from docutils import nodes
from sphinx import addnodes

from vkanyio import MethodGroup
from vkanyio._facts import Repetition
from vkanyio.cli import _catalog as catalog

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from vkanyio.cli._catalog import CatalogMethod

READ, KEYED, STATE, NEVER = Repetition
# Of each kind, the head of its column in the table of groups, and its effect.
WORDS = {
    READ: ("read", "reads"),
    KEYED: ("deduplicated", "writes"),
    STATE: ("set a state", "sets a state"),
    NEVER: ("not repeatable", "writes"),
}
TOKENS = {"user": "user", "group": "community", "service": "service", "open": "none"}


def group_of(module: str) -> type[MethodGroup]:
    """Return the class of a module of ``vkanyio.methods``."""
    name = f"vkanyio.methods.{module}"
    [group] = [
        value
        for value in vars(importlib.import_module(name)).values()
        if inspect.isclass(value) and value.__module__ == name
    ]
    assert issubclass(group, MethodGroup)
    return group


def method_page(module: str) -> str:
    """Return the page of one group, in reStructuredText."""
    group = group_of(module)
    title = group._name
    methods = _methods_of(title)
    return f"""\
{title}
{"=" * len(title)}

.. currentmodule:: {group.__module__}

{_summary(methods)}

{_method_table(group, methods)}

.. autoclass:: {group.__name__}()
   :members:
   :undoc-members:
   :no-show-inheritance:
"""


def group_table(modules: Sequence[str]) -> str:
    """Return a table of all groups, in reStructuredText."""
    head = ["Group", "Methods", *(plural for plural, _ in WORDS.values())]
    rows = []
    for module in modules:
        methods = _methods_of(group_of(module)._name)
        counts = Counter(method.facts.repetition for method in methods)
        figures = [str(counts[kind] or "") for kind in Repetition]
        rows.append([f":doc:`{module}`", str(len(methods)), *figures])
    return _table(head, rows)


def merge_overloads(tree: nodes.document) -> None:
    """Show one signature of a method, and in words what its return type depends on.

    A type checker sees one overload for each case, and at last one that fits all.
    """
    for entry in tree.findall(addnodes.desc):
        signatures = [
            child
            for child in entry.children
            if isinstance(child, addnodes.desc_signature)
        ]
        if len(signatures) < 2:
            continue
        *cases, whole = signatures
        whole["ids"] = [*cases[0]["ids"], *whole["ids"]]
        group = whole["class"].rpartition(".")[2]
        method = catalog.find(f"{group[:1].lower()}{group[1:]}.{_short_name(whole)}")
        assert method is not None
        text = nodes.paragraph("", "Returns ")
        for number, (case, (flags, _)) in enumerate(
            zip(cases, method.returns, strict=True)
        ):
            text += nodes.Text(", " if number else "")
            text += _returned(case)
            for switch, (name, on) in enumerate(flags.items()):
                join = " and" if switch else ""
                text += nodes.Text(f"{join} {'with' if on else 'without'} ")
                text += nodes.literal("", name)
            entry.remove(case)
        text += nodes.Text(".")
        _content_of(entry).insert(_place_of_fields(entry), text)


def _methods_of(group: str) -> list[CatalogMethod]:
    found = map(catalog.find, catalog.groups()[group])
    return [method for method in found if method is not None]


def _summary(methods: Sequence[CatalogMethod]) -> str:
    counts = Counter(method.facts.repetition for method in methods)
    parts = [f"{counts[kind]} {WORDS[kind][0]}" for kind in Repetition if counts[kind]]
    noun = "method" if len(methods) == 1 else "methods"
    unpacked = sum(not method.is_packed for method in methods)
    never = f" {unpacked} never packed." if unpacked else ""
    return f"{len(methods)} {noun}: {', '.join(parts)}.{never}"


def _method_table(group: type[MethodGroup], methods: Sequence[CatalogMethod]) -> str:
    place = f"{group.__module__}.{group.__name__}"
    rows = []
    for method in methods:
        short = method.name.partition(".")[2]
        kinds = ", ".join(TOKENS[kind] for kind in method.facts.tokens)
        rows.append(
            [
                f":py:meth:`{short} <{place}.{short}>`",
                kinds or "unknown",
                _effect(method),
                _retried(method),
                "yes" if method.is_packed else "never",
            ]
        )
    head = ["Method", "Tokens", "Effect", "Retried if the response is lost", "Packed"]
    return _table(head, rows)


def _effect(method: CatalogMethod) -> str:
    if method.facts.changes_if:
        return f"reads; sets a state with ``{method.facts.changes_if}``"
    return WORDS[method.facts.repetition][1]


def _retried(method: CatalogMethod) -> str:
    facts = method.facts
    if facts.repetition is READ:
        return f"yes, without ``{facts.changes_if}``" if facts.changes_if else "yes"
    if facts.repetition is not KEYED:
        return "no"
    # The client fills in a random_id alone.
    return "yes" if facts.key == "random_id" else f"with ``{facts.key}``"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return "\n".join(_table_lines(head, rows))


def _table_lines(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield ".. list-table::"
    yield "   :header-rows: 1"
    yield "   :widths: auto"
    yield "   :class: methods"
    yield ""
    for row in (head, *rows):
        for number, cell in enumerate(row):
            yield f"   {' ' if number else '*'} - {cell}".rstrip()


def _short_name(signature: addnodes.desc_signature) -> str:
    [name] = signature.findall(addnodes.desc_name)
    return str(name.astext())


def _returned(signature: addnodes.desc_signature) -> nodes.literal:
    [returned] = signature.findall(addnodes.desc_returns)
    return nodes.literal("", "", *(child.deepcopy() for child in returned.children))


def _content_of(entry: addnodes.desc) -> addnodes.desc_content:
    [content] = (
        child for child in entry.children if isinstance(child, addnodes.desc_content)
    )
    return content


def _place_of_fields(entry: addnodes.desc) -> int:
    children = _content_of(entry).children
    for number, child in enumerate(children):
        if isinstance(child, nodes.field_list):
            return number
    return len(children)
