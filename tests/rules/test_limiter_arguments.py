"""The arguments of the rate limit."""

from __future__ import annotations

import math
import re
from typing import Any

import pytest

from vkanyio import Limiter


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"limit": 0}, ValueError),
        ({"limit": -1}, ValueError),
        ({"limit": 3.0}, TypeError),
        ({"limit": True}, TypeError),
        ({"limit": "3"}, TypeError),
        ({"limit": None}, TypeError),
        ({"limit": 3, "request_mode": "bursts"}, ValueError),
        ({"limit": 3, "request_mode": True}, TypeError),
        ({"limit": 3, "window": 0}, ValueError),
        ({"limit": 3, "window": -1.0}, ValueError),
        ({"limit": 3, "window": math.nan}, ValueError),
        ({"limit": 3, "window": math.inf}, ValueError),
        ({"limit": 3, "window": "1"}, TypeError),
        ({"limit": 3, "window": True}, TypeError),
    ],
)
def test_a_wrong_argument_is_refused_by_name(
    arguments: dict[str, Any], error: type[Exception]
) -> None:
    name, value = list(arguments.items())[-1]
    with pytest.raises(error, match=rf"{name} must be .*{re.escape(repr(value))}"):
        Limiter(**arguments)


def test_a_limit_may_be_very_high() -> None:
    assert Limiter(10**6).limit == 10**6
    with pytest.raises(ValueError, match="limit"):
        Limiter(10**6 + 1)


def test_the_repr_of_a_limiter_shows_its_arguments() -> None:
    assert (
        repr(Limiter(20, request_mode="burst"))
        == "Limiter(20, request_mode='burst', window=1.0)"
    )


def test_a_request_mode_that_does_not_exist_is_refused_with_those_that_do() -> None:
    with pytest.raises(ValueError, match='"sequential" or "burst", got \'fast\''):
        Limiter(3, request_mode="fast")  # type: ignore[arg-type]
