"""A record of all calls, for tests that check that nothing was done twice."""

from __future__ import annotations

import logging
import re
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias, final, overload

import attrs

from ._update_ledger import MailboxLedger, UpdateLedger

logger = logging.getLogger("vkanyio.testing")

EntryOutcome: TypeAlias = int | str

_SECRET = re.compile("token|password|secret|captcha_key|remixstlid|^key$")


def repr_of_params(params: Mapping[str, str]) -> str:
    """Return a repr of parameters without passwords and answers to captchas."""
    return repr({k: "***" if _SECRET.search(k) else v for k, v in params.items()})


@final
@attrs.frozen(kw_only=True)
class Entry:
    """One call that reached the simulator.

    The ``outcome`` of a call is

    - "carried out": it took effect,
    - "repeated": it was recognised as a duplicate and had no effect,
    - an :class:`int`: it was refused with this error code,
    - any other text: the name of the fault that prevented it from being carried out.
      An ``execute`` has it, too, if that fault of a call inside ended the script.

    :ivar time: when the outcome was decided, by :func:`anyio.current_time`
    :ivar request: the number of its HTTP request, counted from 1; the calls of one
        ``execute`` share it
    :ivar token: the number of its token: 0 for the first one that the simulator saw,
        None for no token
    :ivar method: the method
    :ivar params: the unchanged parameters, without ``access_token``
    :ivar outcome: the outcome of the call
    :ivar fault: the name of the fault that it got, even if it was carried out
    """

    time: float
    request: int
    token: int | None
    method: str
    params: Mapping[str, str] = attrs.field(repr=repr_of_params)
    outcome: EntryOutcome
    fault: str | None = None

    def __str__(self) -> str:
        """Describe the entry in one line, without the values of the parameters."""
        is_code = isinstance(self.outcome, int)
        outcome = f"error {self.outcome}" if is_code else str(self.outcome)
        fault = "" if self.fault in (None, self.outcome) else f" (fault: {self.fault})"
        return f"request {self.request}: {self.method}: {outcome}{fault}"


@final
@attrs.frozen
class SavedFile:
    """A file that was uploaded and saved.

    :ivar method: the method that saved it
    :ivar name: its name
    :ivar size: the number of bytes
    :ivar digest: a hash of its content
    """

    method: str
    name: str
    size: int
    digest: str = attrs.field(repr=False)


@final
class Ledger(Sequence[Entry]):
    """Every call, in the order in which the outcomes were decided.

    :ivar updates: the updates of communities, and how often each was handed out
    :ivar mailbox_updates: the same for the long poll of users
    """

    def __init__(self) -> None:
        self.updates: UpdateLedger = UpdateLedger()
        self.mailbox_updates: MailboxLedger = MailboxLedger()
        self._entries: list[Entry] = []
        self._starts: list[tuple[float, int | None]] = []
        self._saved: list[SavedFile] = []

    @overload
    def __getitem__(self, index: int) -> Entry: ...
    @overload
    def __getitem__(self, index: slice) -> list[Entry]: ...
    def __getitem__(self, index: int | slice) -> Entry | list[Entry]:
        return self._entries[index]

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries)

    def __repr__(self) -> str:
        return f"<Ledger: {self.summary()}>"

    @property
    def requests(self) -> int:
        """The number of HTTP requests that have arrived."""
        return len(self._starts)

    @property
    def starts(self) -> list[float]:
        """The times of arrival of all HTTP requests, by :func:`anyio.current_time`."""
        return [time for time, _ in self._starts]

    def carried_out(self, method: str | None = None) -> list[Entry]:
        """List the calls that took effect.

        :param method: only the calls of this method
        :return: the entries, in order
        """
        return self._select("carried out", method)

    def repeated(self, method: str | None = None) -> list[Entry]:
        """List the calls that were recognised as duplicates and had no effect.

        :param method: only the calls of this method
        :return: the entries, in order
        """
        return self._select("repeated", method)

    def refused(self, code: int | None = None) -> list[Entry]:
        """List the calls that were refused with an error.

        :param code: only the calls refused with this code
        :return: the entries, in order
        """
        return [
            entry
            for entry in self._entries
            if isinstance(entry.outcome, int) and code in (None, entry.outcome)
        ]

    @property
    def saved(self) -> list[SavedFile]:
        """The uploaded files that were saved, in order."""
        return [*self._saved]

    def saved_twice(self) -> list[SavedFile]:
        """List the files that had been saved before, by the same method.

        Files are the same if their names and contents are.
        """
        counts = Counter(self._saved)
        return [file for file, count in counts.items() for _ in range(count - 1)]

    def worst_window(self, seconds: float = 1.0, *, token: int | None = None) -> int:
        """Return the largest number of HTTP requests in any window of time.

        :param seconds: the length of the window, which includes its beginning and
            excludes its end
        :param token: count only the requests of this token, numbered as in
            :class:`Entry`; by default all, also those to servers of uploads and long
            polls, which no limit counts
        :return: the number of requests in the fullest window
        """
        worst = 0
        window: deque[float] = deque()
        for time, owner in self._starts:
            if token not in (None, owner):
                continue
            window.append(time)
            while time - window[0] >= seconds:
                window.popleft()
            worst = max(worst, len(window))
        return worst

    def summary(self) -> str:
        """Summarise the ledger in one line.

        :return: for example "40 requests, 1000 calls carried out, 2 refused"
        """
        return (
            f"{self.requests} requests, {len(self.carried_out())} calls carried out, "
            f"{len(self.refused())} refused"
        )

    def arrived(self, time: float, token: int | None) -> int:
        """Record an HTTP request.

        :param time: when it arrived
        :param token: the number of its token, or None for no token
        :return: its number
        """
        self._starts.append((time, token))
        return len(self._starts)

    def note_saved(self, method: str, name: str, size: int, digest: str) -> None:
        """Record a file that was saved."""
        self._saved.append(SavedFile(method, name, size, digest))

    def append(self, entry: Entry) -> None:
        """Record the outcome of a call, and log it."""
        self._entries.append(entry)
        logger.debug("%s", entry)

    def _select(self, outcome: str, method: str | None) -> list[Entry]:
        return [
            entry
            for entry in self._entries
            if entry.outcome == outcome and method in (None, entry.method)
        ]
