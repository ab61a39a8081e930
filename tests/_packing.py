"""Helpers of the tests of packing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio

from _helpers import TOKEN
from _probe import Probe
from vkanyio import VK, APIRequest, VKError
from vkanyio.testing import VKFault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from _helpers import MakeClient
    from vkanyio.testing import Call, Entry, Simulator


def post(i: int, **more: Any) -> APIRequest:
    """Make a request for an echo that may be carried out only once."""
    return APIRequest("test.post", {"id": i, **more})


def message(i: int, **more: Any) -> APIRequest:
    """Make a request for a message, which has a key against repetition."""
    return APIRequest("messages.send", {"peer_id": 1, "message": "hi", "id": i, **more})


async def together(api: VK, requests: Iterable[APIRequest]) -> list[Any]:
    """Make calls at the same time, and return their values and errors in order."""
    outcomes: dict[int, Any] = {}

    async def call(place: int, request: APIRequest) -> None:
        try:
            outcomes[place] = await api.call_with_request(request)
        except VKError as error:
            outcomes[place] = error

    async with anyio.create_task_group() as tg:
        for place, request in enumerate(requests):
            tg.start_soon(call, place, request)
    return [outcomes[place] for place in sorted(outcomes)]


def client_of(simulator: Simulator, **options: Any) -> VK:
    """Make a packing client for a simulator that the test has made."""
    http_client = simulator.http_client()
    options = {"mode": "parallel", "limit": 1000, **options}
    return VK(TOKEN, http_client=http_client, **options)


def one_a_second(make_client: MakeClient, **options: Any) -> VK:
    """Make a client whose calls wait a second after the first one for a permit."""
    return make_client(limit=1, request_mode="burst", **options)


def done(simulator: Simulator) -> list[int]:
    """Return the ids of the calls that were carried out, sorted."""
    return sorted(int(entry.params["id"]) for entry in _with_id(simulator))


def sizes(simulator: Simulator) -> list[int]:
    """Return the number of calls in each HTTP request, carried out or not."""
    counts: dict[int, int] = {}
    for entry in simulator.ledger:
        counts.setdefault(entry.request, 0)
        counts[entry.request] += entry.method != "execute"
    return [counts[number] for number in sorted(counts)]


def plain_calls(simulator: Simulator) -> list[Entry]:
    """Return the calls that came in separate HTTP requests."""
    packed = {entry.request for entry in scripts(simulator)}
    return [entry for entry in simulator.ledger if entry.request not in packed]


def scripts(simulator: Simulator) -> list[Entry]:
    """Return the calls of ``execute``."""
    return [entry for entry in simulator.ledger if entry.method == "execute"]


def _with_id(simulator: Simulator) -> list[Entry]:
    return [e for e in simulator.ledger.carried_out() if "id" in e.params]


def spoil_execute(
    simulator: Simulator, code_for: Callable[[str], int], *, after: bool = False
) -> None:
    """Make scripts fail as a whole.

    :param code_for: returns the error for a script, or 0
    :param after: whether it fails after its calls have been carried out
    """
    run: Any = simulator._methods["execute"].handler

    async def execute(call: Call) -> Any:
        error = code_for(call.text("code"))
        if error and not after:
            raise VKFault(error)
        reply = await run(call)
        if error:
            raise VKFault(error)
        return reply

    simulator.add_method("execute", execute)


def assert_only_token_tasks(api: VK) -> None:
    """Assert that a client runs only the tasks of its tokens."""
    probe = Probe(api)
    assert probe.task_count == 2 * len(probe.lanes)
