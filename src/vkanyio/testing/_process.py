"""The simulator as a process: served until a signal stops it."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

import anyio
import anyio.from_thread
from anyio import create_task_group
from anyio.lowlevel import EventLoopToken, current_token

from .vkscript import compile_script

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from ._simulator import Simulator

STDIN = 0


async def serve_until_stopped(
    simulator: Simulator,
    host: str,
    port: int,
    *,
    started: Callable[[str], None],
    until_stdin_closes: bool = False,
) -> None:
    """Serve until SIGINT or SIGTERM.

    :param simulator: what to serve
    :param host: the address to listen on
    :param port: the port, 0 for any free one
    :param started: called with the base URL once it accepts requests
    :param until_stdin_closes: also stop at the end of standard input, which comes when
        the parent process dies
    :raises OSError: if it cannot listen on the address
    """
    # The first script loads its parser for half a second, in which the requests that
    # have arrived are not counted: the next ones would then seem to exceed the limit.
    compile_script("return null;")
    stop = anyio.Event()
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async with simulator.serve(host, port) as base_url:
            started(base_url)  # not in the task group, which would wrap an error
            async with create_task_group() as tg:
                tg.start_soon(_stop_on_signal, signals, stop)
                if until_stdin_closes:
                    _stop_on_stdin_end(stop)
                await stop.wait()
                tg.cancel_scope.cancel()


async def _stop_on_signal(
    signals: AsyncIterator[signal.Signals], stop: anyio.Event
) -> None:
    async for _ in signals:
        stop.set()


def _stop_on_stdin_end(stop: anyio.Event) -> None:
    """Watch standard input in a thread, since not every platform can poll it."""

    def watch(token: EventLoopToken) -> None:
        with suppress(OSError):
            while os.read(STDIN, 4096):
                pass
        with suppress(anyio.RunFinishedError):
            anyio.from_thread.run_sync(stop.set, token=token)

    # A daemon thread, so that the process can exit while the parent is alive.
    threading.Thread(target=watch, args=(current_token(),), daemon=True).start()


def log_to_stderr() -> None:
    """Log each call of this process's simulators to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S"))
    logger = logging.getLogger("vkanyio.testing")
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
