"""What the output and the journal of an earlier run say about each line."""

from __future__ import annotations

import enum
import json
import time
from array import array
from typing import TYPE_CHECKING, Any, final

import attrs

from .._typeguards import is_dict
from ._common import WRONG_USAGE, CommandError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ._batch_lines import Line

KEY_SECONDS = 50 * 60.0
"""How long VK deduplicates by a key: an hour (https://dev.vk.com/method/messages.send),
minus some minutes for clock differences."""

MAX_LINES = 10**9
"""Limit of the line number in a record: memory is needed for all lines before it."""

AGAIN_TYPES = frozenset(
    {"ConnectionFailedError", "RequestTimeoutError", "InvalidResponseError"}
)
"""Errors of calls that got no valid response."""

TROUBLE_CODES = frozenset({1, 10, 36})
"""Temporary failures inside VK."""

AGAIN_CODES = frozenset({5, 6, 9, 14, 17, 29, 1117}) | TROUBLE_CODES
"""Temporary refusals by VK, too: token, limits, captcha."""


class LineState(enum.IntEnum):
    """What is known about a line."""

    NEW = 0
    DONE = 1
    AGAIN = 2
    """The call was not carried out, and can be repeated."""
    UNKNOWN = 3
    """VK may have carried the call out."""


@final
@attrs.frozen(kw_only=True)
class JournalEntry:
    """What the journal says of a call that was about to be sent.

    :ivar time: when VK may have got the call first, in Unix time
    :ivar random_id: the key that was filled in for the call
    """

    time: float
    random_id: int | None

    def key_is_known(self) -> bool:
        """Return whether VK still deduplicates by the key of the call."""
        return 0 <= time.time() - self.time < KEY_SECONDS


@final
class Book:
    """The states of the lines after an earlier run, in five bytes each.

    :ivar started: calls that were about to be sent, and have no final record
    :ivar last: the highest line number that is known
    """

    def __init__(self) -> None:
        self._digests = array("I")
        self._states = bytearray()
        self.started: dict[int, JournalEntry] = {}
        self.last: int = 0

    def state(self, number: int) -> LineState:
        """Return what is known about a line."""
        if number < len(self._states):
            return LineState(self._states[number])
        return LineState.NEW

    def done(self) -> int:
        """Count the lines that are done."""
        return self._states.count(LineState.DONE)

    def check(self, line: Line) -> None:
        """Check that a line has not changed since the earlier run.

        :raises CommandError: if it has changed
        """
        number = line.number
        known = self._digests[number] if number < len(self._digests) else 0
        if known not in (0, line.digest):
            message = (
                f"line {number} has changed since an earlier run: restore the input,"
                " or choose another --output"
            )
            raise CommandError(message, WRONG_USAGE)

    def check_end(self, last: int) -> None:
        """Check that the input has not become shorter.

        :param last: the number of its last line
        :raises CommandError: if lines are missing
        """
        if self.last > last:
            message = (
                f"the output has line {self.last}, but the input ends with line {last}:"
                " restore the input, or choose another --output"
            )
            raise CommandError(message, WRONG_USAGE)

    def read_records(
        self, path: str, lines: Iterable[bytes], *, retry_errors: bool
    ) -> None:
        """Read the records of an output.

        :param retry_errors: whether to repeat calls that VK refused
        :raises CommandError: if a line is not a record
        """
        for place, raw in enumerate(lines, 1):
            record = _read(path, place, raw)
            error = record.get("error")
            if is_dict(error):
                state = _state_after(error, retry_errors=retry_errors)
            elif "response" in record:
                state = LineState.DONE
            else:
                raise _foreign(path, place)
            is_bad_line = is_dict(error) and error.get("type") == "BadLine"
            self._note(record, LineState.NEW if is_bad_line else state, path, place)

    def read_journal(self, path: str, lines: Iterable[bytes]) -> None:
        """Read the entries of a journal; the records must have been read before."""
        for place, raw in enumerate(lines, 1):
            entry = _read(path, place, raw)
            number, since = entry["line"], entry.get("started")
            if since is False:
                self.started.pop(number, None)
            elif self.state(number) is not LineState.DONE:
                key = entry.get("random_id")
                if not isinstance(since, int | float) or not _is_key(key):
                    raise _foreign(path, place)
                at = float(since)
                known = self.started.get(number)
                if known is not None and known.random_id == key:
                    at = min(at, known.time)  # VK may have got it then
                self.started[number] = JournalEntry(time=at, random_id=key)
                self._note(entry, self.state(number), path, place)

    def _note(
        self, record: Mapping[str, Any], state: LineState, path: str, place: int
    ) -> None:
        number: int = record["line"]
        missing = number + 1 - len(self._states)
        if missing > 0:
            missing = max(missing, len(self._states))  # double it: few reallocations
            self._states.extend(bytes(missing))
            self._digests.frombytes(bytes(missing * self._digests.itemsize))
        if state is LineState.NEW and "started" not in record:
            return  # a bad line may be fixed in the input
        try:
            self._digests[number] = int(record["digest"], 16)
        except (KeyError, TypeError, ValueError, OverflowError):
            raise _foreign(path, place) from None
        self._states[number] = state
        self.last = max(self.last, number)


def _read(path: str, place: int, raw: bytes) -> dict[str, Any]:
    try:
        record = json.loads(raw)
    except (ValueError, RecursionError):
        raise _foreign(path, place) from None
    if not is_dict(record):
        raise _foreign(path, place)
    number = record.get("line")
    if type(number) is not int or not 1 <= number <= MAX_LINES:
        raise _foreign(path, place)
    return record


def _is_key(key: object) -> bool:
    return key is None or (type(key) is int and -(2**31) <= key < 2**31)


def _foreign(path: str, place: int) -> CommandError:
    message = (
        f"{path} exists, but its line {place} was not written by `vkanyio batch`:"
        " nothing was sent; choose another --output"
    )
    return CommandError(message, WRONG_USAGE)


def _state_after(error: Mapping[str, Any], *, retry_errors: bool) -> LineState:
    kind, code = str(error.get("type")), error.get("code")
    if kind == "OutcomeUnknownError":
        return LineState.UNKNOWN
    is_temporary = isinstance(code, int) and code in AGAIN_CODES
    if retry_errors or kind in AGAIN_TYPES or is_temporary:
        return LineState.AGAIN
    return LineState.DONE
