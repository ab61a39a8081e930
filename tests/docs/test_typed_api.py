"""The page about the typed API: what its code does is what its text says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from _pages import Page

from vkanyio.testing import faults

if TYPE_CHECKING:
    from collections.abc import Callable

    from vkanyio import VK
    from vkanyio.testing import Simulator

pytestmark = pytest.mark.anyio

PAGE = Page("typed-api.md")


async def test_both_spellings_call_the_same_method(
    simulator: Simulator, make_client: Callable[..., VK]
):
    club = {"groups": [{"id": 1, "name": "Club"}]}
    simulator.add_method("groups.getById", lambda call: club)
    async with make_client() as api:
        assert await PAGE.load("def club_name(")["club_name"](api) == "Club"
    assert len(simulator.ledger.carried_out("groups.getById")) == 2


async def test_a_parameter_chooses_the_type(
    simulator: Simulator,
    make_client: Callable[..., VK],
    capsys: pytest.CaptureFixture[str],
):
    user = {"id": 1, "first_name": "Anna", "last_name": "Melnik"}
    simulator.add_method(
        "users.getFollowers",
        lambda call: {"count": 1, "items": [user if "fields" in call.params else 1]},
    )
    async with make_client() as api:
        assert await PAGE.load("def followers(")["followers"](api) == [user]
    assert capsys.readouterr().out == "[1]\n"


async def test_an_error_is_caught_by_its_name(
    simulator: Simulator, make_client: Callable[..., VK]
):
    greet = PAGE.load("def greet(")["greet"]
    async with make_client() as api:
        assert await greet(api, 1) is True
        simulator.fault(faults.error(901), "messages.send")
        assert await greet(api, 1) is False


async def test_what_the_schema_lacks_is_called_without_types(
    simulator: Simulator,
    make_client: Callable[..., VK],
    capsys: pytest.CaptureFixture[str],
):
    for name in ("audio.get", "newGroup.getNew"):
        simulator.add_method(name, lambda call: call.method)
    async with make_client() as api:
        await PAGE.load("api.audio.get(")["more"](api)
    assert capsys.readouterr().out == "audio.get newGroup.getNew\n"


async def test_a_call_brings_its_own_language(
    simulator: Simulator, make_client: Callable[..., VK]
):
    simulator.add_method(
        "users.get", lambda call: [{"first_name": call.params["lang"]}]
    )
    async with make_client() as api:
        assert await PAGE.load("def in_english(")["in_english"](api) == "en"


async def test_attachments_are_told_apart_by_their_type(
    simulator: Simulator, make_client: Callable[..., VK]
):
    photo = {"type": "photo", "photo": {"sizes": [{"url": "https://x/1.jpg"}]}}
    items = [{"attachments": [{"type": "podcast"}, photo]}, {}]
    simulator.add_method("wall.get", lambda call: {"count": 2, "items": items})
    async with make_client() as api:
        urls = await PAGE.load("def photos_of_a_wall(")["photos_of_a_wall"](api, "x")
    assert urls == ["https://x/1.jpg"]


async def test_an_object_may_be_an_empty_list(
    simulator: Simulator, make_client: Callable[..., VK]
):
    id_of = PAGE.load("def id_of(")["id_of"]
    answers = {"durov": {"type": "user", "object_id": 1}}
    simulator.add_method(
        "utils.resolveScreenName",
        lambda call: answers.get(call.params["screen_name"], []),
    )
    async with make_client() as api:
        assert await id_of(api, "durov") == 1
        assert await id_of(api, "nobody") is None


def test_hints_of_objects_are_read(capsys: pytest.CaptureFixture[str]):
    PAGE.load("typing.get_type_hints(")
    assert capsys.readouterr().out == PAGE.find("typing.get_type_hints(").output


def test_pydantic_validates_objects(capsys: pytest.CaptureFixture[str]):
    pytest.importorskip("pydantic")
    PAGE.load("pydantic.TypeAdapter(")
    assert capsys.readouterr().out == "Ann\n"


def test_msgspec_decodes_objects(capsys: pytest.CaptureFixture[str]):
    pytest.importorskip("msgspec")
    PAGE.load("msgspec.json.decode(")
    assert capsys.readouterr().out == "Ann\n"


def test_cattrs_structures_objects(capsys: pytest.CaptureFixture[str]):
    pytest.importorskip("cattrs")
    PAGE.load("cattrs.Converter(")
    assert capsys.readouterr().out == "1\n"


def test_typeguard_checks_objects(capsys: pytest.CaptureFixture[str]):
    pytest.importorskip("typeguard")
    PAGE.load("check_type(")
    assert capsys.readouterr().out == "Ann\n"


def test_fastapi_knows_what_a_function_returns():
    pytest.importorskip("fastapi")
    app = PAGE.load("FastAPI()")["app"]
    assert "UserFull" in app.openapi()["components"]["schemas"]
