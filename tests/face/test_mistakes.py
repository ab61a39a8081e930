"""Mistakes that newcomers make: each gets an error that says what to write instead."""

from __future__ import annotations

import inspect
import traceback
from typing import TYPE_CHECKING, Any

import pytest

from _helpers import LIBRARY
from vkanyio import (
    API,
    VK,
    APIRequest,
    ClientUseError,
    ExecuteResult,
    MethodGroup,
    UnknownMethodError,
)
from vkanyio._method_facts import METHODS

if TYPE_CHECKING:
    from collections.abc import Callable

    from _helpers import MakeClient
    from vkanyio.testing import Simulator

pytestmark = pytest.mark.anyio

TOKEN = "vk1.a.the-secret-token"
NAMES = sorted(name for name in METHODS if "." in name)


def method_of(api: VK, name: str) -> Any:
    group, _, method = name.partition(".")
    return getattr(getattr(api, group), method)


# Arguments


@pytest.mark.parametrize(
    ("method", "name", "meant"),
    [
        ("users.get", "user_id", "user_ids"),
        ("users.get", "userIds", "user_ids"),
        ("users.get", "fieldz", "fields"),
        ("wall.post", "ownerId", "owner_id"),
        ("pages.get", "global", "global_"),
        ("groups.getById", "groupIds", "group_ids"),
    ],
)
def test_a_parameter_that_does_not_exist_brings_up_the_one_probably_meant(
    method: str, name: str, meant: str
) -> None:
    with pytest.raises(TypeError) as caught:
        method_of(VK(TOKEN), method)(**{name: 1})
    hint = f"{method} has no parameter {name}: did you mean {meant}?"
    assert str(caught.value) == hint


def test_a_parameter_that_resembles_no_other_can_be_sent_without_types() -> None:
    with pytest.raises(
        TypeError, match=r"no parameter qqqqq; .* extra_params=\{'qqqqq'"
    ):
        method_of(VK(TOKEN), "users.get")(qqqqq=1)


def test_a_token_for_one_call_is_passed_to_a_view() -> None:
    with pytest.raises(TypeError) as caught:
        method_of(VK(TOKEN), "users.get")(access_token="SECRET")
    assert str(caught.value) == (
        "users.get has no parameter access_token: use `api.as_token(token)`, which has"
        " its own limit, or pass extra_params={'access_token': ...}"
    )


@pytest.mark.parametrize(
    ("params", "kind"), [([1], "list"), (1, "int"), ("SECRET", "str"), (b"", "bytes")]
)
async def test_parameters_of_another_type_are_named_by_it(
    make_client: MakeClient, params: Any, kind: str
) -> None:
    message = f"params must be a dict of parameters, got {kind}"
    async with make_client() as api:
        for call in (
            lambda: api.call("friends.get", params),
            lambda: api.gather([("friends.get", params)]),
        ):
            with pytest.raises(TypeError) as caught:
                await call()
            assert str(caught.value) == message
        async with api.stream([("friends.get", params)]) as settled:
            [refused] = [each async for each in settled]
    for refusal in (refused.result, lambda: APIRequest("friends.get", params)):
        with pytest.raises(TypeError) as caught:
            refusal()
        assert str(caught.value) == message


@pytest.mark.parametrize("values", [([1],), (1, "city"), ({"user_ids": 1},)])
def test_parameters_are_passed_by_name(values: tuple[Any, ...]) -> None:
    with pytest.raises(TypeError) as caught:
        method_of(VK(TOKEN), "users.get")(*values)
    for text in ("passed by name", "api.users.get(user_ids=...)", "(**params)"):
        assert text in str(caught.value)


def test_a_parameter_that_is_required_must_be_given() -> None:
    with pytest.raises(TypeError, match=r"missing 1 required .* 'item_id'"):
        method_of(VK(TOKEN), "likes.add")(type="post")


@pytest.mark.parametrize("name", NAMES)
def test_every_method_explains_its_arguments(name: str) -> None:
    method = method_of(VK(TOKEN), name)
    with pytest.raises(TypeError, match=rf"{name} has no parameter no_parameter"):
        method(no_parameter=1)
    with pytest.raises(TypeError):
        method(1)


