"""What the commands share: errors in one line, consoles, Ctrl-C."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import ExitStack
from importlib.util import find_spec
from typing import TYPE_CHECKING, TypeVar, final

import anyio
import click
from anyio import create_task_group
from rich.console import Console

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from anyio.abc import TaskGroup

T = TypeVar("T")

FAILED, WRONG_USAGE, INTERRUPTED = 1, 2, 130

TOKEN_VARIABLE = "VK_TOKEN"
SHORTEST_SECRET = 8
"""Characters: what is shorter is no token, and hiding it would garble messages."""

backend_option = click.option(
    "--backend",
    type=click.Choice(["asyncio", "trio"]),
    default="asyncio",
    show_default=True,
    help="Event loop to run on.",
)


@final
class Failure(Exception):
    """Raised to end the program with a line on standard error.

    :param message: what went wrong, and what to do about it
    :ivar exit_code: the exit code of the process
    """

    def __init__(self, message: str, exit_code: int = FAILED) -> None:
        super().__init__(message)
        self.exit_code = exit_code


@final
class Interrupted(Exception):
    """Raised when a command was ended by Ctrl-C, after it has cleaned up.

    :param message: what the user should know about it
    """

    def __init__(self, message: str = "interrupted") -> None:
        super().__init__(message)


def report(message: str) -> None:
    """Write one line to standard error, without the token of the environment.

    It can be in a message if it was given in the wrong place of the command line, and
    in the log of a build server many people read it.
    """
    token = os.environ.get(TOKEN_VARIABLE, "").strip()
    if len(token) >= SHORTEST_SECRET:
        message = message.replace(token, "***")
    # VK's texts are not ours: no line breaks, no control sequences of a terminal.
    line = "".join(char if char.isprintable() else " " for char in message)
    click.echo(f"vkanyio: {' '.join(line.split())}", err=True)


def make_console() -> Console:
    """Make a console that decorates nothing but a terminal, whatever is set."""
    return Console(force_terminal=sys.stdout.isatty(), highlight=False)


def check_backend(backend: str) -> None:
    """Refuse an event loop that is not installed."""
    if find_spec(backend) is None:
        message = f"--backend {backend} needs {backend}: pip install 'vkanyio[cli]'"
        raise Failure(message, WRONG_USAGE)


def run_async(backend: str, function: Callable[[], Awaitable[T]]) -> T:
    """Run an async function until it ends or is interrupted.

    :param backend: "asyncio" or "trio"
    :raises Interrupted: when Ctrl-C has ended it
    """
    check_backend(backend)
    return anyio.run(_cancel_on_ctrl_c, function, backend=backend)


async def _cancel_on_ctrl_c(function: Callable[[], Awaitable[T]]) -> T:
    """Make Ctrl-C a cancellation.

    As an exception it would strike any task, those of the client included.
    """
    results: list[T] = []
    failure: BaseException | None = None
    with ExitStack() as stack:
        try:
            signals = stack.enter_context(anyio.open_signal_receiver(signal.SIGINT))
        except NotImplementedError:
            # asyncio on Windows: there its runner cancels this task by itself.
            return await function()

        async def watch(group: TaskGroup) -> None:
            async for _ in signals:
                group.cancel_scope.cancel()

        async with create_task_group() as tg:
            tg.start_soon(watch, tg)
            try:
                results.append(await function())
            except anyio.get_cancelled_exc_class():
                raise
            except BaseException as error:
                # Kept out of the group, which would wrap it.
                failure = error
            tg.cancel_scope.cancel()
    if failure is not None:
        raise failure
    if not results:
        raise Interrupted
    return results[0]
