"""The calls that are made, and what the simulator does for each of them."""

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
"""Calls that bring it have a limit of their own."""

_MARK = re.compile(r'\b(?:mark|guid)(?:=|":")(c\d+)')

Params: TypeAlias = dict[str, Any]


@final
@attrs.frozen(kw_only=True)
class Kind:
    """A kind of call.

    Each call has a mark among its parameters, by which it is known wherever it goes.

    :ivar name: what it is called in a report
    :ivar effect: the method that the ledger shows when the call has had its effect
    :ivar params: makes the parameters from the mark
    :ivar reads: whether it changes nothing
    :ivar repeats: whether it may be sent again once VK has perhaps carried it out
    :ivar way: how it is made: as a method, as a script, or as a stored procedure
    """

    name: str
    effect: str
    params: Callable[[str], Params] = attrs.field(repr=False)
    reads: bool = False
    repeats: bool = False
    way: str = "method"

    async def call(self, api: VK, mark: str) -> Any:
        """Make the call with this mark, and return what it returns."""
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
        # The same each time, as far as flood control can see: it overlooks keys.
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
    """Find the marks in the parameters that an entry of a ledger shows."""
    if "code" in params:
        return marks_in(params["code"])
    mark = params.get("mark") or params.get("guid")
    return [] if mark is None else [mark]


def fault_in(entry: Entry) -> str:
    """Return the name of the fault that struck a call, with the code of an error."""
    return f"error {entry.outcome}" if entry.fault == "error" else str(entry.fault)


@final
class Board:
    """What the calls read and change: it knows keys, as VK does.

    :param note: told of each call that has had its effect: its mark, its key, and the
        number that was made for it
    :param first: the first number to make
    :ivar values: what was made for each mark
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
        """Put the methods that calls use into the place of the simulator's own."""
        simulator.add_method(
            "users.get", lambda call: [{"id": call.integer("user_ids")}]
        )
        for method in ("messages.send", "wall.post", "status.set"):
            simulator.add_method(method, self._write)
        code = 'return API.wall.post({"message": "hi", "mark": Args.mark});'
        simulator.add_procedure("post", code)

    def remember(self, mark: str, key: str | None, number: int) -> None:
        """Enter what has had its effect."""
        self.values[mark] = number
        if key is not None:
            self._keys[key] = number

    def expected(self, kind: Kind, mark: str) -> Any:
        """Return the value that a call is to have, None if it has had no effect."""
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
    """Return the value in what a call has returned."""
    return outcome.response if isinstance(outcome, ExecuteResult) else outcome
