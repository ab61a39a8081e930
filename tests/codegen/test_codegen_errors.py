"""Anything unknown in a schema is an error that names its place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from codegen._condense import condense
from codegen._schema import SchemaError, load

from _small_schema import method, model_of, reference, write_schema

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("nothing_reviewed")

INT = {"type": "integer"}
NOTE_REFERENCE = reference("notes", "notes_note")
NOTE = {"type": "object", "properties": {"id": INT}}


def field(raw: Any) -> dict[str, Any]:
    return {"notes": {"notes_note": {"type": "object", "properties": {"x": raw}}}}


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        ({"type": "integer", "nullable": True}, "unknown key 'nullable'"),
        ({"type": "decimal"}, "unknown type 'decimal'"),
        ({"type": ["integer", "decimal"]}, "unknown type 'decimal'"),
        ({}, "unknown type None"),
        ({"anyOf": [INT]}, "unknown key 'anyOf'"),
        ({"const": 1}, "unknown key 'const'"),
        ({"type": "string", "format": "date"}, "unknown format 'date' of 'string'"),
        ({"type": "integer", "format": "json"}, "unknown format 'json' of 'integer'"),
        ({"type": "array"}, "an array without items"),
        ({"type": "array", "items": {"type": "text"}}, "unknown type 'text'"),
        (NOTE, "an object with fields but without a name"),
        ({"type": "integer", "enum": ["a"]}, "an enum of 'integer': ['a']"),
        ({"type": "string", "enum": [1]}, "an enum of 'string': [1]"),
        ({"type": "boolean", "enum": [True]}, "an enum of 'boolean': [True]"),
        ({"$ref": "#/definitions/x"}, "reference of an unknown form"),
        ({"$ref": "https://x/objects.json"}, "reference of an unknown form"),
        (reference("notes", "notes_gone"), "broken reference"),
        (reference("gone", "notes_note"), "broken reference"),
        (reference("notes", "notes_count_response"), "broken reference"),
        ({"oneOf": [INT, {"type": "text"}]}, "unknown type 'text'"),
    ],
    ids=str,
)
def test_an_unknown_field(tmp_path: Path, raw: dict[str, Any], problem: str) -> None:
    with pytest.raises(SchemaError) as caught:
        model_of(tmp_path, objects=field(raw))
    assert str(caught.value).startswith("notes/objects.json: notes_note.x")
    assert problem in str(caught.value)


@pytest.mark.parametrize(
    ("name", "raw", "problem"),
    [
        ("users_note", NOTE, "does not start with 'notes_'"),
        ("notes_", NOTE, "is not a valid class name"),
        ("notes_2", NOTE, "is not a valid class name"),
        ("notes_é", NOTE, "does not start with"),
        ("notes_note", {**NOTE, "wild": 1}, "unknown key 'wild'"),
        ("notes_note", {"allOf": [{"wild": 1}]}, "unknown key 'wild'"),
        ("notes_note", {"type": "array", "properties": {"a": INT}}, "fields in a"),
        (
            "notes_note",
            {"allOf": [{**reference("notes", "notes_base"), "properties": {}}]},
            "unknown key 'properties'",
        ),
        (
            "notes_level",
            {"type": "integer", "enum": [1], "enumNames": ["a", "b"]},
            "enumNames and enum differ in length",
        ),
    ],
)
def test_an_unknown_object(
    tmp_path: Path, name: str, raw: dict[str, Any], problem: str
) -> None:
    with pytest.raises(SchemaError, match=problem) as caught:
        model_of(tmp_path, objects={"notes": {name: raw}})
    assert str(caught.value).startswith(f"notes/objects.json: {name}")


def test_two_objects_with_the_same_name(tmp_path: Path) -> None:
    objects = {"notes": {"notes_a_b": NOTE, "notes_aB": NOTE, "notes_A_b": NOTE}}
    with pytest.raises(SchemaError, match="is the name of notes_a_b already"):
        model_of(tmp_path, objects=objects)


@pytest.mark.parametrize(
    "raw",
    [
        {"type": "object", "properties": {"response": INT, "more": INT}},
        {"type": "object", "properties": {"answer": INT}},
        {"type": "object"},
        {"type": "object", "properties": {"response": INT}, "allOf": []},
    ],
    ids=str,
)
def test_a_response_of_another_form(tmp_path: Path, raw: dict[str, Any]) -> None:
    with pytest.raises(SchemaError, match=r"notes/responses\.json: notes_x_response"):
        model_of(tmp_path, responses={"notes": {"notes_x_response": raw}})


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        (method("notes.get", wild=1), "unknown key 'wild'"),
        (method("notes.get", access_token_type=["bot"]), "unknown kind of token 'bot'"),
        (method("users.get"), "not a method of the group 'notes'"),
        (method("notes.get.all"), "not a method of the group 'notes'"),
        (method("notes.get", errors=[{"$ref": "x"}]), "broken reference: 'x'"),
        (
            method("notes.get", responses={"response": reference("notes", "notes_x")}),
            "broken reference",
        ),
        (
            method("notes.get", responses={"response": NOTE_REFERENCE}),
            "broken reference",
        ),
        (method("notes.get", {"name": "guid", **INT}), r"reviewed\.KEYS"),
        (method("notes.get", {"name": "a", **INT}, {"name": "a", **INT}), "duplicate"),
    ],
)
def test_an_unknown_method(tmp_path: Path, raw: dict[str, Any], problem: str) -> None:
    with pytest.raises(SchemaError, match=problem) as caught:
        model_of(
            tmp_path,
            objects={"notes": {"notes_note": NOTE}},
            methods={"notes": [raw]},
        )
    assert str(caught.value).startswith(f"notes/methods.json: {raw['name']}")


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        ({"name": "x", "type": "integer", "wild": 1}, "unknown key 'wild'"),
        ({"name": "x", "type": "object"}, "unknown type 'object'"),
        ({"name": "x", "type": "array"}, "an array without items"),
        ({"name": "x", "type": "array", "items": {"type": "text"}}, "unknown type"),
        ({"name": "x", "type": "array", "items": {**INT, "oneOf": []}}, "unknown key"),
        ({"name": "self", "type": "integer"}, "is not a valid argument name"),
        ({"name": "a-b", "type": "integer"}, "is not a valid argument name"),
        ({"name": "x", "type": "integer", "entity": "bot"}, "unknown entity 'bot'"),
        (
            {
                "name": "x",
                "type": "array",
                "items": {
                    "type": "integer",
                    "format": "value_object",
                    "properties": {},
                },
            },
            "unknown format 'value_object' of 'integer'",
        ),
        (
            {"name": "x", **reference("notes", "notes_kind"), "enum": ["a", "c"]},
            "an enum that differs from notes_kind",
        ),
        (
            {"name": "x", **reference("notes", "notes_kind"), "type": "integer"},
            "a type that differs from notes_kind",
        ),
    ],
    ids=str,
)
def test_an_unknown_parameter(
    tmp_path: Path, raw: dict[str, Any], problem: str
) -> None:
    with pytest.raises(SchemaError, match=problem) as caught:
        model_of(
            tmp_path,
            objects={"notes": {"notes_kind": {"type": "string", "enum": ["a", "b"]}}},
            methods={"notes": [method("notes.get", raw)]},
        )
    where = f"notes/methods.json: notes.get({raw['name']})"
    assert str(caught.value).startswith(where)


ON_OR_OFF = {"name": "extended", "type": "boolean"}


@pytest.mark.parametrize(
    ("keys", "parameter", "problem"),
    [
        ("extendedResponse fullResponse", ON_OR_OFF, "when is fullResponse returned"),
        ("response otherResponse", ON_OR_OFF, "when is otherResponse returned"),
        ("extendedResponse otherExtended", ON_OR_OFF, "no response without extended"),
        (
            "response extendedResponse",
            {**ON_OR_OFF, "default": True},
            "is on if omitted",
        ),
    ],
)
def test_a_response_without_a_known_condition(
    tmp_path: Path, keys: str, parameter: Any, problem: str
) -> None:
    raw = method("notes.get", parameter)
    count = reference("notes", "notes_count_response", "responses")
    raw["responses"] = dict.fromkeys(keys.split(), count)
    with pytest.raises(SchemaError, match=problem) as caught:
        model_of(tmp_path, methods={"notes": [raw]})
    assert str(caught.value).startswith("notes.get: ")


@pytest.mark.parametrize("names", ["getById getByID", "getById get_by_id"])
def test_two_methods_of_one_spelling(tmp_path: Path, names: str) -> None:
    methods = [method(f"notes.{name}") for name in names.split()]
    with pytest.raises(SchemaError, match="are 'get_by_id'"):
        model_of(tmp_path, methods={"notes": methods})


def test_two_groups_of_one_spelling(tmp_path: Path) -> None:
    methods = {"noteBooks": [method("noteBooks.get")]}
    methods["note_books"] = [method("note_books.get")]
    with pytest.raises(SchemaError, match="are 'note_books'"):
        model_of(tmp_path, methods=methods)


@pytest.mark.parametrize("group", ["call", "callWithRequest"])
def test_a_group_that_would_shadow_an_attribute_of_the_client(
    tmp_path: Path, group: str
) -> None:
    methods = {group: [method(f"{group}.get")]}
    with pytest.raises(SchemaError, match="is taken already"):
        model_of(tmp_path, methods=methods)


@pytest.mark.parametrize(
    ("errors", "problem"),
    [
        ({"error_x": {"code": 1}}, "does not start with 'api_error_'"),
        ({"api_error_1x": {"code": 1}}, "is not valid in Python"),
        ({"api_error_a": {"code": 1}, "api_error_b": {"code": 1}}, "named already"),
        ({"api_error_a": {"code": 1, "fatal": True}}, "unknown key 'fatal'"),
    ],
)
def test_an_unknown_error(tmp_path: Path, errors: Any, problem: str) -> None:
    with pytest.raises(SchemaError, match=problem):
        model_of(tmp_path, errors=errors)


def test_a_folder_that_is_not_a_schema(tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match=r"no errors\.json"):
        condense(tmp_path)


def test_a_directory_without_facts(tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match=r"no source\.json: run .*refresh"):
        load(tmp_path)


def test_a_file_of_another_version(tmp_path: Path) -> None:
    write_schema(tmp_path, methods={"notes": [method("notes.get")]})
    other = '{"version": "5.200", "methods": []}'
    (tmp_path / "notes" / "methods.json").write_text(other, encoding="utf-8")
    problem = r"notes/methods\.json: version 5\.200, but errors\.json has 5\.199"
    with pytest.raises(SchemaError, match=problem):
        condense(tmp_path)


def test_a_file_of_an_unknown_kind(tmp_path: Path) -> None:
    write_schema(tmp_path)
    (tmp_path / "notes" / "events.json").write_text(
        '{"version": "5.199"}', encoding="utf-8"
    )
    with pytest.raises(SchemaError, match=r"notes/events\.json: .* unknown kind"):
        condense(tmp_path)


def test_a_method_that_is_defined_twice(tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match="defined twice"):
        model_of(tmp_path, methods={"notes": [method("notes.get")] * 2})
