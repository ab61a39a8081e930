"""A virtual clock for asyncio, so that an hour of waiting costs a test nothing."""

from __future__ import annotations

import asyncio
import selectors
from typing import final

START = 1000.0
"""What the virtual clock shows when a loop is made, in seconds.

Not zero, so that a program which takes 0.0 for "never" is caught.
"""

GRACE = 3.0
"""Real seconds that a loop with nothing to do waits for threads and sockets."""


class _JumpingSelector(selectors.DefaultSelector):
    """Let time pass at once wherever asyncio would have slept."""

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
                "deadlock: no task can run, no timer is set, and for "
                f"{GRACE:g} s neither a socket nor a thread has woken the event loop"
            )
        return ready


@final
class VirtualClockLoop(asyncio.SelectorEventLoop):
    """An asyncio event loop that never sleeps: its clock jumps instead.

    Whenever no task can run, the time is at once that of the next timer. This is to
    asyncio what ``trio.testing.MockClock(autojump_threshold=0)`` is to trio::

        @pytest.fixture
        def anyio_backend():
            return "asyncio", {"loop_factory": VirtualClockLoop}

    The clock knows nothing of sockets and threads, and jumps over what they are busy
    with. Use it where everything happens in process, as it does with
    :meth:`Simulator.http_client`.

    A loop that has nothing to do and no timer to wait for raises a
    :exc:`RuntimeError` that begins with "deadlock", rather than hang.
    """

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)
        # asyncio runs the timers that are due before the time plus this. The default,
        # 1e-9 s, is lost in the rounding once the clock shows a hundred days, and a
        # timer due at that very moment would never run.
        self._clock_resolution = 1e-7

    def time(self) -> float:
        """Tell the virtual time.

        :return: seconds, from 1000.0 on
        """
        return self._jumping.now
