"""Tools that read annotations at run time know the types of objects."""

from __future__ import annotations

import importlib
import subprocess
import sys
import types
import typing
from typing import Any

import pytest

import vkanyio.objects
from vkanyio.objects import resolve
from vkanyio.objects._resolution import ALIASES, IMPORTS
from vkanyio.objects.users import UserFull
from vkanyio.objects.wall import WallpostFull

USER = {
    "id": 1,
    "first_name": "Ann",
    "last_name": "Lee",
    "city": {"id": 2, "title": "Perm"},
    "personal": [],
}
PHOTO = {
    "id": 1,
    "owner_id": 1,
    "album_id": -7,
    "date": 1,
    "sizes": [{"type": "x", "url": "https://x/1.jpg", "width": 1, "height": 1.5}],
}
POST = {
    "id": 1,
    "owner_id": 1,
    "from_id": 1,
    "date": 1,
    "text": "hello",
    "attachments": [{"type": "photo", "photo": PHOTO}],
}


@pytest.fixture(autouse=True)
def resolved() -> None:
    resolve()
    resolve()  # a second call does no harm


def classes() -> list[Any]:
    return [
        found
        for name in IMPORTS
        for found in vars(importlib.import_module(f"vkanyio.objects.{name}")).values()
        if hasattr(found, "__required_keys__")
    ]


def test_the_hints_of_every_object_are_found() -> None:
    found = classes()
    assert len(found) > 880
    for each in found:
        hints = typing.get_type_hints(each, include_extras=True)
        optional = {
            name
            for name, hint in hints.items()
            if typing.get_origin(hint) is typing.NotRequired
        }
        assert each.__optional_keys__ == optional, each
        assert each.__required_keys__ == {*hints} - optional, each


def test_annotations_are_types_without_looking_names_up() -> None:
    for each in classes():
        for name, hint in each.__annotations__.items():
            assert not isinstance(hint, str | typing.ForwardRef), (each, name)


def test_no_alias_is_left_as_text() -> None:
    assert ALIASES
    for place in ALIASES:
        module, _, name = place.partition(".")
        found = importlib.import_module(f"vkanyio.objects.{module}")
        assert not isinstance(getattr(found, name), str), place


def test_objects_are_resolved_only_if_a_program_asks() -> None:
    program = (
        "import sys, vkanyio, vkanyio.objects, vkanyio.objects.users;"
        "print(*[name for name in sys.modules if name.startswith('vkanyio.objects.')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["vkanyio.objects.users"]
    assert vkanyio.objects.resolve is resolve


def test_pydantic_validates_objects() -> None:
    pydantic = pytest.importorskip("pydantic")
    users = pydantic.TypeAdapter(list[UserFull])
    assert users.validate_python([USER]) == [USER]
    with pytest.raises(pydantic.ValidationError, match="first_name"):
        users.validate_python([{"id": 1}])
    posts = pydantic.TypeAdapter(WallpostFull)
    assert posts.validate_python(POST) == POST
    assert "attachments" in posts.json_schema()["$defs"]["WallpostFull"]["properties"]


@pytest.mark.parametrize(
    "place", ["messages.Message", "newsfeed.NewsfeedItem", "callback.MessageObject"]
)
def test_pydantic_knows_unions(place: str) -> None:
    pydantic = pytest.importorskip("pydantic")
    module, _, name = place.partition(".")
    found = importlib.import_module(f"vkanyio.objects.{module}")
    assert pydantic.TypeAdapter(getattr(found, name)).json_schema()


def test_fastapi_documents_objects() -> None:
    fastapi = pytest.importorskip("fastapi")
    app = fastapi.FastAPI()

    def users() -> list[UserFull]:
        return [USER]  # type: ignore[list-item]

    app.get("/users")(users)
    documented = app.openapi()["components"]["schemas"]["UserFull"]
    assert documented["required"] == ["first_name", "id", "last_name"]


def test_msgspec_converts_objects_without_unions() -> None:
    msgspec = pytest.importorskip("msgspec")
    assert msgspec.convert([USER], list[UserFull]) == [USER]
    with pytest.raises(msgspec.ValidationError, match="first_name"):
        msgspec.convert([{"id": 1}], list[UserFull])


def test_cattrs_structures_objects_with_a_hook_for_unions() -> None:
    cattrs = pytest.importorskip("cattrs")
    converter = cattrs.Converter()
    unions: list[Any] = [typing.Union, types.UnionType]
    converter.register_structure_hook_func(
        lambda kind: typing.get_origin(kind) in unions, lambda value, _: value
    )
    assert converter.structure(USER, UserFull) == USER


def test_typeguard_checks_objects() -> None:
    typeguard = pytest.importorskip("typeguard")
    assert typeguard.check_type(USER, UserFull) == USER
    assert typeguard.check_type(POST, WallpostFull) == POST
    with pytest.raises(typeguard.TypeCheckError, match="first_name"):
        typeguard.check_type({"id": 1}, UserFull)
