"""Load VK's JSON schema from disk, and follow its references."""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING, Any, final

import attrs

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

JSON = Any

_REFERENCE = re.compile(r"\.\./(\w+)/(objects|responses)\.json#/definitions/(\w+)")
_ERROR_REFERENCE = re.compile(r"\.\./errors\.json#/errors/(\w+)")


class SchemaError(Exception):
    """Raised if the schema has something unknown; says where."""

    def __init__(self, where: str, problem: str) -> None:
        super().__init__(f"{where}: {problem}")


@final
@attrs.frozen
class Definition:
    """The definition of an object or a response.

    :ivar folder: the folder that defines it, such as "users"
    :ivar name: VK's name, such as "users_user_full"
    :ivar raw: the definition, unchanged
    :ivar is_response: whether it is the response of a method
    """

    folder: str
    name: str
    raw: Mapping[str, JSON]
    is_response: bool

    @property
    def where(self) -> str:
        """Its place in the schema, for error messages."""
        file = "responses" if self.is_response else "objects"
        return f"{self.folder}/{file}.json: {self.name}"


@final
@attrs.frozen
class Schema:
    """All files of the schema.

    :ivar version: the version of VK's API
    :ivar sha256: the hash of the names and contents of all files
    :ivar definitions: objects and responses by folder and name
    :ivar methods: methods by name, unchanged
    :ivar errors: errors by name, unchanged
    """

    version: str
    sha256: str
    definitions: Mapping[tuple[str, str], Definition]
    methods: Mapping[str, JSON]
    errors: Mapping[str, JSON]

    def find(self, where: str, reference: str) -> Definition:
        """Follow a reference to an object or a response.

        :param where: the place of the reference
        :raises SchemaError: if its target does not exist
        """
        match = _REFERENCE.fullmatch(reference)
        if match is None:
            raise SchemaError(where, f"reference of an unknown form: {reference!r}")
        found = self.definitions.get((match[1], match[3]))
        if found is None or found.is_response != (match[2] == "responses"):
            raise SchemaError(where, f"broken reference: {reference!r}")
        return found

    def find_error(self, where: str, reference: str) -> int:
        """Follow a reference to an error, and return the error's code.

        :param where: the place of the reference
        :raises SchemaError: if its target does not exist
        """
        match = _ERROR_REFERENCE.fullmatch(reference)
        if match is None or match[1] not in self.errors:
            raise SchemaError(where, f"broken reference: {reference!r}")
        code: int = self.errors[match[1]]["code"]
        return code


def load(path: Path) -> Schema:
    """Load the schema from a directory.

    :raises SchemaError: if a file is missing or unknown
    """
    files = sorted(path.rglob("*.json"))
    if path / "errors.json" not in files:
        raise SchemaError(str(path), "no errors.json: this is not VK's schema")
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.relative_to(path).as_posix().encode() + b"\0")
        digest.update(file.read_bytes() + b"\0")
    errors = _read(path / "errors.json")
    definitions: dict[tuple[str, str], Definition] = {}
    methods: dict[str, JSON] = {}
    for file in files:
        folder = file.parent.name
        if file.stem in ("objects", "responses"):
            is_response = file.stem == "responses"
            for name, raw in _read(file)["definitions"].items():
                definition = Definition(folder, name, raw, is_response)
                if (folder, name) in definitions:
                    raise SchemaError(definition.where, "defined twice")
                definitions[folder, name] = definition
        elif file.stem == "methods":
            _add_methods(methods, folder, _read(file)["methods"])
        elif file.parent != path:
            raise SchemaError(f"{folder}/{file.name}", "a file of an unknown kind")
    return Schema(
        version=errors["version"],
        sha256=digest.hexdigest(),
        definitions=definitions,
        methods=methods,
        errors=errors["errors"],
    )


def _add_methods(methods: dict[str, JSON], folder: str, found: list[JSON]) -> None:
    for raw in found:
        name = raw["name"]
        where = f"{folder}/methods.json: {name}"
        if name in methods:
            raise SchemaError(where, "defined twice")
        if name.partition(".")[0] != folder or name.count(".") > 1:
            raise SchemaError(where, f"not a method of the group {folder!r}")
        methods[name] = raw


def _read(file: Path) -> JSON:
    return json.loads(file.read_text(encoding="utf-8"))


def check_keys(where: str, raw: Mapping[str, JSON], known: Iterable[str]) -> None:
    """Refuse unknown keys.

    :raises SchemaError: for the first unknown key
    """
    for key in raw:
        if key not in known:
            raise SchemaError(where, f"unknown key {key!r}: {raw[key]!r}")
