"""Series of calls, and how streams of them are read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio
import pytest

from _helpers import (
    get,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator

    from vkanyio import (
        APIRequest,
        CallStream,
        SettledCall,
    )


each_mode = pytest.mark.parametrize(
    "mode", ["sequential", "parallel", "parallel_selected"]
)
with_latency = pytest.mark.simulator_options(latency=1.0)


def pairs(numbers: Iterable[int]) -> Iterator[tuple[str, dict[str, int]]]:
    return (("test.get", {"id": i}) for i in numbers)


async def pairs_later(numbers: Iterable[int]) -> AsyncIterator[APIRequest]:
    for i in numbers:
        await anyio.sleep(0.1)
        yield get(i)


async def read(stream: CallStream) -> list[SettledCall]:
    async with stream as settled:
        return [call async for call in settled]


def outcome_of(call: SettledCall) -> Any:
    """Return the value of a call, or its error."""
    try:
        return call.result()
    except Exception as error:
        return error


class Interrupt(BaseException):
    """Like KeyboardInterrupt, which would end the test itself."""


class Source:
    """More calls than a stream may take.

    :ivar taken: how many were taken
    """

    def __init__(self) -> None:
        self.taken = 0

    def __iter__(self) -> Iterator[APIRequest]:
        while self.taken < 5000:
            self.taken += 1
            yield get(self.taken)
