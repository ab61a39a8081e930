"""``vkanyio collect``: all items of a list, as JSON lines; it can be resumed."""

from __future__ import annotations

import sys
import time
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, final

import click
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from .. import VK, Config, VKError
from .._known_parameters import expect
from ._batch_files import StreamOutput
from ._collect_place import Place, items_read, open_output
from ._common import (
    FAILED,
    WRONG_USAGE,
    CommandError,
    Interrupted,
    make_console,
    report,
    run_async,
)
from ._completion import METHOD, PARAMETERS
from ._explain import command_error
from ._options import ClientOptions, client_options
from ._params import parse_params, problem_with
from ._progress_lines import ProgressLines

if TYPE_CHECKING:
    from collections.abc import Generator

    from rich.progress import Task, TaskID

    from .. import PagedItems
    from ._batch_files import LineFile

PAGES = 20
"""How many pages are in flight."""

SAVE_EVERY = 1.0
"""Seconds between two writes of the position."""

COLLECT_TIMEOUT = 30.0
"""Timeout in seconds of one HTTP attempt, which may carry 20 pages."""


@click.command(no_args_is_help=True)
@click.argument("method", type=METHOD)
@click.argument("params", metavar="[NAME=VALUE]...", nargs=-1, type=PARAMETERS)
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    help="Write the items to FILE; the next run continues there.",
)
@click.option(
    "--resume",
    "place_name",
    metavar="FILE",
    help=(
        "Resume from the position in FILE, and store it there.  [default:"
        " OUTPUT.position]"
    ),
)
@click.option(
    "--max-items", type=click.IntRange(1), metavar="N", help="Stop after N items."
)
@client_options
def collect(
    method: str,
    params: tuple[str, ...],
    output: str | None,
    place_name: str | None,
    max_items: int | None,
    client: ClientOptions,
) -> int:
    """Print all items of the list that METHOD returns in pages, one per line.

    An item that stays in the list is printed exactly once, even if others are added or
    removed meanwhile. NAME=VALUE is as for `vkanyio call`; `count` is the size of a
    page.

    With --output, the same command resumes where it was stopped, even after a crash.

    \b
    Example:
      vkanyio collect groups.getMembers group_id=1 --output members.jsonl
    """
    values = parse_params(params, method)
    problem = problem_with(method, values) if client.checked else None
    if problem is not None:
        message = f"{problem} (use --unchecked to send it anyway)"
        raise CommandError(message, WRONG_USAGE)
    expect(method, values)  # they were checked, or are meant to be sent
    if place_name is None and output is not None:
        place_name = f"{output}.position"
    option = "--output" if place_name == f"{output}.position" else "--resume"
    place = None if place_name is None else Place(place_name, option)
    options = _check(method, values, max_items, place)
    config = client.config(mode="parallel", timeout=COLLECT_TIMEOUT)
    with ExitStack() as stack:
        file = None
        if output is not None and place is not None:
            file = open_output(output, place)
        is_verbose = client.verbosity > 0
        run = Collection(method, values, options, place, file, is_verbose=is_verbose)
        stack.callback(run.close)
        return _run(run, config, client.backend)


def _check(
    method: str, values: dict[str, Any], max_items: int | None, place: Place | None
) -> dict[str, Any]:
    """Return the options of the reader, and check that it can be made.

    This is before anything is sent, and before anybody is asked for the token.

    :raises CommandError: if it cannot be made
    """
    try:
        items = VK("none").collect(method, **values)
        items.options(max_items=max_items)
    except (TypeError, ValueError) as error:
        message = str(error).replace(
            f"use `await api.{method}(...)`", f"use `vkanyio call {method}`"
        )
        raise CommandError(message, WRONG_USAGE) from None
    position = None if place is None else place.position
    try:
        items.options(resume_from=position)
    except ValueError:
        assert place is not None  # there is a position
        raise CommandError(place.why_refused(method), WRONG_USAGE) from None
    return {"resume_from": position, "max_items": max_items}


