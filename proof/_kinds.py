"""The kinds of calls, and the simulator's methods for them."""

from __future__ import annotations

import re
from itertools import count
from typing import TYPE_CHECKING, Any, TypeAlias, final

import attrs

from vkanyio import APIRequest, ExecuteResult
from vkanyio.testing import Reply

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from vkanyio import VK
    from vkanyio.testing import Call, Entry, Simulator

OTHER_TOKEN = "vk1.a.the-token-of-somebody-else"
"""Calls with this token have a separate limit."""

_MARK = re.compile(r'\b(?:mark|guid)(?:=|":")(c\d+)')

Params: TypeAlias = dict[str, Any]


@final
@attrs.frozen(kw_only=True)
class Kind:
    """A kind of call.

    The parameters of each call contain a mark that identifies it in requests and in the
    ledger.

    :ivar name: its name in reports
    :ivar effect: the method that the ledger shows when the call has had its effect
    :ivar params: makes the parameters from the mark
    :ivar reads: whether it changes nothing
    :ivar repeats: whether it may be retried when VK may have carried it out
    :ivar way: "method", "script" or "procedure"
    """

    name: str
    effect: str
    params: Callable[[str], Params] = attrs.field(repr=False)
    reads: bool = False
    repeats: bool = False
    way: str = "method"

    async def call(self, api: VK, mark: str) -> Any:
        """Make the call with this mark, and return its value."""
        params = self.params(mark)
        if self.way == "procedure":
            return await api.procedure("post", **params)
        request = APIRequest(self.effect, params)
        if self.way == "script":
            return await api.execute(f"return {request};")
        return await api.call_with_request(request)


def _read(mark: str) -> Params:
    return {"user_ids": number_of(mark), "mark": mark}


def _post(mark: str) -> Params:
    return {"message": "hi", "mark": mark}


def _message(mark: str) -> Params:
    return {"peer_id": 1, "message": "hi", "mark": mark}


KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind(name="read", effect="users.get", params=_read, reads=True, repeats=True),
        Kind(name="message", effect="messages.send", params=_message, repeats=True),
        Kind(
            name="message without a key",
            effect="messages.send",
            params=lambda mark: {**_message(mark), "random_id": 0},
        ),
        Kind(name="post", effect="wall.post", params=_post),
        Kind(
            name="post with a key",
            effect="wall.post",
            params=lambda mark: {"message": "hi", "guid": mark},
            repeats=True,
        ),
        # Flood control ignores keys, so all of these are the same call to it.
        Kind(
            name="status",
            effect="status.set",
            params=lambda mark: {"text": "hi", "guid": mark},
        ),
        # These two are never packed.
        Kind(
            name="post in English",
            effect="wall.post",
            params=lambda mark: {**_post(mark), "lang": "en"},
        ),
        Kind(
            name="post of another",
            effect="wall.post",
            params=lambda mark: {**_post(mark), "access_token": OTHER_TOKEN},
        ),
        Kind(
            name="script that reads",
            effect="users.get",
            params=_read,
            reads=True,
            repeats=True,
            way="script",
        ),
        Kind(name="script", effect="wall.post", params=_post, way="script"),
        Kind(
            name="procedure",
            effect="wall.post",
            params=lambda mark: {"mark": mark},
            way="procedure",
        ),
    )
}


def number_of(mark: str) -> int:
    """Return the number in a mark."""
    return int(mark[1:])


def marks_in(text: str) -> list[str]:
    """Find the marks of calls in a form or in a script."""
    return _MARK.findall(text)


def marks_of(params: Mapping[str, str]) -> list[str]:
    """Find the marks in the parameters of a ledger entry."""
    if "code" in params:
        return marks_in(params["code"])
    mark = params.get("mark") or params.get("guid")
    return [] if mark is None else [mark]


def fault_in(entry: Entry) -> str:
    """Return the name of the fault in a ledger entry, with the code of an error."""
    return f"error {entry.outcome}" if entry.fault == "error" else str(entry.fault)


@final
class Board:
    """The state that calls read and change; it deduplicates by keys, as VK does.

    :param note: called for each call that has had its effect, with its mark, its key,
        and its new number
    :param first: the first number
    :ivar values: the number of each mark
    """

    def __init__(
        self,
        note: Callable[[str, str | None, int], None] | None = None,
        first: int = 1,
    ) -> None:
        self.values: dict[str, int] = {}
        self._note = note
        self._keys: dict[str, int] = {}
        self._numbers = count(first)

    def add_to(self, simulator: Simulator) -> None:
        """Replace the simulator's methods that the calls use."""
        simulator.add_method(
            "users.get", lambda call: [{"id": call.integer("user_ids")}]
        )
        for method in ("messages.send", "wall.post", "status.set"):
            simulator.add_method(method, self._write)
        code = 'return API.wall.post({"message": "hi", "mark": Args.mark});'
        simulator.add_procedure("post", code)

    def remember(self, mark: str, key: str | None, number: int) -> None:
        """Record a call that has had its effect."""
        self.values[mark] = number
        if key is not None:
            self._keys[key] = number

    def expected(self, kind: Kind, mark: str) -> Any:
        """Return the value that a call should have, None if it has had no effect."""
        if kind.reads:
            return [{"id": number_of(mark)}]
        return self.values.get(mark)

    def _write(self, call: Call) -> int | Reply:
        key = _key_of(call)
        if key is not None and key in self._keys:
            return Reply(self._keys[key], repeated=True)
        [mark] = marks_of(call.params)
        number = next(self._numbers)
        self.remember(mark, key, number)
        if self._note is not None:
            self._note(mark, key, number)
        return number


def _key_of(call: Call) -> str | None:
    name = {"messages.send": "random_id", "wall.post": "guid"}.get(call.method, "")
    value = call.params.get(name, "0")
    return None if value == "0" else f"{call.method} {value}"


def value_of(outcome: Any) -> Any:
    """Return the value in the outcome of a call."""
    return outcome.response if isinstance(outcome, ExecuteResult) else outcome
