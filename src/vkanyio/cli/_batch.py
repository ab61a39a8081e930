"""``vkanyio batch``: many calls from JSON lines; it can be stopped and resumed."""

from __future__ import annotations

import os
import shlex
import stat
import sys
import time
from contextlib import ExitStack, contextmanager
from typing import IO, TYPE_CHECKING, final

import attrs
import click

from .. import VK, Config, VKError
from ._batch_book import Book, LineState
from ._batch_feed import BatchFeed
from ._batch_files import OutputFiles, StreamOutput
from ._batch_limiter import SharedLimitOptions, shared_limit_options
from ._batch_lines import MAX_LINE_BYTES, BadLine, Line, LineReader, read_call, too_long
from ._batch_progress import ENDINGS, BatchProgress, reading
from ._batch_records import Recorder
from ._batch_run import BatchRun
from ._common import WRONG_USAGE, CommandError, Interrupted, report, run_async
from ._explain import command_error
from ._options import ClientOptions, client_options

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

MAX_IN_FLIGHT = 1000
MAX_BAD_LINES_SHOWN = 10
"""How many bad lines are reported one by one."""

MAX_KINDS_SHOWN = 5
"""How many kinds of errors the summary lists."""

FROM_CSV = 'split(",") | {method: "users.get", params: {user_ids: .[0]}}'
"""A program for jq, which makes calls of the first column of a CSV."""

BATCH_TIMEOUT = 30.0
"""Timeout in seconds of one HTTP attempt, which may carry 25 calls."""


@click.command(context_settings={"allow_extra_args": True})
@click.argument("source", metavar="[INPUT]", default="-")
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    help="Write the records to FILE, and skip the calls already done there.",
)
@click.option(
    "--repeat-unknown",
    is_flag=True,
    help="Repeat calls that may have been carried out.",
)
@click.option("--retry-errors", is_flag=True, help="Repeat calls that VK has refused.")
@shared_limit_options
@client_options
def batch(
    source: str,
    output: str | None,
    repeat_unknown: bool,
    retry_errors: bool,
    shared: SharedLimitOptions,
    client: ClientOptions,
) -> int:
    """Make many calls: JSON lines in, JSON lines out.

    The calls are packed into `execute` and sent as fast as the limit allows. INPUT is
    a file, or - for standard input, with one call per line:

    \b
      {"method": "users.get", "params": {"user_ids": [1, 2]}, "id": "anything"}

    Each call gets a record, written when the call ends: its line, its id, and
    "response" or "error".

    With --output, the same command resumes where it was stopped, even after a crash:
    a journal (FILE.journal) lists the calls that were being sent. Without
    --repeat-unknown, those that VK may have carried out are reported, not repeated.

    \b
    Example:
      vkanyio batch calls.jsonl --output results.jsonl --limit 20
      jq -c '{method: "users.get", params: {user_ids: .id}}' ids | vkanyio batch
    """
    _refuse_extra(click.get_current_context(), output)
    shared.check()
    with ExitStack() as stack:
        descriptor = stack.enter_context(_open_input(source, output))
        files = None if output is None else OutputFiles(output)
        if files is not None:
            stack.callback(files.close)
        with reading():  # reading a million lines takes half a minute
            book = Book() if files is None else files.read(retry_errors=retry_errors)
            total = _check_input(descriptor, source, book, checked=client.checked)
        config = client.config(mode="parallel", timeout=BATCH_TIMEOUT, wait=3.0)
        progress = stack.enter_context(
            BatchProgress(
                total,
                done=book.done(),
                has_output=output is not None,
                is_verbose=client.verbosity > 0,
            )
        )
        destination = (
            StreamOutput(sys.stdout.fileno()) if files is None else files.records
        )
        recorder = Recorder(destination, progress)
        feed = BatchFeed(
            LineReader(descriptor),
            files,
            book,
            recorder,
            max_in_flight=_max_in_flight(config),
            checked=client.checked,
            repeat_unknown=repeat_unknown,
        )
        batch_run = BatchRun(feed, files, recorder)
        command = BatchCommand(batch_run, config, shared, book.done(), total)
        code = command.run(client.backend)
        if files is not None and not batch_run.needs_journal:
            files.finish()
        return code


def _refuse_extra(context: click.Context, output: str | None) -> None:
    """Refuse a second argument, which is probably meant as the output."""
    if context.args:
        word = context.args[0]
        message = f"unexpected argument {word!r}"
        if output is None:
            message += f": write the output as --output {word}"
        raise click.UsageError(message, context)


