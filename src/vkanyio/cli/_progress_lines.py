"""The progress of a long run as lines, for a log, which can show no bar."""

from __future__ import annotations

import time
from typing import final

from ._common import report

EVERY = 60.0
"""Seconds between two lines."""


@final
class ProgressLines:
    """Reports once a minute how far a run has come.

    :param what: what is counted: "calls" or "items"
    :param done: how many an earlier run has done
    :param is_on: whether lines are wanted
    """

    def __init__(self, what: str, done: int, *, is_on: bool) -> None:
        self._what = what
        self._done = done
        self._is_on = is_on
        self._count = 0
        self._last = time.monotonic(), 0

    def advance(self, total: int | None, more: str = "") -> None:
        """Count one more, and report if a minute has passed.

        :param total: how many there are, None if unknown
        :param more: what else to report
        """
        self._count += 1
        if not self._is_on:
            return
        now, (at, count) = time.monotonic(), self._last
        if now - at < EVERY:
            return
        self._last = now, self._count
        of_all = "" if total is None else f" of {total}"
        rate = (self._count - count) / (now - at) if now > at else 0.0
        so_far = f"{self._done + self._count}{of_all} {self._what}"
        report(f"{so_far}, {rate:.0f} {self._what}/s{more}")
