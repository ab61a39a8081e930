"""Small schemas, written as VK writes its own."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

ERRORS = {
    "api_error_unknown": {"code": 1, "description": "x", "global": True},
    "api_error_user_deleted": {"code": 18, "description": "x", "global": True},
    "api_error_note_access": {"code": 180, "description": "x"},
}


def reference(folder: str, name: str, file: str = "objects") -> dict[str, str]:
    """Refer to a definition."""
    return {"$ref": f"../{folder}/{file}.json#/definitions/{name}"}


def response(answer: Mapping[str, Any]) -> dict[str, Any]:
    """Wrap what a method answers."""
    return {"type": "object", "properties": {"response": answer}}


def method(name: str, *parameters: Any, **more: Any) -> dict[str, Any]:
    """Describe a method that answers a number."""
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
    """Write a schema: objects, responses and methods by their folders."""

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
