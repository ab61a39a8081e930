"""The calls of ``vkanyio batch``: from the lines of the input to ``api.stream``.

It owns the calls that have no record yet, and notes in the journal what may be carried
out. What becomes of the calls is the business of `_batch_run`.
"""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Self, final

import attrs
from anyio import CancelScope
from anyio.lowlevel import checkpoint

from .. import OutcomeUnknownError
from ._batch_book import LineState
from ._batch_lines import BadLine, read_call
from ._common import CommandError

if TYPE_CHECKING:
    from .. import APIRequest
    from ._batch_book import Book, JournalEntry
    from ._batch_files import OutputFiles
    from ._batch_lines import BatchCall, Line, LineReader
    from ._batch_records import Recorder

MAX_NOTED_TOGETHER = 64
"""How many calls are noted in the journal together: each time takes an `fsync`."""


@final
@attrs.frozen(eq=False)
class Job:
    """A call without a record.

    :ivar is_noted: whether the journal has it
    """

    call: BatchCall
    request: APIRequest
    is_noted: bool

    def filled_key(self) -> int | None:
        """Return the key that was filled in, None if there is none of that kind."""
        key = self.request.params.get("random_id")
        if key is None or self.call.params.get("random_id") is not None:
            return None
        return int(key)


@final
class BatchFeed:
    """The requests of an input, in the order of its lines: an async iterable.

    :param reader: the input
    :param files: the output files, None if the batch cannot be resumed
    :param book: what an earlier run has done
    :param recorder: where the records of lines go that are not sent
    :param max_in_flight: how many calls may be in progress at once
    :param checked: whether to check calls against VK's schema
    :param repeat_unknown: whether to repeat calls that may have been carried out
    :ivar jobs: the calls without a record, by their number among the requests
    :ivar complete: whether the input was read to its end
    """

    def __init__(
        self,
        reader: LineReader,
        files: OutputFiles | None,
        book: Book,
        recorder: Recorder,
        *,
        max_in_flight: int,
        checked: bool,
        repeat_unknown: bool,
    ) -> None:
        self.jobs: dict[int, Job] = {}
        self.complete = False
        self.max_in_flight: int = max_in_flight
        self._reader = reader
        self._files = files
        self._book = book
        self._recorder = recorder
        self._checked = checked
        self._repeat_unknown = repeat_unknown
        self._ready: deque[APIRequest] = deque()
        self._count = 0
        self._is_stopped = False
        self._waiting: CancelScope | None = None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> APIRequest:
        if not self._ready:
            await self._note(await self._take_lines())
        if self._ready:
            return self._ready.popleft()
        if self.complete:
            self._book.check_end(self._reader.number)
        raise StopAsyncIteration

    def stop(self) -> None:
        """Read no more lines."""
        self._is_stopped = True
        if self._waiting is not None:
            self._waiting.cancel()

    def withdraw_unsent(self) -> None:
        """Note in the journal which calls were not sent; it does not wait."""
        if self._files is None:
            return
        with suppress(CommandError):  # the calls then stay in doubt
            for job in self.jobs.values():
                if job.is_noted and not job.request.maybe_carried_out:
                    self._files.note_withdrawn(job.call.line)

    async def _take_lines(self) -> list[Job]:
        """Return the calls of the lines that are there; wait for the first of them."""
        room = max(1, self.max_in_flight - len(self.jobs))
        jobs: list[Job] = []
        while len(jobs) < min(room, MAX_NOTED_TOGETHER):
            if jobs and not self._reader.has_line():
                break
            line = await self._next_line()
            if line is None:
                break
            job = await self._take(line) if line.text else None
            if job is not None:
                jobs.append(job)
            else:
                await checkpoint()
        return jobs

    async def _next_line(self) -> Line | None:
        """Return the next line, None after the last one, or if the batch must stop."""
        if self.complete or self._is_stopped:
            return None
        with CancelScope() as self._waiting:
            line = await self._reader.next()
            self.complete = line is None
            return line
        return None

    async def _note(self, jobs: list[Job]) -> None:
        """Note the calls that must not be made twice, and let them be sent."""
        numbered = dict(enumerate(jobs, self._count))
        self._count += len(jobs)
        self.jobs |= numbered
        if self._files is not None:
            for job in jobs:
                if job.is_noted:
                    self._files.note_start(job.call.line, job.filled_key())
            await self._files.sync_journal()
        self._ready.extend(job.request for job in jobs)

    async def _take(self, line: Line) -> Job | None:
        """Return the job for a line, None if nothing is to be done."""
        self._book.check(line)
        state = self._book.state(line.number)
        if state is LineState.DONE:
            return None
        try:
            call = read_call(line, checked=self._checked)
        except BadLine as error:
            problem = {"type": "BadLine", "message": str(error)}
            await self._recorder.write(line, {}, {"error": problem}, "bad")
            return None
        started = self._book.started.get(line.number)
        if started is None and state is not LineState.UNKNOWN:
            return self._job(call, call.request())
        return await self._take_again(call, state, started)

    async def _take_again(
        self, call: BatchCall, state: LineState, started: JournalEntry | None
    ) -> Job | None:
        """Return a job if a call that an earlier run may have sent can be repeated."""
        random_id = None if started is None else started.random_id
        request = call.request(random_id)
        is_safe = started is not None and started.key_is_known() and _has_key(request)
        if is_safe or self._repeat_unknown:
            return self._job(call, request)
        if state is LineState.UNKNOWN:
            self._recorder.count("unknown")  # the output already has a record of it
            return None
        message = (
            f"{call.method} was in progress when the batch stopped, and may have been"
            " carried out: it was not retried; check before you repeat it"
        )
        problem = {
            "type": OutcomeUnknownError.__name__,
            "message": message,
            "method": call.method,
        }
        found = {"error": problem}
        await self._recorder.write(call.line, call.given, found, "unknown")
        return None

    def _job(self, call: BatchCall, request: APIRequest) -> Job:
        is_noted = self._files is not None and not request.reads()
        return Job(call, request, is_noted)


def _has_key(request: APIRequest) -> bool:
    return request.may_be_repeated() and not request.reads()
