"""Paging: pages add up to the whole list."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vkanyio.testing import Account, Call, VKFault
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
        part = page(call(offset=offset, count=size), items, default=5, max_count=20)
        assert len(part) <= size
        whole += part
    assert whole == [*items]


@given(offset=st.integers(-5, 50), count=st.integers(-5, 50))
def test_a_page_is_within_its_bounds_or_refused(offset: int, count: int) -> None:
    items = range(30)
    asked = call(offset=offset, count=count)
    if offset < 0 or not 0 <= count <= 20:
        with pytest.raises(VKFault) as caught:
            page(asked, items, default=5, max_count=20)
        assert caught.value.code == 100
    else:
        expected = range(30)[offset : offset + count]
        assert page(asked, items, default=5, max_count=20) == expected
        assert page(asked, items, default=5, max_shown=3) == expected[:3]


def test_without_a_count_a_page_has_its_default_length() -> None:
    assert page(call(), range(30), default=5) == range(5)
