"""Every kind of file goes all its way, and its row agrees with VK's schema."""

from __future__ import annotations

import inspect
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from _kinds import BYTES, EXAMPLES, Example, posts

import vkanyio.testing
from _helpers import TOKEN
from vkanyio import VK, APIRequest
from vkanyio._method_facts import METHODS
from vkanyio.uploads import Uploader
from vkanyio.uploads._kinds import KINDS

if TYPE_CHECKING:
    from vkanyio.uploads._kinds import FileKind

pytestmark = pytest.mark.anyio

SCHEMA = Path(vkanyio.testing.__file__).with_name("_schema.json")
OTHERS = {"options", "raw", "save", "video_by_link"}


@pytest.fixture(scope="module")
def methods() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(SCHEMA.read_text())["methods"]
    return found


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
async def test_a_file_of_each_kind_is_uploaded_and_saved_once(example: Example) -> None:
    simulator = example.simulator()
    client = VK(TOKEN, limit=1000, http_client=simulator.http_client())
    async with client as api:
        await example.prepare(api)
        uploaded = await example.upload(api)
    assert uploaded.kind == example.name
    assert posts(simulator) == ["carried out"]
    if KINDS[example.name].save or example.name == "video":
        [saved] = simulator.ledger.saved
        assert saved.size == len(BYTES)
        assert saved.name.startswith("a file.")
    if example.returned is None:
        with pytest.raises(TypeError, match=example.name):
            uploaded.to_vk()
        assert str(uploaded) == repr(uploaded)
    else:
        assert str(uploaded) == str(uploaded.to_vk())
        encoded = APIRequest("a.b", {"c": uploaded}).params["c"]
        assert type(encoded) is type(example.returned)
        assert str(encoded).startswith(str(example.returned))


def test_every_kind_is_a_method_and_has_an_example() -> None:
    names = {name for name in vars_of(Uploader) if not name.startswith("_")}
    assert names - OTHERS == set(KINDS) == {example.name for example in EXAMPLES}


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("messagePhoto", ": did you mean message_photo?"),
        ("messages_photo", ": did you mean message_photo?"),
        ("photo", ": did you mean wall_photo or "),
        ("xyz", ""),
        ("_photo", ""),
    ],
)
def test_a_name_that_is_no_kind_is_an_error_with_what_was_meant(
    name: str, meant: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(AttributeError) as caught:
        getattr(VK(TOKEN).upload, name)
    assert str(caught.value).startswith(f"api.upload has no method {name!r}{meant}")
    sys.__excepthook__(AttributeError, caught.value, None)  # as Python prints it
    assert capsys.readouterr().err.casefold().count("did you mean") == bool(meant)


def vars_of(cls: type) -> set[str]:
    return {name for base in cls.__mro__[:-1] for name in vars(base)}


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_the_row_of_a_kind_agrees_with_the_schema(
    kind: FileKind, methods: dict[str, Any]
) -> None:
    get = methods[kind.get]
    assert kind.fixed.keys() <= get["parameters"].keys()
    known = set(get["parameters"])
    if kind.save:
        save = methods[kind.save]
        known |= set(save["parameters"])
        assert set(kind.answer.values()) <= save["parameters"].keys()
    arguments = set(inspect.signature(getattr(Uploader, kind.name)).parameters)
    own = {"self", "file", "files", "progress", "square_crop", "extra_params"}
    assert arguments - own <= known
    # A required parameter is an argument, or comes from the upload server.
    for method in filter(None, (kind.get, kind.save)):
        given = arguments | {*kind.fixed, *kind.answer.values()}
        assert set(methods[method]["required"]) <= given


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_what_saves_a_file_may_not_be_repeated(kind: FileKind) -> None:
    assert not kind.save or not APIRequest(kind.save, {}).may_be_repeated()
    # Only a video comes to be together with its address.
    assert APIRequest(kind.get, {}).reads() is not kind.keeps_address
    assert kind.get in METHODS
