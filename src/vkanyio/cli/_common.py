"""What the commands share: one-line errors, consoles, Ctrl-C."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import ExitStack
from importlib.util import find_spec
from typing import TYPE_CHECKING, TextIO, TypeVar, final

import anyio
import click
from anyio import create_task_group
from rich.console import Console

from .._extras import how_to_install

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from anyio.abc import TaskGroup

T = TypeVar("T")

FAILED, WRONG_USAGE, NO_RESPONSE, IN_DOUBT = 1, 2, 3, 4
SIGNALLED = 128
"""Added to the number of a signal, as shells do: 130 for Ctrl-C, 143 for SIGTERM."""

TOKEN_VARIABLE = "VK_TOKEN"
COMPLETE_VARIABLE = "_VKANYIO_COMPLETE"
"""Set by a shell that asks for completions."""

MIN_SECRET_LENGTH = 8
"""Shorter strings are not tokens, and hiding them would garble messages."""

backend_option = click.option(
    "--backend",
    type=click.Choice(["asyncio", "trio"]),
    default="asyncio",
    show_default=True,
    help="Event loop to use.",
)


@final
class CommandError(Exception):
    """Raised to end the command with one line on standard error.

    :param message: what went wrong, and what to do about it
    :ivar exit_code: the exit code of the process
    """

    def __init__(self, message: str, exit_code: int = FAILED) -> None:
        super().__init__(message)
        self.exit_code = exit_code


@final
class Interrupted(Exception):
    """Raised when a signal has ended a command, after its clean-up.

    :param message: what to report
    :param signum: the number of the signal
    :ivar exit_code: the exit code of the process
    """

    def __init__(
        self, message: str = "interrupted", *, signum: int = signal.SIGINT
    ) -> None:
        super().__init__(message)
        self.signum = signum
        self.exit_code: int = SIGNALLED + signum


secrets: set[str] = set()
"""Tokens to remove from messages."""


def report(message: str) -> None:
    """Write one line to standard error, with tokens removed.

    A message may contain the token if it was misplaced on the command line, and many
    people can read the log of a build server.
    """
    for token in (os.environ.get(TOKEN_VARIABLE, "").strip(), *secrets):
        if len(token) >= MIN_SECRET_LENGTH:
            message = message.replace(token, "***")
    write_to_stderr(f"vkanyio: {message}")


def write_to_stderr(message: str) -> None:
    """Write one line to standard error, or nowhere if that is full or a broken pipe."""
    try:
        # Not click.echo, which would bypass a progress bar that replaces the stream.
        sys.stderr.write(f"{one_line(message)}\n")
        sys.stderr.flush()
    except OSError:
        discard(sys.stderr)


def discard(stream: TextIO) -> None:
    """Discard what a stream that cannot be written still has in its buffer.

    The interpreter flushes it at exit, and would fail again.
    """
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def one_line(text: str) -> str:
    """Remove line breaks and control characters: texts from VK are not trusted."""
    printable = "".join(char if char.isprintable() else " " for char in text)
    return " ".join(printable.split())


def make_console(*, stderr: bool = False) -> Console:
    """Return a console with styles on a terminal only, regardless of variables."""
    stream = sys.stderr if stderr else sys.stdout
    return Console(stderr=stderr, force_terminal=stream.isatty(), highlight=False)


def check_backend(backend: str) -> None:
    """Raise an error if an event loop is not installed."""
    if find_spec(backend) is None:
        message = f"--backend {backend} needs {backend}: {how_to_install('cli')}"
        raise CommandError(message, WRONG_USAGE)


def run_async(
    backend: str,
    function: Callable[[], Awaitable[T]],
    *,
    on_signal: Callable[[int], bool] = lambda _: False,
) -> T:
    """Run an async function until it ends or is interrupted.

    :param backend: "asyncio" or "trio"
    :param on_signal: called on Ctrl-C and SIGTERM; returns False to cancel the function
    :raises Interrupted: if a signal has ended it
    """
    check_backend(backend)
    return anyio.run(_cancel_on_signals, function, on_signal, backend=backend)


async def _cancel_on_signals(
    function: Callable[[], Awaitable[T]], on_signal: Callable[[int], bool]
) -> T:
    """Turn Ctrl-C into a cancellation.

    A KeyboardInterrupt could be raised in any task, including those of the client.
    """
    results: list[T] = []
    received: list[int] = []
    failure: BaseException | None = None
    with ExitStack() as stack:
        try:
            signals = stack.enter_context(
                anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM)
            )
        except NotImplementedError:
            # asyncio on Windows: asyncio.Runner itself cancels this task.
            return await function()

        async def watch(group: TaskGroup) -> None:
            async for signum in signals:
                received.append(signum)
                if not on_signal(signum):
                    group.cancel_scope.cancel()

        async with create_task_group() as tg:
            tg.start_soon(watch, tg)
            try:
                results.append(await function())
            except anyio.get_cancelled_exc_class():
                raise
            except BaseException as error:
                # A task group would wrap it.
                failure = error
            tg.cancel_scope.cancel()
    if received:
        # The process ends: another Ctrl-C must not keep it from saying how.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    if failure is not None:
        raise failure
    if not results:
        raise Interrupted(signum=received[-1])
    return results[0]