async def test_an_error_of_a_call_is_not_taken_for_one_of_its_arguments(
    make_client: MakeClient,
) -> None:
    async with make_client() as api:
        with pytest.raises(TypeError, match="user_ids must be a str") as caught:
            await api.users.get(user_ids=object())  # type: ignore[arg-type]
    frames = traceback.extract_tb(caught.value.__traceback__)
    assert [frame.name for frame in frames[1:3]] == ["get", "call"]  # no wrapper


def test_no_local_variable_shows_the_arguments() -> None:
    for arguments in ({"user_idz": "SECRET"}, {"user_ids": 1, "x": "SECRET"}):
        with pytest.raises(TypeError) as caught:
            method_of(VK(TOKEN), "users.get")("SECRET", **arguments)
        shown = traceback.TracebackException.from_exception(
            caught.value, capture_locals=True
        )
        of_the_library = [
            each for each in shown.stack if each.filename.startswith(LIBRARY)
        ]
        assert of_the_library
        for frame in of_the_library:
            assert "SECRET" not in str(frame.locals)


def test_a_method_looks_like_the_function_that_it_is() -> None:
    method = VK(TOKEN).groups.getById
    assert inspect.iscoroutinefunction(method)
    assert [*inspect.signature(method).parameters] == [
        "group_ids",
        "group_id",
        "fields",
        "extra_params",
    ]
    assert method.__qualname__ == "Groups.getById"
    assert "async def getById" in inspect.getsource(method)
    assert VK(TOKEN).groups.get_by_id.__name__ == "getById"


def test_a_group_of_a_user_has_the_same_errors() -> None:
    class Mine(MethodGroup):
        _name = "mine"

        async def do(self, *, what: str) -> Any:
            return await self._call("mine.do", {"what": what}, None)

        async def nothing(self) -> Any:
            return await self._call("mine.nothing", {}, None)

    group: Any = Mine(VK(TOKEN).call)
    with pytest.raises(TypeError, match=r"mine\.do has no parameter wat: did you mean"):
        group.do(wat=1)
    with pytest.raises(TypeError, match="takes 1 positional argument but 2 were given"):
        group.nothing(1)


# Options


def test_a_client_needs_a_token() -> None:
    with pytest.raises(TypeError) as caught:
        VK(limit=20)  # type: ignore[call-arg]
    message = "VK() missing 1 required positional argument: 'token'"
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("name", "own_name"),
    [("v", "version"), ("lang", "language"), ("apiLimit", "limit")],
)
def test_names_of_other_clients_and_of_vk_bring_up_the_option(
    name: str, own_name: str
) -> None:
    options: dict[str, Any] = {name: "1"}
    message = f"unknown option '{name}': did you mean {own_name}?"
    with pytest.raises(TypeError) as caught:
        VK(TOKEN, **options)
    assert str(caught.value) == message


async def test_the_option_of_a_view_is_brought_up_too(make_client: MakeClient) -> None:
    async with make_client() as api:
        with pytest.raises(TypeError, match=r"'lang' of a view: did you mean language"):
            api.as_token("token", lang="ru")  # type: ignore[call-arg]


# Names


@pytest.mark.parametrize(
    ("name", "instead"),
    [
        ("method", "await api.call"),
        ("request", "await api.call"),
        ("api", "the client itself"),
        ("get_api", "the client itself"),
        ("close", "async with"),
        ("aclose", "async with"),
    ],
)
def test_names_of_other_clients_bring_up_what_to_use(name: str, instead: str) -> None:
    with pytest.raises(AttributeError) as caught:
        getattr(VK(TOKEN), name)
    assert f"'VK' object has no attribute {name!r}: " in str(caught.value)
    assert instead in str(caught.value)
    assert TOKEN not in str(caught.value)


