"""Small schemas in the format of VK's schema."""

from __future__ import annotations

import ast
import json
from typing import TYPE_CHECKING, Any

from codegen._condense import condense
from codegen._output import write_files
from codegen._read import read

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from codegen._model import Method, Model

ERRORS = {
    "api_error_unknown": {"code": 1, "description": "x", "global": True},
    "api_error_user_deleted": {"code": 18, "description": "x", "global": True},
    "api_error_note_access": {"code": 180, "description": "x"},
}


def reference(folder: str, name: str, file: str = "objects") -> dict[str, str]:
    """Return a reference to a definition."""
    return {"$ref": f"../{folder}/{file}.json#/definitions/{name}"}


def response(value: Mapping[str, Any]) -> dict[str, Any]:
    """Return a response, from the type of its value."""
    return {"type": "object", "properties": {"response": value}}


def method(name: str, *parameters: Any, **more: Any) -> dict[str, Any]:
    """Return a method that returns a number."""
    return {
        "name": name,
        "access_token_type": ["user"],
        "parameters": list(parameters),
        "responses": {
            "response": reference("notes", "notes_count_response", "responses")
        },
        **more,
    }


COUNT = {"notes_count_response": response({"type": "integer", "required": True})}


def write_schema(
    path: Path,
    *,
    objects: Mapping[str, Mapping[str, Any]] | None = None,
    responses: Mapping[str, Mapping[str, Any]] | None = None,
    methods: Mapping[str, list[Any]] | None = None,
    errors: Mapping[str, Any] = ERRORS,
) -> Path:
    """Write a schema: objects, responses and methods by folder."""

    def write(file: Path, content: Mapping[str, Any]) -> None:
        file.parent.mkdir(exist_ok=True)
        file.write_text(json.dumps({"version": "5.199", **content}), encoding="utf-8")

    write(path / "errors.json", {"errors": errors})
    all_responses = {**(responses or {})}
    all_responses["notes"] = {**COUNT, **all_responses.get("notes", {})}
    for folder, definitions in (objects or {}).items():
        write(path / folder / "objects.json", {"definitions": definitions})
    for folder, definitions in all_responses.items():
        write(path / folder / "responses.json", {"definitions": definitions})
    for folder, found in (methods or {}).items():
        write(path / folder / "methods.json", {"methods": found})
    return path


def model_of(path: Path, **schema: Any) -> Model:
    """Read a small schema."""
    return read(condense(write_schema(path, **schema)))


def method_of(path: Path, raw: Any, **schema: Any) -> Method:
    """Read a small schema with one method."""
    return model_of(path, methods={"notes": [raw]}, **schema).methods[raw["name"]]


def source_of(path: Path, name: str, **schema: Any) -> str:
    """Return a generated file of a small schema."""
    return write_files(model_of(path, **schema))[name]


def names_of(source: str) -> dict[str, Any]:
    """Run generated source, and return its names."""
    names: dict[str, Any] = {"__name__": "generated", "__package__": "vkanyio.objects"}
    exec(compile(source, "generated", "exec"), names)
    return names


def fields_of(source: str, name: str) -> dict[str, str]:
    """Return the fields of a generated class, and their types without quotes."""
    [found] = [
        node
        for node in ast.parse(source).body
        if isinstance(node, ast.ClassDef) and node.name == name
    ]
    return {
        ast.unparse(node.target): ast.unparse(node.annotation).replace("'", "")
        for node in found.body
        if isinstance(node, ast.AnnAssign)
    }
