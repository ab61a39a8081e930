"""The facts of VK's schema, as `codegen/schema/` keeps them.

There is one file for each group, with a line for each method, object and response. The
format is VK's, condensed: without prose, and with names in place of references.
`_condense` makes it from VK's own files.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, final

import attrs

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

JSON = Any

FACTS: Final = Path(__file__).with_name("schema")
SOURCE: Final = "source.json"
ERRORS: Final = "errors.json"
_PARTS: Final = ("methods", "objects", "responses")


class SchemaError(Exception):
    """Raised if the schema has something unknown; says where."""

    def __init__(self, where: str, problem: str) -> None:
        super().__init__(f"{where}: {problem}")


@final
@attrs.frozen
class Definition:
    """The definition of an object, or of the value that a method returns.

    :ivar folder: the group that defines it, such as "users"
    :ivar name: VK's name, such as "users_user_full"
    :ivar raw: the condensed definition
    :ivar is_response: whether it is the response of a method
    :ivar variant_of: the object of VK's that it is one form of, if any
    """

    folder: str
    name: str
    raw: Mapping[str, JSON]
    is_response: bool
    variant_of: str | None = None

    @property
    def where(self) -> str:
        """Its place in the schema, for error messages."""
        file = "responses" if self.is_response else "objects"
        return f"{self.folder}/{file}.json: {self.name}"


@final
@attrs.frozen
class Schema:
    """All facts of the schema.

    :ivar source: which schema it is: the version of VK's API, and the hash of the names
        and contents of VK's files
    :ivar definitions: objects and responses by name
    :ivar methods: methods by name
    :ivar errors: errors by name, without their common prefix
    """

    source: Mapping[str, str]
    definitions: Mapping[str, Definition]
    methods: Mapping[str, JSON]
    errors: Mapping[str, JSON]

    @property
    def version(self) -> str:
        """The version of VK's API."""
        return self.source["version"]

    def find(self, where: str, name: str, *, is_response: bool = False) -> Definition:
        """Find an object or a response.

        :param where: the place of the reference
        :raises SchemaError: if it does not exist
        """
        found = self.definitions.get(name)
        if found is None or found.is_response != is_response:
            kind = "a response" if is_response else "an object"
            raise SchemaError(where, f"broken reference: {name!r} is not {kind}")
        return found

    def follow(self, where: str, raw: Mapping[str, JSON]) -> Mapping[str, JSON]:
        """Return what a type refers to in the end, or the type itself."""
        while "$ref" in raw:
            raw = self.find(where, raw["$ref"]).raw
        return raw

    def find_error(self, where: str, name: str) -> int:
        """Return the code of an error.

        :param where: the place of the reference
        :raises SchemaError: if there is no such error
        """
        if name not in self.errors:
            raise SchemaError(where, f"broken reference: {name!r} is not an error")
        code: int = self.errors[name]["code"]
        return code


def load(path: Path) -> Schema:
    """Load the facts from a directory that :func:`files_of` describes.

    :raises SchemaError: if it has none
    """
    if not (path / SOURCE).is_file():
        raise SchemaError(str(path), f"no {SOURCE}: run `python -m codegen.refresh`")
    definitions: dict[str, Definition] = {}
    methods: dict[str, JSON] = {}
    for file in sorted(path.glob("*.json")):
        if file.name in (SOURCE, ERRORS):
            continue
        parts = _read(file)
        methods |= parts.get("methods", {})
        for part in ("objects", "responses"):
            is_response = part == "responses"
            for name, raw in parts.get(part, {}).items():
                definitions[name] = Definition(file.stem, name, raw, is_response)
    return Schema(_read(path / SOURCE), definitions, methods, _read(path / ERRORS))


def files_of(schema: Schema) -> dict[str, str]:
    """Write the facts, by file name: a line for each method, object and response."""
    groups: dict[str, dict[str, dict[str, JSON]]] = {}

    def part(folder: str, name: str) -> dict[str, JSON]:
        return groups.setdefault(folder, {part: {} for part in _PARTS})[name]

    for name, raw in sorted(schema.methods.items()):
        part(name.partition(".")[0], "methods")[name] = raw
    for name, each in sorted(schema.definitions.items()):
        part(each.folder, "responses" if each.is_response else "objects")[name] = (
            each.raw
        )
    files = {f"{folder}.json": _write(parts) for folder, parts in groups.items()}
    errors = dict(sorted(schema.errors.items(), key=lambda item: item[1]["code"]))
    return {SOURCE: _lines(schema.source), ERRORS: _lines(errors), **files}


def _write(parts: Mapping[str, Mapping[str, JSON]]) -> str:
    found = (
        f"{json.dumps(name)}: {_lines(part).rstrip()}"
        for name, part in parts.items()
        if part
    )
    return "{\n" + ",\n".join(found) + "\n}\n"


def _lines(part: Mapping[str, JSON]) -> str:
    rows = (
        f"{json.dumps(name)}: {json.dumps(row, ensure_ascii=False)}"
        for name, row in part.items()
    )
    return "{\n" + ",\n".join(rows) + "\n}\n"


def _read(file: Path) -> JSON:
    return json.loads(file.read_text(encoding="utf-8"))


def check_keys(where: str, raw: Mapping[str, JSON], known: Iterable[str]) -> None:
    """Refuse unknown keys.

    :raises SchemaError: for the first unknown key
    """
    for key in raw:
        if key not in known:
            raise SchemaError(where, f"unknown key {key!r}: {raw[key]!r}")
