"""Ask VK for updates, and recover from whatever it answers.

It owns the server with its key, and the waits after failures. It has no task: its user
calls :meth:`Poller.step` again and again. It changes the progress only where no
``await`` is between the answer and the change, so that it may be cancelled at any time.
"""

from __future__ import annotations

import logging
import random
from itertools import count
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, final

from anyio import current_time, move_on_after, sleep

from .._errors import APIError, RequestTimeoutError, TransportError, VKError
from .._events import PollEnded, PollStarted
from .._outcome import Failure
from .._retry import back_off
from ._answer import (
    INFORMATION_LOST,
    KEY_EXPIRED,
    OUTDATED,
    Arrived,
    Refused,
    read_answer,
)
from ._errors import UpdatesError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .._caller import Caller
    from .._events import Ending
    from ._answer import LongPollServer
    from ._channel import Channel, Start
    from ._numbers import UpdateCounters
    from ._progress import Progress
    from ._update import Item, Update

logger = logging.getLogger("vkanyio")

POLL_MARGIN = 10.0
"""Seconds that a poll may take longer than VK was asked to hold it."""
MAX_BACK_OFF = 30.0
SERVER_SECONDS = 60.0
"""Between two requests for a server: VK answers error 29 if there are too many."""
MAX_SERVER_SECONDS = 3600.0
"""The same after error 29, which is met with longer and longer waits."""
FAILURES_BEFORE_A_SERVER = 3
"""Failed polls in a row: the server may be gone."""
SILENCE_SECONDS = 900.0
"""Without an update: VK may have forgotten the session, and answer every poll with
nothing (https://github.com/python273/vk_api/issues/285)."""
MIN_POLL_SECONDS = 1.0
"""A poll that brings nothing new sooner is not followed by another at once."""

_PASSING_CODES = frozenset({1, 6, 9, 10, 29, 36})
"""Errors of a request for a server that others like it may not meet."""
_QUOTA = 29

_poll_numbers = count(1)

Reply: TypeAlias = "Arrived | Refused | Failure"


