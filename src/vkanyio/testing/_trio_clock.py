"""A virtual clock for trio that waits for worker threads."""

from __future__ import annotations

from typing import Any, final

import trio.abc
import trio.testing

from ._clock import ThreadPatience


def trio_options() -> dict[str, Any]:
    """Return the options of trio for virtual time."""
    clock = trio.testing.MockClock(autojump_threshold=0)
    return {"clock": clock, "instruments": [_WaitForThreads(clock)]}


@final
class _WaitForThreads(trio.abc.Instrument):
    """Keep a clock from jumping while worker threads are busy."""

    def __init__(self, clock: trio.testing.MockClock) -> None:
        self._clock = clock
        self._patience = ThreadPatience()

    def after_task_step(self, task: trio.lowlevel.Task) -> None:  # noqa: ARG002, trio's
        """Set for how long trio must be idle before the clock jumps."""
        seconds = self._patience.seconds()
        if seconds != self._clock.autojump_threshold:
            self._clock.autojump_threshold = seconds
