"""Reviewed lines: each must change something in the schema."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from codegen._schema import SchemaError

from _small_schema import method, model_of, reference
from codegen import reviewed, reviewed_objects

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("nothing_reviewed")

INT, STR, TEXT = {"type": "integer"}, {"type": "string"}, "a reason"
NOTE = {"type": "object", "properties": {"id": {**INT, "required": True}, "text": STR}}
WHEN = {**INT, "name": "when", "description": "A time in Unixtime."}
KIND = {"type": "string", "enum": ["a", "b"]}
PARAMETERS = [
    {**INT, "name": "offset"},
    {**STR, "name": "text"},
    {**STR, "name": "kind", "enum": ["a", "b"]},
    {"name": "extended", "type": "boolean"},
    WHEN,
    {**INT, "name": "owner", "entity": "owner"},
]


@pytest.mark.parametrize(
    ("table", "line"),
    [
        ("READS", {"notes.gone": TEXT}),
        ("READS", {"notes.get": TEXT}),
        ("NEVER", {"notes.gone": TEXT}),
        ("NEVER", {"notes.add": TEXT}),
        ("CHANGES_IF_SET", {("notes.get", "gone"): TEXT}),
        ("KEYS", {("notes.get", "guid"): True}),
        ("KEYS", {("notes.get", "offset"): True}),
        ("NOT_FOR_EXECUTE", {"notes.gone": "fails"}),
        ("OUTSIDE_SCHEMA", ("notes.get",)),
        ("MORE_PARAMETERS", {("notes.gone", "x"): INT}),
        ("MORE_PARAMETERS", {("notes.get", "text"): INT}),
        ("RETURNED_IF", {("notes.get", "goneResponse"): None}),
        ("RETURNED_IF", {("notes.get", "response"): None}),
        ("RETURNED_IF", {("notes.get", "extendedResponse"): "extended"}),
        ("NEVER_RETURNED", {("notes.get", "goneResponse"): TEXT}),
        ("ANY_VALUE", {"notes_gone": TEXT}),
        ("ALWAYS_SENT", {("notes_gone", "id")}),
        ("ALWAYS_SENT", {("notes_note", "gone")}),
        ("ALWAYS_SENT", {("notes_note", "id")}),
        ("NOT_ALWAYS_SENT", {("notes_note", "gone")}),
        ("NOT_ALWAYS_SENT", {("notes_note", "text")}),
        ("MORE_FIELDS", {("notes_gone", "more"): INT}),
        ("MORE_FIELDS", {("notes_note", "text"): INT}),
        ("VALUES", {"notes_gone": ["a"]}),
        ("VALUES", {"notes_kind": ["a", "b"]}),
        ("MORE_VALUES", (("notes_gone", "c"),)),
        ("MORE_VALUES", (("notes_kind", "b"),)),
        ("UNIX_TIMES", {("notes.get", "gone")}),
        ("UNIX_TIMES", {("notes.get", "text")}),
        ("UNIX_TIMES", {("notes.get", "when")}),
        ("JSON_OBJECTS", {("notes.get", "gone")}),
        ("JSON_OBJECTS", {("notes.get", "kind")}),
        ("JSON_ARRAYS", {("notes.get", "gone")}),
        ("JSON_LISTS", {("notes.get", "gone")}),
        ("JSON_LISTS", {("notes.get", "kind")}),
        ("DAYS", {("notes.get", "gone")}),
        ("DAYS", {("notes.get", "text")}),
        ("ENTITIES", {("notes.get", "gone"): "domain"}),
        ("ENTITIES", {("notes.get", "owner"): "owner"}),
        ("JSON_ARRAYS", {("notes.get", "kind")}),
        ("MORE_METHODS", {"notes.get": {}}),
        ("GONE_METHODS", {"notes.gone": TEXT}),
        ("NOTES", {"notes.gone": TEXT}),
        ("ABOUT", {"gone": TEXT}),
        ("UNTYPED_GROUPS", {"notes": TEXT}),
        ("PREFERRED", {("notes.get", "goneResponse"): TEXT}),
        ("PREFERRED", {("notes.get", "response"): TEXT}),
        ("MORE_PARAMETER_VALUES", (("notes.get", "kind", "b"),)),
        ("MORE_PARAMETER_VALUES", (("notes.get", "gone", "b"),)),
        ("MORE_OBJECTS", {"notes_note": NOTE}),
        ("REPLACED", {"notes_note": NOTE}),
        ("REPLACED", {"notes_gone": NOTE}),
        ("EMPTY_LISTS", {("notes_gone", None)}),
        ("EMPTY_LISTS", {("notes_note", "gone")}),
        ("FIELD_TYPES", {("notes_note", "text"): STR}),
        ("FIELD_TYPES", {("notes_note", "gone"): STR}),
        ("GONE_FIELDS", {("notes_note", "gone"): TEXT}),
        ("TAGGED", {"notes_gone"}),
        ("GONE_VALUES", (("notes_kind", "c"),)),
    ],
)
def test_a_line_that_changes_nothing_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, table: str, line: Any
) -> None:
    module = reviewed if hasattr(reviewed, table) else reviewed_objects
    assert isinstance(line, type(getattr(module, table)))
    monkeypatch.setattr(module, table, line)
    read = method("notes.get", *PARAMETERS)
    read["responses"]["extendedResponse"] = read["responses"]["response"]
    [first] = line
    with pytest.raises(SchemaError) as caught:
        model_of(
            tmp_path,
            objects={"notes": {"notes_note": NOTE, "notes_kind": KIND}},
            methods={"notes": [read, method("notes.add")]},
        )
    problem = f"{table}: {first!r} changes nothing in the schema"
    name = module.__name__.replace(".", "/")
    assert str(caught.value) == f"{name}.py: {problem}"


@pytest.mark.parametrize(
    ("switch", "problem"),
    [
        ("gone", "no parameter 'gone'"),
        ("text=a", "text cannot be 'a'"),
        ("kind=c", "kind cannot be 'c'"),
    ],
)
def test_a_response_that_an_unknown_parameter_or_value_selects(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, switch: str, problem: str
) -> None:
    choice = {("notes.get", "otherResponse"): switch}
    monkeypatch.setattr(reviewed, "RETURNED_IF", choice)
    raw = method("notes.get", *PARAMETERS)
    count = reference("notes", "notes_count_response", "responses")
    raw["responses"]["otherResponse"] = count
    with pytest.raises(SchemaError, match=problem):
        model_of(tmp_path, methods={"notes": [raw]})
