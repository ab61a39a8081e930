"""Calls packed into one ``execute``: code out, and a result for each call in.

All of it is pure, the decision about a batch that failed as a whole included.

The code is an array of calls, and VK returns an array of their values;
a call that failed is ``false`` there, and has an entry in ``execute_errors``. An entry
is matched with a ``false`` by method and order, never by position alone: a method may
return ``false`` itself, and VK has been seen to leave entries out and to add one for
``execute`` itself.

How a batch is sent and retried is the subject of ``_engine/_batch_task.py``.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Any, final

from ._errors import (
    APIError,
    CompileError,
    InvalidResponseError,
    ScriptRuntimeError,
)
from ._outcome import Failure, Success
from ._response import api_error, shown_bytes
from ._typeguards import is_dict, is_list

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ._masking import Secrets
    from ._outcome import Result
    from ._response import MethodCall

MAX_CODE = 64 * 1024
"""Bytes of code in one ``execute``, unless a single call has more. VK documents no
limit; a client that is known to work has sent ten thousand."""

NO_EXECUTE_CODES = frozenset({3, 15, 23, 27, 28})
"""Errors by which VK refuses ``execute`` to a token altogether."""
TOKEN_CODES = frozenset(
    {4, 5, 9, 14, 17, 18, 24, 25, 29, 1114, 1116, 1117, 1118, 3609, 3610, 3611}
)
"""Errors about the token or its user, which each call would meet alone, too."""
TOO_LARGE_STATUS = 413
WRONG_ADDRESS_STATUSES = frozenset({*range(300, 400), 401, 404, 405, 407, 410})
"""By these a server or gateway refuses an address or a login, which all calls share.
Others, such as 400, 403 and 413, may be about the content or the size of a request."""

FORGET_SECONDS = 300.0
"""The time in which the size of a batch that was too large doubles again."""


def to_code(calls: Sequence[MethodCall]) -> str:
    """Write the script that makes the calls and returns all their values.

    :param calls: the calls; ``str(call)`` is the VKScript of one
    """
    return f"return [{','.join(map(str, calls))}];"


def read_batch(
    calls: Sequence[MethodCall], success: Success, body: bytes, secrets: Secrets
) -> list[Result]:
    """Return the result of each call of a batch.

    A call whose value cannot be distinguished from another's counts as perhaps carried
    out. The cases:

    1. VK returned no list, or one of another length: every call is in doubt.
    2. No entry names the call's method: its value is its own, even ``false``.
    3. A method has as many ``false`` as entries: they belong together, in order.
    4. It has another number of them: all its ``false`` are in doubt, or, where it has
       none, all its calls without a value.

    :param success: what the script returned, and the failures in it
    :param body: the body of the response
    :param secrets: the secrets of the request, to be kept out of errors
    """
    values, entries = success.value, _call_entries(success)
    if not is_list(values) or len(values) != len(calls):
        return [_in_doubt(call, body, secrets) for call in calls]
    results: list[Result] = [Success(value) for value in values]
    for method, indexes in _failed(calls, values, entries).items():
        places = [i for i, entry in entries.items() if _method_of(entry) == method]
        if len(places) != len(indexes):
            for index in indexes or _without_value(calls, values, method):
                results[index] = _in_doubt(calls[index], body, secrets)
            continue
        for index, place in zip(indexes, places, strict=True):
            error = api_error(entries[place], body, calls[index], secrets)
            results[index] = Failure.from_api(error)
    return results


def _call_entries(success: Success) -> dict[int, Mapping[str, Any]]:
    """Return the entries about calls, by their indexes in ``execute_errors``.

    Until 2017 VK added a copy of the last entry under the name of ``execute``. An entry
    without a code, or an ``execute`` that is no copy, could be about any call.
    """
    raw = success.execute_errors
    listed = raw if is_list(raw) else [None] if raw else []
    entries: dict[int, Mapping[str, Any]] = {
        i: entry if is_dict(entry) and type(entry.get("error_code")) is int else {}
        for i, entry in enumerate(listed)
    }
    own = {i: entry for i, entry in entries.items() if _method_of(entry) != "execute"}
    return own or entries


def _failed(
    calls: Sequence[MethodCall],
    values: Sequence[Any],
    entries: Mapping[int, Mapping[str, Any]],
) -> dict[str, list[int]]:
    """Return the indexes of calls that failed, or may have failed, by method.

    Where no entry names a method, its ``false`` is an ordinary value.
    """
    if not entries:
        return {}
    methods = {call.method.lower() for call in calls}
    named = {_method_of(entry) for entry in entries.values()}
    if not named <= methods:
        named = methods  # an entry about another method may belong to any of the calls
    found: dict[str, list[int]] = {method: [] for method in named}
    for index, (call, value) in enumerate(zip(calls, values, strict=True)):
        method = call.method.lower()
        if value is False and method in found:
            found[method].append(index)
    return found


def _without_value(
    calls: Sequence[MethodCall], values: Sequence[Any], method: str
) -> list[int]:
    """Return the indexes of the calls of a method whose value is null."""
    return [
        index
        for index, (call, value) in enumerate(zip(calls, values, strict=True))
        if value is None and call.method.lower() == method
    ]


def _method_of(entry: Mapping[str, Any]) -> str:
    return str(entry.get("method") or "").lower()


def _in_doubt(call: MethodCall, body: bytes, secrets: Secrets) -> Failure:
    shown = shown_bytes(body, secrets)
    error = InvalidResponseError(
        "the response to `execute` has no result for this call (it begins with"
        f" {shown[:60]!r})",
        method=call.method,
        status=200,
        body=shown,
    )
    return Failure(error, maybe_carried_out=True, retry_at_once=True)


class Remedy(enum.Enum):
    """What becomes of the calls of a batch that failed as a whole."""

    REPEAT = "all are sent again, if the rules of retries allow"
    HALVE = "each half is sent separately"
    ALONE = "each call is sent alone"
    FAIL = "each call gets the error"


def remedy_for(
    failure: Failure, *, was_repeated: bool, is_outage: bool, token_was_replaced: bool
) -> Remedy:
    """Decide about a batch that failed as a whole.

    The aim is that each call ends as it would have ended alone. The cases, the first
    that applies decides:

    1. A rate limit refused the request, it was lost before it was sent, or VK refused
       a token that has been replaced, or is being: the calls in it are not the reason.
       Repeat.
    2. VK refused the token, or asks a question about it: each call would meet that.
    3. VK refused ``execute`` itself, or gave an error that is not known: alone.
    4. No connection can be made, or the address or the login is wrong: each call would
       meet that, too.
    5. VK, or a gateway, refused the batch for its size or for one of its calls: halve.
    6. The batch took too long: halve.
    7. The response was lost, or was none, or an error inside VK: this may pass. Repeat
       once, then halve; in an outage, go on repeating.

    :param was_repeated: whether the calls were sent a second time, together
    :param is_outage: whether other requests fail in the same way
    :param token_was_replaced: whether the client has another token than that of the
        request, or is waiting for one
    """
    error = failure.error
    was_not_sent = failure.is_transient and not failure.maybe_carried_out
    is_replaced = failure.is_of_token and token_was_replaced
    if failure.is_too_many or was_not_sent or is_replaced:
        return Remedy.REPEAT
    if isinstance(error, APIError) and not failure.is_transient:
        if isinstance(error, CompileError | ScriptRuntimeError):
            return Remedy.HALVE
        return Remedy.FAIL if error.code in TOKEN_CODES else Remedy.ALONE
    if not failure.maybe_carried_out and (
        not isinstance(error, InvalidResponseError)
        or error.status in WRONG_ADDRESS_STATUSES
    ):
        return Remedy.FAIL
    if not failure.is_transient or failure.is_timeout:
        return Remedy.HALVE
    return Remedy.REPEAT if is_outage or not was_repeated else Remedy.HALVE


def is_too_much(failure: Failure) -> bool:
    """Return whether a batch failed by its size, so that the next ones are smaller."""
    error = failure.error
    return (
        failure.is_too_large
        or failure.is_timeout
        or isinstance(error, ScriptRuntimeError)
        or (
            isinstance(error, InvalidResponseError) and error.status == TOO_LARGE_STATUS
        )
    )


@final
class BatchSizes:
    """How many calls of a method fit into one ``execute``, as far as is known.

    VK answers error 13 where the values of the calls are too large together, without
    naming a size, and calls that take long together do not end in time. What was
    learned from it is forgotten slowly: the size doubles every five minutes.

    :param max_size: the most calls in an ``execute``
    """

    def __init__(self, max_size: int) -> None:
        self._max_size = max_size
        self._learned: dict[str, tuple[int, float]] = {}

    def max_size_with(self, method: str, now: float) -> int:
        """Return how many calls a batch may have that contains a call of the method."""
        if method not in self._learned:
            return self._max_size
        size, since = self._learned[method]
        grown: int = size << min(int((now - since) / FORGET_SECONDS), 5)
        if grown >= self._max_size:
            del self._learned[method]
        return min(grown, self._max_size)

    def note_too_much(self, calls: Sequence[MethodCall], now: float) -> None:
        """Learn from a batch that was too much at a time."""
        size = max(1, len(calls) // 2)
        for method in {call.method for call in calls}:
            self._learned[method] = (min(size, self.max_size_with(method, now)), now)

    def forget(self, method: str) -> None:
        """Forget what was learned, since a call of the method failed alone, too."""
        self._learned.pop(method, None)
