"""Objects that are generated from a schema."""

from __future__ import annotations

import typing
from typing import TYPE_CHECKING, Any

import pytest
from codegen._output import write_files

from _small_schema import model_of, names_of, reference, response, source_of
from codegen import reviewed_objects

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("nothing_reviewed")


def test_an_object_becomes_a_typed_dict_without_the_groups_name(tmp_path: Path) -> None:
    note = {
        "type": "object",
        "properties": {
            "id": {"type": "integer", "required": True},
            "title": {"type": "string"},
            "rate": {"type": "number"},
            "is_open": {"type": "boolean"},
            "tags": {"type": "array", "items": {"type": "string"}},
            "owner": reference("users", "users_user_full"),
            "mixed": {"type": ["integer", "string"]},
            "raw": {"type": "object"},
        },
    }
    user = {"type": "object", "properties": {"id": {"type": "integer"}}}
    source = source_of(
        tmp_path,
        "objects/notes.py",
        objects={"notes": {"notes_note": note}, "users": {"users_user_full": user}},
    )
    assert '    """The object ``notes_note`` of the VK API."""' in source
    for line in (
        "class Note(TypedDict):",
        "    id: int\n",
        "    title: NotRequired[str]\n",
        "    rate: NotRequired[float]\n",
        "    is_open: NotRequired[bool]\n",
        "    tags: NotRequired[list[str]]\n",
        "    owner: NotRequired[UserFull]\n",
        "    mixed: NotRequired[int | str]\n",
        "    raw: NotRequired[dict[str, Any]]\n",
        "    from .users import UserFull\n",
    ):
        assert line in source
    found = names_of(source)["Note"]
    assert found.__required_keys__ == {"id"}
    assert found.__optional_keys__ == {
        *("title", "rate", "is_open", "tags", "owner", "mixed", "raw")
    }


def test_an_object_has_the_fields_of_all_that_it_extends(tmp_path: Path) -> None:
    base = {
        "type": "object",
        "properties": {"id": {"type": "integer"}, "text": {"type": "string"}},
    }
    extended = {
        "type": "object",
        "allOf": [
            reference("notes", "notes_base"),
            {"properties": {"id": {"type": "string", "required": True}}},
            {"type": "object", "properties": {"more": {"type": "integer"}}},
        ],
    }
    source = source_of(
        tmp_path,
        "objects/notes.py",
        objects={"notes": {"notes_base": base, "notes_full": extended}},
    )
    full = source.partition("class Full")[2]
    assert "    id: str\n" in full  # the later part wins
    assert "    text: NotRequired[str]\n" in full
    assert "    more: NotRequired[int]\n" in full


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_field_that_any_part_requires_is_required(
    tmp_path: Path, order: tuple[int, int]
) -> None:
    parts = [
        {"properties": {"id": {"type": "integer", "required": True}}},
        {"properties": {"id": {"type": "integer", "description": "Its id."}}},
    ]
    note = {"type": "object", "allOf": [parts[i] for i in order]}
    source = source_of(
        tmp_path, "objects/notes.py", objects={"notes": {"notes_note": note}}
    )
    assert "    id: int\n" in source


@pytest.mark.parametrize("name", ["from", "class", "global", "2fa_required", "list"])
def test_a_field_that_a_class_cannot_declare_is_kept(tmp_path: Path, name: str) -> None:
    lists = {"type": "array", "items": {"type": "integer"}}
    note = {"type": "object", "properties": {name: lists, "other": lists}}
    source = source_of(
        tmp_path, "objects/notes.py", objects={"notes": {"notes_note": note}}
    )
    found = names_of(source)["Note"]
    assert [*found.__annotations__] == [name, "other"]
    assert found.__optional_keys__ == {name, "other"}
    assert f'"{name}": "NotRequired[list[int]]"' in source


def test_a_definition_without_fields_becomes_an_alias(tmp_path: Path) -> None:
    objects = {
        "notes_kind": {"type": "string", "enum": ["a", 'b"', "c\\"]},
        "notes_level": {"type": "integer", "enum": [0, 1], "enumNames": ["no", "yes"]},
        "notes_ids": {"type": "array", "items": {"type": "integer"}},
        "notes_other": {**reference("notes", "notes_level"), "type": "integer"},
        "notes_empty": {"type": "object", "properties": {}},
        "notes_either": {
            "type": "object",
            "oneOf": [{"type": "string"}, reference("notes", "notes_level")],
        },
    }
    source = source_of(tmp_path, "objects/notes.py", objects={"notes": objects})
    names = names_of(source)
    assert typing.get_args(names["Kind"]) == ("a", 'b"', "c\\")
    assert typing.get_args(names["Level"]) == (0, 1)
    assert '"""The type ``notes_level`` of the VK API: 0 = no, 1 = yes."""' in source
    assert names["Ids"] == list[int]
    assert names["Other"] == "Level"
    assert names["Empty"] == dict[str, Any]
    assert names["Either"] == "str | Level"


