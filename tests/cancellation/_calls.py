"""Calls that may be cancelled, their outcomes, and the promises that must hold."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any, final
from urllib.parse import parse_qs

import attrs
import httpx
from anyio import current_time, get_cancelled_exc_class
from anyio.lowlevel import checkpoint

from _helpers import add_echoes, get
from _packing import message, post
from vkanyio import VK, APIRequest, ClientClosedError, ExecuteResult, VKError
from vkanyio._pending import PendingState
from vkanyio.testing import Simulator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

OTHER_TOKEN = "vk1.a.another-token"
CANCELLED = "cancelled"
_ID = re.compile(r"\bid\"?: ?\"?(\d+)")


def make_simulator(**options: Any) -> Simulator:
    """Make a simulator with the methods of the calls, except the procedure."""
    simulator = Simulator(limit=0, **options)
    add_echoes(simulator)
    return simulator


def add_procedure(simulator: Simulator) -> None:
    """Add the procedure, which is slow to compile."""
    simulator.add_procedure("echo", "return API.test.post({id: Args.id});")


@final
class Wire:
    """An HTTP client to a simulator that records every request.

    :ivar sent: when each request was sent, by which token, with which calls
    :ivar responds_itself: whether it responds at once, without the simulator
    """

    def __init__(self, simulator: Simulator) -> None:
        self.sent: list[tuple[float, str, list[int]]] = []
        self.in_flight = 0
        self.max_in_flight = 0
        self.responds_itself = False
        # The httpx client around it would take as long as everything else.
        self._transport = simulator.http_client()._transport

    async def post(
        self, url: str, *, content: Any, headers: dict[str, str], **_: Any
    ) -> httpx.Response:
        """Forward a request."""
        form = parse_qs(content.decode())
        ids = _ids(form)
        self.sent.append((current_time(), headers["authorization"], ids))
        self.in_flight += 1
        self.max_in_flight = max(self.max_in_flight, self.in_flight)
        try:
            if self.responds_itself:
                await checkpoint()
                value = ids if "code" in form else ids[0]
                return httpx.Response(200, json={"response": value})
            request = httpx.Request("POST", url, content=content, headers=headers)
            response = await self._transport.handle_async_request(request)
            await response.aread()
            return response
        finally:
            self.in_flight -= 1

    def ids(self, first: int = 0) -> set[int]:
        """Return the calls that were sent, from a request on."""
        return {each for _, _, ids in self.sent[first:] for each in ids}

    def assert_paced(self, limit: int) -> None:
        """Assert that no token sent more requests in a second than the limit allows."""
        for owner in {token for _, token, _ in self.sent}:
            times = [time for time, token, _ in self.sent if token == owner]
            for early, late in zip(times, times[limit:], strict=False):
                assert late - early >= 1


def _ids(form: dict[str, list[str]]) -> list[int]:
    if "code" in form:
        return [int(each) for each in _ID.findall(form["code"][0])]
    return [int(each) for each in form.get("id", ())]


@attrs.frozen
class Kind:
    """A kind of call.

    :ivar request: makes the request, unless the client has a method for this kind
    """

    name: str
    request: Callable[[int], APIRequest] | None = None
    writes: bool = True

    async def make(self, api: VK, i: int, request: APIRequest | None) -> Any:
        """Make a call."""
        if request is not None:
            return await api.call_with_request(request)
        if self.name == "procedure":
            return await api.procedure("echo", id=i)
        return await api.execute(f'return API.test.post({{"id": {i}}});')

    def is_value(self, outcome: Any, i: int) -> bool:
        """Return whether an outcome is the right value for the call."""
        if self.name == "message":
            return type(outcome) is int
        if isinstance(outcome, ExecuteResult):  # its call may have failed
            response = False if outcome.errors else i
            return self.request is None and outcome.response == response
        return bool(outcome == i)


READ = Kind("read", get, writes=False)
WRITE = Kind("write", post)
ALONE = Kind("write that is not packed", lambda i: post(i, lang="en"))
MESSAGE = Kind("message", message)
OTHER = Kind("read of another token", lambda i: get(i, access_token=OTHER_TOKEN), False)
EXECUTE = Kind("execute")
PROCEDURE = Kind("procedure")
KINDS = (READ, WRITE, ALONE, MESSAGE, OTHER, EXECUTE, PROCEDURE)


@final
class Call:
    """A call and its outcome.

    :ivar outcome: None until there is one
    :ivar sent_before: the number of requests sent when its cancellation arrived
    :ivar was_settled: whether it had an outcome by then
    :param of: the call whose request it waits for, instead of a separate one
    """

    def __init__(self, i: int, kind: Kind, *, of: Call | None = None) -> None:
        self.id: int = i if of is None else of.id
        self.kind = kind
        self.outcome: Any = None
        self.sent_before: int | None = None
        self.was_settled = False
        self.is_shared = of is not None
        self.request = None if kind.request is None else kind.request(i)
        if of is not None:
            self.request, of.is_shared = of.request, True
        self._waits = of is not None

    def __repr__(self) -> str:
        return f"<call {self.id}, {self.kind.name}: {self.outcome!r}>"

    async def make(self, api: VK, wire: Wire) -> None:
        """Make the call, and record its only outcome."""
        try:
            if self._waits and self.request is not None:
                outcome = await self.request.wait()
            else:
                outcome = await self.kind.make(api, self.id, self.request)
        except VKError as error:
            outcome = error
        except get_cancelled_exc_class():
            self.note_cancelled(wire)
            raise
        self.note(outcome)

    def note_cancelled(self, wire: Wire) -> None:
        """Record that it was cancelled, and how far it had come."""
        self.sent_before = len(wire.sent)
        if self.request is not None:
            state = self.request._pending.state
            self.was_settled = state is PendingState.SETTLED
        self.note(CANCELLED)

    def note(self, outcome: Any) -> None:
        """Record its only outcome."""
        assert self.outcome is None, self
        self.outcome = outcome

    @property
    def has_value(self) -> bool:
        """Whether it returned the right value."""
        return self.kind.is_value(self.outcome, self.id)

    @property
    def name_of_outcome(self) -> str:
        """The outcome in a word."""
        if self.has_value:
            return "value"
        if self.outcome == CANCELLED:
            return CANCELLED
        return type(self.outcome).__name__


def assert_outcome_won(call: Call) -> None:
    """Assert that no scope replaced an outcome that came in the same step."""
    assert not call.was_settled, (call, "had an outcome before it was cancelled")


def assert_promises(calls: Iterable[Call], wire: Wire, simulator: Simulator) -> None:
    """Assert what holds for all calls, however they ended."""
    calls = list(calls)
    done = count_done(simulator)
    sent = wire.ids()
    errors = [each.outcome for each in calls if isinstance(each.outcome, VKError)]
    assert len({id(error) for error in errors}) == len(errors), "errors are shared"
    for call in calls:
        _assert_own(call)
        if call.kind.writes:
            assert done[call.id] <= 1, (call, "was carried out twice")
        if call.has_value and not getattr(call.outcome, "errors", ()):
            assert done[call.id] >= 1, (call, "was not carried out")
        if call.sent_before is not None and not call.is_shared:
            late = wire.ids(call.sent_before)
            assert call.id not in late, (call, "was sent after it was cancelled")
        _assert_reported_right(call, done[call.id], sent)


def _assert_own(call: Call) -> None:
    known = call.has_value or call.outcome == CANCELLED
    assert known or isinstance(call.outcome, VKError), (call, "is another's outcome")


def _assert_reported_right(call: Call, done: int, sent: set[int]) -> None:
    pending = None if call.request is None else call.request._pending
    if pending is not None and not pending.maybe_carried_out:
        assert not done, (call, "was carried out, but reported as not")
    if isinstance(call.outcome, ClientClosedError):
        maybe = call.outcome.maybe_carried_out
        assert maybe or not done, (call, "was carried out, against its error")
        assert not maybe or call.id in sent, (call, "was not even sent")


def count_done(simulator: Simulator) -> Counter[int]:
    """Count how often each call was carried out."""
    entries = simulator.ledger.carried_out()
    return Counter(int(each.params["id"]) for each in entries if _is_own(each))


def _is_own(entry: Any) -> bool:
    return "id" in entry.params and not entry.method.startswith("execute")
