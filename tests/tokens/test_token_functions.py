"""A token that is a function: what it may be and return, and what is refused."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any
from unittest.mock import AsyncMock

import anyio
import pytest

from _helpers import assert_gone, own_tasks
from _tokens import Source
from vkanyio import VK, Token

if TYPE_CHECKING:
    from _tokens import Make

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("echoes")]


async def test_the_function_is_asked_once_at_entering(make: Make) -> None:
    source = Source()
    async with make(source) as api:
        assert source.asked == [None]
        assert await api.call("test.get", {"id": 1}) == 1
    assert source.asked == [None]
    assert_gone(api)


async def test_what_the_function_raises_at_entering_leaves_the_block(
    make: Make,
) -> None:
    async def fail(refused: str | None) -> str:
        raise LookupError("no token")

    with pytest.raises(LookupError, match="no token") as caught:
        async with make(fail):
            pytest.fail("it was entered")
    assert caught.value.__context__ is None
    assert own_tasks() == []


@pytest.mark.parametrize(
    ("returned", "kind", "text"),
    [
        (None, TypeError, "got NoneType"),
        (5, TypeError, "got int"),
        ("", ValueError, "got an empty string"),
        ("Bearer abc-secret", ValueError, 'got one with "Bearer"'),
    ],
)
async def test_what_is_no_token_is_refused_at_entering(
    make: Make, returned: Any, kind: type[Exception], text: str
) -> None:
    async def wrong(refused: str | None) -> Any:
        return returned

    with pytest.raises(kind, match=text) as caught:
        async with make(wrong):
            pytest.fail("it was entered")
    assert "abc-secret" not in str(caught.value)


async def test_a_function_that_is_not_async_is_refused_without_showing_the_token(
    make: Make,
) -> None:
    def wrong(refused: str | None) -> Any:
        return "vk1.a.a-secret"

    with pytest.raises(
        TypeError, match="wrong must be an async function, but"
    ) as caught:
        async with make(wrong):
            pytest.fail("it was entered")
    assert "a-secret" not in str(caught.value)


async def test_entering_may_be_cancelled_while_the_function_is_asked(
    make: Make,
) -> None:
    with anyio.move_on_after(1) as scope:
        async with make(lambda _: anyio.sleep_forever()):
            pytest.fail("it was entered")
    assert scope.cancelled_caught
    assert own_tasks() == []


class Unhashable:
    __hash__ = None  # type: ignore[assignment]

    async def __call__(self, refused: str | None) -> str:
        return "vk1.a.token"


def test_tokens_are_checked_and_masked() -> None:
    token = Token("vk1.a.the-secret")
    assert repr(token) == "Token('***')"
    assert token.value == "vk1.a.the-secret"
    with pytest.raises(TypeError, match="value must be a VK access token"):
        Token(5)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="expires_at must be a datetime with a time"):
        Token("vk1.a.x", datetime(2026, 1, 1))
    with pytest.raises(TypeError, match="expires_at must be a datetime with a time"):
        Token("vk1.a.x", 3600)  # type: ignore[arg-type]


@pytest.mark.parametrize("token", [VK, dict, Unhashable()])
def test_a_class_or_what_has_no_hash_is_no_token_function(token: Any) -> None:
    with pytest.raises(TypeError, match="async function that returns one"):
        VK(token)


async def takes_nothing() -> str:
    return "vk1.a.token"


def test_a_function_without_a_parameter_is_refused_before_it_is_called() -> None:
    with pytest.raises(TypeError, match=r"one parameter, .*takes_nothing"):
        VK(takes_nothing)  # type: ignore[arg-type]
    VK(AsyncMock())  # whatever its signature, it may be called
