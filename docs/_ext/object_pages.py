"""Write the reference of ``vkanyio.objects`` from the source of its modules.

autodoc would add a separate entry for each of about ten thousand fields. Here an object
is a single block, as an editor shows it, with links to other objects.
"""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import vkanyio.objects
from type_imports import type_imports

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PLACE = Path(vkanyio.objects.__path__[0])
WIDTH = 84


def object_page(name: str) -> str:
    """Return the page of one module of objects, in reStructuredText."""
    module = f"vkanyio.objects.{name}"
    tree = ast.parse((PLACE / f"{name}.py").read_text(encoding="utf-8"))
    links = {
        imported: source
        for imported, source in type_imports(module).items()
        if source.startswith("vkanyio.objects.")
    }
    links.update((made, f"{module}.{made}") for made, *_ in _objects(tree))
    contents = ", ".join(f":py:class:`{made}`" for made, *_ in _objects(tree))
    parts = [
        f"{name}\n{'=' * len(name)}\n",
        f".. py:currentmodule:: {module}\n\n.. highlight:: none\n",
        f"{contents}\n",
    ]
    for made, kind, doc, lines in _objects(tree):
        block = "\n".join(_linked(line, links) for line in lines)
        # Not in the table of contents, which is copied into every page of the site.
        parts.append(f".. py:{kind}:: {made}\n   :no-contents-entry:\n\n   {doc}\n")
        if block:
            parts.append(
                f"   .. parsed-literal::\n\n{textwrap.indent(block, ' ' * 6)}\n"
            )
    return "\n".join(parts)


def _objects(tree: ast.Module) -> Iterator[tuple[str, str, str, list[str]]]:
    """Yield the name, the kind, the docstring and the lines of each object."""
    for node, following in zip(tree.body, [*tree.body[1:], None], strict=True):
        if isinstance(node, ast.ClassDef):
            fields = [
                f"{ast.unparse(field.target)}: {_annotation(field.annotation)}"
                for field in node.body
                if isinstance(field, ast.AnnAssign)
            ]
            yield node.name, "class", _docstring(node.body[0]), fields
        elif isinstance(node, ast.Assign):  # TypedDict("Name", {"from": "int"})
            [target], call = node.targets, node.value
            assert isinstance(call, ast.Call)
            pairs = call.args[1]
            assert isinstance(pairs, ast.Dict)
            fields = [
                f"{ast.literal_eval(name)}: {_annotation(kind)}"
                for name, kind in zip(pairs.keys, pairs.values, strict=True)
                if name is not None
            ]
            yield ast.unparse(target), "class", _docstring(following), fields
        elif isinstance(node, ast.AnnAssign):  # Name: TypeAlias = ...
            assert node.value is not None
            is_text = isinstance(node.value, ast.Constant)
            value = ast.literal_eval(node.value) if is_text else ast.unparse(node.value)
            lines = textwrap.wrap(value, WIDTH, subsequent_indent="    ")
            yield ast.unparse(node.target), "type", _docstring(following), lines


class _Unquoted(ast.NodeTransformer):
    """Replaces the texts in an annotation by what they say."""

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        if not isinstance(node.value, str):
            return node
        return ast.parse(node.value, mode="eval").body

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        is_literal = isinstance(node.value, ast.Name) and node.value.id == "Literal"
        return node if is_literal else self.generic_visit(node)


def _annotation(node: ast.expr) -> str:
    return ast.unparse(_Unquoted().visit(node))


def _docstring(node: ast.stmt | None) -> str:
    assert isinstance(node, ast.Expr)
    return inspect.cleandoc(ast.literal_eval(node.value)).replace("\n", " ")


def _linked(line: str, links: Mapping[str, str]) -> str:
    def link(found: re.Match[str]) -> str:
        word = found[0]
        if word.startswith("'") or word not in links:
            return re.sub(r"([\\*_|`])", r"\\\1", word)
        return f":py:class:`{word} <{links[word]}>`"

    name, colon, rest = line.rpartition(": ")
    return _escaped(name) + colon + re.sub(r"'[^']*'|\w+|[|*`\\]", link, rest)


def _escaped(text: str) -> str:
    return re.sub(r"([\\*_|`])", r"\\\1", text)
