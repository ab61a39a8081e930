"""The methods without state, compared with VK's schema."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import pytest
from _schema import SCHEMA, check

from vkanyio import VK
from vkanyio.testing import Account, Ledger, Simulator, VKFault
from vkanyio.testing._captcha import Captchas
from vkanyio.testing._declared import declared_methods
from vkanyio.testing._schema import schema
from vkanyio.testing._state import SimulatedState

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    Ask: TypeAlias = Callable[..., Awaitable[Any]]

pytestmark = pytest.mark.anyio

TOKENS = {
    "user": Account(id=1),
    "group": Account(id=9, kind="group"),
    "service": Account(kind="service"),
}
STATEFUL = SimulatedState(0, Captchas(0), Ledger()).methods()
STATELESS = sorted({*declared_methods()} - {*STATEFUL, "execute"})


@pytest.fixture
async def ask() -> AsyncIterator[Ask]:
    simulator = Simulator(limit=0, tokens=TOKENS)
    async with simulator.http_client() as client:

        async def send(method: str, caller: str = "user", **params: Any) -> Any:
            response = await client.post(
                f"https://api.vk.ru/method/{method}",
                data={"v": "5.199", **params},
                headers={"Authorization": f"Bearer {caller}"},
            )
            return response.json()

        yield send


def test_every_method_of_the_schema_exists() -> None:
    assert len(declared_methods()) == 572
    assert len(STATELESS) > 400


def example(raw: Any) -> str:
    """Return a value that a parameter may have."""
    if "$ref" in raw:
        return example(SCHEMA.definitions[raw["$ref"]].raw)
    if "enum" in raw:
        return str(raw["enum"][0])
    if raw["type"] == "array":
        return example(raw["items"])
    return "x" * raw.get("minLength", 1) if raw["type"] == "string" else "1"


def needed(method: str) -> dict[str, str]:
    """Return parameters without which a call of a method is refused."""
    declared = schema()["methods"][method]
    names = [*declared["required"], *(each["names"][0] for each in declared["one_of"])]
    return dict.fromkeys(names, "1")


@pytest.mark.parametrize("group", sorted({name.split(".")[0] for name in STATELESS}))
async def test_every_value_matches_its_declared_type(ask: Ask, group: str) -> None:
    known = [name for name in STATELESS if name.startswith(f"{group}.")]
    for name in known:
        declared = SCHEMA.methods[name]
        kinds = declared.get("access_token_type", ())
        token = next((kind for kind in kinds if kind in TOKENS), "user")
        params = needed(name) | {
            raw["name"]: example(raw)
            for raw in declared.get("parameters", ())
            if raw.get("required") or raw["name"] in needed(name)
        }
        for extended in ("0", "1"):
            response = await ask(name, token, **params, extended=extended, offset="0")
            assert "response" in response, (name, response)
            kinds = [
                kind
                for kind in declared["responses"]
                if kind != "extendedResponse" or extended == "1"
            ]
            names = {raw["name"] for raw in declared.get("parameters", ())}
            if extended == "1" and "extended" in names and kinds[1:]:
                kinds = [kind for kind in kinds if "xtended" in kind]
            failures: list[str] = []
            for kind in kinds:
                try:
                    check(name, kind, response["response"])
                except AssertionError as failure:
                    failures.append(str(failure))
            assert len(failures) < len(kinds), failures


async def test_a_parameter_that_is_missing_is_refused(ask: Ask) -> None:
    error = (await ask("notes.add", title="x"))["error"]
    assert error["error_code"] == 100
    assert error["error_msg"].endswith(": text is undefined")


@pytest.mark.parametrize(
    ("params", "says"),
    [
        ({"count": "many"}, "count not integer"),
        ({"sort": "2"}, "sort is invalid"),
    ],
)
async def test_a_parameter_that_is_wrong_is_refused(
    ask: Ask, params: dict[str, str], says: str
) -> None:
    error = (await ask("notes.get", **params))["error"]
    assert error["error_code"] == 100
    assert error["error_msg"].endswith(f": {says}")
    assert "response" in await ask("notes.get", count="5", sort="1")


async def test_a_named_enum_is_checked(ask: Ask) -> None:
    wanted = {"club_id": "1", "answer_ids": "1", "poll_id": "1", "owner_id": "1"}
    assert "response" in await ask("polls.getVoters", **wanted, name_case="gen")
    refused = await ask("polls.getVoters", **wanted, name_case="genitive")
    assert refused["error"]["error_code"] == 100


@pytest.mark.parametrize(
    ("method", "token", "code"),
    [
        ("notes.get", "group", 27),
        ("notes.get", "service", 28),
        ("secure.getAppBalance", "user", 15),
        ("secure.getAppBalance", "service", None),
        ("bugtracker.getCompanyMembers", "user", 100),  # its tokens are not declared
        ("notes.tearUp", "user", 3),
        ("Notes.get", "user", 3),
    ],
)
async def test_the_kind_of_token_and_the_name_are_checked(
    ask: Ask, method: str, token: str, code: int | None
) -> None:
    response = await ask(method, token)
    assert response.get("error", {}).get("error_code") == code


async def test_a_flag_selects_the_response(ask: Ask) -> None:
    plain = (await ask("video.getAlbumsByVideo", owner_id=1, video_id=1))["response"]
    assert plain == [1]
    params = {"owner_id": 1, "video_id": 1, "extended": 1}
    full = (await ask("video.getAlbumsByVideo", **params))["response"]
    assert full["count"] == len(full["items"]) == 1
    params["extended"] = 0
    assert (await ask("video.getAlbumsByVideo", **params))["response"] == [1]


async def test_a_value_selects_the_response() -> None:
    simulator = Simulator(limit=0)
    members = declared_methods()["groups.getMembers"].handler
    simulator.add_method("groups.getMembers", members)  # replaces the one with state
    async with VK("token", http_client=simulator.http_client(), limit=1000) as api:
        assert (await api.groups.get_members(group_id=1))["items"] == [1]
        friends = await api.groups.get_members(group_id=1, filter="friends")
        assert friends["items"] == [1]
        managers = await api.groups.get_members(group_id=1, filter="managers")
        assert managers["items"][0]["id"] == 1


async def test_a_list_selects_the_response(ask: Ask) -> None:
    wanted = {"owner_id": "1", "video_id": "1"}
    assert (await ask("video.addToAlbum", **wanted, album_id=1))["response"] == 1
    assert (await ask("video.addToAlbum", **wanted, album_ids=1))["response"] == [1]


async def test_a_post_in_the_news_has_its_type_and_time(ask: Ask) -> None:
    [post] = (await ask("newsfeed.get"))["response"]["items"]
    assert post["type"] == "post"
    assert post["date"] > 1_000_000_000


async def test_there_is_one_item_and_none_after_it(ask: Ask) -> None:
    first = (await ask("notes.get", offset=0))["response"]
    assert (first["count"], len(first["items"])) == (1, 1)
    beyond = (await ask("notes.get", offset=1))["response"]
    assert (beyond["count"], beyond["items"]) == (1, [])


async def test_an_added_method_replaces_the_declared_one() -> None:
    simulator = Simulator(limit=0)
    simulator.add_method("notes.get", lambda call: {"count": 0, "items": []})
    async with simulator.http_client() as client:
        params = {"v": "5.199", "access_token": "t"}
        response = await client.get("https://vk/method/notes.get", params=params)
        assert response.json() == {"response": {"count": 0, "items": []}}
        other = await client.get("https://vk/method/notes.getById", params=params)
        assert other.json()["error"]["error_code"] == 100


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (5, "User authorization failed"),
        (3800, "Fave aliexpress tag"),
        (123_456, "Error 123456"),
    ],
)
def test_every_code_has_a_text(code: int, text: str) -> None:
    assert VKFault(code).message == text
