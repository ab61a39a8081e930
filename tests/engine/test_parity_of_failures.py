"""Whatever befalls a request, packed calls end as they would have ended alone.

Reads and calls with a key have equal outcomes. A call that may not be repeated has its
value, VK's refusal, or `OutcomeUnknownError`, and is never carried out twice.
"""

from __future__ import annotations

import inspect
import re
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, final

import anyio
import pytest
import trio.testing
from hypothesis import given, settings
from hypothesis import strategies as st

from _gateway import (
    BAD_GATEWAY,
    CUT,
    ERROR_1,
    ERROR_10,
    FORBIDDEN,
    NEVER,
    NOT_JSON,
    TOO_LARGE,
    Gateway,
    Page,
    size_of,
)
from _helpers import TOKEN, add_echoes, assert_at_rest, get
from _packing import message, post, together
from vkanyio import VK, APIError, OutcomeUnknownError, VKError
from vkanyio.testing import Simulator, VirtualClockLoop, VKFault, faults

if TYPE_CHECKING:
    from collections.abc import Callable

    from vkanyio import APIRequest
    from vkanyio.testing import Call

    Setup: TypeAlias = Callable[[Simulator], Any]

MODES = ["sequential", "parallel", "parallel_selected"]
KINDS: dict[str, Callable[[int], APIRequest]] = {
    "read": get,
    "keyed": message,
    "write": post,
}
TIMEOUT = 5.0


def requests_of_all_kinds() -> list[APIRequest]:
    return [KINDS[kind](i) for i, kind in enumerate([*KINDS] * 5)]


async def run(
    setup: Setup, requests: list[APIRequest], mode: Any
) -> tuple[list[Any], Simulator]:
    """Make the calls at the same time, and return their outcomes.

    :param setup: prepares the simulator; what it returns replaces its HTTP client
    """
    simulator = Simulator(limit=0, seed=1)
    add_echoes(simulator)
    client = setup(simulator) or simulator.http_client()
    options: dict[str, Any] = {"timeout": TIMEOUT, "wait": 0.1, "limit": 1000}
    only = ["test.get", "test.post"]
    async with VK(
        TOKEN, mode=mode, execute_methods=only, http_client=client, **options
    ) as api:
        outcomes = await together(api, requests)
        assert_at_rest(api)
    return outcomes, simulator


def in_short(outcome: Any) -> Any:
    """Return what must not depend on the mode."""
    if not isinstance(outcome, VKError):
        return type(outcome)  # the number of a message depends on the order
    cause = outcome.__cause__
    code = outcome.code if isinstance(outcome, APIError) else None
    return type(outcome), code, in_short(cause) if isinstance(cause, VKError) else None


def check(
    requests: list[APIRequest], plain: list[Any], packed: list[Any], vk: Simulator
) -> None:
    done = Counter(
        int(entry.params["id"])
        for entry in vk.ledger.carried_out()
        if "id" in entry.params
    )
    for i, request in enumerate(requests):
        outcome, method = packed[i], request.method
        if method != "test.post":
            assert in_short(outcome) == in_short(plain[i]), f"{method}, call {i}"
        if method == "test.get":
            continue
        assert done[i] <= 1, f"{method}, call {i}, was carried out twice"
        if not isinstance(outcome, VKError):
            assert done[i] == 1
        elif not isinstance(outcome, OutcomeUnknownError):
            assert not done[i], f"{method}, call {i}, was carried out: {outcome!r}"


# Every fault of the simulator.

PASSING: dict[str, Any] = {
    **{f"error {code}": faults.error(code) for code in (1, 6, 10, 36)},
    "refuse": faults.refuse(),
    "drop_before": faults.drop_before(),
    "drop_after": faults.drop_after(),
    "drop_midway": faults.drop_midway(),
    "hang_before": faults.hang_before(),
    "hang_after": faults.hang_after(),
    "slow_body": faults.slow_body(60),
    "delay": faults.delay(4),
    "delay after": faults.delay(60, after=True),
    **{f"html {status}": faults.html(status) for status in (408, 429, 500, 502, 503)},
    "html after": faults.html(504, after=True),
    "body": faults.body(b"ERROR"),
    "body after": faults.body(b"[]", after=True),
    "truncated": faults.truncated(),
    "truncated after": faults.truncated(after=True),
}
UPLOADS_AND_POLLS = {
    *("drop_upload", "stall_upload", "slow_upload", "early_refusal", "too_fast"),
    *("failed", "repeated", "silent"),
}
"""Faults of other servers than VK's API."""
LASTING: dict[str, Any] = {
    **PASSING,
    **{f"error {code}": faults.error(code) for code in (5, 9, 15, 29, 100, 77777)},
    **{f"html {status}": faults.html(status) for status in (302, 401, 403, 404, 413)},
    "captcha": faults.captcha(),
    "confirmation": faults.confirmation(),
    "validation": faults.validation(),
    "expired_token": faults.expired_token(),
}


