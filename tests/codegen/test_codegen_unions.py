"""Objects with several forms: a field tells them apart, and narrows their type."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from codegen._schema import SchemaError

from _small_schema import fields_of, reference, response, source_of
from codegen import reviewed_objects

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("nothing_reviewed")

INT, TEXT = {"type": "integer"}, {"type": "string"}
TYPE = {"type": "string", "enum": ["photo", "doc", "text"]}
PHOTO, DOC = (reference("notes", f"notes_{name}") for name in ("photo", "doc"))


def thing(**fields: Any) -> dict[str, Any]:
    return {"type": "object", "properties": fields}


def objects_of(path: Path, **objects: Any) -> str:
    return source_of(path, "objects/notes.py", objects={"notes": objects})


# Unions with a discriminator


def union(*names: str, **mapping: str) -> dict[str, Any]:
    targets = {
        value: f"../notes/objects.json#/definitions/{name}"
        for value, name in mapping.items()
    }
    return {
        "type": "object",
        "discriminator": {"propertyName": "type", "mapping": targets},
        "oneOf": [reference("notes", name) for name in names],
    }


def test_a_discriminator_narrows_the_objects_of_its_union(tmp_path: Path) -> None:
    source = objects_of(
        tmp_path,
        notes_photo=thing(type=TEXT, sizes=INT),
        notes_doc={"type": "object", "allOf": [thing(type=TEXT), thing(title=TEXT)]},
        notes_item=union(
            "notes_photo", "notes_doc", a="notes_photo", b="notes_photo", c="notes_doc"
        ),
    )
    assert 'Item: TypeAlias = "Photo | Doc"' in source
    assert fields_of(source, "Photo") == {
        "type": "Literal[a, b]",
        "sizes": "NotRequired[int]",
    }
    assert fields_of(source, "Doc") == {
        "type": "Literal[c]",
        "title": "NotRequired[str]",
    }


def test_an_object_that_is_used_elsewhere_gets_another_form(tmp_path: Path) -> None:
    source = objects_of(
        tmp_path,
        notes_photo=thing(type=TEXT),
        notes_doc=thing(type=TEXT, cover=PHOTO),
        notes_item=union("notes_photo", "notes_doc", p="notes_photo", d="notes_doc"),
    )
    assert 'Item: TypeAlias = "ItemPhoto | Doc"' in source
    assert fields_of(source, "ItemPhoto") == {"type": "Literal[p]"}
    assert "One variant of ``notes_item`` of the VK API." in source
    assert fields_of(source, "Photo") == {"type": "NotRequired[str]"}


def test_an_object_that_the_mapping_lacks_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match="notes_doc is not in the mapping of type"):
        objects_of(
            tmp_path,
            notes_photo=thing(type=TEXT),
            notes_doc=thing(type=TEXT),
            notes_item=union("notes_photo", "notes_doc", p="notes_photo"),
        )


def test_a_mapping_to_another_file_is_refused(tmp_path: Path) -> None:
    found = union("notes_photo", p="notes_photo")
    found["discriminator"]["mapping"]["p"] = "notes_photo"
    with pytest.raises(SchemaError, match="reference of an unknown form"):
        objects_of(tmp_path, notes_photo=thing(type=TEXT), notes_item=found)


# Attachments


def attachments(path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(reviewed_objects, "TAGGED", {"notes_attachment"})
    return objects_of(
        path,
        notes_photo=thing(id=INT),
        notes_doc=thing(id=INT),
        notes_type=TYPE,
        notes_attachment=thing(
            type={**reference("notes", "notes_type"), "required": True},
            photo=PHOTO,
            doc=DOC,
            access_key=TEXT,
        ),
    )


def test_the_type_of_an_attachment_tells_which_field_it_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = attachments(tmp_path, monkeypatch)
    forms = [f"Attachment{name}" for name in ("Photo", "Doc", "Other")]
    assert f'Attachment: TypeAlias = "{" | ".join(forms)}"' in source
    assert [fields_of(source, form) for form in forms] == [
        {
            "type": "Literal[photo]",
            "photo": "Photo",
            "access_key": "NotRequired[str]",
        },
        {"type": "Literal[doc]", "doc": "Doc", "access_key": "NotRequired[str]"},
        {"type": "Literal[text]", "access_key": "NotRequired[str]"},
    ]
    assert 'Type: TypeAlias = Literal["photo", "doc", "text"]' in source


# Empty lists


def test_an_object_that_is_a_list_when_it_is_empty(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty = {("notes_note", "photo"), ("notes_get_response", None)}
    monkeypatch.setattr(reviewed_objects, "EMPTY_LISTS", empty)
    source = source_of(
        tmp_path,
        "objects/notes.py",
        objects={"notes": {"notes_note": thing(photo=PHOTO), "notes_photo": thing()}},
        responses={"notes": {"notes_get_response": response(PHOTO)}},
    )
    assert "photo: NotRequired[Photo | EmptyList]" in source
    assert 'GetResponse: TypeAlias = "Photo | EmptyList"' in source
