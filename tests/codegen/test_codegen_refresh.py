"""The facts of VK's schema are kept, and the report says what changed in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner
from codegen._changes import report
from codegen._condense import condense
from codegen._schema import SchemaError, files_of, load

from _small_schema import method, reference, response, write_schema
from codegen import refresh

if TYPE_CHECKING:
    from pathlib import Path

INT, TEXT = {"type": "integer"}, {"type": "string"}
NOTE = {"type": "object", "properties": {"id": {**INT, "required": True}}}


def parameter(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "type": "string", "description": "Some prose.", **more}


def condensed(path: Path, *parameters: Any) -> dict[str, Any]:
    write_schema(path, methods={"notes": [method("notes.get", *parameters)]})
    found = condense(path).methods["notes.get"]["parameters"]
    return {each["name"]: each.get("format") for each in found}


def test_what_only_a_description_says_becomes_a_format(tmp_path: Path) -> None:
    formats = condensed(
        tmp_path,
        parameter("plain"),
        parameter("day", type="integer", description="In Unix time."),
        parameter("night", description="In Unixtime, as text."),
        parameter("ids", description="Ids, separated by commas."),
        parameter("data", description="Serialized JSON array."),
    )
    assert formats == {
        "plain": None,
        "day": "unix_time",
        "night": None,
        "ids": "comma_list",
        "data": "json",
    }


def test_a_field_called_description_is_kept(tmp_path: Path) -> None:
    fields = {"description": {**TEXT, "description": "Some prose."}}
    objects = {"notes": {"notes_note": {"type": "object", "properties": fields}}}
    write_schema(tmp_path, objects=objects)
    raw = condense(tmp_path).definitions["notes_note"].raw
    assert raw == {"type": "object", "properties": {"description": TEXT}}


def test_what_is_kept_is_loaded_unchanged(tmp_path: Path) -> None:
    facts = tmp_path / "facts"
    write_schema(
        tmp_path,
        objects={"notes": {"notes_note": NOTE}},
        responses={"notes": {"notes_get_response": response(NOTE_REFERENCE)}},
        methods={"notes": [method("notes.get", parameter("q"))]},
    )
    new = condense(tmp_path)
    facts.mkdir()
    for name, text in files_of(new).items():
        (facts / name).write_text(text, encoding="utf-8")
    assert load(facts) == new
    assert "prose" not in "".join(files_of(new).values())


NOTE_REFERENCE = reference("notes", "notes_note")


def test_a_report_says_what_came_went_and_changed(tmp_path: Path) -> None:
    level = {"type": "string", "enum": ["a", "b"]}
    write_schema(
        tmp_path,
        objects={"notes": {"notes_note": NOTE, "notes_level": level}},
        methods={"notes": [method("notes.get", parameter("q")), method("notes.old")]},
    )
    old = condense(tmp_path)
    assert report(old, old) == "Nothing changed."
    fields = {"id": {**TEXT, "required": True}, "text": TEXT}
    more = {"type": "object", "allOf": [NOTE_REFERENCE, {"properties": {"x": INT}}]}
    write_schema(
        tmp_path,
        objects={
            "notes": {
                "notes_note": {"type": "object", "properties": fields},
                "notes_level": {"type": "string", "enum": ["a", "c"]},
                "notes_note_full": more,
            }
        },
        methods={
            "notes": [
                method("notes.get", parameter("q", maxLength=5), parameter("n")),
            ]
        },
        errors={"api_error_unknown": {"code": 1, "global": True}},
    )
    assert report(old, condense(tmp_path)).splitlines() == [
        "### Added",
        "",
        "- Base `notes_note` of `notes_note_full`",
        "- Field `notes_note.text`: string",
        "- Field `notes_note_full.x`: integer",
        "- Object `notes_note_full`: object",
        "- Parameter `notes.get(n)`: string",
        "- Part 1 of `notes_note_full`",
        "- Value 'c' of `notes_level`",
        "",
        "### Removed",
        "",
        "- Error `note_access`",
        "- Error `user_deleted`",
        "- Method `notes.old`",
        "- Value 'b' of `notes_level`",
        "",
        "### Changed",
        "",
        "- Field `notes_note.id`: integer, required -> string, required",
        "- Parameter `notes.get(q)`: string -> string, maxLength 5",
    ]


def test_a_refresh_keeps_the_facts_and_prints_the_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    facts, schema = tmp_path / "facts", tmp_path / "schema"
    schema.mkdir()
    monkeypatch.setattr(refresh, "FACTS", facts)
    runner, arguments = CliRunner(), ["--schema", str(schema)]
    write_schema(schema, methods={"notes": [method("notes.get")], "wall": []})
    done = runner.invoke(refresh.main, arguments)
    assert (done.exit_code, done.output) == (0, "")
    assert load(facts) == condense(schema)
    write_schema(schema, methods={"notes": [method("notes.add")]})
    done = runner.invoke(refresh.main, [*arguments, "--dry-run"])
    assert "- Method `notes.add`: user token; response" in done.output
    assert load(facts) != condense(schema)
    assert runner.invoke(refresh.main, arguments).output == done.output
    assert load(facts) == condense(schema)


def test_a_refresh_refuses_another_directory_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refresh, "FACTS", tmp_path / "facts")
    done = CliRunner().invoke(refresh.main, ["--schema", str(tmp_path)])
    assert done.exit_code == 1
    assert done.output.endswith("no errors.json: this is not VK's schema\n")
    assert not (tmp_path / "facts").exists()


def test_a_reference_into_another_group_s_names_is_broken(tmp_path: Path) -> None:
    wrong = {"type": "object", "properties": {"x": reference("users", "notes_note")}}
    write_schema(tmp_path, objects={"notes": {"notes_note": wrong}})
    with pytest.raises(SchemaError, match="notes_note\\.x: broken reference"):
        condense(tmp_path)
