"""Methods of VK by attribute: ``api.users.get``."""

from __future__ import annotations

import copy
import inspect
import keyword
import pickle
import re
import subprocess
import sys
from typing import Any

import pytest

from vkanyio import VK, MethodGroup, UntypedGroup
from vkanyio._groups import MethodGroups
from vkanyio._method_facts import METHODS
from vkanyio.methods.groups import Groups
from vkanyio.methods.users import Users

TOKEN = "vk1.a.the-secret-token"
NAMES = sorted(name for name in METHODS if "." in name)

GROUPS_OF_VK_IO = """
    account ads appWidgets apps articles audio auth board calls database docs donut
    execute fave friends gifts groups junction leadForms leads likes loyaltyTeen market
    marusia messages newsfeed notes notifications orders pages photos places podcasts
    polls prettyCards search secure specials statEvents stats status storage store
    stories streaming users utils video wall widgets
"""

# Names that are looked up to find out what an object is, and typing errors.
NO_NAMES = [
    "_x",
    "__x",
    "_call",
    "__await__",
    "__aiter__",
    "__iter__",
    "__len__",
    "__call__",
    "__wrapped__",
    "__deepcopy__",
    "__getstate_x__",
    "__array_interface__",
    "_ipython_display_",
    "_repr_html_",
    "_asdict",
    "then",
    "keys",
    "items",
    "shape",
    "dtype",
    "x_",
    "x__y",
    "x_Y",
    "Users",
    "1users",
    "us-ers",
    "users.get",
    "usérs",
    "users ",
    "users\n",
    "",
]


def to_snake(name: str) -> str:
    return re.sub(r"([a-z0-9])([A-Z])|([A-Z])([A-Z][a-z])", r"\1\3_\2\4", name).lower()


def run(awaitable: Any) -> Any:
    """Run a coroutine that never suspends."""
    try:
        awaitable.send(None)
    except StopIteration as result:
        return result.value
    raise AssertionError


class Calls:
    """Records calls."""

    def __init__(self) -> None:
        self.made: list[tuple[str, Any]] = []

    async def __call__(self, method: str, params: Any) -> int:
        self.made.append((method, params))
        return len(self.made)


# Both spellings


@pytest.mark.parametrize("name", NAMES)
def test_every_method_is_found_under_both_spellings(name: str) -> None:
    group_name, _, method_name = name.partition(".")
    client = VK(TOKEN)
    group = getattr(client, group_name)
    assert isinstance(group, MethodGroup)
    assert getattr(client, to_snake(group_name)) is group
    method = getattr(group, method_name)
    assert getattr(group, to_snake(method_name)) == method
    assert inspect.iscoroutinefunction(method)
    assert f"``{name}``" in inspect.getdoc(method)  # type: ignore[operator]
    assert f"https://dev.vk.com/method/{name}\n" in inspect.getdoc(method)  # type: ignore[operator]
    assert not keyword.iskeyword(method_name)


def test_all_other_groups_are_without_types() -> None:
    groups = {name.partition(".")[0] for name in NAMES}
    assert len(groups) == 43
    client = VK(TOKEN)
    names = {name for name in vars(MethodGroups) if not name.startswith("_")}
    untyped = {n for n in names if isinstance(getattr(client, n), UntypedGroup)}
    assert {"audio", "leads", "places", "crowdCustomer", "crowd_customer"} <= untyped
    assert names - untyped == {*groups, *map(to_snake, groups)}


@pytest.mark.parametrize("name", GROUPS_OF_VK_IO.split())
def test_every_group_of_vk_io_is_an_attribute(name: str) -> None:
    client = VK(TOKEN)
    if name != "execute":  # a method of the client
        assert isinstance(getattr(client, name), MethodGroup | UntypedGroup)
    assert callable(getattr(client, name)) == (name == "execute")


def test_groups_have_no_methods_but_vk_s() -> None:
    client = VK(TOKEN)
    for group_name in {name.partition(".")[0] for name in NAMES}:
        group = getattr(client, group_name)
        found = {name for name in dir(group) if not name.startswith("_")}
        methods = [n.partition(".")[2] for n in NAMES if n.startswith(f"{group_name}.")]
        assert found == {*methods, *map(to_snake, methods)}


def test_a_client_has_one_object_for_each_group() -> None:
    client = VK(TOKEN)
    assert client.users is client.users
    assert client.users is not VK(TOKEN).users


# Calls


def test_a_method_is_called_under_vk_s_name_with_all_its_parameters() -> None:
    calls = Calls()
    assert run(Groups(calls).get_by_id(group_ids=[1], fields=["city"])) == 1
    assert calls.made == [
        ("groups.getById", {"group_ids": [1], "group_id": None, "fields": ["city"]})
    ]


