"""What the drivers in Python share: the job and the report.

A driver is a program that does one job with one library, in the environment of that
library, so this module needs only the standard library. The job is JSON in the first
argument; the report is JSON on standard output.
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
"""Identify the calls: the identifier of a user, or the text of a post.

In work that reads a list, these are its items.
"""

SECOND_NUMBERS = range(JOB.calls + 1, JOB.calls + 11)
"""The calls of the second caller, if two share a client."""

IDLE_SECONDS = 0.1
SETTLING_SECONDS = 1.2 if JOB.is_limited else 0.2
"""After the first call, which opens a connection: the limit is free again."""


class Work:
    """Measures the work between ``begin`` and ``end``, and records its outcomes."""

    def __init__(self) -> None:
        self.done: list[int] = []
        self.wrong: list[int] = []
        self.failed: list[int] = []
        self.errors: Counter[str] = Counter()
        self.waits: dict[str, list[float]] = {"many": [], "few": []}
        self.items: list[int] = []

    def begin(self) -> None:
        """Start measuring."""
        Path("/proc/self/clear_refs").write_text("5")  # resets the peak of memory
        self._memory = _status("VmRSS")
        self._cpu = time.process_time()
        self._began = time.perf_counter()

    def end(self) -> None:
        """Stop measuring, and print the report."""
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
        print(json.dumps(report | self._read()))

    def _read(self) -> dict[str, int]:
        """Compare the items that were read with those of the list."""
        if JOB.shape != "list":
            return {}
        found = set(self.items)
        right = found.intersection(NUMBERS)
        return {
            "done": len(right),
            "wrong": len(found) - len(right),
            "missing": len(NUMBERS) - len(right),
            "twice": len(self.items) - len(found),
        }

    def returned(self, number: int, got: int) -> None:
        """Check a value.

        :param got: the number of the call in the value
        """
        (self.done if got == number else self.wrong).append(number)

    def failure(self, number: int, error: object) -> None:
        """Record why a call failed."""
        self.failed.append(number)
        name = error if isinstance(error, str) else type(error).__name__
        self.errors[name] += 1

    def waited(self, caller: str, since: float) -> None:
        """Record how long a call of a caller took."""
        self.waits[caller].append(time.perf_counter() - since)


def _status(field: str) -> int:
    """Return a figure of the kernel about the memory of this process, in bytes."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(field + ":"):
            return 1024 * int(line.split()[1])
    raise LookupError(field)
