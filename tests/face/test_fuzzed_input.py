"""Any object as an option, a parameter or a name: it works, or its error names it.

A refusal is a TypeError or a ValueError in the task of the caller, and nothing is sent.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum, Flag
from fractions import Fraction
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from unittest.mock import MagicMock, Mock

import httpx
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from vkanyio import VK, APIRequest, ClientUseError, Config, Limiter
from vkanyio._config import Options
from vkanyio._encoding import to_form

if TYPE_CHECKING:
    from collections.abc import Callable

TOKEN = "vk1.a.the-secret-token"
OPTIONS = sorted(Options.__annotations__)


class Colour(Enum):
    RED = "red"
    DEEP = ({"a": (1, 2)},)


class Rights(Flag):
    WALL = 1


class Shy:
    """An object whose repr raises."""

    def __repr__(self) -> str:
        raise RuntimeError("shy")


class Unequal:
    """An object that cannot be compared, and is neither true nor false."""

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("unequal")

    def __bool__(self) -> bool:
        raise RuntimeError("neither")

    def __hash__(self) -> int:
        return 1


class Text(str):
    """A str that is not quite one."""

    __slots__ = ()

    def __str__(self) -> str:
        return "other"


class Number(int):
    """An int that is not quite one."""

    def __repr__(self) -> str:
        return "nan"


class Long:
    """An object with a very long repr."""

    def __repr__(self) -> str:
        return "x" * 100_000


def function(*_: Any) -> None:
    """Do nothing."""


async def coroutine_function(*_: Any) -> None:
    """Do nothing."""


def numbers() -> Any:
    yield from range(3)


def iter_of(value: Any) -> Any:
    return iter([value])


class Wrapped:
    """An object with its own form for VK."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def to_vk(self) -> Any:
        return self.value


OBJECTS: list[Any] = [
    *(object(), object, type, int, str, Colour, Colour.RED, Colour.DEEP, Rights.WALL),
    *(Unequal(), Text("text"), Text("users.get"), Number(5), Long(), len, ...),
    *(function, coroutine_function, numbers, numbers(), lambda: 1, Exception("x")),
    *(Mock(), MagicMock(), SimpleNamespace(a=1), NotImplemented, print),
    *(10**400, -(10**400), 2**31, 2**63, -(2**63), 5e-324, 1.8e308, -0.0),
    *(math.nan, math.inf, -math.inf, 1j, Decimal("NaN"), Decimal(5), Fraction(1, 3)),
    *(datetime.min, datetime.max, datetime(2024, 1, 1, tzinfo=UTC), date(2024, 1, 1)),
    *(
        timedelta(1),
        b"",
        b"bytes",
        bytearray(b"x"),
        memoryview(b"x"),
        range(3),
        slice(3),
    ),
    *(
        "",
        " ",
        "\x00",
        "\ud800",
        "\u2028",
        "\r\nx: y",
        "x" * 100_000,
        "🦊",
        "%00",
        "../",
    ),
    *([], (), {}, set(), frozenset(), [[]], [None], {None: None}, {"a": object()}),
    *(Config(TOKEN), APIRequest("users.get"), Limiter(3), httpx.AsyncClient()),
    *(["users.get"], {"users.get"}, ("users.get", 5), {"x-a": "1"}, {"x a": "\n"}),
    *("users.get", "execute", "5.199", "ru", "burst", "parallel", "http://localhost"),
    *("https://[::1", "socks5://a:b@c:1", "http://\ud800", "//", "http://a:b@c/?d#e"),
]

# Hypothesis cannot show these.
SHY: list[Any] = [
    10**5000,
    Shy(),
    [Shy()],
    {"a": Shy()},
    {1: Shy()},
    (Shy(), 1),
    {Shy(): 1},
]

plain = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters())
    | st.binary()
    | st.datetimes()
    | st.decimals()
    | st.sampled_from(OBJECTS)
)
anything = plain | st.recursive(
    plain,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(st.text() | st.integers(), inner, max_size=4)
        | inner.map(iter_of)
        | inner.map(Wrapped)
    ),
    max_leaves=6,
)


def short_id(value: Any) -> str:
    return type(value).__name__


def refusal(make: Callable[[], Any]) -> str | None:
    """Return the message of the error, if something is refused."""
    try:
        make()
    except (TypeError, ValueError) as error:
        message = str(error)
    else:
        return None
    assert 0 < len(message) < 1000
    assert TOKEN not in message
    return message


# Options


def is_option(name: str, value: Any) -> bool:
    """Return whether an option is taken, and assert that it is named if it is not."""
    options: dict[str, Any] = {name: value}
    message = refusal(lambda: VK(TOKEN, **options))
    assert message == refusal(lambda: repr(Config(TOKEN, **options)))
    assert message is None or message.startswith(f"{name} ")
    return message is None


@pytest.mark.parametrize("name", OPTIONS)
def test_any_object_is_an_option_or_is_refused_by_name(name: str) -> None:
    taken = sum(is_option(name, value) for value in OBJECTS + SHY)
    assert taken < len(OBJECTS) / 2


@given(st.sampled_from(OPTIONS), anything)
def test_no_object_breaks_an_option(name: str, value: Any) -> None:
    is_option(name, value)


