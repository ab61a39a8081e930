"""Virtual time on each event loop, with task order that a seed repeats."""

from __future__ import annotations

import importlib
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, TypeVar, TypeVarTuple, Unpack

import anyio
import trio.testing

from vkanyio.testing import VirtualClockLoop

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Generator

T = TypeVar("T")
Args = TypeVarTuple("Args")

BACKENDS = ("asyncio", "trio")
LOOPS = ("asyncio", *(["uvloop"] if find_spec("uvloop") else []), "trio")
"""The event loops that are installed, in virtual time."""


def run_in_virtual_time(
    backend: str,
    function: Callable[[Unpack[Args]], Awaitable[T]],
    *args: *Args,
    seed: int | None = None,
) -> T:
    """Run an async function to its end in virtual time.

    :param backend: one of :data:`LOOPS`
    :param seed: repeats the order in which tasks run; with ``None`` trio chooses it
    """
    options: dict[str, Any] = {"loop_factory": VirtualClockLoop}
    if backend == "trio":
        options = {"clock": trio.testing.MockClock(autojump_threshold=0)}
    elif backend == "uvloop":
        from ._uvloop import VirtualUVLoop

        backend, options = "asyncio", {"loop_factory": VirtualUVLoop}
    with _seeded_trio(seed):
        return anyio.run(function, *args, backend=backend, backend_options=options)


@contextmanager
def _seeded_trio(seed: int | None) -> Generator[None]:
    """Seed trio's scheduler; asyncio runs tasks first in, first out.

    1. trio shuffles the tasks of each step with its own generator.
    2. Before that, tasks that woke at the same moment are in the order of their
       addresses in memory, unless trio is asked to sort them. Hypothesis needs this,
       too, so trio has a switch for it.

    Both are private: should a new version of trio rename them, the tests that compare
    two soaks fail.
    """
    if seed is None:
        yield
        return
    scheduler: Any = importlib.import_module("trio._core._run")
    before = scheduler._ALLOW_DETERMINISTIC_SCHEDULING
    scheduler._r.seed(seed)
    scheduler._ALLOW_DETERMINISTIC_SCHEDULING = True
    try:
        yield
    finally:
        scheduler._ALLOW_DETERMINISTIC_SCHEDULING = before
