"""The progress of ``vkanyio batch``: a bar on a terminal, otherwise lines if wanted."""

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
from ._progress_lines import ProgressLines

if TYPE_CHECKING:
    from collections.abc import Generator
    from types import TracebackType

    from rich.progress import Task

ENDINGS = ("succeeded", "failed", "got no response", "unknown", "bad")
"""How a line can end: ``failed`` is an error from VK, ``bad`` is not a call."""


@contextmanager
def reading() -> Generator[None]:
    """Show on a terminal that the files are being read."""
    console = make_console(stderr=True)
    if console.is_terminal and not console.is_dumb_terminal:
        with console.status("reading"):
            yield
    else:
        yield


@final
class BatchProgress:
    """Shows a progress bar, unless the records go to the same terminal.

    :param total: the number of lines, None if unknown
    :param done: how many of them an earlier run has done
    :param has_output: whether the records go to a file
    :param is_verbose: whether to report the progress in lines if there is no bar
    """

    def __init__(
        self,
        total: int | None,
        *,
        done: int,
        has_output: bool,
        is_verbose: bool = False,
    ) -> None:
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
        self._lines = ProgressLines(
            "calls", done, is_on=is_verbose and not (is_shown and is_free)
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
        """Remove the bar."""
        self._progress.stop()

    def advance(self, ending: str) -> None:
        """Count a line that has ended."""
        self._errors += ending != "succeeded"
        self._progress.update(self._bar, advance=1, errors=self._errors)
        errors = f", {self._errors} errors" if self._errors else ""
        self._lines.advance(self._total, errors)


@final
class _Rate(ProgressColumn):
    """A column with the calls per second, and the errors if there are any."""

    def render(self, task: Task) -> Text:
        """Return the text of the column."""
        errors = task.fields["errors"]
        rate = f"{task.speed:.0f} calls/s" if task.speed else ""
        return Text(f"{rate}  {errors} errors" if errors else rate)