@given(anything)
@example(Unequal())
def test_no_object_breaks_the_token(value: Any) -> None:
    message = refusal(lambda: VK(value))
    assert message is not None or isinstance(value, str) or callable(value)
    assert message is None or message.startswith("token must be")


@given(st.dictionaries(st.text(min_size=1), plain, min_size=1, max_size=3))
@example({"x" * 10_000: 1})
@example({"token": 1})
def test_no_name_breaks_the_options(options: dict[str, Any]) -> None:
    message = refusal(lambda: VK(TOKEN, **options))
    assert (
        message is None
        or re.search("option|'token'", message)
        or (message.split()[0] in options)
    )


class Fine:
    """An HTTP client that always succeeds."""

    def __init__(self) -> None:
        self.requests = 0

    async def post(self, url: str, **_: Any) -> httpx.Response:
        self.requests += 1
        return httpx.Response(200, json={"response": 1})


OBJECTS_OF_USERS = {"http_client", "limiter"}
"""Options that take any object with certain methods: a mock has them, too."""


@pytest.mark.anyio
@pytest.mark.parametrize("name", sorted({*OPTIONS} - {*OBJECTS_OF_USERS, "proxy"}))
async def test_accepted_options_make_a_client_that_works(name: str) -> None:
    for value in OBJECTS:
        if is_option(name, value):
            options: dict[str, Any] = {"http_client": Fine(), name: value}
            async with VK(TOKEN, **options) as api:
                assert await api.call("users.get") == 1


# Parameters


def is_parameter(value: Any, name: str = "user_ids") -> bool:
    """Return whether a parameter can be sent, and assert that it is named if not."""

    def make() -> None:
        request = APIRequest("users.get", {name: value})
        assert to_form(request.params).isascii()
        assert str(request).encode().startswith(b"API.users.get({")
        assert repr(request).startswith("APIRequest('users.get', {")

    message = refusal(make)
    assert message is None or name in message
    return message is None


@pytest.mark.parametrize("value", OBJECTS + SHY, ids=short_id)
def test_any_object_is_a_parameter_or_is_refused_by_name(value: Any) -> None:
    is_parameter(value)
    is_parameter([value])
    is_parameter({"a": value})
    is_parameter({"a": {"b": [value]}})
    is_parameter(Wrapped(value))
    is_parameter(value, "access_token")


@given(anything)
def test_no_object_breaks_a_parameter(value: Any) -> None:
    is_parameter(value)


@given(anything)
def test_no_object_breaks_the_parameters(params: Any) -> None:
    message = refusal(lambda: APIRequest("users.get", params))
    if not isinstance(params, dict | None):
        assert message is not None
        assert message.startswith("params must be a dict")


@pytest.mark.parametrize("name", OBJECTS + SHY, ids=short_id)
def test_any_object_is_the_name_of_a_parameter_or_is_refused(name: Any) -> None:
    try:
        params = {name: 1}
    except TypeError:
        return  # a dict cannot have such a key
    message = refusal(lambda: to_form(APIRequest("users.get", params).params))
    assert message is not None or isinstance(name, str)
    assert message is None or "parameter" in message or "UTF-8" in message


# Names, headers and the rest


def check_rest(value: Any) -> None:
    makers: dict[str, Callable[[], APIRequest]] = {
        "method": lambda: APIRequest(value),
        "headers": lambda: APIRequest("users.get", headers=value),
        "repeatable": lambda: APIRequest("users.get", repeatable=value),
    }
    for name, make in makers.items():
        message = refusal(make)
        assert message is None or message.startswith(f"{name} ")


@pytest.mark.parametrize("value", OBJECTS + SHY, ids=short_id)
def test_any_object_is_another_part_of_a_request_or_is_refused(value: Any) -> None:
    check_rest(value)


@given(anything)
@example("x" * 100_000 + "!")
def test_no_object_breaks_the_other_parts_of_a_request(value: Any) -> None:
    check_rest(value)


@pytest.mark.anyio
@settings(max_examples=20, deadline=None)
@given(value=anything)
async def test_refused_objects_are_not_sent(value: Any) -> None:
    await check_calls(value)


@pytest.mark.anyio
async def test_objects_that_cannot_be_shown_are_refused_too() -> None:
    for value in SHY:
        await check_calls(value)


async def check_calls(value: Any) -> None:
    client = Fine()
    sent = 0
    async with VK(TOKEN, limit=1000, http_client=client) as api:
        calls: dict[str, Callable[[], Any]] = {
            "method": lambda: api.call(value),
            "user_ids": lambda: api.call("users.get", {"user_ids": value}),
            "param": lambda: api.call("users.get", {"a": object(), "param": value}),
            "request": lambda: api.call_with_request(value),
            "code": lambda: api.execute(value),
            "name": lambda: api.procedure(value),
            "count": lambda: api.wall.get(count=value),
        }
        for name, call in calls.items():
            message = ""
            try:
                await call()
            except (TypeError, ValueError) as error:
                message = str(error)
            except ClientUseError:
                message = "request"  # it was sent in an earlier example
            sent += not message
            assert name in message or name == "param" or not message
            assert len(message) < 1000
            assert client.requests == sent
        assert await api.call("users.get") == 1
