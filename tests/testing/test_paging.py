"""Paging: pages add up to the whole list."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from vkanyio.testing import Account, Call
from vkanyio.testing._state.base import page


def call(**params: Any) -> Call:
    given_ = {name: str(value) for name, value in params.items()}
    nothing: Any = None
    return Call(method="x", params=given_, account=Account(), time=0, invoker=nothing)


@given(total=st.integers(0, 60), size=st.integers(1, 20))
def test_pages_of_any_size_make_up_the_whole(total: int, size: int) -> None:
    items = range(total)
    whole: list[int] = []
    for offset in range(0, total + size, size):
        part = page(call(offset=offset, count=size), items, default=5)
        assert len(part) <= size
        whole += part
    assert whole == [*items]


@given(offset=st.integers(0, 50), count=st.integers(0, 50))
def test_a_page_is_no_longer_than_asked_for_or_shown(offset: int, count: int) -> None:
    asked, expected = call(offset=offset, count=count), range(30)[offset:][:count]
    assert page(asked, range(30), default=5) == expected
    assert page(asked, range(30), default=5, max_shown=3) == expected[:3]


def test_without_a_count_a_page_has_its_default_length() -> None:
    assert page(call(), range(30), default=5) == range(5)
