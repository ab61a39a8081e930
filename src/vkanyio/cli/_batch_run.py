"""The work of ``vkanyio batch``: calls in, records out, as fast as VK takes them."""

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
    AuthError,
    CaptchaError,
    ClientClosedError,
    ClientCrashedError,
    OutcomeUnknownError,
    TokenExpiredError,
    TransportError,
    ValidationError,
    VKError,
)
from .._facts import Repetition
from .._repetition import facts_of, repetition_of_call
from ._batch_book import Book, Started, State
from ._batch_files import OutputFiles, head_of
from ._batch_lines import BadLine, Call, Line, LineReader, read_call
from ._batch_records import describe, describe_answer
from ._common import FAILED, IN_DOUBT, NO_ANSWER, WRONG_USAGE, Failure
from ._explain import explain

if TYPE_CHECKING:
    from collections.abc import Iterable

    from anyio.abc import TaskGroup

    from .. import APIRequest
    from .._response import Success
    from ._batch_files import Output
    from ._batch_progress import Watcher

SYNC_SECONDS = 1.0
"""How often the records are made to survive the end of the machine."""

MOST_STARTED = 64
"""Calls that are noted in the journal together, and started then."""

PATIENCE = 20
"""Calls without an answer, one after the other, after which the network is given up."""

STOPPING = (AuthError, TokenExpiredError, CaptchaError, ValidationError)
"""Errors that every further call would meet: a person has to do something first."""


@final
@attrs.define(eq=False)
class _Job:
    """A call that is under way."""

    call: Call
    request: APIRequest
    is_noted: bool = False


