"""The calls of ``vkanyio batch``: from the lines of the input to ``api.stream``.

It owns the calls that have no record yet, and notes in the journal what is about to be
sent. What becomes of the calls is the business of `_batch_run`.
"""

from __future__ import annotations

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
    from collections.abc import Sequence

    from .. import APIRequest
    from ._batch_book import Book, JournalEntry
    from ._batch_files import OutputFiles
    from ._batch_lines import BatchCall, Line, LineReader
    from ._batch_records import Recorder


@final
@attrs.define(eq=False)
class Job:
    """A call without a record.

    :ivar must_be_noted: whether the journal must have it before it is sent
    :ivar was_in_doubt: whether an earlier run may have sent it
    :ivar is_noted: whether the journal has it
    """

    call: BatchCall
    request: APIRequest
    must_be_noted: bool
    was_in_doubt: bool = False
    is_noted: bool = False

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
    :ivar jobs: the calls without a record
    :ivar complete: whether the input was read to its end
    :ivar leaves_doubts: whether VK refused a call that an earlier run may have sent:
        the journal still has the key to repeat it with
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
        self.jobs: dict[APIRequest, Job] = {}
        self.complete = False
        self.leaves_doubts = False
        self.max_in_flight: int = max_in_flight
        self._reader = reader
        self._files = files
        self._book = book
        self._recorder = recorder
        self._checked = checked
        self._repeat_unknown = repeat_unknown
        self._is_stopped = False
        self._waiting: CancelScope | None = None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> APIRequest:
        while (line := await self._next_line()) is not None:
            job = await self._take(line) if line.text else None
            if job is not None:
                self.jobs[job.request] = job
                return job.request
            await checkpoint()
        if self.complete:
            self._book.check_end(self._reader.number)
        raise StopAsyncIteration

    def stop(self) -> None:
        """Read no more lines."""
        self._is_stopped = True
        if self._waiting is not None:
            self._waiting.cancel()

    async def note_sending(self, requests: Sequence[APIRequest]) -> None:
        """Note the calls that must not be made twice, before their request leaves.

        A retry needs no second note.

        :raises CommandError: if the journal cannot be written
        """
        jobs = [self.jobs[request] for request in requests if request in self.jobs]
        new = [job for job in jobs if job.must_be_noted and not job.is_noted]
        if self._files is None or not new:
            return
        for job in new:
            self._files.note_start(job.call.line, job.filled_key())
            job.is_noted = True
        await self._files.sync_journal()

    def note_refused(self, job: Job) -> None:
        """Note that a call was certainly not carried out.

        Unless an earlier run may have sent it: a refusal says nothing about that.
        """
        if job.was_in_doubt:
            self.leaves_doubts = True
        elif self._files is not None and job.is_noted:
            self._files.note_withdrawn(job.call.line)

    def withdraw_unsent(self) -> None:
        """Note in the journal which calls were not sent; it does not wait."""
        with suppress(CommandError):  # the calls then stay in doubt
            for job in self.jobs.values():
                if not job.request.maybe_carried_out:
                    self.note_refused(job)

    async def _next_line(self) -> Line | None:
        """Return the next line, None after the last one, or if the batch must stop."""
        if self.complete or self._is_stopped:
            return None
        with CancelScope() as self._waiting:
            line = await self._reader.next()
            self.complete = line is None
            return line
        return None

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
            return self._job(call, request, was_in_doubt=True)
        if state is LineState.UNKNOWN:
            self._recorder.count("unknown")  # the output already has a record of it
            return None
        message = (
            f"{call.method} was being sent when the batch stopped, and may have been"
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

    def _job(
        self, call: BatchCall, request: APIRequest, *, was_in_doubt: bool = False
    ) -> Job:
        return Job(call, request, not request.reads(), was_in_doubt)


def _has_key(request: APIRequest) -> bool:
    return request.may_be_repeated() and not request.reads()
