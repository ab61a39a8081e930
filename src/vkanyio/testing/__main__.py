"""Run the simulator in a separate process: ``python -m vkanyio.testing``.

This is for programs that start it as a child process. Only the extra ``testing`` needs
to be installed; ``vkanyio simulator`` is the same where the extra ``cli`` is missing.
"""

from __future__ import annotations

import argparse
import signal
import sys
from importlib.util import find_spec

import anyio

from ._fault_words import FORM, OrderedFault, read_fault
from ._process import log_to_stderr, serve_until_stopped
from ._simulator import Simulator

MAX_PORT = 65535
NEEDED = ("hypercorn", "lark")
INSTALL = "run pip install '.[testing]' in the clone of vkanyio"


def main(arguments: list[str] | None = None) -> None:
    """Run the simulator until it is stopped.

    :param arguments: the command-line arguments, by default those of the process
    """
    parser = _parser()
    options = parser.parse_args(arguments)
    if find_spec(options.backend) is None:
        missing = f"--backend {options.backend} needs {options.backend}"
        parser.error(f"{missing}: run pip install {options.backend}")
    try:
        simulator = Simulator(
            limit=options.limit,
            window=options.window,
            latency=options.latency,
            seed=options.seed,
        )
    except ValueError as error:
        parser.error(str(error))
    for each in options.ordered:
        try:
            each.inject(simulator)
        except ValueError as error:
            parser.error(f"argument --fault: {error}")
    if options.log:
        log_to_stderr()
    try:
        anyio.run(_run, options, simulator, backend=options.backend)
    except OSError as error:
        parser.exit(2, f"{parser.prog}: {error}\n")
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing not in NEEDED:
            raise
        parser.exit(2, f"{parser.prog} needs {missing}: {INSTALL}\n")
    except KeyboardInterrupt:  # before the simulator itself receives signals
        sys.exit(128 + signal.SIGINT)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m vkanyio.testing",
        description="Simulate the VK API. The first line of output is the base URL.",
    )
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    add("--port", type=_port, default=0, help="port, 0 for any free one (%(default)s)")
    add(
        "--limit",
        type=int,
        default=3,
        help="requests per second, 0: unlimited (%(default)s)",
    )
    add("--window", choices=("sliding", "fixed"), default="sliding")
    add("--latency", type=float, default=0.0, help="seconds per response (%(default)s)")
    add(
        "--seed",
        type=int,
        default=0,
        help="seed of the random generators (%(default)s)",
    )
    add(
        "--fault",
        dest="ordered",
        action="append",
        default=[],
        type=_fault,
        metavar=FORM,
        help="inject a fault: once, or at a rate from 0 to 1",
    )
    add("--log", action="store_true", help="log each call to standard error")
    add("--backend", choices=("asyncio", "trio"), default="asyncio")
    add(
        "--until-stdin-closes",
        action="store_true",
        help="stop at the end of standard input, so when the parent process dies",
    )
    return parser


def _port(word: str) -> int:
    if not word.isdecimal() or int(word) > MAX_PORT:
        message = f"{word!r} is not a number from 0 to {MAX_PORT}"
        raise argparse.ArgumentTypeError(message)
    return int(word)


def _fault(word: str) -> OrderedFault:
    try:
        return read_fault(word)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


async def _run(options: argparse.Namespace, simulator: Simulator) -> None:
    await serve_until_stopped(
        simulator,
        options.host,
        options.port,
        started=_print_url,
        until_stdin_closes=options.until_stdin_closes,
    )
    sys.stderr.write(f"{simulator.ledger.summary()}\n")


def _print_url(base_url: str) -> None:
    sys.stdout.write(f"{base_url}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