def test_every_fault_of_the_simulator_is_tried() -> None:
    tried = {fault.name for fault in LASTING.values()}
    known = {
        name
        for name, function in inspect.getmembers(faults, inspect.isfunction)
        if not name.startswith("_") and function.__module__ == faults.__name__
    }
    assert known - UPLOADS_AND_POLLS <= tried


@pytest.mark.anyio
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("name", PASSING)
async def test_after_a_fault_that_passes_calls_end_as_without_packing(
    name: str, times: int, mode: str
) -> None:
    def setup(simulator: Simulator) -> None:
        simulator.fault(PASSING[name], times=times)

    requests = requests_of_all_kinds()
    plain, _ = await run(setup, requests_of_all_kinds(), "sequential")
    packed, simulator = await run(setup, requests, mode)
    check(requests, plain, packed, simulator)


@pytest.mark.anyio
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", LASTING)
async def test_under_a_fault_that_lasts_calls_end_as_without_packing(
    name: str, mode: str
) -> None:
    def setup(simulator: Simulator) -> None:
        simulator.fault(LASTING[name], rate=1)

    requests = requests_of_all_kinds()
    plain, _ = await run(setup, requests_of_all_kinds(), "sequential")
    packed, simulator = await run(setup, requests, mode)
    check(requests, plain, packed, simulator)


# Random batches, random faults of the request as a whole, random faults of calls.

REFUSALS = [TOO_LARGE, FORBIDDEN]
PAGES = [BAD_GATEWAY, *REFUSALS, NOT_JSON, CUT, ERROR_1, ERROR_10, NEVER]
SPOILS = "spoils"
FATES = ["value", "value", "value", "error 100", SPOILS, "slow", "too slow"]
SECONDS = {"slow": 1.2, "too slow": 2 * TIMEOUT}


class Plan(NamedTuple):
    """What happens to calls and requests, whatever the mode.

    :ivar calls: the kind and the fate of each call
    :ivar page: what a gateway responds instead of VK
    :ivar max_size: how many calls in a request the gateway passes on
    :ivar failing: how many requests the gateway does not pass on at first
    """

    calls: list[tuple[str, str]]
    page: Page
    max_size: int
    failing: int


plans = st.builds(
    Plan,
    calls=st.lists(
        st.tuples(st.sampled_from([*KINDS]), st.sampled_from(FATES)),
        min_size=2,
        max_size=40,
    ),
    page=st.builds(
        lambda page, after: page._replace(after=after and page not in REFUSALS),
        st.sampled_from(PAGES),
        st.booleans(),
    ),
    max_size=st.sampled_from([25, 25, 8, 3]),
    failing=st.sampled_from([0, 0, 1, 2, 3]),
)


@final
class World:
    """The simulator and the gateway of a plan."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        # What is refused is not sent again: that would not pass.
        self._failing = 0 if plan.page in REFUSALS else plan.failing
        self._spoilers = [i for i, (_, fate) in enumerate(plan.calls) if fate == SPOILS]

    def setup(self, simulator: Simulator) -> Gateway:
        for method in ("test.get", "test.post"):
            simulator.add_method(method, self._echo)
        return Gateway(simulator, self._page_for)

    async def _echo(self, call: Call) -> int:
        i = call.integer("id")
        fate = self._plan.calls[i][1]
        await anyio.sleep(SECONDS.get(fate, 0))
        if fate == "error 100":
            raise VKFault(100)
        return i

    def _page_for(self, code: str) -> Page | None:
        if self._failing:
            self._failing -= 1
            return self._plan.page
        ids = {int(i) for i in re.findall(r'(?:"id":|\bid=)(\d+)', code)}
        is_bad = size_of(code) > self._plan.max_size or ids & {*self._spoilers}
        return self._plan.page if is_bad else None


async def compare(plan: Plan, mode: str) -> None:
    def requests() -> list[APIRequest]:
        return [KINDS[kind](i) for i, (kind, _) in enumerate(plan.calls)]

    plain, _ = await run(World(plan).setup, requests(), "sequential")
    mine = requests()
    packed, simulator = await run(World(plan).setup, mine, mode)
    check(mine, plain, packed, simulator)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@given(plans, st.sampled_from(["parallel", "parallel", "parallel_selected"]))
@settings(max_examples=60)
def test_random_batches_end_as_their_calls_would_end_one_by_one(
    backend: str, plan: Plan, mode: str
) -> None:
    options: dict[str, Any] = {"loop_factory": VirtualClockLoop}
    if backend == "trio":
        options = {"clock": trio.testing.MockClock(autojump_threshold=0)}
    anyio.run(compare, plan, mode, backend=backend, backend_options=options)
