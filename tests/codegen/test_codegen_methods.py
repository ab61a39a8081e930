"""Methods, errors and method facts that are generated from a schema."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from codegen._output import write_files
from codegen._schema import SchemaError

from _small_schema import method, model_of, reference, response, source_of
from codegen import reviewed
from vkanyio._facts import Repetition

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("nothing_reviewed")


def test_a_method_has_both_spellings(tmp_path: Path) -> None:
    source = source_of(
        tmp_path,
        "methods/notes.py",
        methods={"notes": [method("notes.getSMSById"), method("notes.get")]},
    )
    assert "async def getSMSById(self, *, extra_params: " in source
    assert "    get_sms_by_id = getSMSById\n" in source
    assert "get = get" not in source


def test_a_method_named_list_does_not_shadow_the_type(tmp_path: Path) -> None:
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
    assert "async def list(\n" in source
    assert ") -> builtins.list[int]:" in source


def test_a_docstring_describes_tokens_retries_and_errors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reviewed, "KEYS", {("notes.create", "guid"): True})
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
    assert "Accepts user and service tokens. Read-only: retried if" in texts["get"]
    assert ":raises APIError: method-specific codes: 180 NOTE_ACCESS" in texts["get"]
    assert "Accepts community tokens. Idempotent, but not retried" in texts["delete"]
    assert "Not retried if the response is lost" in texts["add"]
    assert "Accepts" not in texts["add"]
    assert "only if you pass a ``guid``" in texts["create"]
    assert "Accepts user tokens, or none." in texts["find"]


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
    keys = {("notes.add", parameter): True for parameter in more}
    monkeypatch.setattr(reviewed, "KEYS", keys)
    monkeypatch.setattr(reviewed, "READS", {"notes.findAll": "finds"})
    monkeypatch.setattr(reviewed, "NEVER", {"notes.getDone": "does"})
    names = {name, "notes.findAll", "notes.getDone"}
    key = [{"name": parameter, "type": "string"} for parameter in more]
    methods = [method(each, *(key if each == name else [])) for each in sorted(names)]
    found = model_of(tmp_path, methods={"notes": methods}).methods[name]
    assert found.repetition is repetition
    assert found.key == (more[0] if more else None)


def test_a_parameter_with_the_name_of_a_key_need_not_be_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reviewed, "KEYS", {("notes.get", "guid"): False})
    raw = method("notes.get", {"name": "guid", "type": "string"})
    found = model_of(tmp_path, methods={"notes": [raw]}).methods["notes.get"]
    assert found.repetition is Repetition.READ
    assert found.key is None


def test_a_method_with_two_keys_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ("guid", "random_id")
    keys = {("notes.add", name): True for name in names}
    monkeypatch.setattr(reviewed, "KEYS", keys)
    raw = method("notes.add", *({"name": name, "type": "string"} for name in names))
    with pytest.raises(SchemaError, match="several idempotency keys"):
        model_of(tmp_path, methods={"notes": [raw]})


def test_codes_have_vk_s_names_and_general_ones_a_class(tmp_path: Path) -> None:
    source = source_of(tmp_path, "_error_codes.py")
    assert "    UNKNOWN = 1\n    USER_DELETED = 18\n    NOTE_ACCESS = 180\n" in source
    assert "class UserDeletedError(APIError, code=18):" in source
    assert "class UnknownError" not in source  # written by hand
    assert "class NoteAccessError" not in source  # only some methods return it


def test_methods_that_are_never_packed_are_in_the_table(
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
    assert "Never packed into ``execute``." in text
