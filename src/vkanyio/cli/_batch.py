"""``vkanyio batch``: many calls from JSON lines, which can be stopped and resumed."""

from __future__ import annotations

import os
import stat
import sys
import time
from contextlib import ExitStack, contextmanager
from typing import IO, TYPE_CHECKING, final

import click

from .. import VK, Config, VKError
from ._batch_book import Book, State
from ._batch_files import OutputFiles, StreamOutput
from ._batch_lines import MOST_BYTES, BadLine, Line, LineReader, read_call, too_long
from ._batch_progress import OUTCOMES, Watcher, reading
from ._batch_run import Batch
from ._common import WRONG_USAGE, Failure, Interrupted, report, run_async
from ._explain import failure
from ._options import ClientOptions, client_options

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

MOST_AT_ONCE = 1000
MOST_SHOWN = 10
"""Bad lines that are told one by one."""

MOST_KINDS = 5
"""Kinds of errors that are told at the end."""

BATCH_TIMEOUT = 30.0
"""Seconds for one HTTP attempt, which may carry 25 calls."""


@click.command()
@click.argument("source", metavar="[INPUT]", default="-")
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    help="Where the records go; what is done there is not done again.",
)
@click.option(
    "--repeat-unknown",
    is_flag=True,
    help="Make calls again that may have been carried out.",
)
@click.option(
    "--retry-errors", is_flag=True, help="Make calls again that VK has refused."
)
@client_options
def batch(
    source: str,
    output: str | None,
    repeat_unknown: bool,
    retry_errors: bool,
    client: ClientOptions,
) -> int:
    """Make many calls: JSON lines in, JSON lines out.

    They are made as fast as the limit allows, packed into `execute`. INPUT is a file,
    or - for standard input, with a call on each line:

    \b
      {"method": "users.get", "params": {"user_ids": [1, 2]}, "id": "anything"}

    Each call has a record, in the order in which they end: its line, its id, and
    "response" or "error".

    With --output the same command goes on where it was stopped, by Ctrl-C or by a
    crash: a file beside the output (.journal) tells which calls were under way. Those
    that VK may have carried out are told and not repeated, unless you say so.

    \b
    Example:
      vkanyio batch calls.jsonl --output answers.jsonl --limit 20
      jq -c '{method: "users.get", params: {user_ids: .id}}' ids | vkanyio batch
    """
    with ExitStack() as stack:
        descriptor = stack.enter_context(_open_input(source, output))
        files = None if output is None else OutputFiles(output)
        if files is not None:
            stack.callback(files.close)
        with reading():  # a million lines take half a minute
            book = Book() if files is None else files.read(retry_errors=retry_errors)
            total = _check_input(descriptor, source, book, checked=client.checked)
        config = client.config(mode="parallel", timeout=BATCH_TIMEOUT, wait=3.0)
        watcher = stack.enter_context(
            Watcher(total, done=book.done(), has_output=output is not None)
        )
        made = Batch(
            StreamOutput(sys.stdout.fileno()) if files is None else files.records,
            files,
            book,
            watcher,
            at_once=_at_once(config),
            checked=client.checked,
            repeat_unknown=repeat_unknown,
        )
        run = Run(made, config, LineReader(descriptor), book.done(), total)
        code = run.until_its_end(client.backend)
        if files is not None and run.leaves_nothing():
            files.finish()
        return code