def test_a_method_that_vk_does_not_have_has_no_suggestion_if_it_resembles_none() -> (
    None
):
    with pytest.raises(AttributeError) as caught:
        getattr(VK(TOKEN).users, "xylophone")  # noqa: B009 - no such attribute
    text = str(caught.value)
    assert "did you mean" not in text
    assert 'use `api.call("users.xylophone", {...})` if VK has it' in text


def test_the_base_class_takes_no_token() -> None:
    with pytest.raises(TypeError, match=r"async with VK\(token\)") as caught:
        API(TOKEN)  # type: ignore[arg-type]
    shown = traceback.TracebackException.from_exception(
        caught.value, capture_locals=True
    )
    for frame in shown.stack:
        if "_api" in frame.filename:
            assert TOKEN not in str(frame.locals)


@pytest.mark.parametrize("mode", ["sequential", "parallel"])
@pytest.mark.parametrize(
    ("method", "hint"),
    [
        ("users.gett", "(did you mean users.get? method names are case-sensitive"),
        ("Users.get", "(did you mean users.get? method names are case-sensitive"),
        ("groups.get_by_id", "(did you mean groups.getById? method names"),
        ("xylophone.play", "(method names are case-sensitive"),
    ],
)
async def test_a_method_that_vk_does_not_know_brings_up_the_one_probably_meant(
    make_client: MakeClient, method: str, hint: str, mode: Any
) -> None:
    async with make_client(mode=mode) as api:
        with pytest.raises(UnknownMethodError) as caught:
            await api.call(method)
    assert hint in str(caught.value)
    assert UnknownMethodError.advice.startswith("method names")


async def test_a_stored_procedure_is_not_compared_with_methods(
    make_client: MakeClient,
) -> None:
    async with make_client() as api:
        with pytest.raises(UnknownMethodError) as caught:
            await api.procedure("getUsers")
    assert "did you mean" not in str(caught.value)


# Scripts


async def test_the_code_of_a_script_may_be_passed_by_name(
    simulator: Simulator, make_client: MakeClient
) -> None:
    async with make_client() as api:
        result = await api.execute(code="return Args.a + Args.self;", a=1, self=2)
        assert result == ExecuteResult("12")
        assert await api.execute(a=1, code="return Args.code;") == ExecuteResult(
            "return Args.code;"
        )
        with pytest.raises(TypeError, match="multiple values"):
            await api.execute("return 1;", code="return 2;")  # type: ignore[misc]
        with pytest.raises(TypeError, match="code"):
            await api.execute({"code": "return 1;"})  # type: ignore[arg-type]
    assert len(simulator.ledger.carried_out("execute")) == 2


# Asynchronous objects


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda api: api, "VK"),
        (lambda api: api.as_token(TOKEN), "TokenView"),
        (lambda api: api.stream([]), "CallStream"),
        (lambda api: api.collect("wall.get").ahead(), "ItemsAhead"),
        (lambda api: api.bot_updates(), "BotUpdates"),
        (lambda api: api.user_updates(), "UserUpdates"),
    ],
)
async def test_a_block_is_entered_by_async_with(
    make_client: MakeClient, make: Callable[[VK], Any], name: str
) -> None:
    async with make_client() as api:
        with (
            pytest.raises(ClientUseError, match=f"{name} is entered by `async with`"),
            make(api),
        ):
            raise AssertionError("it was entered")


async def test_pages_are_read_by_async_for(make_client: MakeClient) -> None:
    async with make_client() as api:
        items: Any = api.collect("wall.get", owner_id=1)
        hint = r"PagedItems is read by `async for` or by `await items.all\(\)`, not by"
        with pytest.raises(ClientUseError, match=f"{hint} `for`"):
            list(items)
        with pytest.raises(ClientUseError, match=f"{hint} `await`"):
            await items


@pytest.mark.parametrize(
    "make", [lambda api: api.stream([]), lambda api: api.bot_updates()]
)
async def test_what_arrives_later_is_read_by_async_for(
    make_client: MakeClient, make: Callable[[VK], Any]
) -> None:
    async with make_client() as api:
        with pytest.raises(ClientUseError, match="read by `async for`, not by `for`"):
            list(make(api))
