"""What the drivers in Python share: the job, and what came of it.

A driver is a program that does one job with one library, in an environment of the
library's own, so that this module needs nothing but Python. The job comes as JSON in
the first argument; what came of it goes as JSON to standard output.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

JOB = SimpleNamespace(**json.loads(sys.argv[1]))
"""``url``, ``variant`` and the fields of a workload."""

NUMBERS = range(1, JOB.calls + 1)
"""Which call is which: the identifier of a user, or the text of a post."""

FEW = range(JOB.calls + 1, JOB.calls + 11)
"""The calls of the second caller, where two share a client."""

IDLE_SECONDS = 0.1
SETTLING_SECONDS = 1.2 if JOB.is_limited else 0.2
"""After the first call, which opens a connection, the limit is open again."""


class Work:
    """Measures the work between ``begin`` and ``end``, and keeps what became of it."""

    def __init__(self) -> None:
        self.done: list[int] = []
        self.wrong: list[int] = []
        self.failed: list[int] = []
        self.errors: Counter[str] = Counter()
        self.waits: dict[str, list[float]] = {"many": [], "few": []}

    def begin(self) -> None:
        """Begin to measure."""
        Path("/proc/self/clear_refs").write_text("5")  # forgets the peak of memory
        self._memory = _status("VmRSS")
        self._cpu = time.process_time()
        self._began = time.perf_counter()

    def end(self) -> None:
        """Measure no more, and print all of it."""
        seconds = time.perf_counter() - self._began
        report = {
            "seconds": seconds,
            "cpu": time.process_time() - self._cpu,
            "memory": _status("VmHWM") - self._memory,
            "done": len(self.done),
            "wrong": len(self.wrong),
            "failed": self.failed,
            "errors": self.errors,
            "waits": self.waits,
        }
        print(json.dumps(report))

    def answered(self, number: int, got: int) -> None:
        """Check an answer.

        :param got: the number of the call, as the answer has it
        """
        (self.done if got == number else self.wrong).append(number)

    def failure(self, number: int, error: object) -> None:
        """Keep why a call has failed."""
        self.failed.append(number)
        name = error if isinstance(error, str) else type(error).__name__
        self.errors[name] += 1

    def waited(self, caller: str, since: float) -> None:
        """Keep how long one of the calls of a caller took."""
        self.waits[caller].append(time.perf_counter() - since)


def _status(field: str) -> int:
    """Return one of the kernel's figures about the memory of this process, in bytes."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(field + ":"):
            return 1024 * int(line.split()[1])
    raise LookupError(field)
