"""The server of ``benchmarks/server.py`` in a process: it counts every window."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

if TYPE_CHECKING:
    from collections.abc import Generator

SERVER = Path(__file__).parent.parent / "benchmarks" / "server.py"
END_SECONDS = 20.0


@final
class Witness:
    """A server that refuses what is above the limit, however it is counted.

    :ivar url: the base URL
    :ivar report: what arrived, once it has ended
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.report: dict[str, Any] = {}


@contextmanager
def witness(limit: int, latency: float) -> Generator[Witness]:
    """Run the server; its report is available afterwards."""
    command = [sys.executable, str(SERVER), "--limit", str(limit)]
    with subprocess.Popen(
        [*command, "--latency", str(latency)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,  # Ctrl-C is for this process, which ends it
    ) as process:
        assert process.stdout is not None
        server = Witness(process.stdout.readline().strip())
        try:
            yield server
        finally:
            output, _ = process.communicate(timeout=END_SECONDS)
        server.report = json.loads(output)
