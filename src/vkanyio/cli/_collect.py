"""``vkanyio collect``: all items of a list, as JSON lines; it can be resumed."""

from __future__ import annotations

import json
import os
import sys
import time
from contextlib import contextmanager
from pathlib import Path
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
from ._batch_files import StreamOutput
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

if TYPE_CHECKING:
    from collections.abc import Generator

    from rich.progress import Task, TaskID

    from .. import PagedItems

PAGES = 20
"""How many pages are under way."""

SAVE_EVERY = 1.0
"""Seconds between two writes of the position."""

COLLECT_TIMEOUT = 30.0
"""Timeout in seconds of one HTTP attempt, which may carry 20 pages."""


@click.command(no_args_is_help=True)
@click.argument("method", type=METHOD)
@click.argument("params", metavar="[NAME=VALUE]...", nargs=-1, type=PARAMETERS)
@click.option(
    "--resume",
    "place",
    metavar="FILE",
    help="Go on from the position in FILE, and keep it there.",
)
@click.option("--max-items", type=int, metavar="N", help="Stop after N items.")
@client_options
def collect(
    method: str,
    params: tuple[str, ...],
    place: str | None,
    max_items: int | None,
    client: ClientOptions,
) -> int:
    """Print all items of the list that METHOD returns in pages, one in a line.

    An item that is in the list all the time is printed once, although others come and
    go meanwhile. NAME=VALUE is as for `vkanyio call`; `count` is the size of a page.

    \b
    Example:
      vkanyio collect groups.getMembers group_id=1 --resume place >> members.jsonl
    """
    values = parse_params(params)
    problem = problem_with(method, values) if client.checked else None
    if problem is not None:
        message = f"{problem} (use --unchecked to send it anyway)"
        raise CommandError(message, WRONG_USAGE)
    position = None if place is None else _read(place)
    options: dict[str, Any] = {"resume_from": position, "max_items": max_items}
    try:  # before anything is sent, and before anybody is asked for the token
        VK("none").collect(method, **values).options(**options)
    except (TypeError, ValueError) as error:
        raise CommandError(str(error), WRONG_USAGE) from None
    config = client.config(mode="parallel", timeout=COLLECT_TIMEOUT)
    run = Collection(method, values, options, place)
    try:
        return run_async(client.backend, lambda: run.run(config))
    except Interrupted as interrupted:
        message = f"interrupted after {run.count} items"
        raise Interrupted(message, signum=interrupted.signum) from None
    except VKError as error:
        raise command_error(error) from error
    except ValueError as error:  # the position is lost
        raise CommandError(str(error)) from None


@final
class Collection:
    """One run of the command.

    :param place: the file for the position, if there is one
    :ivar count: how many items were printed
    """

    def __init__(
        self,
        method: str,
        params: dict[str, Any],
        options: dict[str, Any],
        place: str | None,
    ) -> None:
        self.count: int = 0
        self._method = method
        self._params = params
        self._options = options
        self._place = place

    async def run(self, config: Config) -> int:
        """Print the items, and return the exit code."""
        began = time.monotonic()
        async with VK.from_config(config) as api:
            items = api.collect(self._method, **self._params).options(**self._options)
            await self._print(items)
            requests = api.statistics().sent
        seconds = time.monotonic() - began
        report(f"{self.count} items in {seconds:.1f} s, {requests} HTTP requests")
        is_cut = not items.complete and self._options["max_items"] is None
        return FAILED if is_cut else 0

    async def _print(self, items: PagedItems[Any]) -> None:
        """Print the items, and keep the position of the last one."""
        output = StreamOutput(sys.stdout.fileno())
        written = items.position
        done = json.loads(written)["read"]
        saved = time.monotonic()
        with _bar(done) as (bar, task):
            try:
                async with items.ahead(PAGES) as ahead:
                    async for item in ahead:
                        await output.write(item)
                        self.count += 1
                        bar.update(task, advance=1, total=items.total)
                        if self._place is None:
                            continue
                        written = items.position
                        if time.monotonic() - saved > SAVE_EVERY:
                            _write(self._place, written)
                            saved = time.monotonic()
            finally:
                if self._place is not None:
                    _write(self._place, written)


def _read(place: str) -> str | None:
    """Return the position in a file, None if there is no file yet."""
    try:
        return Path(place).read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        message = f"--resume: cannot read {place!r}: {error}"
        raise CommandError(message, WRONG_USAGE) from None


def _write(place: str, position: str) -> None:
    """Replace the position in a file: a crash leaves either of the two."""
    new = f"{place}.new"
    try:
        Path(new).write_text(f"{position}\n", encoding="utf-8")
        os.replace(new, place)
    except OSError as error:
        message = f"--resume: cannot write {place!r}: {error.strerror}"
        raise CommandError(message) from None


@contextmanager
def _bar(done: int) -> Generator[tuple[Progress, TaskID]]:
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
        disable=not is_shown or sys.stdout.isatty(),
    )
    with progress:
        yield progress, progress.add_task("", total=None, completed=done)


@final
class _ItemRate(ProgressColumn):
    """A column with the items per second."""

    def render(self, task: Task) -> Text:
        """Return the text of the column."""
        return Text(f"{task.speed:.0f} items/s" if task.speed else "")
