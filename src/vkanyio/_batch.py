"""Calls packed into one ``execute``: code out, and an outcome for each call in.

Both are pure. The code is an array of calls, and VK answers with an array of their
values; a call that failed is ``false`` there, and has an entry in ``execute_errors``.
Which entry belongs to which ``false`` is told by method and order, never by position
alone: a method may answer ``false`` of its own, and VK has been seen to leave entries
out and to add one for ``execute`` itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

from ._errors import InvalidResponseError
from ._guards import is_dict, is_list
from ._response import Success, api_error, shown_bytes
from ._retry import Failure

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ._request import APIRequest
    from ._secrets import Secrets

MOST_CODE = 64 * 1024
"""Bytes of code in one ``execute``, unless a single call has more. VK names no limit; a
client that is known to work has sent ten thousand."""


FORGET_SECONDS = 300.0
"""After so long a batch that was too large is tried at twice the size."""


def to_code(requests: Sequence[APIRequest]) -> str:
    """Write the script that makes the calls, and returns all their values."""
    return f"return [{','.join(map(str, requests))}];"


def read_batch(
    requests: Sequence[APIRequest], answer: Success, body: bytes, secrets: Secrets
) -> list[Success | Failure]:
    """Tell what became of each call.

    A call whose value cannot be told from another's counts as perhaps carried out.

    :param answer: what the script returned, and the failures in it
    :param body: the bytes of the answer
    :param secrets: those of the request, to be kept out of errors
    """
    values, entries = answer.response, _own_entries(answer)
    if not is_list(values) or len(values) != len(requests):
        return [_unclear(request, body, secrets) for request in requests]
    outcomes: list[Success | Failure] = [Success(value) for value in values]
    for method, indexes in _failed(requests, values, entries).items():
        places = [i for i, entry in entries.items() if _method_of(entry) == method]
        if len(places) != len(indexes):
            for index in indexes or _empty(requests, values, method):
                outcomes[index] = _unclear(requests[index], body, secrets)
            continue
        for index, place in zip(indexes, places, strict=True):
            error = api_error(
                entries[place],
                body,
                ["execute_errors", place],
                requests[index],
                secrets,
            )
            outcomes[index] = Failure.from_api(error)
    return outcomes


def _own_entries(answer: Success) -> dict[int, Mapping[str, Any]]:
    """Return the entries about calls, by their places in ``execute_errors``.

    Up to 2017 VK added a copy of the last one, under the name of ``execute``. An entry
    without a code, or a copy of none, is one about nobody knows what.
    """
    raw = answer.execute_errors
    listed = raw if is_list(raw) else [None] if raw else []
    entries: dict[int, Mapping[str, Any]] = {
        i: entry if is_dict(entry) and type(entry.get("error_code")) is int else {}
        for i, entry in enumerate(listed)
    }
    own = {i: entry for i, entry in entries.items() if _method_of(entry) != "execute"}
    return own or entries


def _failed(
    requests: Sequence[APIRequest],
    values: Sequence[Any],
    entries: Mapping[int, Mapping[str, Any]],
) -> dict[str, list[int]]:
    """Find the calls that failed, or may have, by their methods.

    ``false`` is a value like others where nothing has failed.
    """
    methods = {request.method.lower() for request in requests}
    named = {_method_of(entry) for entry in entries.values()}
    if not named <= methods:
        named = methods  # an entry about no call of these may belong to any of them
    found: dict[str, list[int]] = {method: [] for method in named}
    for index, (request, value) in enumerate(zip(requests, values, strict=True)):
        method = request.method.lower()
        if value is False and method in found:
            found[method].append(index)
    return found


def _empty(
    requests: Sequence[APIRequest], values: Sequence[Any], method: str
) -> list[int]:
    """Find the calls of a method whose values may be those of failed ones."""
    return [
        index
        for index, (request, value) in enumerate(zip(requests, values, strict=True))
        if value is None and request.method.lower() == method
    ]


def _method_of(entry: Mapping[str, Any]) -> str:
    return str(entry.get("method") or "").lower()


def _unclear(request: APIRequest, body: bytes, secrets: Secrets) -> Failure:
    shown = shown_bytes(body, secrets)
    error = InvalidResponseError(
        "the answer to `execute` does not tell what became of this call"
        f" (begins with {shown[:60]!r})",
        method=request.method,
        status=200,
        body=shown,
    )
    return Failure(error, maybe_carried_out=True, is_transient=True, retry_at_once=True)


@final
class BatchSizes:
    """How many calls of a method fit into one ``execute``, as far as is known.

    VK answers error 13 where their values are too large, and tells no size. What was
    learned of it is forgotten slowly: it doubles every five minutes.

    :param most: the most calls in an ``execute``
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._learned: dict[str, tuple[int, float]] = {}

    def most_with(self, method: str, now: float) -> int:
        """Return how many calls may be in a batch that has a call of the method."""
        if method not in self._learned:
            return self._most
        size, since = self._learned[method]
        grown: int = size << min(int((now - since) / FORGET_SECONDS), 5)
        if grown >= self._most:
            del self._learned[method]
        return min(grown, self._most)

    def note_too_large(self, requests: Sequence[APIRequest], now: float) -> None:
        """Learn from a batch that VK did not carry through."""
        size = max(1, len(requests) // 2)
        for method in {request.method for request in requests}:
            self._learned[method] = (min(size, self.most_with(method, now)), now)