def _run(run: Collection, config: Config, backend: str) -> int:
    try:
        return run_async(backend, lambda: run.run(config))
    except Interrupted as interrupted:
        message = f"interrupted after {run.count} items{run.how_to_resume()}"
        raise Interrupted(message, signum=interrupted.signum) from None
    except VKError as error:
        raise command_error(error) from error
    except ValueError as error:  # the position is lost
        message = str(error).replace("resume_from", str(run.place), 1)
        raise CommandError(message) from None


@final
class Collection:
    """One run of the command.

    :param place: the file for the position, if there is one
    :param file: where the items go, None for standard output
    :param is_verbose: whether to report the progress in lines if there is no bar
    :ivar place: the same
    :ivar count: how many items were printed
    """

    def __init__(
        self,
        method: str,
        params: dict[str, Any],
        options: dict[str, Any],
        place: Place | None,
        file: LineFile | None,
        *,
        is_verbose: bool,
    ) -> None:
        self.place: Place | None = place
        self.count: int = 0
        self._method = method
        self._params = params
        self._options = options
        self._file = file
        self._position: str | None = options["resume_from"]
        self._is_complete = False
        self._is_verbose = is_verbose

    def close(self) -> None:
        """Close the output; remove empty files of a run that failed at the beginning.

        Another run, with the correct parameters, may be about to use these names.
        """
        is_unread = self._position is None or items_read(self._position) == 0
        if is_unread and not self.count and not self._is_complete:
            if self._file is not None:
                self._file.remove_if_empty()
            if self.place is not None:
                self.place.remove()
        if self._file is not None:
            self._file.close()

    def how_to_resume(self) -> str:
        """Return what to tell the user about resuming, empty if it is not possible."""
        return "" if self.place is None else "; the same command resumes from here"

    async def run(self, config: Config) -> int:
        """Print the items, and return the exit code."""
        began = time.monotonic()
        async with VK.from_config(config) as api:
            items = api.collect(self._method, **self._params).options(**self._options)
            await self._print(items)
            self._is_complete = True
            requests = api.statistics().sent
        seconds = time.monotonic() - began
        report(f"{self.count} items in {seconds:.1f} s, {requests} HTTP requests")
        is_cut = not items.complete and self._options["max_items"] is None
        return FAILED if is_cut else 0

    async def _print(self, items: PagedItems[Any]) -> None:
        """Print the items, and keep the position of the last one."""
        output = self._file or StreamOutput(sys.stdout.fileno())
        at = items.position, self._size()
        self._save(*at)
        saved = time.monotonic()
        done = items_read(at[0])
        is_free = self._file is not None or not sys.stdout.isatty()
        with _bar(done, is_free=is_free) as (bar, task):
            is_on = self._is_verbose and bar.disable
            lines = ProgressLines("items", done, is_on=is_on)
            try:
                async with items.ahead(PAGES) as ahead:
                    async for item in ahead:
                        await output.write(item)
                        self.count += 1
                        bar.update(task, advance=1, total=items.total)
                        lines.advance(items.total)
                        if self.place is None:
                            continue
                        at = items.position, self._size()
                        if time.monotonic() - saved > SAVE_EVERY:
                            if self._file is not None:
                                await self._file.sync()
                            self._save(*at)
                            saved = time.monotonic()
            finally:
                if self.count:
                    if self._file is not None:
                        self._file.close()
                    self._save(*at)

    def _size(self) -> int | None:
        return None if self._file is None else self._file.size()

    def _save(self, position: str, size: int | None) -> None:
        self._position = position
        if self.place is not None:
            self.place.write(position, size)


@contextmanager
def _bar(done: int, *, is_free: bool) -> Generator[tuple[Progress, TaskID]]:
    """Show a progress bar, unless the items go to the same terminal."""
    console = make_console(stderr=True)
    is_shown = console.is_terminal and not console.is_dumb_terminal
    progress = Progress(
        BarColumn(),
        MofNCompleteColumn(),
        _ItemRate(),
        TimeRemainingColumn(compact=True),
        console=console,
        transient=True,
        redirect_stdout=False,
        disable=not (is_shown and is_free),
    )
    with progress:
        yield progress, progress.add_task("", total=None, completed=done)


@final
class _ItemRate(ProgressColumn):
    """A column with the items per second."""

    def render(self, task: Task) -> Text:
        """Return the text of the column."""
        return Text(f"{task.speed:.0f} items/s" if task.speed else "")