def test_a_parameter_with_the_name_of_a_keyword_has_an_underscore() -> None:
    calls = Calls()
    client = VK(TOKEN)
    run(type(client.pages)(calls).get(owner_id=1, global_=True))
    [(method, params)] = calls.made
    assert method == "pages.get"
    assert params["global"] is True
    assert "global_" not in params


def test_a_parameter_that_vk_requires_must_be_given() -> None:
    with pytest.raises(TypeError, match="item_id"):
        run(VK(TOKEN).likes.add(type="post"))  # type: ignore[call-arg]


# Names that are not methods


@pytest.mark.parametrize("name", NO_NAMES)
def test_a_name_that_vk_does_not_have_is_not_an_attribute(name: str) -> None:
    for subject in (VK(TOKEN), VK(TOKEN).users):
        if name == "_call" and isinstance(subject, MethodGroup):
            continue
        assert not hasattr(subject, name)
        with pytest.raises(AttributeError) as caught:
            getattr(subject, name)
        assert caught.value.name == name
        assert name in str(caught.value)
        assert TOKEN not in str(caught.value)


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("client.user", ["group of methods user", "api.call", "mean users?"]),
        ("client.Users", ["group of methods Users", "api.call", "mean users?"]),
        ("client.exeute", ["exeute", "did you mean execute?"]),
        ("client.callWithRequest", ["did you mean call_with_request?"]),
        ("client.users.gett", ["method users.gett", "api.call", "did you mean get?"]),
        ("client.groups.get_by_idd", ["get_by_idd", "did you mean getById?"]),
    ],
)
def test_the_error_for_a_misspelt_name_suggests_the_right_one(
    code: str, says: list[str]
) -> None:
    program = f"import vkanyio; client = vkanyio.VK('a-token'); {code}"
    shown = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    last = shown.stderr.splitlines()[-1]
    assert last.startswith("AttributeError")
    for text in says:
        assert text in last
    assert last.lower().count("did you mean") == 1  # not once more by Python


def test_groups_and_clients_cannot_be_awaited_or_called_or_iterated() -> None:
    client: Any = VK(TOKEN)

    async def awaits(what: Any) -> None:
        await what

    for subject in (client, client.users):
        with pytest.raises(TypeError, match="await"):
            run(awaits(subject))
        with pytest.raises(TypeError):
            subject()
        with pytest.raises(TypeError):
            list(subject)
        with pytest.raises(TypeError):
            dict(subject)
        with pytest.raises(TypeError):
            dict(**subject)
        with pytest.raises(TypeError):
            len(subject)
        assert not callable(subject)
        assert not inspect.isawaitable(subject)


def test_the_attributes_of_a_group_cannot_be_replaced() -> None:
    with pytest.raises(AttributeError):
        VK(TOKEN).users.get = 5  # type: ignore[method-assign, assignment]


# What a person sees


def test_a_group_shows_its_methods() -> None:
    shown = repr(VK(TOKEN).users)
    assert shown == (
        "<VK's methods users.*: get, getFollowers, getSubscriptions, report, search>"
    )


def test_a_client_lists_its_groups() -> None:
    client = VK(TOKEN)
    assert {"call", "execute", "procedure", "users", "app_widgets"} <= set(dir(client))
    assert TOKEN not in repr(client)


def test_help_describes_the_methods_of_a_group() -> None:
    program = "import vkanyio; help(vkanyio.VK('a-token').groups.get_members)"
    shown = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout
    for text in (
        "Help on method getMembers in module vkanyio.methods.groups",
        "https://dev.vk.com/method/groups.getMembers",
        "user, community and service tokens",
        "retried",
        ":param count: at most 1000; default 1000",
        ":param sort:",
        '"id_asc"',
        "sort: ",
    ):
        assert text in shown


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy])
def test_a_copy_of_a_group_is_that_group(copied: Any) -> None:
    group = copied(VK(TOKEN).users)
    assert isinstance(group, Users)
    assert repr(group) == repr(VK(TOKEN).users)


def test_a_group_survives_a_pickle_or_raises() -> None:
    try:
        group = pickle.loads(pickle.dumps(VK(TOKEN).users))
    except TypeError:
        return
    assert repr(group) == repr(VK(TOKEN).users)


def test_an_object_without_its_attributes_can_be_shown() -> None:
    assert repr(VK.__new__(VK)) == "<vkanyio.VK, new>"
    with pytest.raises(AttributeError):
        _ = VK.__new__(VK).config
    with pytest.raises(AttributeError):
        _ = MethodGroup.__new__(MethodGroup)._send
