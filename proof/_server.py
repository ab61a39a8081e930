"""The simulator as a process that may be killed; a file keeps what it has done.

Each call that has had its effect is a line in the file, written before the response is
sent. The next process reads these lines, so that it knows the keys of earlier calls.
Faults are lines, too.
"""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import attrs
import click

from vkanyio.testing import Entry, Simulator
from vkanyio.testing._process import STDIN, serve_until_stopped

from ._kinds import Board, fault_in
from ._trouble import TROUBLE

if TYPE_CHECKING:
    from collections.abc import Iterator

LIMIT = 50
RATE = 0.003
"""Probability of each fault, in addition to what the relay injects."""
LATENCY = 0.02
FAULT = "! "


@attrs.frozen
class Deed:
    """A call that has had its effect."""

    mark: str
    number: int
    key: str | None

    def __str__(self) -> str:
        return f"{self.mark} {self.number} {self.key or ''}"


class _Faults(logging.Handler):
    """Writes the faults that occur to a file."""

    def __init__(self, file: int) -> None:
        super().__init__()
        self._file = file

    def emit(self, record: logging.LogRecord) -> None:
        """Write the fault of a ledger entry."""
        entry: Any = record.args[0] if isinstance(record.args, tuple) else None
        if isinstance(entry, Entry) and entry.fault is not None:
            os.write(self._file, f"{FAULT}{fault_in(entry)}\n".encode("ascii"))


def read_faults(path: Path) -> Iterator[str]:
    """Read the names of the faults that have occurred so far."""
    for line in path.read_text(encoding="ascii").splitlines():
        if line.startswith(FAULT):
            yield line.removeprefix(FAULT)


def read_deeds(path: Path) -> Iterator[Deed]:
    """Read the calls that have had their effect so far."""
    for line in path.read_text(encoding="ascii").splitlines():
        if line.startswith(FAULT):
            continue
        mark, number, key = line.split(" ", 2)
        yield Deed(mark, int(number), key or None)


@click.command()
@click.option("--port", type=int, required=True)
@click.option("--seed", type=int, required=True)
@click.option("--backend", required=True)
@click.option("--limit", type=int, default=LIMIT)
@click.option("--rate", type=float, default=RATE, help="Probability of each fault.")
@click.option("--latency", type=float, default=LATENCY, help="In seconds.")
@click.argument("path", type=click.Path(path_type=Path))
def main(
    port: int,
    seed: int,
    backend: str,
    limit: int,
    rate: float,
    latency: float,
    path: Path,
) -> None:
    """Serve until standard input closes, or until killed.

    Start when standard input brings a byte, so that the next process can be ready
    before this one is killed.
    """
    if not os.read(STDIN, 1):
        return
    # One system call for each line, so that a line is written completely or not at all.
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    earlier = [*read_deeds(path)]

    def note(mark: str, key: str | None, number: int) -> None:
        os.write(file, f"{Deed(mark, number, key)}\n".encode("ascii"))

    board = Board(note, first=len(earlier) + 1)
    for deed in earlier:
        board.remember(deed.mark, deed.key, deed.number)
    logger = logging.getLogger("vkanyio.testing")
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    logger.addHandler(_Faults(file))
    simulator = Simulator(limit=limit, latency=latency, seed=seed)
    board.add_to(simulator)
    for fault in TROUBLE.values():
        if rate:
            simulator.fault(fault, rate=rate)
    anyio.run(_serve, simulator, port, backend=backend)
    os.close(file)


async def _serve(simulator: Simulator, port: int) -> None:
    await serve_until_stopped(
        simulator,
        "127.0.0.1",
        port,
        started=_say_url,
        until_stdin_closes=True,
    )


def _say_url(url: str) -> None:
    sys.stdout.write(f"{url}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
