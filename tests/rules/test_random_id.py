"""The stable key of a message."""

from __future__ import annotations

import subprocess
import sys
from enum import Enum, IntEnum
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import vkanyio
from vkanyio import random_id

if TYPE_CHECKING:
    from collections.abc import Iterable


class Kind(str, Enum):  # noqa: UP042 - whose str() is "Kind.PAID"
    PAID = "paid"


class Number(IntEnum):
    SEVEN = 7


PARTS = st.lists(st.text() | st.integers(), min_size=1).filter(
    lambda parts: any(map(str, parts))
)


@given(PARTS)
def test_it_is_a_positive_int_of_32_bits(parts: list[str | int]):
    assert 1 <= random_id(*parts) <= 2**31 - 1


@given(PARTS, PARTS)
def test_different_parts_make_different_keys(first: list[Any], second: list[Any]):
    is_same = list(map(str, first)) == list(map(str, second))
    # Of 2^31 keys, two of a few hundred examples are equal once in 10^7 runs.
    assert (random_id(*first) == random_id(*second)) is is_same


KEYS = (1147316814, 695405209, 1348522925)


def test_it_is_the_same_in_every_process_and_version():
    # These numbers never change: a bot that was updated must know its own messages.
    assert random_id("paid", 7) == KEYS[0]
    assert random_id("2f4e0c1e", 0) == KEYS[1]
    assert random_id("привет 😀") == KEYS[2]
    program = "import vkanyio; print(vkanyio.random_id('paid', 7))"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert int(done.stdout) == KEYS[0]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ((7,), ("7",)),
        ((Kind.PAID, Number.SEVEN), ("paid", 7)),
    ],
)
def test_numbers_and_enums_equal_their_text(one: Iterable[Any], other: Iterable[Any]):
    assert random_id(*one) == random_id(*other)


@pytest.mark.parametrize(
    ("one", "other"),
    [(("1", "23"), ("12", "3")), (("a",), ("a", "")), (("1:b",), ("1", "b"))],
)
def test_parts_are_kept_apart(one: Iterable[Any], other: Iterable[Any]):
    assert random_id(*one) != random_id(*other)


def test_text_that_utf_8_cannot_encode_has_a_key():
    assert random_id("\ud83d") != random_id("?")


@pytest.mark.parametrize("part", [None, 1.5, b"x", object()])
def test_another_type_is_refused_by_its_place(part: Any):
    kind = type(part).__name__
    with pytest.raises(TypeError, match=rf"part 2 of a random_id must.*got {kind}:"):
        random_id("paid", part)


@pytest.mark.parametrize("parts", [(), ("",), ("", "")])
def test_a_key_of_nothing_is_refused(parts: tuple[str, ...]):
    with pytest.raises(ValueError, match="needs at least one part"):
        random_id(*parts)


def test_it_belongs_to_the_package():
    assert random_id.__module__ == "vkanyio"
    assert vkanyio.random_id is random_id
