"""The simulator in a separate process, which ends with an ``async with`` block."""

from __future__ import annotations

import sys
from contextlib import asynccontextmanager
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING, final

from anyio import (
    CancelScope,
    DelimiterNotFound,
    IncompleteRead,
    fail_after,
    move_on_after,
    open_process,
)
from anyio.streams.buffered import BufferedByteReceiveStream

from ._common import CommandError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from anyio.abc import Process

START_SECONDS = 60.0
"""How long the simulator may take to start: long, for busy machines."""

STOP_SECONDS = 3.0
"""How long it may take to stop before it is killed."""

MAX_URL_BYTES = 200


@final
class SimulatorProcess:
    """A simulator in another process.

    :ivar base_url: the URL for clients
    :ivar last_words: the last line that it wrote to standard error, once it has ended
    """

    def __init__(self) -> None:
        self.base_url = ""
        self.last_words = ""


@asynccontextmanager
async def simulator_process(
    *, limit: int, latency: float, fault: str | None = None
) -> AsyncGenerator[SimulatorProcess]:
    """Run a simulator while the block runs.

    :param limit: how many requests per second it allows
    :param latency: seconds until it responds
    :param fault: a fault, such as ``drop-after@wall.post=0.05``
    :raises CommandError: if it does not start
    """
    simulator = SimulatorProcess()
    with TemporaryFile() as errors:
        options = ["--limit", str(limit), "--latency", str(latency)]
        if fault is not None:
            options += ["--fault", fault]
        process = await _start(options, errors)
        try:
            simulator.base_url = await _read_base_url(process, errors)
            yield simulator
        finally:
            await _stop(process)
        simulator.last_words = _last_line(errors)


async def _start(options: Sequence[str], errors: IO[bytes]) -> Process:
    command = [sys.executable]
    # -P: do not import modules from the working directory.
    command += ["-P", "-m", "vkanyio.testing", "--until-stdin-closes", *options]
    process: Process | None = None
    # Shielded: a cancellation must not lose a process that was already started.
    with CancelScope(shield=True):
        # In a new session it gets no Ctrl-C from the terminal. It ends when its stdin
        # closes, which also happens if this process dies. Errors go to a file: a pipe
        # that nobody reads could fill up and block it.
        process = await open_process(command, stderr=errors, start_new_session=True)
    assert process is not None
    return process


async def _read_base_url(process: Process, errors: IO[bytes]) -> str:
    assert process.stdout is not None
    output = BufferedByteReceiveStream(process.stdout)
    try:
        with fail_after(START_SECONDS):
            line = await output.receive_until(b"\n", MAX_URL_BYTES)
    except TimeoutError:
        message = f"the simulator did not start within {START_SECONDS:g} s: try again"
        raise CommandError(message) from None
    except (IncompleteRead, DelimiterNotFound):
        message = f"the simulator did not start: {_last_line(errors)}"
        raise CommandError(message) from None
    return line.decode("ascii", "replace").strip()


async def _stop(process: Process) -> None:
    # `aclose` closes its standard input and waits for it to end; after the timeout, it
    # kills the process. Shielded, because a cancelled `aclose` kills at once: if the
    # process ends just then, asyncio loses its exit code and warns on standard error.
    with move_on_after(STOP_SECONDS, shield=True):
        await process.aclose()


def _last_line(errors: IO[bytes]) -> str:
    """Return the last line that has text: not the frame around a traceback."""
    errors.seek(0)
    lines = errors.read().decode("utf-8", "replace").splitlines()
    texts = [text for line in lines if (text := line.strip(" |+-"))]
    return texts[-1] if texts else ""
