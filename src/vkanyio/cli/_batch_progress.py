"""How far ``vkanyio batch`` has come, on standard error while it is a terminal."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Self, final

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from ._common import make_console

if TYPE_CHECKING:
    from collections.abc import Generator
    from types import TracebackType

    from rich.progress import Task

OUTCOMES = ("answered", "failed", "unanswered", "unknown", "bad")
"""What can become of a line: ``failed`` is VK's error, ``bad`` is no call."""


@contextmanager
def reading() -> Generator[None]:
    """Say on a terminal that the files are being read."""
    console = make_console(stderr=True)
    if console.is_terminal and not console.is_dumb_terminal:
        with console.status("reading"):
            yield
    else:
        yield


@final
class Watcher:
    """Shows a bar, unless the records go to the same terminal.

    :param total: how many lines there are, None if that is not known
    :param done: how many of them were done before
    """

    def __init__(self, total: int | None, *, done: int, has_output: bool) -> None:
        console = make_console(stderr=True)
        is_shown = console.is_terminal and not console.is_dumb_terminal
        is_free = has_output or not sys.stdout.isatty()
        self._progress = Progress(
            BarColumn(),
            MofNCompleteColumn(),
            _Rate(),
            TimeRemainingColumn(compact=True),
            console=console,
            transient=True,
            redirect_stdout=False,
            disable=not (is_shown and is_free),
        )
        self._total = total
        self._done = done
        self._errors = 0

    def __enter__(self) -> Self:
        """Show the bar."""
        self._progress.start()
        self._bar = self._progress.add_task(
            "", total=self._total, completed=self._done, errors=0
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Take the bar away."""
        self._progress.stop()

    def advance(self, outcome: str) -> None:
        """Take note of a line that has its outcome."""
        self._errors += outcome != "answered"
        self._progress.update(self._bar, advance=1, errors=self._errors)


@final
class _Rate(ProgressColumn):
    """Calls a second, and errors if there are any."""

    def render(self, task: Task) -> Text:
        """Write the column."""
        errors = task.fields["errors"]
        rate = f"{task.speed:.0f} calls/s" if task.speed else ""
        return Text(f"{rate}  {errors} errors" if errors else rate)
