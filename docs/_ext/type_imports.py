"""Find out where the names in a module's annotations come from."""

from __future__ import annotations

import ast
import functools
from importlib.util import find_spec, resolve_name
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@functools.cache
def type_imports(module: str) -> Mapping[str, str]:
    """Map the names that a module imports to their full names.

    This includes imports under ``TYPE_CHECKING``, which do not exist at run time.
    """
    spec = find_spec(module)
    if spec is None or spec.origin is None:
        return {}
    tree = ast.parse(Path(spec.origin).read_text(encoding="utf-8"))
    package = module.rpartition(".")[0]
    return {
        alias.asname or alias.name: f"{_source(node, package)}.{alias.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


def _source(node: ast.ImportFrom, package: str) -> str:
    return resolve_name("." * node.level + (node.module or ""), package)