@final
class Batch:
    """One run over an input.

    :param output: where the records go
    :param files: the output, where it can be gone on with
    :param book: what an earlier run has done
    :param at_once: most calls that are under way
    :param checked: whether calls are compared with VK's schema
    :param repeat_unknown: whether calls are made that may have been carried out
    :ivar outcomes: how many lines have come to what
    :ivar kinds: how often each error came, with an example
    :ivar stopped_by: why it ended before the input did
    """

    def __init__(
        self,
        output: Output,
        files: OutputFiles | None,
        book: Book,
        watcher: Watcher,
        *,
        at_once: int,
        checked: bool,
        repeat_unknown: bool,
    ) -> None:
        self.outcomes: Counter[str] = Counter()
        self.kinds: Counter[str] = Counter()
        self.examples: dict[str, str] = {}
        self.stopped_by: Failure | None = None
        self.complete = False
        self._output = output
        self._files = files
        self._book = book
        self._watcher = watcher
        self._checked = checked
        self._repeat_unknown = repeat_unknown
        self._room = Semaphore(at_once, fast_acquire=True)
        self._open: dict[int, _Job] = {}
        self._feeding: CancelScope | None = None
        self._unanswered = 0
        self._broken: Failure | OSError | None = None
        self._calls: TaskGroup

    @property
    def in_flight(self) -> int:
        """How many calls are under way."""
        return len(self._open)

    def in_doubt(self) -> int:
        """Count the calls that were cut off, and may have changed something."""
        return sum(
            job.request.slot.maybe_carried_out and not job.request.reads()
            for job in self._open.values()
        )

    @property
    def is_resumable(self) -> bool:
        """Whether another run can go on where this one ends."""
        return self._files is not None

    def stop(self, reason: Failure | None = None) -> None:
        """Take no more lines, and finish what is under way."""
        self.stopped_by = self.stopped_by or reason
        if self._feeding is not None:
            self._feeding.cancel()

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
        """Return the gravest of what has happened."""
        if self.outcomes["unknown"]:
            return IN_DOUBT
        if self.stopped_by is not None:
            return self.stopped_by.exit_code
        if self.outcomes["unanswered"]:
            return NO_ANSWER
        if self.outcomes["bad"]:
            return WRONG_USAGE
        return FAILED if self.outcomes["failed"] else 0

    async def _feed_and_finish(self, api: VK, reader: LineReader) -> None:
        async with create_task_group() as self._calls:
            with CancelScope() as self._feeding:
                try:
                    await self._feed(api, reader)
                    self.complete = True
                except (Failure, OSError) as error:
                    self._broken = error  # not into the group, which would wrap it

    def _withdraw_unsent(self) -> None:
        """Note which calls were not sent after all, in the middle of a cancellation."""
        if self._files is None:
            return
        with suppress(Failure):  # then they stay in doubt
            for job in self._open.values():
                if job.is_noted and not job.request.slot.maybe_carried_out:
                    self._files.note_withdrawn(job.call.line)

    async def _feed(self, api: VK, reader: LineReader) -> None:
        """Start the calls in the order of the lines."""
        ready: list[_Job] = []
        while True:
            is_idle = not reader.has_line() or not self._room.value
            if ready and (is_idle or len(ready) == MOST_STARTED):
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
        """Make a job of a line, None if there is nothing to do for it."""
        self._book.check(line)
        state = self._book.state(line.number)
        if state is State.DONE:
            return None
        try:
            call = read_call(line, checked=self._checked)
        except BadLine as error:
            problem = {"type": "BadLine", "message": str(error)}
            await self._record(line, {}, {"error": problem}, "bad")
            return None
        started = self._book.started.get(line.number)
        if started is None and state is not State.UNKNOWN:
            return _Job(call, call.request())
        return await self._take_again(call, state, started)

    async def _take_again(
        self, call: Call, state: State, started: Started | None
    ) -> _Job | None:
        """Decide about a call that may have been carried out by an earlier run."""
        random_id = None if started is None else started.random_id
        request = call.request(random_id)
        is_safe = started is not None and started.key_is_known() and _has_key(request)
        if is_safe or self._repeat_unknown:
            return _Job(call, request)
        if state is State.UNKNOWN:
            self._count("unknown")  # the output says so already
            return None
        message = (
            f"{call.method} was under way when the batch was stopped, and may have been"
            " carried out: it was not repeated, look before you do"
        )
        problem = {
            "type": OutcomeUnknownError.__name__,
            "message": message,
            "method": call.method,
        }
        await self._record(call.line, call.given, {"error": problem}, "unknown")
        return None

    async def _start(self, api: VK, ready: Iterable[_Job]) -> None:
        # What the journal says was started is started: no cancellation in between.
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
                # One at a time: trio runs those that start together in any order.
                await checkpoint()

    async def _make(self, api: VK, job: _Job) -> None:
        """Make a call, and write what became of it."""
        request, call = job.request, job.call
        try:
            await api.call_with_request(request)
            answer: Success = await request.slot.wait()
        except (ClientClosedError, ClientCrashedError) as error:
            self.stop(Failure(explain(error)))
            return  # what is known of it is in the journal
        except VKError as error:
            self._look_at(error, request)
            outcome, found = describe(error)
        else:
            self._unanswered = 0
            outcome, found = describe_answer(answer.to_execute_result())
        try:
            await self._record(call.line, call.given, found, outcome)
            is_clear = "error" in found and outcome != "unknown"
            if self._files is not None and job.is_noted and is_clear:
                self._files.note_withdrawn(call.line)
        except (Failure, OSError) as error:
            self._break(error)
            return
        del self._open[call.line.number]
        self._room.release()

    def _look_at(self, error: VKError, request: APIRequest) -> None:
        """Stop where going on makes no sense."""
        self._note_error(error)
        of_all = request.own_token is None
        if isinstance(error, STOPPING) and of_all:
            self.stop(Failure(explain(error)))
        cause = error.__cause__ if isinstance(error, OutcomeUnknownError) else error
        if isinstance(cause, TransportError):
            self._unanswered += 1
            if self._unanswered == PATIENCE:
                self.stop(Failure(explain(error), NO_ANSWER))
        else:
            self._unanswered = 0

    def _note_error(self, error: VKError) -> None:
        cause = error.__cause__ if isinstance(error, OutcomeUnknownError) else error
        kind = type(cause or error).__name__
        self.kinds[kind] += 1
        self.examples.setdefault(kind, explain(error))

    async def _record(
        self, line: Line, given: Any, found: dict[str, Any], outcome: str
    ) -> None:
        await self._output.write({**head_of(line), **given, **found})
        self._count(outcome)

    def _count(self, outcome: str) -> None:
        self.outcomes[outcome] += 1
        self._watcher.advance(outcome)

    def _break(self, error: Failure | OSError) -> None:
        """Stop at once: outcomes cannot be written any more."""
        self._broken = self._broken or error
        self._calls.cancel_scope.cancel()

    async def _sync_regularly(self) -> None:
        while self._files is not None:
            await sleep(SYNC_SECONDS)
            try:
                await self._files.records.sync()
            except Failure as error:
                self._break(error)


def _filled_key(job: _Job) -> int | None:
    """Return the key that was filled in for a call, and is in no line of the input."""
    key = facts_of(job.call.method).key
    if key == "random_id" and job.call.params.get(key) is None:
        return int(job.request.params[key])
    return None


def _has_key(request: APIRequest) -> bool:
    found = repetition_of_call(request.method, request.params)
    return found is Repetition.KEYED
