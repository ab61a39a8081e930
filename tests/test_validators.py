"""Validators by themselves: those of the options are made before any test runs."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import pytest

from vkanyio._validators import OneOf, Seconds, Whole

ATTRIBUTE: Any = SimpleNamespace(name="option")


@pytest.mark.parametrize(
    ("validator", "value"),
    [
        (Whole(2), 2),
        (Whole(2), 10**9),
        (Whole(2, 4), 4),
        (Seconds(), 0.1),
        (Seconds(), 1e9),
        (Seconds(or_zero=True), 0),
        (OneOf(("a", "b")), "b"),
        (OneOf(("a", "b"), or_none=True), None),
    ],
)
def test_a_value_within_bounds_is_allowed(validator: Any, value: Any) -> None:
    validator(None, ATTRIBUTE, value)


@pytest.mark.parametrize(
    ("validator", "value", "wanted"),
    [
        (Whole(2), 1, "a whole number of at least 2, got 1"),
        (Whole(2, 4), 5, "a whole number from 2 to 4, got 5"),
        (Whole(2, 4, hint=" (or 3)"), 1, "a whole number from 2 to 4, got 1 (or 3)"),
        (Whole(0, math.inf), -1, "a whole number of at least 0, got -1"),
        (Seconds(), 0, "a number of seconds above 0, got 0"),
        (Seconds(), 1e9 + 1, "a number of seconds above 0, got 1000000001.0"),
        (Seconds(or_zero=True), -1, "a number of seconds of at least 0, got -1"),
        (OneOf(("a", "b")), "c", 'one of "a", "b", got \'c\''),
        (OneOf(("a",), or_none=True), "c", "one of \"a\", got 'c'"),
    ],
)
def test_a_value_out_of_bounds_is_refused_with_what_is_allowed(
    validator: Any, value: Any, wanted: str
) -> None:
    with pytest.raises(ValueError, match="option") as caught:
        validator(None, ATTRIBUTE, value)
    assert str(caught.value) == f"option must be {wanted}"


@pytest.mark.parametrize(
    ("validator", "value"),
    [(Whole(2), 2.0), (Whole(0), True), (Seconds(), True), (OneOf(("a",)), None)],
)
def test_a_value_of_another_type_is_refused(validator: Any, value: Any) -> None:
    with pytest.raises(TypeError, match="option must be"):
        validator(None, ATTRIBUTE, value)
