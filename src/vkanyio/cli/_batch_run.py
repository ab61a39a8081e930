"""The work of ``vkanyio batch``: read calls, make them, write records."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING, Any, final

import attrs
from anyio import (
    CancelScope,
    Semaphore,
    create_task_group,
    sleep,
)
from anyio.lowlevel import checkpoint

from .. import (
    VK,
    APIError,
    AuthError,
    CaptchaError,
    ClientClosedError,
    ClientCrashedError,
    OutcomeUnknownError,
    RequestEnded,
    TokenExpiredError,
    TransportError,
    ValidationError,
    VKError,
)
from ._batch_book import AGAIN_TYPES, TROUBLE_CODES, Book, JournalEntry, LineState
from ._batch_files import OutputFiles, head_of
from ._batch_lines import BadLine, BatchCall, Line, LineReader, read_call
from ._batch_records import describe_error, describe_result
from ._common import FAILED, IN_DOUBT, NO_RESPONSE, WRONG_USAGE, CommandError
from ._explain import explain

if TYPE_CHECKING:
    from collections.abc import Iterable

    from anyio.abc import TaskGroup

    from .. import APIRequest, Event
    from ._batch_files import Output
    from ._batch_progress import BatchProgress

SYNC_SECONDS = 1.0
"""How often the records are synced to disk."""

MAX_STARTED_TOGETHER = 64
"""How many calls are noted in the journal together, and then started."""

MAX_UNANSWERED = 20
"""Consecutive requests without a proper response: the next call that fails for that
reason stops the batch. A failed batch of 25 calls is one request, which is sent again
in parts."""

STOPPING = (AuthError, TokenExpiredError, CaptchaError, ValidationError)
"""Errors that every further call would get until somebody acts."""


@final
@attrs.define(eq=False)
class _Job:
    """A call in progress."""

    call: BatchCall
    request: APIRequest
    is_noted: bool = False


@final
class BatchRun:
    """One run over an input.

    :param output: where the records go
    :param files: the output files, None if the batch cannot be resumed
    :param book: what an earlier run has done
    :param progress: the progress bar
    :param max_in_flight: how many calls may be in progress at once
    :param checked: whether to check calls against VK's schema
    :param repeat_unknown: whether to repeat calls that may have been carried out
    :ivar endings: how many lines ended in which way
    :ivar kinds: how often each type of error occurred
    :ivar examples: the first error of each type
    :ivar stopped_by: why the batch stopped before the end of the input
    :ivar complete: whether the input was read to its end
    """

    def __init__(
        self,
        output: Output,
        files: OutputFiles | None,
        book: Book,
        progress: BatchProgress,
        *,
        max_in_flight: int,
        checked: bool,
        repeat_unknown: bool,
    ) -> None:
        self.endings: Counter[str] = Counter()
        self.kinds: Counter[str] = Counter()
        self.examples: dict[str, str] = {}
        self.stopped_by: CommandError | None = None
        self.complete = False
        self._output = output
        self._files = files
        self._book = book
        self._progress = progress
        self._checked = checked
        self._repeat_unknown = repeat_unknown
        self._room = Semaphore(max_in_flight, fast_acquire=True)
        self._open: dict[int, _Job] = {}
        self._feeding: CancelScope | None = None
        self._unanswered = 0
        self._broken: CommandError | OSError | None = None
        self._calls: TaskGroup

    @property
    def in_flight(self) -> int:
        """How many calls are in progress."""
        return len(self._open)

    def in_doubt(self) -> int:
        """Count the interrupted calls that may have changed something."""
        return sum(
            job.request.maybe_carried_out and not job.request.reads()
            for job in self._open.values()
        )

    @property
    def is_resumable(self) -> bool:
        """Whether another run can resume where this one ends."""
        return self._files is not None

    def stop(self, reason: CommandError | None = None) -> None:
        """Read no more lines, and finish the calls in progress.

        :param reason: the error to report, None if a signal stops the batch
        """
        self.stopped_by = self.stopped_by or reason
        if self._feeding is not None:
            self._feeding.cancel()

    def note_event(self, event: Event) -> None:
        """Count the requests without a proper response; for ``on_event``."""
        if isinstance(event, RequestEnded) and event.ending != "cancelled":
            is_trouble = event.error in AGAIN_TYPES or event.code in TROUBLE_CODES
            self._unanswered = self._unanswered + 1 if is_trouble else 0

    async def run(self, api: VK, reader: LineReader) -> None:
        """Make the calls.

        :param api: the client
        :param reader: the input
        """
        try:
            async with create_task_group() as syncing:
                syncing.start_soon(self._sync_regularly)
                await self._feed_and_finish(api, reader)
                syncing.cancel_scope.cancel()
        finally:
            self._withdraw_unsent()
        if self._broken is not None:
            raise self._broken

    def exit_code(self) -> int:
        """Return the exit code of the most serious ending."""
        if self.endings["unknown"]:
            return IN_DOUBT
        if self.stopped_by is not None:
            return self.stopped_by.exit_code
        if self.endings["got no response"]:
            return NO_RESPONSE
        if self.endings["bad"]:
            return WRONG_USAGE
        return FAILED if self.endings["failed"] else 0

    async def _feed_and_finish(self, api: VK, reader: LineReader) -> None:
        async with create_task_group() as self._calls:
            with CancelScope() as self._feeding:
                try:
                    await self._feed(api, reader)
                    self.complete = True
                except (CommandError, OSError) as error:
                    self._broken = error  # a task group would wrap it

    def _withdraw_unsent(self) -> None:
        """Note in the journal which calls were not sent; runs under cancellation."""
        if self._files is None:
            return
        with suppress(CommandError):  # the calls then stay in doubt
            for job in self._open.values():
                if job.is_noted and not job.request.maybe_carried_out:
                    self._files.note_withdrawn(job.call.line)

    async def _feed(self, api: VK, reader: LineReader) -> None:
        """Start the calls in the order of the lines."""
        ready: list[_Job] = []
        while True:
            is_idle = not reader.has_line() or not self._room.value
            if ready and (is_idle or len(ready) == MAX_STARTED_TOGETHER):
                await self._start(api, ready)
                ready = []
            line = await reader.next()
            if line is None:
                break
            job = await self._take(line) if line.text else None
            if job is None:
                await checkpoint()
                continue
            await self._room.acquire()
            ready.append(job)
        await self._start(api, ready)
        self._book.check_end(reader.number)

    async def _take(self, line: Line) -> _Job | None:
        """Return the job for a line, None if nothing is to be done."""
        self._book.check(line)
        state = self._book.state(line.number)
        if state is LineState.DONE:
            return None
        try:
            call = read_call(line, checked=self._checked)
        except BadLine as error:
            problem = {"type": "BadLine", "message": str(error)}
            await self._record(line, {}, {"error": problem}, "bad")
            return None
        started = self._book.started.get(line.number)
        if started is None and state is not LineState.UNKNOWN:
            return _Job(call, call.request())
        return await self._take_again(call, state, started)

    async def _take_again(
        self, call: BatchCall, state: LineState, started: JournalEntry | None
    ) -> _Job | None:
        """Return a job if a call that an earlier run may have sent can be repeated."""
        random_id = None if started is None else started.random_id
        request = call.request(random_id)
        is_safe = started is not None and started.key_is_known() and _has_key(request)
        if is_safe or self._repeat_unknown:
            return _Job(call, request)
        if state is LineState.UNKNOWN:
            self._count("unknown")  # the output already has a record of it
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
        await self._record(call.line, call.given, {"error": problem}, "unknown")
        return None

    async def _start(self, api: VK, ready: Iterable[_Job]) -> None:
        # Shielded: a call that the journal lists as started must be started.
        with CancelScope(shield=True):
            for job in ready:
                self._open[job.call.line.number] = job
                if self._files is not None and not job.request.reads():
                    job.is_noted = True
                    self._files.note_start(job.call.line, _filled_key(job))
            if self._files is not None:
                await self._files.sync_journal()
            for job in ready:
                self._calls.start_soon(self._make, api, job)
                # One at a time: trio runs tasks that start together in any order.
                await checkpoint()

    async def _make(self, api: VK, job: _Job) -> None:
        """Make a call, and write its record."""
        request, call = job.request, job.call
        try:
            value = await api.call_with_request(request)
        except (ClientClosedError, ClientCrashedError) as error:
            self.stop(CommandError(explain(error)))
            return  # the journal has what is known about the call
        except VKError as error:
            self._handle_error(error, job)
            ending, found = describe_error(error)
        else:
            ending, found = describe_result(value)
        try:
            await self._record(call.line, call.given, found, ending)
            is_clear = "error" in found and ending != "unknown"
            if self._files is not None and job.is_noted and is_clear:
                self._files.note_withdrawn(call.line)
        except (CommandError, OSError) as error:
            self._break(error)
            return
        del self._open[call.line.number]
        self._room.release()

    def _handle_error(self, error: VKError, job: _Job) -> None:
        """Count an error, and stop the batch if further calls would fail too."""
        self._note_error(error)
        concerns_all = "access_token" not in job.call.params
        if isinstance(error, STOPPING) and concerns_all:
            self.stop(CommandError(explain(error)))
        cause = error.__cause__ if isinstance(error, OutcomeUnknownError) else error
        code = cause.code if isinstance(cause, APIError) else None
        is_trouble = isinstance(cause, TransportError) or code in TROUBLE_CODES
        if is_trouble and self._unanswered >= MAX_UNANSWERED:
            self.stop(CommandError(explain(error), NO_RESPONSE))

    def _note_error(self, error: VKError) -> None:
        cause = error.__cause__ if isinstance(error, OutcomeUnknownError) else error
        kind = type(cause or error).__name__
        self.kinds[kind] += 1
        self.examples.setdefault(kind, explain(error))

    async def _record(
        self, line: Line, given: Any, found: dict[str, Any], ending: str
    ) -> None:
        await self._output.write({**head_of(line), **given, **found})
        self._count(ending)

    def _count(self, ending: str) -> None:
        self.endings[ending] += 1
        self._progress.advance(ending)

    def _break(self, error: CommandError | OSError) -> None:
        """Stop at once: records can no longer be written."""
        self._broken = self._broken or error
        self._calls.cancel_scope.cancel()

    async def _sync_regularly(self) -> None:
        while self._files is not None:
            await sleep(SYNC_SECONDS)
            try:
                await self._files.records.sync()
            except CommandError as error:
                self._break(error)


def _filled_key(job: _Job) -> int | None:
    """Return the key that was filled in for a call, None if the input has it."""
    key = job.request.params.get("random_id")
    if key is None or job.call.params.get("random_id") is not None:
        return None
    return int(key)


def _has_key(request: APIRequest) -> bool:
    return request.may_be_repeated() and not request.reads()