@final
class BatchCommand:
    """Runs a batch, handles signals, and reports the summary."""

    def __init__(
        self,
        batch_run: BatchRun,
        config: Config,
        shared: SharedLimitOptions,
        done: int,
        total: int | None,
    ) -> None:
        self._batch = batch_run
        self._config = config
        self._shared = shared
        self._done = done
        self._total = total
        self._signum: int | None = None
        self._requests = 0

    def run(self, backend: str) -> int:
        """Run the batch, report how it ended, and return the exit code.

        :raises CommandError: if it had to stop early
        :raises Interrupted: if it was stopped by a signal
        """
        start = time.monotonic()
        try:
            run_async(backend, self._work, on_signal=self._on_signal)
        except Interrupted as interrupted:
            self._signum = interrupted.signum
        except VKError as error:
            raise command_error(error) from error
        finally:
            self._sum_up(time.monotonic() - start)
        stopped_by = self._batch.stopped_by
        if self._signum is not None and not self._batch.is_complete:
            raise Interrupted(f"interrupted: {self._rest()}", signum=self._signum)
        if stopped_by is not None:
            message = f"stopped: {stopped_by}; {self._rest()}"
            raise CommandError(message, self._batch.exit_code())
        return self._batch.exit_code()

    async def _work(self) -> None:
        noting = attrs.evolve(self._config, on_event=self._batch.note_event)
        async with self._shared.limited(noting) as config:
            client = VK.from_config(config)
            # Events cannot hold a request back, so the client has a hook for this.
            client._before_sending = self._batch.note_sending  # pyright: ignore[reportPrivateUsage]
            async with client as api:
                try:
                    await self._batch.run(api)
                finally:
                    self._requests = api.statistics().sent

    def _on_signal(self, signum: int) -> bool:
        if self._signum is not None:
            return False
        self._signum = signum
        self._batch.stop()
        report(
            f"stopping after the {self._batch.in_flight} calls in progress;"
            " interrupt again to stop at once"
        )
        return True

    def _sum_up(self, seconds: float) -> None:
        """Report how the calls ended, and the most frequent errors with an example."""
        endings = self._batch.endings
        counts = [f"{endings[name]} {name}" for name in ENDINGS if endings[name]]
        before = f", {self._done} lines already done" if self._done else ""
        report(
            f"{', '.join(counts) or 'no calls'} in {seconds:.1f} s,"
            f" {self._requests} HTTP requests{before}"
        )
        for kind, count in self._batch.kinds.most_common(MAX_KINDS_SHOWN):
            example = self._batch.examples[kind]
            if example != str(self._batch.stopped_by):  # reported at the end
                report(f"{count} x {kind}, for example: {example}")
        if endings["unknown"] and self._batch.is_resumable:
            report(
                f"{endings['unknown']} unknown: check the lines whose last record is an"
                " OutcomeUnknownError; --repeat-unknown makes them again"
            )

    def _rest(self) -> str:
        if not self._batch.is_resumable:
            return "with --output FILE, the same command could resume from here"
        endings = self._batch.endings
        done = self._done + endings["succeeded"] + endings["failed"]
        of_all = "" if self._total is None else f" of {self._total}"
        doubtful = self._batch.in_doubt()
        doubts = f", {doubtful} calls may have reached VK" if doubtful else ""
        return (
            f"{done}{of_all} lines are done{doubts}; the same command resumes from here"
        )


@contextmanager
def _open_input(source: str, output: str | None) -> Generator[int]:
    """Open the input, and yield its file descriptor."""
    if source == "-":
        if sys.stdin.isatty():
            message = "no input: name a file, or pipe JSON lines in"
            raise CommandError(message, WRONG_USAGE)
        yield sys.stdin.fileno()
        return
    try:
        exists = output is not None and os.path.exists(output)
        if output is not None and exists and os.path.samefile(source, output):
            message = "the output is the input file: choose another"
            raise CommandError(message, WRONG_USAGE)
        if os.path.isdir(source):
            raise IsADirectoryError(0, "it is a directory")
        descriptor = os.open(source, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    except OSError as error:
        message = f"cannot read {shlex.quote(source)}: {error.strerror}"
        raise CommandError(message, WRONG_USAGE) from None
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _check_input(
    descriptor: int, source: str, book: Book, *, checked: bool
) -> int | None:
    """Check that every line of a file is a call before anything is sent.

    :return: how many lines are not blank, None for a pipe, which is read only once
    :raises CommandError: if a line is not a call, or has changed since an earlier run
    """
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        return None
    start = os.lseek(descriptor, 0, os.SEEK_CUR)
    calls = bad = number = 0
    shown: list[str] = []
    has_json = False
    with open(descriptor, "rb", closefd=False) as file:
        for number, raw in enumerate(_lines(file), 1):
            line = Line.from_bytes(number, raw)
            if not line.text:
                continue
            calls += 1
            has_json = has_json or line.text[:1] in (b"{", b"[")
            book.check(line)
            try:
                if book.state(number) is not LineState.DONE:
                    read_call(line, checked=checked)
            except BadLine as error:
                bad += 1
                if bad <= MAX_BAD_LINES_SHOWN:
                    shown.append(f"{source}, line {number}: {error}")
    os.lseek(descriptor, start, os.SEEK_SET)
    if bad and not has_json:
        given = "FILE" if source == "-" else shlex.quote(source)
        message = (
            f"{source} has no JSON objects: is it a CSV? Convert it, for example:"
            f" jq -Rc '{FROM_CSV}' {given} | vkanyio batch"
        )
        raise CommandError(message, WRONG_USAGE)
    if bad:
        for each in shown:
            report(each)
        first = f" (the first {MAX_BAD_LINES_SHOWN} are shown above)"
        more = first if bad > MAX_BAD_LINES_SHOWN else ""
        message = f"{bad} of {calls} lines are invalid{more}: nothing was sent"
        raise CommandError(message, WRONG_USAGE)
    book.check_end(number)
    return calls


def _lines(file: IO[bytes]) -> Iterator[bytes]:
    number = 0
    while raw := file.readline(MAX_LINE_BYTES + 1):
        number += 1
        if len(raw) > MAX_LINE_BYTES:
            raise too_long(number)
        yield raw


def _max_in_flight(config: Config) -> int:
    """Return how many calls may be in progress: what the limit allows in two seconds.

    A smaller number would not use up the limit when responses are slow. A larger one
    would only take memory.
    """
    requests = 2 * config.limit + 2
    packed = 1 if config.mode == "sequential" else config.execute_count
    return min(requests * packed, MAX_IN_FLIGHT)
