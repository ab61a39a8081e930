"""What is generated from a schema: small ones, and VK's own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import typing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from codegen import reviewed
from codegen._output import differences, put, write_files
from codegen._read import read
from codegen._schema import load
from codegen._types import Named, walk

from _small_schema import method, reference, response, write_schema
from vkanyio._repetition import Repetition

if TYPE_CHECKING:
    from codegen._model import Method, Model

ROOT = Path(__file__).parent.parent
TEXT, DICT = {"type": "string"}, {"type": "object"}
SCHEMA = ROOT.parent / "shared" / "vk-api-schema"
TABLES = [
    "READS",
    "NEVER",
    "CHANGES_IF_SET",
    "NOT_FOR_EXECUTE",
    "OUTSIDE_SCHEMA",
    "MORE_PARAMETERS",
    "ANSWER_IF_GIVEN",
    "ANY_VALUE",
    "ALWAYS_SENT",
    "UNIX_TIMES",
    "JSON_OBJECTS",
    "JSON_ARRAYS",
]


@pytest.fixture(autouse=True)
def nothing_reviewed(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in TABLES:
        monkeypatch.setattr(reviewed, name, {})


def model_of(path: Path, **schema: Any) -> Model:
    return read(load(write_schema(path, **schema)))


def method_of(path: Path, raw: Any, **schema: Any) -> Method:
    return model_of(path, methods={"notes": [raw]}, **schema).methods[raw["name"]]


def source_of(path: Path, name: str, **schema: Any) -> str:
    return write_files(model_of(path, **schema))[name]


def answer(name: str) -> dict[str, str]:
    return reference("notes", f"notes_{name}_response", "responses")


def names_of(source: str) -> dict[str, Any]:
    names: dict[str, Any] = {"__name__": "generated"}
    exec(compile(source, "generated", "exec"), names)
    return names


# Objects


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
    assert '    """VK\'s ``notes_note``."""' in source
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
    assert names_of(source)["Note"].__annotations__.keys() == {
        *("id", "title", "rate", "is_open", "tags", "owner", "mixed", "raw")
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
    assert "    id: str\n" in full  # the later part has its way
    assert "    text: NotRequired[str]\n" in full
    assert "    more: NotRequired[int]\n" in full


@pytest.mark.parametrize("name", ["from", "class", "global", "2fa_required", "list"])
def test_a_field_that_a_class_cannot_have_is_there_all_the_same(
    tmp_path: Path, name: str
) -> None:
    lists = {"type": "array", "items": {"type": "integer"}}
    note = {"type": "object", "properties": {name: lists, "other": lists}}
    source = source_of(
        tmp_path, "objects/notes.py", objects={"notes": {"notes_note": note}}
    )
    found = names_of(source)["Note"]
    assert [*found.__annotations__] == [name, "other"]
    assert f'"{name}": "NotRequired[list[int]]"' in source


def test_what_is_no_object_becomes_an_alias(tmp_path: Path) -> None:
    objects = {
        "notes_kind": {"type": "string", "enum": ["a", 'b"', "c\\"]},
        "notes_level": {"type": "integer", "enum": [0, 1], "enumNames": ["no", "yes"]},
        "notes_ids": {"type": "array", "items": {"type": "integer"}},
        "notes_other": {**reference("notes", "notes_level"), "type": "object"},
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
    assert '"""VK\'s ``notes_level``: 0 no, 1 yes."""' in source
    assert names["Ids"] == "list[int]"
    assert names["Other"] == "Level"
    assert names["Empty"] == "dict[str, Any]"
    assert names["Either"] == "str | Level"


def test_objects_of_the_same_name_are_told_apart_by_their_groups(
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
        names_of(files[name])  # no import is carried out
    assert "x: NotRequired[Self]" in files["objects/notes.py"]


def test_the_answer_of_a_method_is_an_object_of_its_own(tmp_path: Path) -> None:
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
    assert 'CountResponse: TypeAlias = "int"' in source


def test_a_field_that_was_reviewed_as_always_sent_is_required(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reviewed, "ALWAYS_SENT", {"notes_base": ("id",)})
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
    assert source.count("    id: int\n") == 2  # and in what extends it
    assert source.count("    text: NotRequired[str]\n") == 2


# Parameters


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
            "0 by id, 1 by date",
        ),
        ({"type": "array", "items": {"type": "integer"}}, "Iterable[int]", ""),
        (
            {
                "type": "array",
                "maxItems": 9,
                "items": {**TEXT, "enum": ["a"]},
            },
            'Iterable[Literal["a"]]',
            "at most 9 items",
        ),
        (
            {"type": "array", "items": {"type": ["integer", "string"]}},
            "Iterable[int | str]",
            "",
        ),
        (
            {
                "type": "array",
                "minItems": 1,
                "maxItems": 5,
                "items": {"type": "object"},
            },
            "Iterable[Mapping[str, Any]]",
            "1 to 5 items",
        ),
        (
            {
                "type": "array",
                "items": {
                    "type": "string",
                    "format": "value_object",
                    "properties": {"owner_id": {}, "id": {}},
                },
            },
            "Iterable[str]",
            "each the owner_id and id joined by underscores",
        ),
        (
            {"type": "string", "format": "json", "items": DICT},
            "Iterable[Mapping[str, Any]] | str",
            "or JSON text",
        ),
        (reference("notes", "notes_kind") | {"type": "string"}, "Kind", '"x", "y"'),
        (
            reference("notes", "notes_note") | {"type": "string"},
            "Note | str",
            "or JSON text",
        ),
        (
            {"type": "integer", "description": "Time in Unixtime."},
            "int | datetime",
            "Unix time",
        ),
        (
            {"type": "string", "description": "Ids, separated by commas."},
            "Iterable[int | str]",
            "",
        ),
        (
            {"type": "string", "description": "Serialized JSON array of ids."},
            "str",
            "JSON text",
        ),
        ({"type": "integer", "minimum": 1, "maximum": 5}, "int", "1 to 5"),
        ({"type": "integer", "maximum": 5}, "int", "at most 5"),
        ({"type": "integer", "minimum": 0}, "int", "0 or more"),
        ({"type": "string", "maxLength": 9}, "str", "up to 9 characters"),
        (
            {**TEXT, "minLength": 1, "maxLength": 9},
            "str",
            "1 to 9 characters",
        ),
        (
            {"type": "array", "items": {"type": "integer", "minimum": 1}},
            "Iterable[int]",
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
            "id of a user, or of a community with a minus before it",
        ),
        ({"type": "integer", "entity": "peer"}, "int", "id of a conversation"),
        ({"type": "integer", "entity": "groups"}, "int", "id of a community"),
        (
            {"type": "array", "items": {"type": "integer", "entity": "profiles"}},
            "Iterable[int]",
            "each the id of a user",
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


def test_a_parameter_named_as_a_keyword_is_sent_under_its_own_name(
    tmp_path: Path,
) -> None:
    source = source_of(
        tmp_path,
        "methods/notes.py",
        methods={"notes": [method("notes.get", {"name": "global", "type": "boolean"})]},
    )
    assert "global_: bool | None = None" in source
    assert '{"global": global_}' in source


# Methods


def test_a_method_has_both_spellings(tmp_path: Path) -> None:
    source = source_of(
        tmp_path,
        "methods/notes.py",
        methods={"notes": [method("notes.getSMSById"), method("notes.get")]},
    )
    assert "async def getSMSById(self)" in source
    assert "    get_sms_by_id = getSMSById\n" in source
    assert "get = get" not in source


def test_a_method_named_list_hides_no_list(tmp_path: Path) -> None:
    listed = {"type": "array", "items": {"type": "integer"}}
    raw = method("notes.list")
    raw["responses"] = {
        "response": reference("notes", "notes_list_response", "responses")
    }
    source = source_of(
        tmp_path,
        "methods/notes.py",
        responses={"notes": {"notes_list_response": response(listed)}},
        methods={"notes": [raw]},
    )
    assert "async def list(self) -> builtins.list[int]:" in source


def test_a_docstring_tells_tokens_repetition_and_errors(tmp_path: Path) -> None:
    error = {"$ref": "../errors.json#/errors/api_error_note_access"}
    found = [
        method("notes.get", errors=[error], access_token_type=["user", "service"]),
        method("notes.delete", access_token_type=["group"]),
        method("notes.add", access_token_type=[]),
        method("notes.create", {"name": "guid", "type": "string"}),
        method("notes.find", access_token_type=["open", "user"]),
    ]
    source = source_of(tmp_path, "methods/notes.py", methods={"notes": found})
    texts = {
        name: " ".join(
            source.partition(f"``notes.{name}``")[2].partition('"""')[0].split()
        )
        for name in ("get", "delete", "add", "create", "find")
    }
    assert "For tokens of users and services. It only reads" in texts["get"]
    assert ":raises APIError: of its own: 180 NOTE_ACCESS" in texts["get"]
    assert "For tokens of communities. It sets a state" in texts["delete"]
    assert "not sent again" in texts["add"]
    assert "For tokens" not in texts["add"]
    assert "only if you gave a ``guid``" in texts["create"]
    assert "For tokens of users, and without one." in texts["find"]


def test_limits_and_errors_are_declared_for_those_who_look_methods_up(
    tmp_path: Path,
) -> None:
    error = {"$ref": "../errors.json#/errors/api_error_note_access"}
    count = {"name": "count", "type": "integer", "maximum": 100, "default": 20}
    plain = {"name": "text", "type": "string"}
    found = [method("notes.get", count, plain, errors=[error])]
    text = write_files(model_of(tmp_path, methods={"notes": found}))[
        "testing/_schema.json"
    ]
    declared = json.loads(text)["methods"]["notes.get"]
    assert declared["notes"] == {"count": ["at most 100", "default 20"]}
    assert declared["errors"] == [180]


def test_no_sentence_of_the_schema_is_carried_over(tmp_path: Path) -> None:
    prose = "Secret prose of the schema"
    described = {"type": "integer", "description": prose}
    files = write_files(
        model_of(
            tmp_path,
            objects={
                "notes": {
                    "notes_note": {
                        "type": "object",
                        "description": prose,
                        "properties": {"id": described},
                    }
                }
            },
            methods={
                "notes": [
                    method("notes.get", {"name": "id", **described}, description=prose)
                ]
            },
            errors={"api_error_x": {"code": 1, "description": prose}},
        )
    )
    assert not [name for name, text in files.items() if "prose" in text.casefold()]


@pytest.mark.parametrize(
    ("name", "more", "repetition"),
    [
        ("notes.get", (), Repetition.READ),
        ("notes.edit", (), Repetition.STATE),
        ("notes.add", (), Repetition.NEVER),
        ("notes.add", ("guid",), Repetition.KEYED),
        ("notes.add", ("random_id",), Repetition.KEYED),
        ("notes.findAll", (), Repetition.READ),
        ("notes.getDone", (), Repetition.NEVER),
    ],
)
def test_the_class_of_repetition_follows_verb_key_and_review(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    more: tuple[str, ...],
    repetition: Repetition,
) -> None:
    monkeypatch.setattr(reviewed, "READS", {"notes.findAll": "finds"})
    monkeypatch.setattr(reviewed, "NEVER", {"notes.getDone": "does"})
    names = {name, "notes.findAll", "notes.getDone"}
    key = [{"name": parameter, "type": "string"} for parameter in more]
    methods = [method(each, *(key if each == name else [])) for each in sorted(names)]
    found = model_of(tmp_path, methods={"notes": methods}).methods[name]
    assert found.repetition is repetition
    assert found.key == (more[0] if more else None)


# Answers


def cases_of(path: Path, keys: list[str], *parameters: Any) -> dict[str, str]:
    """Return which answers come, by the parameters that are on."""
    answers = {
        f"notes_{key}_response": response(
            {"type": "object", "properties": {key: {"type": "integer"}}}
        )
        for key in keys
    }
    raw = method("notes.get", *parameters)
    raw["responses"] = {
        key: reference("notes", f"notes_{key}_response", "responses") for key in keys
    }
    found = method_of(path, raw, responses={"notes": answers})
    return {
        " ".join(name for name, on in case.flags.items() if on): "|".join(
            kind.name.removesuffix("Response")
            for kind in walk(case.answer)
            if isinstance(kind, Named)
        )
        for case in found.cases
    }


EXTENDED = {"name": "extended", "type": "boolean"}
FIELDS = {"name": "fields", "type": "array", "items": {"type": "string"}}


def test_a_flag_chooses_the_answer_of_its_name(tmp_path: Path) -> None:
    assert cases_of(tmp_path, ["response", "extendedResponse"], EXTENDED) == {
        "": "Response",
        "extended": "ExtendedResponse",
    }


def test_a_parameter_that_is_given_chooses_the_answer_of_its_name(
    tmp_path: Path,
) -> None:
    assert cases_of(tmp_path, ["response", "fieldsResponse"], FIELDS) == {
        "": "Response",
        "fields": "FieldsResponse",
    }


def test_two_parameters_choose_together(tmp_path: Path) -> None:
    keys = [
        "response",
        "extendedResponse",
        "fieldsResponse",
        "fields_Extended_Response",
    ]
    assert cases_of(tmp_path, keys, FIELDS, EXTENDED) == {
        "": "Response",
        "extended": "ExtendedResponse",
        "fields": "FieldsResponse",
        "fields extended": "FieldsExtendedResponse",
    }


def test_where_the_schema_does_not_say_the_answer_is_any_of_them(
    tmp_path: Path,
) -> None:
    keys = ["response", "fieldsResponse", "extendedResponse", "responseStrict"]
    assert cases_of(tmp_path, keys, FIELDS, EXTENDED) == {
        "": "Response|ResponseStrict",
        "extended": "ExtendedResponse",
        "fields": "FieldsResponse",
        "fields extended": "FieldsResponse|ExtendedResponse",
    }


def test_an_answer_that_no_parameter_chooses_is_a_union(tmp_path: Path) -> None:
    assert cases_of(tmp_path, ["response", "multiResponse"], FIELDS) == {}


def test_what_was_reviewed_chooses_the_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    choice = {
        ("notes.get", "manyResponse"): "fields",
        ("notes.get", "extendedResponse"): None,
    }
    monkeypatch.setattr(reviewed, "ANSWER_IF_GIVEN", choice)
    keys = ["extendedResponse", "manyResponse"]
    assert cases_of(tmp_path, keys, FIELDS, EXTENDED) == {
        "": "ExtendedResponse",
        "fields": "ManyResponse",
    }


def test_each_case_is_an_overload_and_any_of_them_the_last(tmp_path: Path) -> None:
    answers = {
        "notes_get_response": response({"type": "integer"}),
        "notes_get_extended_response": response({"type": "string"}),
    }
    raw = method("notes.get", EXTENDED)
    raw["responses"] = {
        "response": reference("notes", "notes_get_response", "responses"),
        "extendedResponse": reference(
            "notes", "notes_get_extended_response", "responses"
        ),
    }
    source = source_of(
        tmp_path,
        "methods/notes.py",
        responses={"notes": answers},
        methods={"notes": [raw]},
    )
    signatures = "".join(source.split()).split("asyncdefget(self,*,")[1:4]
    assert [each.partition(":...")[0].replace(",)", ")") for each in signatures] == [
        "extended:Literal[False]|None=None)->int",
        "extended:Literal[True])->str",
        "extended:bool|None=None)->int|str",
    ]
    assert source.count("@overload") == 3


# Errors and facts


def test_codes_have_vk_s_names_and_general_ones_a_class(tmp_path: Path) -> None:
    source = source_of(tmp_path, "_error_codes.py")
    assert "    UNKNOWN = 1\n    USER_DELETED = 18\n    NOTE_ACCESS = 180\n" in source
    assert "class UserDeletedError(APIError, code=18):" in source
    assert "class UnknownError" not in source  # it stands in the tree already
    assert "class NoteAccessError" not in source  # only some methods answer it


def test_what_is_never_packed_is_in_the_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        reviewed,
        "NOT_FOR_EXECUTE",
        {"notes.save": "fails", "docs.save": "fails"},
    )
    monkeypatch.setattr(reviewed, "OUTSIDE_SCHEMA", ("docs.save",))
    model = model_of(tmp_path, methods={"notes": [method("notes.save")]})
    files = write_files(model)
    assert (
        'NOT_FOR_EXECUTE: Final = ("docs.save", "notes.save")'
        in files["_method_facts.py"]
    )
    assert '"notes.save": MethodFacts(NEVER, USER)' in files["_method_facts.py"]
    text = " ".join(files["methods/notes.py"].split())
    assert "It is never packed into ``execute``." in text


# Files


def test_files_are_put_into_place_and_those_no_longer_written_taken_away(
    tmp_path: Path,
) -> None:
    package = tmp_path / "package"
    package.mkdir()
    schema = tmp_path / "schema"
    schema.mkdir()
    files = write_files(model_of(schema, methods={"notes": [method("notes.get")]}))
    assert differences(files, package) == sorted(files)
    put(files, package)
    assert differences(files, package) == []
    (package / "methods" / "gone.py").write_text("", encoding="utf-8")
    (package / "methods" / "notes.py").write_text("# by hand", encoding="utf-8")
    (package / "_other.py").write_text("# by hand", encoding="utf-8")
    assert differences(files, package) == ["methods/gone.py", "methods/notes.py"]
    put(files, package)
    assert differences(files, package) == []
    assert not (package / "methods" / "gone.py").exists()
    assert (package / "_other.py").exists()


def test_every_file_names_the_schema_that_it_was_made_from(tmp_path: Path) -> None:
    schema = write_schema(tmp_path, methods={"notes": [method("notes.get")]})
    model = read(load(schema))
    for name, text in write_files(model).items():
        first = (
            "".join(text.splitlines()[:4])
            if name.endswith(".json")
            else (text.partition("\n")[0])
        )
        assert name.endswith(".json") or "python -m codegen" in first
        assert "5.199" in first
        assert model.sha256 in first
    (schema / "notes" / "methods.json").write_text(
        '{"methods": [], "version": "5.199"}', encoding="utf-8"
    )
    assert load(schema).sha256 != model.sha256


def run_codegen(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "codegen", *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": "12345"},  # not that of the first run
    )


def test_what_is_committed_is_what_vk_s_schema_gives() -> None:
    if not SCHEMA.is_dir():
        pytest.skip("VK's schema is not in ../shared/vk-api-schema")
    done = run_codegen("--schema", str(SCHEMA), "--check")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "103 files, 0 changed" in done.stdout


def test_a_check_that_finds_a_difference_fails_and_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from click.testing import CliRunner
    from codegen import __main__ as command

    package = tmp_path / "package"
    package.mkdir()
    monkeypatch.setattr(command, "PACKAGE", package)
    schema = tmp_path / "schema"
    schema.mkdir()
    write_schema(schema, methods={"notes": [method("notes.get")]})
    done = CliRunner().invoke(command.main, ["--schema", str(schema), "--check"])
    assert done.exit_code == 1
    assert "differs: methods/notes.py" in done.output
    assert [*package.iterdir()] == []
    done = CliRunner().invoke(command.main, ["--schema", str(schema)])
    assert done.exit_code == 0
    assert (package / "methods" / "notes.py").is_file()


def test_what_is_not_understood_is_said_in_a_line(tmp_path: Path) -> None:
    write_schema(tmp_path, methods={"notes": [method("notes.get", wild=1)]})
    done = run_codegen("--schema", str(tmp_path))
    assert done.returncode == 1
    assert (
        done.stderr == "Error: notes/methods.json: notes.get: unknown key 'wild': 1\n"
    )
