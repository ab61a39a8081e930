"""Check values against VK's own schema."""

from __future__ import annotations

from typing import Any

from codegen._schema import FACTS, load

SCHEMA = load(FACTS)

TYPES: dict[str, Any] = {
    "integer": int,
    "number": (int, float),
    "string": str,
    "boolean": bool,
    "array": list,
    "object": dict,
}


def check(method: str, kind: str, value: Any) -> None:
    """Assert that a value has the required fields, with the right types.

    :param method: the method, such as "wall.get"
    :param kind: which of the method's responses, such as "extendedResponse"
    :param value: the value
    """
    response = SCHEMA.methods[method]["responses"][kind]
    _check({"$ref": response}, value, method)


def _resolve(node: dict[str, Any]) -> Any:
    while "$ref" in node:
        node = SCHEMA.definitions[node["$ref"]].raw  # type: ignore[assignment]
    return node


def _properties(node: dict[str, Any]) -> dict[str, Any]:
    found = dict(node.get("properties", {}))
    for part in node.get("allOf", ()):
        found |= _properties(_resolve(part))
    return found


def _check(node: dict[str, Any], value: Any, where: str) -> None:
    node = _resolve(node)
    if "oneOf" in node:
        _check_one_of(node, value, where)
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
            _check(node.get("items", {}), item, f"{where}[]")
    if isinstance(value, dict):
        for name, property_ in _properties(node).items():
            if name in value:
                _check(property_, value[name], f"{where}.{name}")
            else:
                assert property_.get("required") is not True, f"{where}: no {name}"


def _check_one_of(node: dict[str, Any], value: Any, where: str) -> None:
    failures: list[AssertionError] = []
    for part in node["oneOf"]:
        try:
            _check(part, value, where)
        except AssertionError as failure:
            failures.append(failure)
        else:
            return
    raise failures[0]
