"""Random runs, in which all events are on a coarse grid of time."""

from __future__ import annotations

import random
from contextlib import suppress
from typing import TYPE_CHECKING, Any, final

import anyio
import attrs
from anyio import create_task_group, current_time, get_running_tasks, move_on_after

from _helpers import assert_gone, own_tasks, settle
from vkanyio import VK, CaptchaError, ClientClosedError, ClientUseError
from vkanyio.testing import faults

from ._backends import seed_trio
from ._calls import (
    CANCELLED,
    KINDS,
    READ,
    WRITE,
    Call,
    Wire,
    add_procedure,
    assert_outcome_won,
    assert_promises,
    make_simulator,
)
from ._play import Broken, assert_quiet, works_as_before
from ._ways import WAYS, Order

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vkanyio import Captcha

    from ._tally import Tally

GRID = 0.25
"""All events are at multiples of this, so that many coincide."""
BOUND = 1000.0
"""Virtual seconds that a run may take, including waits for retries."""

OF_REQUESTS: list[Any] = [
    faults.refuse(),
    faults.drop_before(),
    faults.drop_after(),
    faults.html(502, after=True),
    faults.truncated(after=True),
    faults.hang_after(),
    faults.delay(GRID),
    *map(faults.error, (1, 6, 10)),
]
OF_SCRIPTS: list[Any] = [*OF_REQUESTS, *map(faults.error, (12, 13, 14, 15))]
OF_CALLS: list[Any] = [
    *map(faults.error, (6, 9, 10, 100)),
    faults.captcha(),
    faults.captcha(),
]


@attrs.frozen
class Plan:
    """What a caller does, and when.

    :ivar start: when it calls
    :ivar patience: how long it waits, None for ever
    :ivar cancelled: when it is cancelled, None for never
    """

    call: Call
    start: float
    patience: float | None
    cancelled: float | None
    way: str
    order: Order = attrs.field(factory=Order)


