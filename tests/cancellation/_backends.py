"""The event loops to run on, each with a clock that jumps, and how they cancel."""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import attrs
import pytest
import trio.testing

from vkanyio.testing import VirtualClockLoop

if TYPE_CHECKING:
    from collections.abc import Callable


@attrs.frozen
class Backend:
    """An event loop to run on.

    :ivar ways: how a task can be cancelled there, see ``_ways.py``
    :ivar missing: why it cannot be used here
    """

    name: str
    ways: tuple[str, ...]
    loop_factory: Callable[[], asyncio.AbstractEventLoop] | None = None
    missing: str | None = None

    def anyio_backend(self) -> tuple[str, dict[str, Any]]:
        """Return the backend as anyio's plugin expects it."""
        if self.missing is not None:
            pytest.skip(self.missing)
        if self.loop_factory is None:
            clock = trio.testing.MockClock(autojump_threshold=0)
            return "trio", {"clock": clock}
        return "asyncio", {"loop_factory": self.loop_factory}


def _debugged() -> asyncio.AbstractEventLoop:
    loop = VirtualClockLoop()
    loop.set_debug(True)
    # Nothing here is slow but the machine, and asyncio would log that.
    loop.slow_callback_duration = 60
    return loop


def _eager() -> asyncio.AbstractEventLoop:
    loop = VirtualClockLoop()
    factory: Any = vars(asyncio)["eager_task_factory"]
    loop.set_task_factory(factory)
    return loop


def _uvloop() -> asyncio.AbstractEventLoop:
    from proof._uvloop import VirtualUVLoop

    return VirtualUVLoop()


NATIVE = ("scope", "task", "timeout")

BACKENDS = [
    Backend("asyncio", NATIVE, VirtualClockLoop),
    Backend("trio", ("scope", "deadline")),
    Backend("asyncio, debug", NATIVE, _debugged),
    Backend(
        "asyncio, eager tasks",
        NATIVE,
        _eager,
        None if sys.version_info >= (3, 12) else "Python has eager tasks from 3.12 on",
    ),
    Backend(
        "uvloop",
        NATIVE,
        _uvloop,
        None if find_spec("uvloop") else "uvloop is not installed",
    ),
]
MAIN_BACKENDS = ("asyncio", "trio")


def seed_trio(seed: int) -> None:
    """Make trio run tasks in the same order for the same seed."""
    with suppress(AttributeError):  # a private place
        trio._core._run._r.seed(seed)
