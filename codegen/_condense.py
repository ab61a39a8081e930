"""Read VK's own files, and condense them to the facts that `codegen/schema/` keeps.

Descriptions are left out. What only they say, such as that a number is a Unix time,
becomes a ``format``.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING, Final

from vkanyio._typeguards import is_list

from ._schema import Definition, Schema, SchemaError, check_keys

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from ._schema import JSON

_REFERENCE: Final = re.compile(
    r"\.\./(\w+)/(objects|responses)\.json#/definitions/(\w+)"
)
_ERROR_REFERENCE: Final = re.compile(r"\.\./errors\.json#/errors/(\w+)")
_ERROR_PREFIX: Final = "api_error_"
_FORMATS: Final = {
    "integer": {"int32", "int64"},
    "string": {"json", "uri", "value_object"},
}
_IS_TIME: Final = re.compile(r"unix[- ]?time", re.IGNORECASE)
_IS_LIST: Final = re.compile(r"with a comma|by commas")
_IS_JSON: Final = re.compile(r"Serialized JSON")


def condense(path: Path) -> Schema:
    """Condense the schema in a directory, a clone of VKCOM/vk-api-schema.

    :raises SchemaError: if a file is missing or unknown, if files are of different
        versions, or if a part of them has an unknown form
    """
    files = sorted(path.rglob("*.json"))
    if path / "errors.json" not in files:
        raise SchemaError(str(path), "no errors.json: this is not VK's schema")
    errors = _read(path / "errors.json")
    version: str = errors["version"]
    digest = hashlib.sha256()
    definitions: dict[str, Definition] = {}
    methods: dict[str, JSON] = {}
    for file in files:
        name = file.relative_to(path).as_posix()
        digest.update(name.encode() + b"\0" + file.read_bytes() + b"\0")
        if file.parent == path:
            continue
        found = _read(file)
        if found.get("version") != version:
            problem = f"version {found.get('version')}, but errors.json has {version}"
            raise SchemaError(name, problem)
        if file.stem in ("objects", "responses"):
            for each in _definitions(file.parent.name, file.stem, found):
                if each.name in definitions:
                    raise SchemaError(each.where, "defined twice")
                definitions[each.name] = each
        elif file.stem == "methods":
            _add_methods(methods, file.parent.name, found["methods"])
        else:
            raise SchemaError(name, "a file of an unknown kind")
    return Schema(
        source={"version": version, "sha256": digest.hexdigest()},
        definitions=definitions,
        methods=methods,
        errors=_errors(errors["errors"]),
    )


def _read(file: Path) -> JSON:
    return json.loads(file.read_text(encoding="utf-8"))


def _definitions(folder: str, part: str, found: JSON) -> Iterator[Definition]:
    for name, raw in found["definitions"].items():
        definition = Definition(folder, name, raw, part == "responses")
        where = definition.where
        value = _value_of(where, raw) if definition.is_response else raw
        yield Definition(folder, name, _node(where, value), definition.is_response)


def _value_of(where: str, raw: Mapping[str, JSON]) -> JSON:
    """Return the value in the envelope of a response."""
    check_keys(where, raw, {"type", "properties", "description"})
    properties = raw.get("properties", {})
    if [*properties] != ["response"]:
        raise SchemaError(where, f"a response with the fields {[*properties]}")
    return properties["response"]


def _node(where: str, raw: Mapping[str, JSON]) -> dict[str, JSON]:
    """Condense a type, and all types in it."""
    node = {key: value for key, value in raw.items() if key != "description"}
    _check_format(where, node)
    is_number = raw.get("type") in ("integer", "number")
    if is_number and _IS_TIME.search(raw.get("description", "")):
        node["format"] = "unix_time"
    if "$ref" in node:
        node["$ref"] = _reference(where, node["$ref"], "objects")
    if "items" in node:
        node["items"] = _node(f"{where}[]", node["items"])
    if "properties" in node:
        node["properties"] = {
            name: _node(f"{where}.{name}", inner)
            for name, inner in node["properties"].items()
        }
    if "discriminator" in node:
        node["discriminator"] = _discriminator(where, node["discriminator"])
    for key in ("allOf", "oneOf"):
        if key in node:
            parts = enumerate(node[key])
            node[key] = [_node(f"{where}/{key}[{i}]", each) for i, each in parts]
    return node


def _discriminator(where: str, raw: Mapping[str, JSON]) -> dict[str, JSON]:
    check_keys(where, raw, {"propertyName", "mapping"})
    mapping = {
        value: _reference(where, target, "objects")
        for value, target in raw["mapping"].items()
    }
    return {"propertyName": raw["propertyName"], "mapping": mapping}


def _check_format(where: str, raw: Mapping[str, JSON]) -> None:
    """Refuse unknown formats: they may mean that a value is written in another way."""
    kind, found = raw.get("type"), raw.get("format")
    kinds: list[JSON] = kind if is_list(kind) else [kind]
    if found is not None and not any(found in _FORMATS.get(k, ()) for k in kinds):
        raise SchemaError(where, f"unknown format {found!r} of {kind!r}")


def _reference(where: str, text: str, part: str) -> str:
    """Return the name that a reference leads to."""
    match = _REFERENCE.fullmatch(text)
    if match is None:
        raise SchemaError(where, f"reference of an unknown form: {text!r}")
    folder, found, name = match.groups()
    if found != part or not name.startswith(f"{folder}_"):
        raise SchemaError(where, f"broken reference: {text!r}")
    return name


# Methods


def _add_methods(methods: dict[str, JSON], folder: str, found: list[JSON]) -> None:
    for raw in found:
        name = raw["name"]
        where = f"{folder}/methods.json: {name}"
        if name in methods:
            raise SchemaError(where, "defined twice")
        if name.partition(".")[0] != folder or name.count(".") > 1:
            raise SchemaError(where, f"not a method of the group {folder!r}")
        methods[name] = _method(where, raw)


def _method(where: str, raw: Mapping[str, JSON]) -> dict[str, JSON]:
    method = {k: v for k, v in raw.items() if k not in ("name", "description")}
    method["parameters"] = [
        _parameter(f"{where}({each['name']})", each)
        for each in raw.get("parameters", ())
    ]
    method["responses"] = {
        key: _response(f"{where}/{key}", each) for key, each in raw["responses"].items()
    }
    method["errors"] = [_error(where, e["$ref"]) for e in raw.get("errors", ())]
    return {key: value for key, value in method.items() if value != []}


def _response(where: str, raw: Mapping[str, JSON]) -> str:
    check_keys(where, raw, {"$ref", "type", "deprecated_from_version", "description"})
    return _reference(where, raw["$ref"], "responses")


def _parameter(where: str, raw: Mapping[str, JSON]) -> dict[str, JSON]:
    parameter = _node(where, raw)
    found = _described(raw)
    return parameter if found is None else {**parameter, "format": found}


def _described(raw: Mapping[str, JSON]) -> str | None:
    """Return the format of a parameter that only its description says."""
    text = raw.get("description", "")
    if _IS_JSON.search(text):
        return "json"
    if raw.get("type") == "string" and _IS_LIST.search(text):
        return "comma_list"
    return None


# Errors


def _error(where: str, text: str) -> str:
    match = _ERROR_REFERENCE.fullmatch(text)
    if match is None:
        raise SchemaError(where, f"broken reference: {text!r}")
    return match[1].removeprefix(_ERROR_PREFIX)


def _errors(errors: Mapping[str, JSON]) -> dict[str, JSON]:
    found: dict[str, JSON] = {}
    for name, raw in errors.items():
        where = f"errors.json: {name}"
        check_keys(where, raw, {"code", "description", "global", "subcodes"})
        if not name.startswith(_ERROR_PREFIX):
            problem = f"the name does not start with {_ERROR_PREFIX!r}"
            raise SchemaError(where, problem)
        kept = {key: raw[key] for key in ("code", "global") if key in raw}
        found[name.removeprefix(_ERROR_PREFIX)] = kept
    return found