def test_objects_with_the_same_name_are_distinguished_by_their_groups(
    tmp_path: Path,
) -> None:
    photo = {"type": "object", "properties": {"id": {"type": "integer"}}}
    page = {
        "type": "object",
        "properties": {
            "mine": reference("pages", "pages_photo"),
            "theirs": reference("appWidgets", "appWidgets_photo"),
            "alone": reference("appWidgets", "appWidgets_button"),
        },
    }
    source = source_of(
        tmp_path,
        "objects/pages.py",
        objects={
            "pages": {"pages_page": page, "pages_photo": photo},
            "appWidgets": {"appWidgets_photo": photo, "appWidgets_button": photo},
        },
    )
    assert "from .app_widgets import Button\n" in source
    assert "from .app_widgets import Photo as AppWidgetsPhoto\n" in source
    assert "mine: NotRequired[Photo]\n" in source
    assert "theirs: NotRequired[AppWidgetsPhoto]\n" in source
    assert "alone: NotRequired[Button]\n" in source


def test_groups_may_refer_to_each_other_and_objects_to_themselves(
    tmp_path: Path,
) -> None:
    def holding(folder: str, name: str) -> Any:
        return {"type": "object", "properties": {"x": reference(folder, name)}}

    files = write_files(
        model_of(
            tmp_path,
            objects={
                "notes": {
                    "notes_a": holding("users", "users_b"),
                    "notes_self": holding("notes", "notes_self"),
                },
                "users": {"users_b": holding("notes", "notes_a")},
            },
        )
    )
    for name in ("objects/notes.py", "objects/users.py"):
        names_of(files[name])  # runs no import
    assert "x: NotRequired[Self]" in files["objects/notes.py"]


def test_the_value_of_a_method_is_a_separate_object(tmp_path: Path) -> None:
    items = {
        "type": "object",
        "required": True,
        "properties": {"count": {"type": "integer", "required": True}},
    }
    source = source_of(
        tmp_path,
        "objects/notes.py",
        responses={"notes": {"notes_getAll_response": response(items)}},
    )
    assert "class GetAllResponse(TypedDict):" in source
    assert "    count: int\n" in source
    assert "CountResponse: TypeAlias = int" in source


def test_an_enum_of_strings_in_a_value_is_open(tmp_path: Path) -> None:
    note = {
        "type": "object",
        "properties": {
            "kind": reference("notes", "notes_kind"),
            "same": reference("notes", "notes_same"),
            "here": {"type": "string", "enum": ["a", "b"]},
            "level": {"type": "integer", "enum": [1, 2]},
            "tag": {"type": "string", "enum": ["note"]},
        },
    }
    kind = {"type": "string", "enum": ["x", "y"]}
    objects = {
        "notes_note": note,
        "notes_kind": kind,
        "notes_same": reference("notes", "notes_kind"),
    }
    source = source_of(tmp_path, "objects/notes.py", objects={"notes": objects})
    for line in (
        'Kind: TypeAlias = Literal["x", "y"]\n',
        'Same: TypeAlias = "Kind"\n',
        "    kind: NotRequired[Kind | str]\n",
        "    same: NotRequired[Same | str]\n",
        '    here: NotRequired[Literal["a", "b"] | str]\n',
        "    level: NotRequired[Literal[1, 2]]\n",
        '    tag: NotRequired[Literal["note"]]\n',
    ):
        assert line in source


def test_a_field_that_is_reviewed_as_always_sent_is_required(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reviewed_objects, "ALWAYS_SENT", {("notes_base", "id")})
    base = {
        "type": "object",
        "properties": {"id": {"type": "integer"}, "text": {"type": "string"}},
    }
    full = {"type": "object", "allOf": [reference("notes", "notes_base")]}
    source = source_of(
        tmp_path,
        "objects/notes.py",
        objects={"notes": {"notes_base": base, "notes_full": full}},
    )
    assert source.count("    id: int\n") == 2  # and in the object that extends it
    assert source.count("    text: NotRequired[str]\n") == 2


def test_a_field_of_a_response_may_be_reviewed_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    always = {("notes_get_response", "items")}
    monkeypatch.setattr(reviewed_objects, "ALWAYS_SENT", always)
    items = {"type": "array", "items": {"type": "integer"}}
    value = {"type": "object", "properties": {"items": items, "ids": items}}
    source = source_of(
        tmp_path,
        "objects/notes.py",
        responses={"notes": {"notes_get_response": response(value)}},
    )
    assert "    items: list[int]\n" in source
    assert "    ids: NotRequired[list[int]]\n" in source


def test_reviewed_fields_are_corrected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reviewed_objects, "NOT_ALWAYS_SENT", {("notes_note", "rate")})
    more = {("notes_note", "tag"): {"type": "string"}}
    monkeypatch.setattr(reviewed_objects, "MORE_FIELDS", more)
    rate = {"type": "integer", "required": True}
    note = {"type": "object", "properties": {"rate": rate, "id": rate}}
    source = source_of(
        tmp_path, "objects/notes.py", objects={"notes": {"notes_note": note}}
    )
    fields = source.partition("class Note")[2]
    assert "    rate: NotRequired[int]\n" in fields
    assert "    id: int\n" in fields
    assert "    tag: NotRequired[str]\n" in fields


def test_reviewed_values_replace_those_of_an_enum(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reviewed_objects, "VALUES", {"notes_case": ["nom", "gen"]})
    monkeypatch.setattr(reviewed_objects, "MORE_VALUES", (("notes_kind", "c"),))
    objects = {
        "notes_case": {"type": "string", "enum": ["Nom", "Gen"]},
        "notes_kind": {"type": "string", "enum": ["a", "b"]},
    }
    source = source_of(tmp_path, "objects/notes.py", objects={"notes": objects})
    names = names_of(source)
    assert typing.get_args(names["Case"]) == ("nom", "gen")
    assert typing.get_args(names["Kind"]) == ("a", "b", "c")
