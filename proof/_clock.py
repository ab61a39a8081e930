"""Virtual time on either event loop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, TypeVarTuple, Unpack

import anyio
import trio.testing

from vkanyio.testing import VirtualClockLoop

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

T = TypeVar("T")
Args = TypeVarTuple("Args")

BACKENDS = ("asyncio", "trio")


def run_in_virtual_time(
    backend: str,
    function: Callable[[Unpack[Args]], Awaitable[T]],
    *args: *Args,
) -> T:
    """Run a function to its end, without waiting for the time that goes by in it."""
    options: dict[str, Any] = {"loop_factory": VirtualClockLoop}
    if backend == "trio":
        options = {"clock": trio.testing.MockClock(autojump_threshold=0)}
    return anyio.run(function, *args, backend=backend, backend_options=options)
