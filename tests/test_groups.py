"""Methods of VK by attribute: ``api.users.get``."""

from __future__ import annotations

import copy
import inspect
import json
import keyword
import pickle
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vkanyio import VK, MethodGroup
from vkanyio._groups import to_vk_name

TOKEN = "vk1.a.the-secret-token"
SCHEMA = Path(__file__).parents[2] / "shared" / "vk-api-schema"

# What objects are asked for to find out what they are, and typing errors.
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


class Calls:
    """Takes note of what is called."""

    def __init__(self) -> None:
        self.made: list[tuple[str, dict[str, Any]]] = []

    async def __call__(self, method: str, params: dict[str, Any]) -> int:
        self.made.append((method, params))
        return len(self.made)


def run(awaitable: Any) -> Any:
    """Run a coroutine that waits for nothing."""
    try:
        awaitable.send(None)
    except StopIteration as result:
        return result.value
    raise AssertionError


@pytest.mark.parametrize(
    ("attribute", "method"),
    [
        ("get", "users.get"),
        ("getById", "users.getById"),
        ("get_by_id", "users.getById"),
        ("get_2fa_x", "users.get2faX"),
        ("getUploadServer", "users.getUploadServer"),
        ("a_method_of_tomorrow", "users.aMethodOfTomorrow"),
        ("delete", "users.delete"),
        ("call", "users.call"),
        ("name", "users.name"),
    ],
)
def test_a_method_is_called_under_vk_s_name(attribute: str, method: str) -> None:
    calls = Calls()
    bound = getattr(MethodGroup(calls, "users"), attribute)
    assert inspect.iscoroutinefunction(bound)
    assert run(bound(user_ids=[1], fields=None)) == 1
    assert calls.made == [(method, {"user_ids": [1], "fields": None})]


def test_any_parameter_of_vk_s_may_be_given() -> None:
    calls = Calls()
    names = ("self", "method", "params", "name", "global", "call", "full_name")
    params = dict.fromkeys(names, 1)
    run(MethodGroup(calls, "users").get(**params))
    assert calls.made == [("users.get", params)]


def test_parameters_go_by_keyword() -> None:
    with pytest.raises(TypeError, match=r"users\.get"):
        run(MethodGroup(Calls(), "users").get(1))


@pytest.mark.parametrize(
    ("attribute", "group"),
    [
        ("users", "users"),
        ("app_widgets", "appWidgets"),
        ("appWidgets", "appWidgets"),
        ("pretty_cards", "prettyCards"),
        ("a_group_of_tomorrow", "aGroupOfTomorrow"),
    ],
)
def test_a_group_is_found_under_both_spellings(attribute: str, group: str) -> None:
    found = getattr(VK(TOKEN), attribute)
    assert isinstance(found, MethodGroup)
    assert repr(found) == f"<methods of VK: {group}.*>"


@pytest.mark.parametrize("name", NO_NAMES)
def test_what_cannot_be_a_name_of_vk_s_is_no_attribute(name: str) -> None:
    assert to_vk_name(name) is None
    for subject in (VK(TOKEN), VK(TOKEN).users):
        if name == "_call" and isinstance(subject, MethodGroup):
            continue
        assert not hasattr(subject, name)
        with pytest.raises(AttributeError) as caught:
            getattr(subject, name)
        assert caught.value.name == name
        assert caught.value.obj is subject
        assert repr(name)[1:-1] in str(caught.value)
        assert TOKEN not in str(caught.value)


@given(st.text())
def test_a_name_is_vk_s_or_none(name: str) -> None:
    found = to_vk_name(name)
    if found is not None:
        assert found.isascii()
        assert found.isalnum()
        assert found[0].islower()
        assert to_vk_name(found) == found


@given(st.text(st.sampled_from("abzABZ09_")))
def test_a_name_of_vk_s_keeps_its_letters(name: str) -> None:
    found = to_vk_name(name)
    if found is not None:
        assert found.lower() == name.replace("_", "").lower()


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


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy])
def test_a_copy_of_a_group_is_that_group(copied: Any) -> None:
    group = copied(VK(TOKEN).users)
    assert isinstance(group, MethodGroup)
    assert repr(group) == "<methods of VK: users.*>"


def test_a_group_survives_a_pickle_or_says_that_it_does_not() -> None:
    try:
        group = pickle.loads(pickle.dumps(VK(TOKEN).users))
    except TypeError:
        return
    assert repr(group) == "<methods of VK: users.*>"


def test_an_object_without_its_attributes_says_so() -> None:
    for cls in (MethodGroup, VK):
        with pytest.raises(AttributeError):
            repr(cls.__new__(cls))


def test_attributes_are_listed_without_asking_vk() -> None:
    client = VK(TOKEN)
    assert {"call", "execute", "procedure", "config"} <= set(dir(client))
    assert dir(client.users)
    assert TOKEN not in repr(client)
    assert repr(client.users.get_by_id).startswith("<function users.getById")
    assert "users.getById" in str(client.users.get_by_id.__doc__)


def test_unknown_attributes_are_not_set() -> None:
    with pytest.raises(AttributeError):
        VK(TOKEN).users.get = 5  # type: ignore[attr-defined]


def test_every_method_of_vk_s_schema_is_reached() -> None:
    if not SCHEMA.is_dir():
        pytest.skip("VK's schema is not in ../shared/vk-api-schema")
    client = VK(TOKEN)
    for path in sorted(SCHEMA.glob("*/methods.json")):
        for method in json.loads(path.read_text(encoding="utf-8"))["methods"]:
            name = method["name"]
            if name == "execute":
                continue  # a method of the client itself
            group_name, _, method_name = name.partition(".")
            group = getattr(client, group_name)
            assert isinstance(group, MethodGroup), name
            assert getattr(group, method_name).__qualname__ == name
            assert not keyword.iskeyword(group_name)
            assert not keyword.iskeyword(method_name)
