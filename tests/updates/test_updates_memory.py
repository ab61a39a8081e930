"""However many updates there are, they leave nothing behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from proof.many_updates import read
from proof.updates import WAYS

if TYPE_CHECKING:
    from proof.updates import Way

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("way", WAYS)
async def test_thousands_of_updates_take_no_more_memory_than_hundreds(way: Way) -> None:
    blocks = await read(way, 8000)
    # The last thousand ids are remembered; trio keeps up to a thousand old deadlines.
    assert blocks[-1] - blocks[2] < 1000
