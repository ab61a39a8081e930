"""Run the simulator in a process of its own: ``python -m vkanyio.testing``."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from contextlib import suppress

import anyio
import anyio.from_thread
from anyio.lowlevel import EventLoopToken, current_token

from ._simulator import Simulator

STDIN = 0


def main(arguments: list[str] | None = None) -> None:
    """Run the simulator until it is told to stop.

    :param arguments: the command line, by default the process's own
    """
    options = _parser().parse_args(arguments)
    anyio.run(_run, options, backend=options.backend)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m vkanyio.testing",
        description="Simulate the VK API. The first line of output is the base URL.",
    )
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    add(
        "--port", type=int, default=0, help="port, 0 for any that is free (%(default)s)"
    )
    add("--limit", type=int, default=3, help="requests a second, 0: any (%(default)s)")
    add("--window", choices=("sliding", "fixed"), default="sliding")
    add("--latency", type=float, default=0.0, help="seconds to answer (%(default)s)")
    add("--seed", type=int, default=0, help="of all that is random (%(default)s)")
    add("--backend", choices=("asyncio", "trio"), default="asyncio")
    add(
        "--until-stdin-closes",
        action="store_true",
        help="stop when standard input ends, as it does when a parent process dies",
    )
    return parser


async def _run(options: argparse.Namespace) -> None:
    simulator = Simulator(
        limit=options.limit,
        window=options.window,
        latency=options.latency,
        seed=options.seed,
    )
    stop = anyio.Event()
    async with anyio.create_task_group() as tg:
        await tg.start(_stop_on_signal, stop)
        async with simulator.serve(options.host, options.port) as base_url:
            if options.until_stdin_closes:
                _stop_on_stdin_end(stop)
            sys.stdout.write(f"{base_url}\n")
            sys.stdout.flush()
            await stop.wait()
        tg.cancel_scope.cancel()
    sys.stderr.write(f"{simulator.ledger.summary()}\n")


async def _stop_on_signal(
    stop: anyio.Event, *, task_status: anyio.abc.TaskStatus[None]
) -> None:
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        task_status.started()
        async for _ in signals:
            stop.set()


def _stop_on_stdin_end(stop: anyio.Event) -> None:
    """Watch standard input in a thread, as not every platform can poll it."""

    def watch(token: EventLoopToken) -> None:
        with suppress(OSError):
            while os.read(STDIN, 4096):
                pass
        with suppress(anyio.RunFinishedError):
            anyio.from_thread.run_sync(stop.set, token=token)

    # A daemon: it does not keep the process from ending while the parent lives on.
    threading.Thread(target=watch, args=(current_token(),), daemon=True).start()


if __name__ == "__main__":
    main()
