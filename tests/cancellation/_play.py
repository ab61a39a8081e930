"""One run of a scenario, in which the victims are cancelled at one step."""

from __future__ import annotations

import random
from itertools import count
from typing import TYPE_CHECKING, Any, Protocol, final

import anyio
from anyio import create_task_group, current_time, get_running_tasks

from _helpers import assert_at_rest, assert_gone, own_tasks, settle
from _packing import assert_only_token_tasks
from _probe import Probe, was_opened
from vkanyio import VK, ClientClosedError, ClientUseError

from ._backends import seed_trio
from ._calls import (
    CANCELLED,
    PROCEDURE,
    READ,
    WRITE,
    Call,
    Wire,
    add_procedure,
    assert_outcome_won,
    assert_promises,
    make_simulator,
)
from ._steps import Steps
from ._ways import WAYS, Order, by_deadline, by_scope

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from collections.abc import Set as AbstractSet

    from anyio.abc import TaskGroup

    from ._scenarios import Scenario
    from ._tally import Tally

OPTIONS: dict[str, Any] = {
    "limit": 3,
    "request_mode": "burst",
    "max_connections": 2,
    "max_waiting": 3,
    "wait": 0.5,
}
LATENCY = 0.25
BOUND = 60.0
"""Virtual seconds that a run may take, most of them for the calls afterwards."""


BODY = -2
"""The victim that is the task which enters and leaves the client."""


class Broken(Exception):
    """The error that a body fails with."""


@final
class Play:
    """One run of a scenario, in which the victims are cancelled at one step.

    :ivar helpers: for tasks that do not belong to the client
    :param way: how the victims are cancelled
    :param step: the step of any task at which they are, 0 for before they begin
    :param thorough: whether suspensions count as steps, too
    """

    helpers: TaskGroup

    def __init__(
        self,
        scenario: Scenario,
        victims: AbstractSet[int],
        way: str,
        step: int,
        *,
        thorough: bool = False,
    ) -> None:
        self.simulator = make_simulator(latency=LATENCY)
        self.wire = Wire(self.simulator)
        self.calls = _make_calls(scenario)
        self._scenario = scenario
        self._way = WAYS[way]
        self._seed = step
        self._orders = {each: Order() for each in victims}
        self._steps = Steps(step, self._cancel, suspensions=thorough)
        answers = {} if scenario.answers is None else scenario.answers(self)
        how = {"http_client": self.wire, **OPTIONS, **scenario.options, **answers}
        self._renewing = None if scenario.token is None else scenario.token()
        self.client = VK(self._renewing or "token", **how)
        self._cancelled_at = 0.0
        self._broke = False

    @property
    def cancellations(self) -> int:
        """The number of cancellations that came in time."""
        return sum(order.given for order in self._orders.values())

    def _cancel(self) -> None:
        self._cancelled_at = current_time()
        for order in self._orders.values():
            order.give()

    async def cancellable(
        self, victim: int, function: Callable[[], Awaitable[None]]
    ) -> None:
        """Run a function that is cancelled at the step, if it is a victim."""
        if victim in self._orders and not self._orders[victim].over:
            await self._way(self._orders[victim], function)
        else:
            await function()

    async def run(self, tally: Tally) -> bool:
        """Play the scenario, and check its calls.

        :return: whether there was anything left to cancel
        """
        random.seed(self._seed)  # the jitter of the back-off
        seed_trio(self._seed)
        if PROCEDURE in self._scenario.calls:
            add_procedure(self.simulator)
        if self._scenario.faults is not None:
            self._scenario.faults(self.simulator)
        before = set(get_running_tasks())
        if self._seed == 0:
            self._cancel()
        with anyio.fail_after(BOUND), self._steps.of_client_tasks():
            async with create_task_group() as self.helpers:
                await (self._stay if self._scenario.leaves is None else self._leave)()
                ended = current_time()
            assert current_time() == ended
        assert repr(self.client) == "<vkanyio.VK, closed>"
        if was_opened(self.client):
            assert_gone(self.client)
        assert own_tasks() == []
        assert set(get_running_tasks()) == before
        tally.add(self.cancellations, self.calls)
        return self.cancellations > 0

    async def _stay(self) -> None:
        """Stay until all calls have ended, and check that the client still works."""
        async with self.client as api:
            async with create_task_group() as group:
                for i in range(len(self.calls)):
                    group.start_soon(self._call, i)
            if self._renewing is not None:
                await anyio.sleep(1)  # a renewal goes on when its callers have left
            await settle()
            assert_quiet(api)
            self._check()
            if self._steps.suspensions or self._seed % 3 == 0:  # it is slow
                await works_as_before(api, self.wire)

    async def _leave(self) -> None:
        """Leave the client while others make their calls."""
        left = 0.0
        started: list[Call] = []

        async def body() -> None:
            nonlocal left
            try:
                async with self.client:
                    for i, call in enumerate(self.calls):
                        group.start_soon(self._call, i)
                        started.append(call)
                    await self._stay_a_while()
            finally:
                left = current_time()

        broke = False
        async with create_task_group() as group:
            try:
                await self.cancellable(BODY, lambda: self._steps.counted(body()))
            except Broken:
                broke = True
        assert broke == self._broke, "an error was lost to a cancellation"
        self.calls = started
        assert current_time() == left  # all had their outcomes by then
        if self.cancellations:
            assert left == self._cancelled_at
        self._check()
        if self._scenario.leaves == "normally" and not self.cancellations:
            # The accepted calls were finished.
            assert not any(
                each.outcome.maybe_carried_out
                for each in self.calls
                if isinstance(each.outcome, ClientClosedError)
            )

    async def _stay_a_while(self) -> None:
        leaves = self._scenario.leaves
        await anyio.sleep(20 if leaves == "never" else 0.3)
        if leaves == "by an error":
            self._broke = True
            raise Broken

    async def _call(self, i: int) -> None:
        call = self.calls[i]

        async def make() -> None:
            await self._steps.counted(call.make(self.client, self.wire))

        await self.cancellable(i, make)
        if call.outcome is None:  # it was cancelled before its first step
            call.outcome = CANCELLED

    def _check(self) -> None:
        assert self._renewing is None or self._renewing.renewals <= 1
        assert_promises(self.calls, self.wire, self.simulator)
        self.wire.assert_paced(self.client.config.limit)
        assert self.wire.max_in_flight <= self.client.config.max_connections
        for i, call in enumerate(self.calls):
            if self._way in (by_scope, by_deadline):
                assert_outcome_won(call)
            expected = call.has_value or isinstance(call.outcome, self._scenario.errors)
            if self._scenario.leaves is not None:
                expected = expected or isinstance(call.outcome, ClientClosedError)
            if i in self._orders and self._orders[i].given:
                expected = expected or call.outcome == CANCELLED
            assert expected, self.calls
            if isinstance(call.outcome, ClientUseError):  # it was abandoned in time
                assert self.client.statistics().calls == 0


