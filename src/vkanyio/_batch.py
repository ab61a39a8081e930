"""Calls packed into one ``execute``: code out, and a result for each call in.

Both are pure. The code is an array of calls, and VK returns an array of their values;
a call that failed is ``false`` there, and has an entry in ``execute_errors``. An entry
is matched with a ``false`` by method and order, never by position alone: a method may
return ``false`` itself, and VK has been seen to leave entries out and to add one for
``execute`` itself.

How a batch is sent and retried is the subject of ``_engine/_batch_task.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

from ._errors import InvalidResponseError
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

    A call whose value cannot be told apart from another's counts as perhaps carried
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
        "the response to `execute` does not say what became of this call"
        f" (begins with {shown[:60]!r})",
        method=call.method,
        status=200,
        body=shown,
    )
    return Failure(error, maybe_carried_out=True, retry_at_once=True)


@final
class BatchSizes:
    """How many calls of a method fit into one ``execute``, as far as is known.

    VK answers error 13 where the values of the calls are too large together, without
    naming a size. What was learned from it is forgotten slowly: the size doubles every
    five minutes.

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

    def note_too_large(self, calls: Sequence[MethodCall], now: float) -> None:
        """Learn from a batch that VK did not carry out completely."""
        size = max(1, len(calls) // 2)
        for method in {call.method for call in calls}:
            self._learned[method] = (min(size, self.max_size_with(method, now)), now)
