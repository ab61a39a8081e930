"""What VK has and its schema has not, and the other way round."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from codegen._output import write_files

from _small_schema import method, method_of, model_of, reference, response, source_of
from codegen import reviewed, reviewed_objects

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("nothing_reviewed")

INT, TEXT = {"type": "integer"}, {"type": "string"}
NOTE = {"type": "object", "properties": {"id": INT, "text": TEXT}}
MORE = {
    "access_token_type": ["user"],
    "parameters": [{"name": "id", "type": "integer", "required": True}],
    "responses": {"response": "notes_find_response"},
}


def test_a_method_that_the_schema_lacks_is_added(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reviewed, "MORE_METHODS", {"notes.find": MORE})
    monkeypatch.setattr(
        reviewed_objects, "MORE_OBJECTS", {"notes_find_response": {**TEXT}}
    )
    source = source_of(
        tmp_path, "methods/notes.py", methods={"notes": [method("notes.get")]}
    )
    assert "async def find(" in source
    assert ") -> str:" in source


def test_a_method_that_is_gone_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reviewed, "GONE_METHODS", {"notes.old": "a reason"})
    found = [method("notes.get"), method("notes.old")]
    assert [*model_of(tmp_path, methods={"notes": found}).methods] == ["notes.get"]


def test_a_note_stands_in_the_docstring(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reviewed, "NOTES", {"notes.get": "VK: does not work."})
    source = source_of(
        tmp_path, "methods/notes.py", methods={"notes": [method("notes.get")]}
    )
    assert "method/notes.get\n\n        VK: does not work.\n\n" in source


def test_a_group_without_types_is_an_attribute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reviewed, "UNTYPED_GROUPS", {"oldNotes": "a reason"})
    model = model_of(tmp_path, methods={"notes": [method("notes.get")]})
    source = write_files(model)["_groups.py"]
    assert "def oldNotes(self) -> UntypedGroup:" in source
    assert 'return UntypedGroup("oldNotes", self.call)' in source
    assert "def old_notes(self) -> UntypedGroup:" in source


def test_a_value_that_a_parameter_lacks_is_added(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = (("notes.get", "sort", "new"),)
    monkeypatch.setattr(reviewed, "MORE_PARAMETER_VALUES", table)
    sort = {"name": "sort", "type": "string", "enum": ["old"]}
    [parameter] = method_of(tmp_path, method("notes.get", sort)).parameters
    assert parameter.type.values == ("old", "new")  # type: ignore[union-attr]


def test_a_preferred_response_is_returned_where_several_are_possible(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        reviewed, "PREFERRED", {("notes.get", "fieldsResponse"): "a reason"}
    )
    flags = [
        {"name": "extended", "type": "boolean"},
        {"name": "fields", "type": "string"},
    ]
    raw = method("notes.get", *flags)
    names = ("response", "extendedResponse", "fieldsResponse")
    raw["responses"] = {
        name: reference("notes", f"notes_{name}_response", "responses")
        for name in names
    }
    kinds = ("integer", "string", "boolean")
    responses = {
        f"notes_{name}_response": response({"type": kind})
        for name, kind in zip(names, kinds, strict=True)
    }
    found = method_of(tmp_path, raw, responses={"notes": responses})
    assert [case.returns.text for case in found.cases] == [  # type: ignore[union-attr]
        "int",
        "bool",
        "str",
        "bool",
    ]


@pytest.mark.parametrize(
    ("table", "lines", "written"),
    [
        ("REPLACED", {"notes_note": {**INT}}, "Note: TypeAlias = "),
        ("GONE_FIELDS", {("notes_note", "text"): "why"}, "id: NotRequired[int]\n"),
        ("FIELD_TYPES", {("notes_note", "id"): TEXT}, "id: NotRequired[str]"),
        ("GONE_VALUES", (("notes_kind", "b"),), 'Kind: TypeAlias = Literal["a"]'),
    ],
)
def test_an_object_that_is_wrong_is_corrected(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    table: str,
    lines: Any,
    written: str,
) -> None:
    monkeypatch.setattr(reviewed_objects, table, lines)
    kind = {"type": "string", "enum": ["a", "b"]}
    objects = {"notes": {"notes_note": NOTE, "notes_kind": kind}}
    source = source_of(tmp_path, "objects/notes.py", objects=objects)
    assert written in source
    assert ("text" in source) == (table not in ("REPLACED", "GONE_FIELDS"))


def test_a_value_that_an_enum_with_names_lacks_is_its_own_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reviewed_objects, "MORE_VALUES", (("notes_kind", "b"),))
    kind = {"type": "string", "enum": ["a"], "enumNames": ["first"]}
    objects = {"notes": {"notes_kind": kind}}
    source = source_of(tmp_path, "objects/notes.py", objects=objects)
    assert "The type ``notes_kind`` of the VK API: a = first, b = b." in source


def test_what_an_object_inherits_may_be_sent_always_or_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reviewed_objects, "ALWAYS_SENT", {("notes_full", "text")})
    monkeypatch.setattr(reviewed_objects, "NOT_ALWAYS_SENT", {("notes_full", "id")})
    base = {"type": "object", "properties": {"id": {**INT, "required": True}}}
    base["properties"]["text"] = TEXT  # type: ignore[index]
    full = {"type": "object", "allOf": [reference("notes", "notes_base")]}
    source = source_of(
        tmp_path,
        "objects/notes.py",
        objects={"notes": {"notes_base": base, "notes_full": full}},
    )
    first, second = source.split("class ")[1:]
    assert "id: int\n    text: NotRequired[str]" in first
    assert "id: NotRequired[int]\n    text: str" in second