def _make_calls(scenario: Scenario) -> list[Call]:
    if not scenario.calls:
        return []
    first = Call(0, scenario.calls[0])
    shared = first if scenario.shared else None
    more = enumerate(scenario.calls[1:], 1)
    return [first, *(Call(i, kind, of=shared) for i, kind in more)]


def assert_quiet(api: VK) -> None:
    """Assert that an open client does nothing, and holds nothing back."""
    assert_at_rest(api)
    assert_only_token_tasks(api)
    assert not Probe(api).is_asking
    assert not Probe(api).is_holding_back


async def works_as_before(api: VK, wire: Wire) -> None:
    """Assert that more calls than there is room for return their values."""
    wire.responds_itself = True
    config = api.config
    number = config.max_waiting + config.max_connections
    calls = [Call(100 + i, WRITE if i % 2 else READ) for i in range(number)]
    with anyio.fail_after(number / config.limit + 5):
        async with create_task_group() as group:
            for call in calls:
                group.start_soon(call.make, api, wire)
    assert all(call.has_value for call in calls), calls
    await settle()
    assert_quiet(api)


class Playable(Protocol):
    """One run, with a cancellation at one step."""

    async def run(self, tally: Tally) -> bool:
        """Play it; see :meth:`Play.run`."""
        ...


async def at_every_step(make: Callable[[int], Playable], tally: Tally) -> None:
    """Play until there is nothing left to cancel."""
    for step in count():
        try:
            if not await make(step).run(tally):
                return
        except BaseException as error:
            error.add_note(f"at step {step}")
            raise