@final
class Schedule:
    """A random run: calls, cancellations, time limits, faults and an end.

    :param ways: how tasks can be cancelled
    """

    def __init__(self, seed: int, ways: Sequence[str]) -> None:
        random.seed(seed)  # the jitter of the back-off, too
        self._seed = seed
        self._ways = ways
        self.simulator = make_simulator(
            latency=self._latency,
            seed=seed,
            trailing_execute_error=random.random() < 0.3,
        )
        self.wire = Wire(self.simulator)
        self.mode = random.choice(["sequential", "parallel", "parallel_selected"])
        self.kinds = KINDS if random.random() < 0.3 else (READ, WRITE)
        if len(self.kinds) > 2:
            add_procedure(self.simulator)
        self._order_faults()
        self.client = self._make_client()
        self.plans = [self._make_plan(i) for i in range(random.randrange(1, 12))]
        self.ending = random.choice(["stay", "stay", "leave", "fail", "cancel"])
        self.body = Plan(Call(-1, READ), 0.0, None, _moment(40), random.choice(ways))
        self._solving_takes = _moment(4)
        self._solves = random.random() < 0.7
        self._all_ended = anyio.Event()

    def __repr__(self) -> str:
        return f"<{self.mode}, {self.ending}, {[each.call for each in self.plans]}>"

    def _latency(self, chance: random.Random) -> float:
        return chance.randrange(5) * GRID

    def _order_faults(self) -> None:
        if random.random() < 0.6:
            self.simulator.fault(random.choice(OF_REQUESTS), rate=0.2)
            self.simulator.fault(random.choice(OF_SCRIPTS), "execute", rate=0.2)
        if random.random() < 0.5:
            method = random.choice(["test.get", "test.post"])
            self.simulator.fault(random.choice(OF_CALLS), method, rate=0.3)

    def _make_client(self) -> VK:
        pick = random.choice
        mode: Any = self.mode
        return VK(
            "token",
            mode=mode,
            execute_methods=["test.post"],
            execute_count=pick([2, 3, 25]),
            limit=pick([1, 2, 5]),
            request_mode=pick(["sequential", "burst"]),
            max_waiting=pick([1, 2, 100]),
            max_connections=pick([1, 2, 5]),
            timeout=pick([GRID, 1, 10]),
            wait=pick([0, 1]),
            retry_limit=pick([0, 2]),
            on_captcha=pick([None, self._solve, self._solve]),
            http_client=self.wire,
        )

    def _make_plan(self, i: int) -> Plan:
        return Plan(
            Call(i, random.choice(self.kinds)),
            start=random.choice([0.0, _moment(20)]),
            patience=random.choice([None, _moment(20)]),
            cancelled=random.choice([None, _moment(30)]),
            way=random.choice(self._ways),
        )

    async def _solve(self, captcha: Captcha) -> None:
        await anyio.sleep(self._solving_takes)
        if self._solves:
            answer = self.simulator.solve(captcha.redirect_uri or "")
            with suppress(CaptchaError):  # a wrong one, which is tried once
                await captcha.retry("wrong" if self._seed % 3 == 0 else answer)
                return
            await captcha.retry(self.simulator.solve(captcha.redirect_uri or ""))

    async def run(self, tally: Tally) -> None:
        """Run the schedule, and check its calls."""
        seed_trio(self._seed)
        before = set(get_running_tasks())
        with anyio.fail_after(BOUND):
            async with create_task_group() as tasks:
                tasks.start_soon(self._be_in_the_client)
                await settle()  # the callers find the client open, or closed again
                async with create_task_group() as callers:
                    for plan in self.plans:
                        callers.start_soon(self._call, plan)
                        tasks.start_soon(_cancel, plan)
                self._all_ended.set()
        assert_gone(self.client)
        assert own_tasks() == []
        assert set(get_running_tasks()) == before
        self._check()
        orders = [plan.order for plan in (*self.plans, self.body)]
        given = sum(order.given for order in orders)
        tally.add(given, [plan.call for plan in self.plans])

    async def _call(self, plan: Plan) -> None:
        async def make() -> None:
            await anyio.sleep(plan.start)
            with move_on_after(plan.patience):
                await plan.call.make(self.client, self.wire)

        await WAYS[plan.way](plan.order, make)
        if plan.call.outcome is None:  # it was cancelled before it called
            plan.call.outcome = CANCELLED

    async def _be_in_the_client(self) -> None:
        left = 0.0

        async def body() -> None:
            nonlocal left
            try:
                async with self.client as api:
                    await self._stay(api)
            finally:
                left = current_time()

        async with create_task_group() as tasks:
            if self.ending == "cancel":
                tasks.start_soon(_cancel, self.body)
            begun = current_time()
            with suppress(Broken):
                await WAYS[self.body.way](self.body.order, body)
            tasks.cancel_scope.cancel()
        if self.body.order.given or self.ending == "fail":
            assert left == begun + (self.body.cancelled or 0)

    async def _stay(self, api: VK) -> None:
        if self.ending == "stay":
            await self._all_ended.wait()
            await settle()
            assert_quiet(api)
            await works_as_before(api, self.wire)
        elif self.ending == "cancel":
            await anyio.sleep_forever()
        else:
            await anyio.sleep(self.body.cancelled or 0)
            if self.ending == "fail":
                raise Broken

    def _check(self) -> None:
        calls = [plan.call for plan in self.plans]
        assert_promises(calls, self.wire, self.simulator)
        self.wire.assert_paced(self.client.config.limit)
        assert self.wire.max_in_flight <= self.client.config.max_connections
        for plan in self.plans:
            outcome = plan.call.outcome
            if plan.way in ("scope", "deadline"):
                assert_outcome_won(plan.call)
            assert not isinstance(outcome, ClientUseError) or plan.order.given
            if outcome == CANCELLED:
                assert plan.order.given or plan.patience is not None, plan
            if isinstance(outcome, ClientClosedError):
                assert self.ending != "stay", plan
                if self.ending == "leave":  # what was accepted was finished
                    assert not outcome.maybe_carried_out, plan


def _moment(max_steps: int) -> float:
    return random.randrange(max_steps) * GRID


async def _cancel(plan: Plan) -> None:
    if plan.cancelled is not None:
        await anyio.sleep(plan.cancelled)
        plan.order.give()
