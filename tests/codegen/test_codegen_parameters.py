"""Parameters that are generated from a schema."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from _small_schema import method, method_of, reference, source_of
from codegen import reviewed

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("nothing_reviewed")

TEXT, DICT = {"type": "string"}, {"type": "object"}


@pytest.mark.parametrize(
    ("raw", "kind", "fact"),
    [
        ({"type": "integer"}, "int", ""),
        ({"type": "number"}, "float", ""),
        ({"type": "string"}, "str", ""),
        ({"type": "boolean"}, "bool", ""),
        ({"type": ["integer", "string"]}, "int | str", ""),
        ({"type": "string", "enum": ["a", "b"]}, 'Literal["a", "b"]', ""),
        ({"type": "string", "enum": [1, 2]}, "Literal[1, 2]", ""),
        (
            {"type": "integer", "enum": [0, 1], "enumNames": ["by id", "by date"]},
            "Literal[0, 1]",
            "0 = by id, 1 = by date",
        ),
        (
            {"type": "array", "items": {"type": "integer"}},
            "int | Iterable[int] | str",
            "",
        ),
        (
            {
                "type": "array",
                "maxItems": 9,
                "items": {**TEXT, "enum": ["a"]},
            },
            'Iterable[Literal["a"]] | str',
            "at most 9 items",
        ),
        (
            {"type": "array", "items": {"type": ["integer", "string"]}},
            "int | str | Iterable[int | str]",
            "",
        ),
        (
            {
                "type": "array",
                "minItems": 1,
                "maxItems": 5,
                "items": {"type": "object"},
            },
            "Iterable[Mapping[str, Any]] | str",
            "JSON text is accepted, too; 1 to 5 items",
        ),
        (
            {
                "type": "array",
                "items": {
                    "type": "string",
                    "format": "value_object",
                    "properties": {
                        "owner_id": {"required": True},
                        "id": {"required": True},
                    },
                },
            },
            "str | Iterable[str]",
            "each is owner_id and id, joined by underscores",
        ),
        (
            {
                "type": "array",
                "items": {
                    "type": "string",
                    "format": "value_object",
                    "properties": {
                        "owner_id": {"required": True},
                        "id": {"required": True},
                        "hash": {},
                    },
                },
            },
            "str | Iterable[str]",
            "each is owner_id, id and optionally hash, joined by underscores",
        ),
        (
            {"type": "string", "format": "json", "items": DICT},
            "Iterable[Mapping[str, Any]] | str",
            "JSON text is accepted, too",
        ),
        (reference("notes", "notes_kind") | {"type": "string"}, "Kind", '"x", "y"'),
        (
            reference("notes", "notes_note") | {"type": "string"},
            "Note | Mapping[str, Any] | HasToVK | str",
            "JSON text is accepted, too",
        ),
        (
            {"type": "integer", "description": "Time in Unixtime."},
            "int | datetime",
            "Unix time",
        ),
        (
            {"type": "string", "description": "Ids, separated by commas."},
            "int | str | Iterable[int | str]",
            "",
        ),
        (
            {"type": "string", "description": "A filter. Serialized JSON array."},
            "str",
            "JSON text",
        ),
        ({"type": "integer", "minimum": 1, "maximum": 5}, "int", "1 to 5"),
        ({"type": "integer", "maximum": 5}, "int", "at most 5"),
        ({"type": "integer", "minimum": 0}, "int", "0 or more"),
        ({"type": "string", "maxLength": 9}, "str", "up to 9 characters"),
        ({"type": "string", "minLength": 6}, "str", "6 or more characters"),
        (
            reference("notes", "notes_kind") | {"type": "string", "minimum": 0},
            "Kind",
            '"x", "y"',
        ),
        (
            {**TEXT, "minLength": 1, "maxLength": 9},
            "str",
            "1 to 9 characters",
        ),
        (
            {"type": "array", "items": {"type": "integer", "minimum": 1}},
            "int | Iterable[int] | str",
            "each 1 or more",
        ),
        ({"type": "integer", "default": 20}, "int", "default 20"),
        ({"type": "boolean", "default": 0}, "bool", "default False"),
        ({"type": "boolean", "default": "0"}, "bool", "default False"),
        ({"type": "boolean", "default": True}, "bool", "default True"),
        ({"type": "string", "default": "asc"}, "str", 'default "asc"'),
        ({"type": "string", "default": ["a", "b"]}, "str", 'default "a,b"'),
        (
            {"type": "integer", "entity": "owner"},
            "int",
            "id of a user, or of a community (negative)",
        ),
        ({"type": "integer", "entity": "peer"}, "int", "id of a conversation"),
        ({"type": "integer", "entity": "groups"}, "int", "id of a community"),
        (
            {"type": "array", "items": {"type": "integer", "entity": "profiles"}},
            "int | Iterable[int] | str",
            "ids of users",
        ),
    ],
    ids=str,
)
def test_a_parameter_has_a_type_and_facts(
    tmp_path: Path, raw: dict[str, Any], kind: str, fact: str
) -> None:
    objects = {
        "notes_kind": {"type": "string", "enum": ["x", "y"]},
        "notes_note": {"type": "object", "properties": {"id": {"type": "integer"}}},
    }
    source = source_of(
        tmp_path,
        "methods/notes.py",
        objects={"notes": objects},
        methods={"notes": [method("notes.get", {"name": "which", **raw})]},
    )
    assert f"which: {kind} | None = None" in " ".join(source.split())
    facts = source.partition(":param which: ")[2].partition("\n")[0]
    assert facts == fact


def test_a_required_parameter_has_no_default(tmp_path: Path) -> None:
    found = method_of(
        tmp_path,
        method(
            "notes.get",
            {"name": "offset", "type": "integer"},
            {"name": "note_id", "type": "integer", "required": True},
        ),
    )
    assert [p.name for p in found.parameters] == ["note_id", "offset"]
    assert [p.required for p in found.parameters] == [True, False]


def test_a_parameter_named_like_a_keyword_is_sent_under_its_own_name(
    tmp_path: Path,
) -> None:
    source = source_of(
        tmp_path,
        "methods/notes.py",
        methods={"notes": [method("notes.get", {"name": "global", "type": "boolean"})]},
    )
    assert "global_: bool | None = None" in source
    assert '{"global": global_}' in source


WHICH = ("notes.get", "which")


@pytest.mark.parametrize(
    ("table", "line", "raw", "kind", "fact"),
    [
        ("UNIX_TIMES", {WHICH}, {"type": "integer"}, "int | datetime", "Unix time"),
        (
            "DAYS",
            {WHICH},
            {"type": "integer", "description": "A day in Unixtime."},
            "str | int",
            "date as DDMMYYYY",
        ),
        (
            "JSON_OBJECTS",
            {WHICH},
            {"type": "string"},
            "Mapping[str, Any] | HasToVK | str",
            "JSON text is accepted, too",
        ),
        (
            "JSON_ARRAYS",
            {WHICH},
            {"type": "string"},
            "Iterable[Mapping[str, Any]] | str",
            "JSON text is accepted, too",
        ),
        (
            "JSON_LISTS",
            {WHICH},
            {"type": "string"},
            "int | str | Iterable[int | str]",
            "JSON text is accepted, too",
        ),
        (
            "ENTITIES",
            {WHICH: "domain"},
            {"type": ["integer", "string"], "entity": "owner"},
            "int | str",
            "short address of a user or a community",
        ),
        (
            "ENTITIES",
            {WHICH: "testing_group"},
            {"type": "integer", "entity": "owner"},
            "int",
            "id of a testing group",
        ),
        ("ABOUT", {"which": "see there"}, {"type": "string"}, "str", "see there"),
        (
            "KEYS",
            {("notes.get", "guid"): True},
            {"name": "guid", "type": "string"},
            "str",
            "idempotency key: VK deduplicates calls by it",
        ),
    ],
)
def test_the_type_and_facts_of_a_parameter_follow_its_review(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    table: str,
    line: Any,
    raw: dict[str, Any],
    kind: str,
    fact: str,
) -> None:
    monkeypatch.setattr(reviewed, table, line)
    parameter = {"name": "which", **raw}
    source = source_of(
        tmp_path,
        "methods/notes.py",
        methods={"notes": [method("notes.get", parameter)]},
    )
    name = parameter["name"]
    assert f"{name}: {kind} | None = None" in " ".join(source.split())
    assert f":param {name}: {fact}\n" in source
    assert ("json_list(" in source) == (table == "JSON_LISTS")


@pytest.mark.parametrize("raw", [TEXT, {"type": "array", "items": TEXT}], ids=str)
@pytest.mark.parametrize("name", ["attachment", "attachments", "primary_attachments"])
def test_attachments_may_be_objects_that_know_their_form(
    tmp_path: Path, raw: dict[str, Any], name: str
) -> None:
    source = source_of(
        tmp_path,
        "methods/notes.py",
        methods={"notes": [method("notes.get", {"name": name, **raw})]},
    )
    kind = "HasToVK | str | Iterable[HasToVK | str]"
    assert f"{name}: {kind} | None = None" in " ".join(source.split())


def test_a_parameter_is_described_on_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "word " * 40 + "end"
    monkeypatch.setattr(reviewed, "ABOUT", {"which": text})
    source = source_of(
        tmp_path,
        "methods/notes.py",
        methods={"notes": [method("notes.get", {"name": "which", **TEXT})]},
    )
    assert f"\n        :param which: {text}\n" in source


def test_a_parameter_that_the_schema_lacks_is_added(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reviewed, "MORE_PARAMETERS", {WHICH: {"type": "integer"}})
    found = method_of(tmp_path, method("notes.get", {"name": "a", "type": "string"}))
    assert [p.name for p in found.parameters] == ["which", "a"]
