"""The work of ``vkanyio batch``: make the calls, and record what becomes of them."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING, final

from anyio import CancelScope, create_task_group, sleep, sleep_forever

from .. import (
    VK,
    APIError,
    AuthError,
    CaptchaError,
    ClientClosedError,
    ClientCrashedError,
    ClientUseError,
    OutcomeUnknownError,
    RequestEnded,
    TokenExpiredError,
    TransportError,
    ValidationError,
    VKError,
)
from ._batch_book import AGAIN_TYPES, TROUBLE_CODES
from ._batch_records import describe_error, describe_result
from ._common import FAILED, IN_DOUBT, NO_RESPONSE, WRONG_USAGE, CommandError
from ._explain import explain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .. import APIRequest, Event, SettledCall
    from ._batch_feed import BatchFeed, Job
    from ._batch_files import OutputFiles
    from ._batch_records import Recorder

SYNC_SECONDS = 1.0
"""How often the records are synced to disk."""

MAX_UNANSWERED = 20
"""Consecutive requests without a proper response: the next call that fails for that
reason stops the batch. A failed batch of 25 calls is one request, which is sent again
in parts."""

STOPPING = (AuthError, TokenExpiredError, CaptchaError, ValidationError)
"""Errors that every further call would get until somebody acts."""


@final
class BatchRun:
    """One run over an input.

    :param feed: the calls
    :param files: the output files, None if the batch cannot be resumed
    :param recorder: where the records go
    :ivar kinds: how often each type of error occurred
    :ivar examples: the first error of each type
    :ivar stopped_by: why the batch stopped before the end of the input
    """

    def __init__(
        self, feed: BatchFeed, files: OutputFiles | None, recorder: Recorder
    ) -> None:
        self.kinds: Counter[str] = Counter()
        self.examples: dict[str, str] = {}
        self.stopped_by: CommandError | None = None
        self._feed = feed
        self._files = files
        self._recorder = recorder
        self._unanswered = 0
        self._broken: CommandError | OSError | None = None
        self._scope: CancelScope | None = None

    @property
    def endings(self) -> Counter[str]:
        """How many lines ended in which way."""
        return self._recorder.endings

    @property
    def in_flight(self) -> int:
        """How many calls are in progress."""
        return len(self._feed.jobs)

    def in_doubt(self) -> int:
        """Count the interrupted calls that may have changed something."""
        return sum(
            job.request.maybe_carried_out and not job.request.reads()
            for job in self._feed.jobs.values()
        )

    @property
    def is_complete(self) -> bool:
        """Whether every line of the input has ended."""
        return self._feed.complete and not self.in_flight

    @property
    def needs_journal(self) -> bool:
        """Whether another run would have to know what the journal has."""
        endings = self.endings
        is_clear = not endings["unknown"] and not endings["got no response"]
        return not (is_clear and self.is_complete) or self._feed.leaves_doubts

    @property
    def is_resumable(self) -> bool:
        """Whether another run can resume where this one ends."""
        return self._files is not None

    def stop(self, reason: CommandError | None = None) -> None:
        """Read no more lines, and finish the calls in progress.

        :param reason: the error to report, None if a signal stops the batch
        """
        self.stopped_by = self.stopped_by or reason
        self._feed.stop()

    def note_event(self, event: Event) -> None:
        """Count the requests without a proper response; for ``on_event``."""
        if isinstance(event, RequestEnded) and event.ending != "cancelled":
            is_trouble = event.error in AGAIN_TYPES or event.code in TROUBLE_CODES
            self._unanswered = self._unanswered + 1 if is_trouble else 0

    async def run(self, api: VK) -> None:
        """Make the calls.

        :raises CommandError: if a line or the disk ends the batch
        :raises OSError: if the records can no longer be written
        """
        try:
            async with create_task_group() as tasks:
                self._scope = tasks.cancel_scope
                tasks.start_soon(self._sync_regularly)
                try:
                    await self._make_calls(api)
                except (CommandError, OSError) as error:
                    # A task group would wrap it.
                    self._broken = self._broken or error
                tasks.cancel_scope.cancel()
        finally:
            await self._record_the_rest()
            self._feed.withdraw_unsent()
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

    async def note_sending(self, requests: Sequence[APIRequest]) -> None:
        """Note calls in the journal before they leave; the client calls it.

        If the journal cannot be written, nothing more leaves, and the batch ends.
        """
        try:
            if self._broken is None:
                await self._feed.note_sending(requests)
        except (CommandError, OSError) as error:
            self._break(error)
        if self._broken is not None:
            await sleep_forever()  # until the calls are cancelled with the batch

    def _break(self, error: CommandError | OSError) -> None:
        """End the batch at once: a file can no longer be written."""
        self._broken = self._broken or error
        if self._scope is not None:
            self._scope.cancel()

    async def _make_calls(self, api: VK) -> None:
        jobs = self._feed.jobs
        with suppress(ClientClosedError, ClientCrashedError):  # the calls have it, too
            async with api.stream(
                self._feed, max_pending=self._feed.max_in_flight
            ) as settled:
                async for call in settled:
                    request = call.request
                    assert request is not None  # since none is used twice
                    if await self._record(jobs[request], call):
                        del jobs[request]

    async def _record_the_rest(self) -> None:
        """Record the calls that had ended when the batch was cancelled.

        It does not wait, since a file takes a record at once.
        """
        if self._files is None:
            return
        jobs = self._feed.jobs
        for request, job in [*jobs.items()]:
            with suppress(CommandError):  # the call then stays in doubt
                if _has_outcome(request) and await self._record(job, request):
                    del jobs[request]

    async def _record(self, job: Job, call: SettledCall | APIRequest) -> bool:
        """Write the record of a call, and return whether it is done with."""
        try:
            ending, found = describe_result(call.result())
        except (ClientClosedError, ClientCrashedError) as error:
            self.stop(CommandError(explain(error)))
            return False  # the journal has what is known about the call
        except VKError as error:
            self._handle_error(error, job)
            ending, found = describe_error(error)
        await self._recorder.write(job.call.line, job.call.given, found, ending)
        is_clear = "error" in found and ending != "unknown"
        if is_clear:
            self._feed.note_refused(job)
        return True

    def _handle_error(self, error: VKError, job: Job) -> None:
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
        kind = type(error).__name__  # as in the record
        self.kinds[kind] += 1
        self.examples.setdefault(kind, explain(error))

    async def _sync_regularly(self) -> None:
        while self._files is not None:
            await sleep(SYNC_SECONDS)
            try:
                await self._files.records.sync()
            except CommandError as error:
                self._break(error)


def _has_outcome(request: APIRequest) -> bool:
    try:
        request.result()
    except ClientUseError:
        return False
    except VKError:
        return True
    return True