@final
class Run:
    """A batch from the beginning to the last words."""

    def __init__(
        self,
        made: Batch,
        config: Config,
        reader: LineReader,
        done: int,
        total: int | None,
    ) -> None:
        self._batch = made
        self._config = config
        self._reader = reader
        self._done = done
        self._total = total
        self._signum: int | None = None
        self._requests = 0

    def until_its_end(self, backend: str) -> int:
        """Run the batch, say how it ended, and return the exit code.

        :raises Failure: if it could not go on
        :raises Interrupted: if it was stopped by a signal
        """
        start = time.monotonic()
        try:
            run_async(backend, self._work, on_signal=self._on_signal)
        except Interrupted as interrupted:
            self._signum = interrupted.signum
        except VKError as error:
            raise failure(error) from error
        finally:
            self._sum_up(time.monotonic() - start)
        stopped_by = self._batch.stopped_by
        if self._signum is not None and not self._is_complete():
            raise Interrupted(f"interrupted: {self._rest()}", signum=self._signum)
        if stopped_by is not None:
            message = f"stopped, since {stopped_by}; {self._rest()}"
            raise Failure(message, self._batch.exit_code())
        return self._batch.exit_code()

    def leaves_nothing(self) -> bool:
        """Return whether every line has its outcome."""
        outcomes = self._batch.outcomes
        is_clear = not outcomes["unknown"] and not outcomes["unanswered"]
        return is_clear and self._is_complete()

    def _is_complete(self) -> bool:
        return self._batch.complete and not self._batch.in_flight

    async def _work(self) -> None:
        async with VK.from_config(self._config) as api:
            try:
                await self._batch.run(api, self._reader)
            finally:
                self._requests = api.statistics().sent

    def _on_signal(self, signum: int) -> bool:
        if self._signum is not None:
            return False
        self._signum = signum
        self._batch.stop()
        report(
            f"stopping after the {self._batch.in_flight} calls under way;"
            " once more stops at once"
        )
        return True

    def _sum_up(self, seconds: float) -> None:
        """Tell what came of the calls, the most frequent errors with an example."""
        outcomes = self._batch.outcomes
        told = [f"{outcomes[name]} {name}" for name in OUTCOMES if outcomes[name]]
        before = f", {self._done} lines were done before" if self._done else ""
        report(
            f"{', '.join(told) or 'no calls'} in {seconds:.1f} s,"
            f" {self._requests} HTTP requests{before}"
        )
        for kind, count in self._batch.kinds.most_common(MOST_KINDS):
            example = self._batch.examples[kind]
            if example != str(self._batch.stopped_by):  # that is told at the end
                report(f"{kind}, {count} times, such as: {example}")

    def _rest(self) -> str:
        if not self._batch.is_resumable:
            return "with --output FILE the same command could go on from here"
        outcomes = self._batch.outcomes
        done = self._done + outcomes["answered"] + outcomes["failed"]
        of_all = "" if self._total is None else f" of {self._total}"
        doubtful = self._batch.in_doubt()
        doubts = f"{doubtful} calls may have reached VK, " if doubtful else ""
        return (
            f"{done}{of_all} lines are done, {doubts}the same command goes on from here"
        )


@contextmanager
def _open_input(source: str, output: str | None) -> Generator[int]:
    """Open the input, and give its file descriptor."""
    if source == "-":
        if sys.stdin.isatty():
            message = "no input: name a file, or pipe lines of JSON in"
            raise Failure(message, WRONG_USAGE)
        yield sys.stdin.fileno()
        return
    try:
        is_there = output is not None and os.path.exists(output)
        if output is not None and is_there and os.path.samefile(source, output):
            raise Failure("the output is the input: name another", WRONG_USAGE)
        if os.path.isdir(source):
            raise IsADirectoryError(0, "it is a directory")
        descriptor = os.open(source, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    except OSError as error:
        message = f"cannot read {source}: {error.strerror}"
        raise Failure(message, WRONG_USAGE) from None
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _check_input(
    descriptor: int, source: str, book: Book, *, checked: bool
) -> int | None:
    """See that every line of a file is a call before anything is sent.

    :return: how many lines are not blank, None for a pipe, which is read once
    :raises Failure: if there are lines that are none, or that are not what they were
    """
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        return None
    start = os.lseek(descriptor, 0, os.SEEK_CUR)
    calls = bad = number = 0
    with open(descriptor, "rb", closefd=False) as file:
        for number, raw in enumerate(_lines(file), 1):
            line = Line.from_bytes(number, raw)
            if not line.text:
                continue
            calls += 1
            book.check(line)
            try:
                if book.state(number) is not State.DONE:
                    read_call(line, checked=checked)
            except BadLine as error:
                bad += 1
                if bad <= MOST_SHOWN:
                    report(f"{source}, line {number}: {error}")
    os.lseek(descriptor, start, os.SEEK_SET)
    if bad:
        more = f", the first {MOST_SHOWN} are above" if bad > MOST_SHOWN else ""
        message = f"{bad} of {calls} lines are wrong{more}: nothing was sent"
        raise Failure(message, WRONG_USAGE)
    book.check_end(number)
    return calls


def _lines(file: IO[bytes]) -> Iterator[bytes]:
    number = 0
    while raw := file.readline(MOST_BYTES + 1):
        number += 1
        if len(raw) > MOST_BYTES:
            raise too_long(number)
        yield raw


def _at_once(config: Config) -> int:
    """Return how many calls may be under way: what VK takes in two seconds.

    Less would leave the limit unused where answers take long. More would leave more
    calls in doubt after a crash.
    """
    requests = 2 * config.limit + 2
    packed = 1 if config.mode == "sequential" else config.execute_count
    return min(requests * packed, MOST_AT_ONCE)