@final
class Poller:
    """The polls of one community, or of one mailbox.

    :param channel: which one
    :param counters: counts what happens
    """

    def __init__(
        self, caller: Caller, channel: Channel, counters: UpdateCounters
    ) -> None:
        self._caller = caller
        self._channel = channel
        self._counters = counters
        self._server: LongPollServer | None = None
        self._asked_at = -float("inf")
        self._server_seconds = SERVER_SECONDS
        self._checked_at = 0.0
        self._failures = 0  # in a row
        self._lost: Literal["outdated", "lost"] | None = None
        self._is_behind = False  # the history has to be read
        self._generator = random.Random(random.random())

    async def connect(self, *, is_new: bool) -> Start:
        """Get a server for the first time.

        :param is_new: whether the program has no position
        :return: where a new program begins
        :raises VKError: whatever the error is
        """
        start = await self._find_server()
        self._is_behind = self._channel.has_history and not is_new
        return start

    async def step(self, progress: Progress, wait: int) -> list[Item]:
        """Ask once, or do what has to be done before.

        :param wait: for how many seconds VK may hold the request
        :return: what is new, often nothing
        :raises VKError: if asking again would be of no use
        """
        if self._server is None:
            start = await self._insist_on_server()
            if self._lost is not None:
                reason, self._lost = self._lost, None
                self._counters.gaps += 1
                return [progress.skip(reason, start.ts, pts=start.pts)]
        elif self._is_silent():
            await self._check_session(progress)
        if self._is_behind:
            return await self._read_history(progress)
        began = current_time()
        reply = await self._poll(progress.ts, wait)
        if isinstance(reply, Arrived):
            items = self._accept(reply.updates, reply.ts, reply.pts, progress)
            if not items and current_time() - began < MIN_POLL_SECONDS:
                await sleep(MIN_POLL_SECONDS)
            return items
        if isinstance(reply, Refused):
            self._counters.failures[f"failed {reply.failed}"] += 1
            return await self._recover(reply, progress)
        self._counters.failures[type(reply.error).__name__] += 1
        await self._wait_after(reply)
        return []

    def _accept(
        self, updates: Sequence[Any], ts: str, pts: str, progress: Progress
    ) -> list[Item]:
        if self._failures:
            logger.info("updates of %s: in contact again", self._channel.name)
        self._failures = 0
        first = int(ts) - len(updates) + 1  # the last one has the number `ts`
        parsed = [
            self._channel.parse(each, str(number))
            for number, each in enumerate(updates, first)
        ]
        # A place in the history that is further on without updates would be a hole: a
        # session that VK has forgotten returns nothing, although there is something.
        return self._take(parsed, ts, pts if updates else "", progress)

    def _take(
        self, parsed: Sequence[Update[Any]], ts: str, pts: str, progress: Progress
    ) -> list[Item]:
        duplicates = progress.duplicates
        fresh = progress.accept(ts, parsed, pts=pts)
        if progress.duplicates > duplicates:
            text = "VK sent %d updates again, which are skipped"
            logger.info(text, progress.duplicates - duplicates)
        if parsed:
            self._counters.updated_at = current_time()
            self._counters.updates += len(fresh)
        return [*fresh]

    async def _read_history(self, progress: Progress) -> list[Item]:
        """Read a part of what happened while nobody listened.

        If VK does not keep it any more, the next step gets a server, and is a gap.
        """
        if self._failures > 1 or self._server_seconds > SERVER_SECONDS:
            await self._wait_for_turn()
        try:
            page = await self._channel.read_history(progress.ts, progress.pts)
        except VKError as error:
            self._note_refusal(error, "no history")
            self._failures += 1
            await sleep(self._back_off())
            return []
        if page is None:
            self._server, self._lost, self._is_behind = None, "outdated", False
            return []
        ts = progress.ts
        if page.start is not None:
            self._server, ts, _ = page.start
            self._is_behind = False
            self._note_server()
        items = self._take(page.updates, ts, page.pts, progress)
        if not self._is_behind:
            progress.catch_up()
        return items

    async def _recover(self, reply: Refused, progress: Progress) -> list[Item]:
        """Go on after VK refused to answer.

        1. It no longer has what came after our number: that is a gap, unless there is
           a history. After the next refusal of this kind in a row, there is a wait,
           since something is wrong.
        2. The key has expired: another one, and nothing is lost.
        3. It has lost the session: another one, and a gap or the history.
        4. Anything else is a bug in vkanyio: a retry would not help.
        """
        if reply.failed == OUTDATED and reply.ts is not None:
            if self._channel.has_history:
                self._failures += 1
                self._is_behind = True
                return []
            if self._failures:
                await sleep(self._back_off())
            self._failures += 1
            self._counters.gaps += 1
            return [progress.skip("outdated", reply.ts)]
        if reply.failed not in (KEY_EXPIRED, INFORMATION_LOST):
            message = f"the long poll server refused the poll: failed {reply.failed}"
            raise UpdatesError(message)
        self._server = None
        if reply.failed == INFORMATION_LOST:
            if self._channel.has_history:
                self._is_behind = True
            else:
                self._lost = "lost"
        return []

    async def _poll(self, ts: str, wait: int) -> Reply:
        number, began = next(_poll_numbers), current_time()
        self._counters.polls += 1
        self._caller.report(PollStarted(number, self._channel.group_id, at=began))
        reply: Reply | None = None
        try:
            reply = await self._exchange(ts, wait)
            return reply
        finally:
            self._report_end(number, began, reply)

    async def _exchange(self, ts: str, wait: int) -> Reply:
        assert self._server is not None  # it was found
        url = self._server.poll_url(ts, wait, self._channel.query)
        key = self._server.key
        seconds = wait + POLL_MARGIN
        with move_on_after(seconds):
            response = await self._caller.post(
                url, b"", length=0, headers={}, secret=key
            )
            if isinstance(response, Failure):
                return response
            self._counters.answered_at = current_time()
            answer = read_answer(response, key)
            return _failure(answer) if isinstance(answer, VKError) else answer
        return _failure(
            RequestTimeoutError(f"no response to a poll within {seconds:g} s")
        )

    def _report_end(self, number: int, began: float, reply: Reply | None) -> None:
        now = current_time()
        ending: Ending = "cancelled" if reply is None else "value"
        error: str | None = None
        if isinstance(reply, Failure):
            ending, error = "error", type(reply.error).__name__
        self._caller.report(
            PollEnded(
                poll=number,
                group_id=self._channel.group_id,
                at=now,
                duration=now - began,
                ending=ending,
                updates=len(reply.updates) if isinstance(reply, Arrived) else 0,
                error=error,
            )
        )

    async def _wait_after(self, failure: Failure) -> None:
        """Wait after a poll that failed; perhaps get another server."""
        self._caller.check_usable()  # closing the client is why polls fail
        self._failures += 1
        is_lasting = self._failures % FAILURES_BEFORE_A_SERVER == 0
        level = logging.WARNING if is_lasting else logging.INFO
        logger.log(level, "updates of %s: %s", self._channel.name, failure.error)
        if self._failures > 1 or not failure.retry_at_once:
            await sleep(self._back_off())
        if is_lasting:
            await self._try_server()

    def _back_off(self) -> float:
        wait = self._caller.config.wait
        return min(back_off(wait, self._failures, self._generator), MAX_BACK_OFF)

    # The server

    def _is_silent(self) -> bool:
        heard_at = self._counters.updated_at or self._checked_at
        last = max(heard_at, self._checked_at)
        return current_time() - last >= SILENCE_SECONDS

    async def _check_session(self, progress: Progress) -> None:
        """Get another key if VK has been silent, in case it forgot the session."""
        start = await self._try_server()
        self._checked_at = current_time()
        if start is not None and _is_ahead(start.ts, progress.ts):
            text = "updates of %s: VK had updates that polls did not return"
            logger.warning(text, self._channel.name)

    async def _try_server(self) -> Start | None:
        """Get another server, if that is possible now; else go on with the old one."""
        if current_time() < self._asked_at + self._server_seconds:
            return None
        try:
            return await self._find_server()
        except VKError as error:
            self._note_refusal(error, "no long poll server")
            return None

    async def _insist_on_server(self) -> Start:
        """Get another server, however long it takes."""
        while True:
            await self._wait_for_turn()
            try:
                return await self._find_server()
            except VKError as error:
                self._note_refusal(error, "no long poll server")

    async def _wait_for_turn(self) -> None:
        """Wait until another server may be requested."""
        # Not sleep_until: a cancelled wait does not start again, and this one does.
        await sleep(max(self._asked_at + self._server_seconds - current_time(), 0))

    async def _find_server(self) -> Start:
        self._counters.servers += 1
        self._asked_at = current_time()
        try:
            start = await self._channel.find_server()
        finally:
            self._asked_at = current_time()
        self._server = start.server
        self._note_server()
        return start

    def _note_server(self) -> None:
        """Note that VK named a server."""
        self._asked_at = self._checked_at = current_time()
        self._server_seconds = SERVER_SECONDS

    def _note_refusal(self, error: VKError, lacking: str) -> None:
        """Note why there is no server now, or no history.

        :raises VKError: the error, unless it may pass
        """
        if self._check_passing(error) == _QUOTA:
            longer = self._server_seconds * 2
            self._server_seconds = min(longer, MAX_SERVER_SECONDS)
            self._asked_at = current_time()
        text = "updates of %s: %s, retrying: %s"
        logger.warning(text, self._channel.name, lacking, error)

    def _check_passing(self, error: VKError) -> int | None:
        """Return the code of an error that may pass.

        :raises VKError: the error, unless it may
        """
        code = error.code if isinstance(error, APIError) else None
        if code not in _PASSING_CODES and not isinstance(error, TransportError):
            raise error
        return code


def _failure(error: VKError) -> Failure:
    return Failure(error, maybe_carried_out=True)


def _is_ahead(newest: str, ts: str) -> bool:
    """Return whether VK counts further than we do."""
    return newest.isdecimal() and ts.isdecimal() and int(newest) > int(ts)
