"""Validators outside a configuration.

The tests make them: the validators of the options exist before any test runs.
"""

from __future__ import annotations

from types import MappingProxyType, SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from vkanyio._option_validators import OneOf, Seconds, Whole, is_token, to_dict
from vkanyio._wire_checks import shown

if TYPE_CHECKING:
    from collections.abc import Callable

ATTRIBUTE: Any = SimpleNamespace(name="option")


@pytest.mark.parametrize(
    ("make", "value"),
    [
        (lambda: Whole(2), 2),
        (lambda: Whole(2), 10**9),
        (lambda: Whole(2, 4), 4),
        (Seconds, 0.1),
        (Seconds, 1e9),
        (lambda: Seconds(or_zero=True), 0),
        (lambda: OneOf(("a", "b")), "b"),
        (lambda: OneOf(("a", "b"), or_none=True), None),
    ],
)
def test_a_value_within_bounds_is_allowed(make: Callable[[], Any], value: Any) -> None:
    make()(None, ATTRIBUTE, value)


@pytest.mark.parametrize(
    ("make", "value", "wanted"),
    [
        (lambda: Whole(2), 1, "a whole number of at least 2, got 1"),
        (lambda: Whole(2, 4), 5, "a whole number from 2 to 4, got 5"),
        (
            lambda: Whole(2),
            10**9 + 1,
            "a whole number from 2 to 1000000000, got 1000000001",
        ),
        (
            lambda: Whole(2, 4, hint=" (or 3)"),
            1,
            "a whole number from 2 to 4, got 1 (or 3)",
        ),
        (lambda: Whole(0), -1, "a whole number of at least 0, got -1"),
        (Seconds, 0, "a number of seconds above 0, got 0"),
        (Seconds, 1e9 + 1, "a number of seconds above 0, got 1000000001.0"),
        (
            lambda: Seconds(or_zero=True),
            -1,
            "a number of seconds of at least 0, got -1",
        ),
        (lambda: OneOf(("a", "b")), "c", 'one of "a", "b", got \'c\''),
        (lambda: OneOf(("a",), or_none=True), "c", "one of \"a\", got 'c'"),
    ],
)
def test_a_value_out_of_bounds_is_refused_with_what_is_allowed(
    make: Callable[[], Any], value: Any, wanted: str
) -> None:
    with pytest.raises(ValueError, match="option") as caught:
        make()(None, ATTRIBUTE, value)
    assert str(caught.value) == f"option must be {wanted}"


@pytest.mark.parametrize(
    ("make", "value"),
    [
        (lambda: Whole(2), 2.0),
        (lambda: Whole(0), True),
        (Seconds, True),
        (lambda: OneOf(("a",)), None),
    ],
)
def test_a_value_of_another_type_is_refused(
    make: Callable[[], Any], value: Any
) -> None:
    with pytest.raises(TypeError, match="option must be"):
        make()(None, ATTRIBUTE, value)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (5, "5"),
        ("x" * 498, repr("x" * 498)),
        ("x" * 499, f"'{'x' * 499}..."),
    ],
)
def test_only_the_beginning_of_a_long_value_is_shown(value: Any, text: str) -> None:
    assert shown(value) == text


async def returns_tokens(_: object) -> str:
    return "vk1.a.token"


class Unhashable:
    """A function that returns tokens, but has no identity to be known by."""

    __hash__ = None  # type: ignore[assignment]

    async def __call__(self) -> str:
        return "vk1.a.token"


def test_a_token_may_be_a_function_that_returns_tokens() -> None:
    is_token(None, ATTRIBUTE, returns_tokens)


@pytest.mark.parametrize(
    ("value", "text"), [(dict, "<class 'dict'>"), (Unhashable(), "<.*Unhashable")]
)
def test_a_class_or_an_unhashable_object_is_no_token_function(
    value: Any, text: str
) -> None:
    with pytest.raises(TypeError, match=f"^option must be .* got {text}"):
        is_token(None, ATTRIBUTE, value)


def test_a_mapping_is_copied_and_anything_else_is_left_to_be_refused() -> None:
    headers = {"x-key": "1"}
    copied: Any = to_dict(MappingProxyType(headers))
    headers["x-key"] = "2"
    assert (type(copied), copied) == (dict, {"x-key": "1"})
    anything: Any = 5
    assert to_dict(anything) is anything
