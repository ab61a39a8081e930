"""Methods and parameters that VK's schema does not have."""

from __future__ import annotations

import copy
import traceback
from typing import TYPE_CHECKING, Any

import pytest

import vkanyio
from vkanyio import VK, UntypedGroup, UntypedGroups

if TYPE_CHECKING:
    from _helpers import MakeClient
    from vkanyio.testing import Call, Simulator

pytestmark = pytest.mark.anyio

SECRET = "vk1.a.another-secret-token"


@pytest.fixture
def arrived(simulator: Simulator) -> list[tuple[str, dict[str, str]]]:
    """Let the simulator answer some methods, and record what arrives."""
    found: list[tuple[str, dict[str, str]]] = []

    def take(call: Call) -> int:
        params = {name: text for name, text in call.params.items() if name != "v"}
        found.append((call.method, params))
        return len(found)

    for name in ("audio.getById", "audio.get", "newGroup.getNew", "users.get"):
        simulator.add_method(name, take)
    return found


# Groups without types


async def test_a_group_that_the_schema_lacks_takes_any_parameter(
    make_client: MakeClient, arrived: list[Any]
) -> None:
    async with make_client() as api:
        assert await api.audio.get(owner_id=1, ids=[1, 2], global_=True, x=None) == 1
        assert await api.audio.get_by_id(audios="1_2") == 2
        assert await api.audio.getById() == 3
    assert arrived == [
        ("audio.get", {"owner_id": "1", "ids": "1,2", "global": "1"}),
        ("audio.getById", {"audios": "1_2"}),
        ("audio.getById", {}),
    ]


async def test_the_untyped_door_opens_for_any_group(
    make_client: MakeClient, arrived: list[Any]
) -> None:
    async with make_client() as api:
        assert await api.untyped.newGroup.getNew(id=1) == 1
        assert await api.untyped.new_group.get_new(id=2) == 2
        assert await api.untyped.users.get(user_ids=1, anything=1) == 3
    assert arrived == [
        ("newGroup.getNew", {"id": "1"}),
        ("newGroup.getNew", {"id": "2"}),
        ("users.get", {"user_ids": "1", "anything": "1"}),
    ]


async def test_an_error_of_vk_is_raised_as_for_any_call(
    make_client: MakeClient,
) -> None:
    async with make_client() as api:
        with pytest.raises(vkanyio.UnknownMethodError):
            await api.untyped.newGroup.getNew()


async def test_a_name_that_vk_cannot_have_is_refused(make_client: MakeClient) -> None:
    async with make_client() as api:
        with pytest.raises(ValueError, match="method"):
            await getattr(api.untyped.users, "get({})")()
        with pytest.raises(TypeError, match="argument"):
            await api.audio.get([1])


@pytest.mark.parametrize("name", ["_x", "__await__", "_repr_html_", "__len__"])
def test_private_names_are_no_methods(name: str) -> None:
    for subject in (VK("token").untyped, VK("token").audio):
        with pytest.raises(AttributeError, match=name):
            getattr(subject, name)


def test_groups_without_types_show_what_they_are() -> None:
    api = VK("token")
    assert repr(api.untyped) == "<VK's methods, without types>"
    assert repr(api.audio) == "<VK's methods audio.*, without types>"
    assert api.audio is api.audio
    assert isinstance(api.crowd_customer, UntypedGroup)
    assert repr(api.crowd_customer) == repr(api.untyped.crowdCustomer)
    assert api.audio.get_by_id.__name__ == "audio.getById"
    assert repr(copy.copy(api.audio)) == repr(api.audio)
    assert UntypedGroup.__module__ == UntypedGroups.__module__ == "vkanyio"


# Parameters that the schema lacks


async def test_extra_parameters_are_sent_with_the_others(
    make_client: MakeClient, arrived: list[Any]
) -> None:
    extra = {"lang": "en", "new": [1, 2], "gone": None}
    async with make_client() as api:
        await api.users.get(user_ids=[1], extra_params=extra)
        await api.users.get(user_ids=[1], extra_params={})
        await api.users.get(user_ids=[1], extra_params=None)
    assert arrived == [
        ("users.get", {"user_ids": "1", "lang": "en", "new": "1,2"}),
        ("users.get", {"user_ids": "1"}),
        ("users.get", {"user_ids": "1"}),
    ]
    assert extra == {"lang": "en", "new": [1, 2], "gone": None}


@pytest.mark.parametrize(
    ("extra", "says"),
    [
        ({"fields": ["city"]}, "must not contain 'fields', which users.get has"),
        ({"user_ids": None}, "must not contain 'user_ids'"),
        ([("lang", "en")], "must be a dict of parameters, got list"),
        ("lang=en", "must be a dict of parameters, got str"),
        ({1: 2}, "the name of a parameter must be a non-empty string, got 1"),
        ({"new": object()}, "new must be a str, number"),
    ],
    ids=["own", "own-none", "list", "str", "name", "value"],
)
async def test_an_extra_parameter_that_cannot_be_sent_is_refused(
    make_client: MakeClient, arrived: list[Any], extra: Any, says: str
) -> None:
    async with make_client() as api:
        with pytest.raises(TypeError) as caught:
            await api.users.get(user_ids=[1], extra_params=extra)
    assert says in str(caught.value)
    assert arrived == []


@pytest.mark.parametrize("where", ["extra", "untyped"])
async def test_a_token_among_the_parameters_is_in_no_frame(
    make_client: MakeClient, where: str
) -> None:
    async with make_client() as api:
        try:
            if where == "extra":
                await api.users.get(
                    user_ids=[1], extra_params={"access_token": SECRET, "x": object()}
                )
            else:
                await api.untyped.users.get(access_token=SECRET, x=object())
        except TypeError as error:
            ours = error.with_traceback(error.__traceback__.tb_next)  # type: ignore[union-attr]
            shown = traceback.TracebackException.from_exception(
                ours, capture_locals=True
            )
            assert SECRET not in "".join(shown.format())
        else:
            raise AssertionError


# One value where VK takes a list


async def test_one_value_stands_for_a_list(
    make_client: MakeClient, simulator: Simulator, arrived: list[Any]
) -> None:
    async with make_client() as api:
        await api.users.get(user_ids=1, fields="city")
        await api.users.get(user_ids="durov", fields="bdate,city")
        simulator.add_method("ads.getAds", lambda call: dict(call.params))
        sent: Any = await api.ads.get_ads(account_id=1, ad_ids=5)
    assert arrived == [
        ("users.get", {"user_ids": "1", "fields": "city"}),
        ("users.get", {"user_ids": "durov", "fields": "bdate,city"}),
    ]
    assert sent["ad_ids"] == "[5]"
