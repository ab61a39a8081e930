"""Virtual clocks, so that a test can wait an hour in no real time."""

from __future__ import annotations

import asyncio
import selectors
import time
from typing import Any, final

import anyio
from anyio import to_thread

START = 1000.0
"""The time on the virtual clock of a new loop, in seconds.

It is not zero, so that tests reveal a program that takes 0.0 for "never".
"""

GRACE = 3.0
"""Real seconds that an idle loop waits for threads and sockets."""

THREAD_SECONDS = 1.0
"""Real seconds that the clock waits for worker threads, before it jumps over them.

A thread that takes longer may itself wait for the event loop.
"""


def virtual_time(backend: str) -> dict[str, Any]:
    """Return the options of an event loop of anyio whose clock is virtual.

    ::

        anyio.run(main, backend="trio", backend_options=virtual_time("trio"))

    Whenever no task can run, the clock jumps to the next deadline. While a worker
    thread of anyio is busy, such as one that writes a file, the clock stands still, for
    up to a second of real time.

    :param backend: "asyncio" or "trio"
    :raises ValueError: if it is neither
    """
    if backend == "asyncio":
        return {"loop_factory": VirtualClockLoop}
    if backend != "trio":
        raise ValueError(f"backend must be 'asyncio' or 'trio', got {backend!r}")
    from ._trio_clock import trio_options

    return trio_options()


@final
class ThreadPatience:
    """How long a virtual clock waits for the worker threads of anyio."""

    def __init__(self) -> None:
        self._busy = 0
        self._since = 0.0

    def seconds(self) -> float:
        """Return for how many real seconds the clock must not jump, 0 if it may."""
        try:
            busy = to_thread.current_default_thread_limiter().borrowed_tokens
        except anyio.NoEventLoopError:  # asyncio without anyio
            busy = 0
        if busy != self._busy:
            self._busy, self._since = busy, time.monotonic()
        if not busy:
            return 0.0
        return max(self._since + THREAD_SECONDS - time.monotonic(), 0.0)


class _JumpingSelector(selectors.DefaultSelector):
    """Advance the clock at once wherever asyncio would have slept."""

    def __init__(self) -> None:
        super().__init__()
        self.now = START
        self._patience = ThreadPatience()

    def select(
        self, timeout: float | None = None
    ) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        if timeout is not None:
            patience = self._patience.seconds()
            ready = super().select(patience) if patience else []
            if not ready:
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
    of ``trio.testing.MockClock(autojump_threshold=0)`` for asyncio. For both loops, see
    :func:`virtual_time`::

        @pytest.fixture
        def anyio_backend():
            return "asyncio", {"loop_factory": VirtualClockLoop}

    The clock does not know about sockets, and jumps while they are busy. It waits for
    worker threads of anyio, such as one that writes a file, for up to a second. Use it
    where everything happens in process, as with :meth:`Simulator.http_client`.

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

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:  # noqa: ARG002, ASYNC109
        """Wait until the threads of the executor have ended.

        From Python 3.12 on, asyncio gives them some minutes, which would pass at once.
        """
        await super().shutdown_default_executor()
