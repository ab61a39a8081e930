"""The simulator in a process of its own, which ends with the block that started it."""

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

from ._common import Failure

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from anyio.abc import Process

START_SECONDS = 60.0
"""How long the simulator may take to say where it listens: busy machines are slow."""

STOP_SECONDS = 3.0
"""How long it may take to end when it is asked to; then it is killed."""

LONGEST_URL = 200


@final
class SimulatorProcess:
    """A simulator that runs elsewhere.

    :ivar base_url: where it listens
    :ivar last_words: the last line that it wrote about itself, once it has ended
    """

    def __init__(self) -> None:
        self.base_url = ""
        self.last_words = ""


@asynccontextmanager
async def simulator_process(
    *, limit: int, latency: float
) -> AsyncGenerator[SimulatorProcess]:
    """Run a simulator for as long as the block lasts.

    :param limit: requests a second that it allows
    :param latency: seconds until it answers
    :raises Failure: if it does not start
    """
    simulator = SimulatorProcess()
    with TemporaryFile() as errors:
        process = await _start(limit, latency, errors)
        try:
            simulator.base_url = await _read_base_url(process, errors)
            yield simulator
        finally:
            await _stop(process)
        simulator.last_words = _last_line(errors)


async def _start(limit: int, latency: float, errors: IO[bytes]) -> Process:
    command = [sys.executable]
    # Nothing in the working directory shall be taken for a module.
    command += ["-P", "-m", "vkanyio.testing", "--until-stdin-closes"]
    command += ["--port", "0", "--limit", str(limit), "--latency", str(latency)]
    process: Process | None = None
    # Not to be cut off half-way: a process that was started must be known here.
    with CancelScope(shield=True):
        # In a session of its own it gets no Ctrl-C from the terminal. Its standard
        # input closes when this process ends, however it ends, and it ends with that.
        # A file for the errors, as a pipe that nobody reads would hold it up one day.
        process = await open_process(command, stderr=errors, start_new_session=True)
    assert process is not None
    return process


async def _read_base_url(process: Process, errors: IO[bytes]) -> str:
    assert process.stdout is not None
    output = BufferedByteReceiveStream(process.stdout)
    try:
        with fail_after(START_SECONDS):
            line = await output.receive_until(b"\n", LONGEST_URL)
    except TimeoutError:
        message = f"the simulator did not start within {START_SECONDS:g} s: try again"
        raise Failure(message) from None
    except (IncompleteRead, DelimiterNotFound):
        message = f"the simulator did not start: {_last_line(errors)}"
        raise Failure(message) from None
    return line.decode("ascii", "replace").strip()


async def _stop(process: Process) -> None:
    # Closes its standard input and waits for its end; when that takes too long, it is
    # killed. Not at once where this task is cancelled: killing a process just when it
    # ends has asyncio lose its exit code, and say so on standard error.
    with move_on_after(STOP_SECONDS, shield=True):
        await process.aclose()


def _last_line(errors: IO[bytes]) -> str:
    """Return the last line that says something: not the frame around a traceback."""
    errors.seek(0)
    lines = errors.read().decode("utf-8", "replace").splitlines()
    told = [text for line in lines if (text := line.strip(" |+-"))]
    return told[-1] if told else ""
