"""A virtual clock for asyncio, so that a test can wait an hour in no real time."""

from __future__ import annotations

import asyncio
import selectors
from typing import final

START = 1000.0
"""The time on the virtual clock of a new loop, in seconds.

It is not zero, so that tests reveal a program that takes 0.0 for "never".
"""

GRACE = 3.0
"""Real seconds that an idle loop waits for threads and sockets."""


class _JumpingSelector(selectors.DefaultSelector):
    """Advance the clock at once wherever asyncio would have slept."""

    def __init__(self) -> None:
        super().__init__()
        self.now = START

    def select(
        self, timeout: float | None = None
    ) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        if timeout is not None:
            self.now += timeout
            return ready
        ready = super().select(GRACE)
        if not ready:
            raise RuntimeError(
                "deadlock: no task can run, no timer is set, and no socket or "
                f"thread has woken the event loop for {GRACE:g} s"
            )
        return ready


@final
class VirtualClockLoop(asyncio.SelectorEventLoop):
    """An asyncio event loop that never sleeps: its clock jumps instead.

    Whenever no task can run, the clock jumps to the next timer. This is the equivalent
    of ``trio.testing.MockClock(autojump_threshold=0)`` for asyncio::

        @pytest.fixture
        def anyio_backend():
            return "asyncio", {"loop_factory": VirtualClockLoop}

    The clock does not know about sockets and threads, and jumps while they are busy.
    Use it where everything happens in process, as with :meth:`Simulator.http_client`.

    A loop that has nothing to do and no timer to wait for does not hang: it raises a
    :exc:`RuntimeError` whose message begins with "deadlock".
    """

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)
        # asyncio runs the timers that are due before the current time plus this. The
        # default, 1e-9 s, is lost to rounding after a hundred days, and a timer due at
        # exactly the current time would never run.
        self._clock_resolution = 1e-7

    def time(self) -> float:
        """Return the virtual time.

        :return: seconds, starting at 1000.0
        """
        return self._jumping.now
