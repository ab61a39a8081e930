"""What is known of a batch from an earlier run: which lines are done."""

from __future__ import annotations

import enum
import json
import time
from array import array
from typing import TYPE_CHECKING, Any, final

import attrs

from .._guards import is_dict
from ._common import WRONG_USAGE, Failure

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ._batch_lines import Line

KEY_SECONDS = 50 * 60.0
"""For how long VK knows a key again: an hour (https://dev.vk.com/method/messages.send),
less some minutes for clocks that differ."""

AGAIN_TYPES = frozenset(
    {"ConnectionFailedError", "RequestTimeoutError", "InvalidResponseError"}
)
"""Errors of calls that VK has not answered."""

AGAIN_CODES = frozenset({5, 6, 9, 14, 17, 29, 1117})
"""Errors by which VK puts a call off: a token, a limit, a captcha."""


class State(enum.IntEnum):
    """How far a line has come."""

    NEW = 0
    DONE = 1
    AGAIN = 2
    """It was not carried out, and could be now."""
    UNKNOWN = 3
    """VK may have carried it out."""


@final
@attrs.frozen(kw_only=True)
class Started:
    """A call that was about to be sent when the journal was written.

    :ivar time: when that was, by Unix time
    :ivar random_id: the key that was filled in for it
    """

    time: float
    random_id: int | None

    def key_is_known(self) -> bool:
        """Return whether VK still knows the key of the call."""
        return 0 <= time.time() - self.time < KEY_SECONDS


@final
class Book:
    """The lines that were done before, in five bytes each.

    :ivar started: calls that were about to be sent, and have no clear outcome
    :ivar last: the last line that is known
    """

    def __init__(self) -> None:
        self._digests = array("I")
        self._states = bytearray()
        self.started: dict[int, Started] = {}
        self.last: int = 0

    def state(self, number: int) -> State:
        """Return how far a line has come."""
        return State(self._states[number]) if number < len(self._states) else State.NEW

    def done(self) -> int:
        """Count the lines that are done."""
        return self._states.count(State.DONE)

    def check(self, line: Line) -> None:
        """See that a line is what it was in the earlier run.

        :raises Failure: if it is not
        """
        number = line.number
        known = self._digests[number] if number < len(self._digests) else 0
        if known not in (0, line.digest):
            message = (
                f"line {number} is not what it was when it was called: give the input"
                " as it was, or another --output"
            )
            raise Failure(message, WRONG_USAGE)

    def check_end(self, last: int) -> None:
        """See that the input is not shorter than it was.

        :param last: the number of its last line
        """
        if self.last > last:
            message = (
                f"the output knows of line {self.last}, and the input ends with line"
                f" {last}: give the input as it was, or another --output"
            )
            raise Failure(message, WRONG_USAGE)

    def read_records(
        self, path: str, lines: Iterable[bytes], *, retry_errors: bool
    ) -> None:
        """Take note of the records of an output.

        :param retry_errors: whether calls that VK refused are to be made again
        :raises Failure: if something else is in there
        """
        for place, raw in enumerate(lines, 1):
            record = _read(path, place, raw)
            error = record.get("error")
            if is_dict(error):
                state = _state_after(error, retry_errors=retry_errors)
            elif "response" in record:
                state = State.DONE
            else:
                raise _foreign(path, place)
            is_bad_line = is_dict(error) and error.get("type") == "BadLine"
            self._note(record, State.NEW if is_bad_line else state, path, place)

    def read_journal(self, path: str, lines: Iterable[bytes]) -> None:
        """Take note of a journal, once the records are known."""
        for place, raw in enumerate(lines, 1):
            entry = _read(path, place, raw)
            number, since = entry["line"], entry.get("started")
            if since is False:
                self.started.pop(number, None)
            elif self.state(number) is not State.DONE:
                if not isinstance(since, int | float):
                    raise _foreign(path, place)
                key = entry.get("random_id")
                self.started[number] = Started(time=float(since), random_id=key)
                self._note(entry, self.state(number), path, place)

    def _note(
        self, record: Mapping[str, Any], state: State, path: str, place: int
    ) -> None:
        number: int = record["line"]
        missing = number + 1 - len(self._states)
        if missing > 0:
            missing = max(missing, len(self._states))  # grows in time that it pays for
            self._states.extend(bytes(missing))
            self._digests.frombytes(bytes(missing * self._digests.itemsize))
        if state is State.NEW and "started" not in record:
            return  # the line may be mended
        try:
            self._digests[number] = int(record["digest"], 16)
        except (KeyError, TypeError, ValueError, OverflowError):
            raise _foreign(path, place) from None
        self._states[number] = state
        self.last = max(self.last, number)


def _read(path: str, place: int, raw: bytes) -> dict[str, Any]:
    try:
        record = json.loads(raw)
    except ValueError:
        raise _foreign(path, place) from None
    if not is_dict(record):
        raise _foreign(path, place)
    number = record.get("line")
    if type(number) is not int or number < 1:
        raise _foreign(path, place)
    return record


def _foreign(path: str, place: int) -> Failure:
    message = (
        f"{path} is there, and its line {place} is not from `vkanyio batch`: nothing"
        " is sent; choose another --output"
    )
    return Failure(message, WRONG_USAGE)


def _state_after(error: Mapping[str, Any], *, retry_errors: bool) -> State:
    kind, code = error.get("type"), error.get("code")
    if kind == "OutcomeUnknownError":
        return State.UNKNOWN
    if retry_errors or kind in AGAIN_TYPES or code in AGAIN_CODES:
        return State.AGAIN
    return State.DONE
