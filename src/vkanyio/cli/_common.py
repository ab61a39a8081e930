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

FAILED, WRONG_USAGE, NO_ANSWER, IN_DOUBT = 1, 2, 3, 4
SIGNALLED = 128
"""What shells add to the number of a signal: 130 for Ctrl-C, 143 for SIGTERM."""

TOKEN_VARIABLE = "VK_TOKEN"
COMPLETE_VARIABLE = "_VKANYIO_COMPLETE"
"""By which a shell asks for completions."""

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
    """Raised when a signal has ended a command, after it has cleaned up.

    :param message: what the user should know about it
    :param signum: the signal
    :ivar exit_code: the exit code of the process
    """

    def __init__(
        self, message: str = "interrupted", *, signum: int = signal.SIGINT
    ) -> None:
        super().__init__(message)
        self.signum = signum
        self.exit_code: int = SIGNALLED + signum


secrets: set[str] = set()
"""The tokens that this process knows."""


def report(message: str) -> None:
    """Write one line to standard error, without tokens.

    It can be in a message if it was given in the wrong place of the command line, and
    in the log of a build server many people read it.
    """
    for token in (os.environ.get(TOKEN_VARIABLE, "").strip(), *secrets):
        if len(token) >= SHORTEST_SECRET:
            message = message.replace(token, "***")
    # Not by click, which would write past a progress bar that has replaced the stream.
    sys.stderr.write(f"vkanyio: {one_line(message)}\n")
    sys.stderr.flush()


def one_line(text: str) -> str:
    """Take out line breaks and what terminals obey: VK's texts are not ours."""
    printable = "".join(char if char.isprintable() else " " for char in text)
    return " ".join(printable.split())


def make_console(*, stderr: bool = False) -> Console:
    """Make a console that decorates nothing but a terminal, whatever is set."""
    stream = sys.stderr if stderr else sys.stdout
    return Console(stderr=stderr, force_terminal=stream.isatty(), highlight=False)


def check_backend(backend: str) -> None:
    """Refuse an event loop that is not installed."""
    if find_spec(backend) is None:
        message = f"--backend {backend} needs {backend}: pip install 'vkanyio[cli]'"
        raise Failure(message, WRONG_USAGE)


def run_async(
    backend: str,
    function: Callable[[], Awaitable[T]],
    *,
    on_signal: Callable[[int], bool] = lambda _: False,
) -> T:
    """Run an async function until it ends or is interrupted.

    :param backend: "asyncio" or "trio"
    :param on_signal: told of Ctrl-C and SIGTERM; returns whether it will see to the end
    :raises Interrupted: when a signal has ended it
    """
    check_backend(backend)
    return anyio.run(_cancel_on_signals, function, on_signal, backend=backend)


async def _cancel_on_signals(
    function: Callable[[], Awaitable[T]], on_signal: Callable[[int], bool]
) -> T:
    """Make Ctrl-C a cancellation.

    As an exception it would strike any task, those of the client included.
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
            # asyncio on Windows: there its runner cancels this task by itself.
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
                # Kept out of the group, which would wrap it.
                failure = error
            tg.cancel_scope.cancel()
    if failure is not None:
        raise failure
    if not results:
        raise Interrupted(signum=received[-1])
    return results[0]
