"""Check values against VK's own schema.

The schema is not part of this repository. If it is in ``../shared/vk-api-schema``,
beside the clone, values are checked against it.
"""

from __future__ import annotations

import functools
import json
import os
from pathlib import Path
from typing import Any, TypeAlias

import pytest

ROOT = Path(__file__).parents[3] / "shared" / "vk-api-schema"

Node: TypeAlias = "tuple[dict[str, Any], Path]"

TYPES: dict[str, Any] = {
    "integer": int,
    "number": (int, float),
    "string": str,
    "boolean": bool,
    "array": list,
    "object": dict,
}

needs_schema = pytest.mark.skipif(
    not ROOT.is_dir(), reason="VK's schema is not beside the clone"
)


def check(method: str, kind: str, value: Any) -> None:
    """Assert that a value has the required fields, with the right types.

    :param method: the method, such as "wall.get"
    :param kind: which of the method's responses, such as "extendedResponse"
    :param value: the value
    """
    path = ROOT / method.split(".")[0] / "methods.json"
    [declared] = [each for each in _load(path)["methods"] if each["name"] == method]
    node, path = _resolve(declared["responses"][kind], path)
    _check(node["properties"]["response"], path, value, method)


@functools.cache
def _load(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _resolve(node: dict[str, Any], path: Path) -> Node:
    while "$ref" in node:
        file, _, fragment = node["$ref"].partition("#")
        if file:
            path = Path(os.path.normpath(path.parent / file))
        node = _load(path)
        for key in fragment.strip("/").split("/"):
            node = node[key]
    return node, path


def _properties(node: dict[str, Any], path: Path) -> dict[str, Node]:
    found = {name: (each, path) for name, each in node.get("properties", {}).items()}
    for part in node.get("allOf", ()):
        resolved, where = _resolve(part, path)
        found |= _properties(resolved, where)
    return found


def _check(node: dict[str, Any], path: Path, value: Any, where: str) -> None:
    node, path = _resolve(node, path)
    if "oneOf" in node:
        _check_one_of(node, path, value, where)
        return
    kinds = node.get("type", "object" if "allOf" in node else None)
    if kinds is not None:
        names = [kinds] if isinstance(kinds, str) else kinds
        fits = any(isinstance(value, TYPES[name]) for name in names)
        assert fits, f"{where}: {value!r} is no {kinds}"
        assert not (isinstance(value, bool) and "boolean" not in names), where
    if "enum" in node:
        assert value in node["enum"], f"{where}: {value!r} is none of {node['enum']}"
    if isinstance(value, list):
        for item in value:
            _check(node.get("items", {}), path, item, f"{where}[]")
    if isinstance(value, dict):
        for name, (property_, home) in _properties(node, path).items():
            if name in value:
                _check(property_, home, value[name], f"{where}.{name}")
            else:
                assert property_.get("required") is not True, f"{where}: no {name}"


def _check_one_of(node: dict[str, Any], path: Path, value: Any, where: str) -> None:
    failures: list[AssertionError] = []
    for part in node["oneOf"]:
        try:
            _check(part, path, value, where)
        except AssertionError as failure:
            failures.append(failure)
        else:
            return
    raise failures[0]
