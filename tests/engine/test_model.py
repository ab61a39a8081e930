"""Random programs against a simple model of the outcomes that a call may have.

A program is a list of steps, carried out one after the other on a coarse grid of time,
so that events coincide. The model, `proof._judge`, uses what the client saw of each
request, and the ledger of the simulator.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any, TypeAlias, final

import anyio
import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from proof._clock import BACKENDS, run_in_virtual_time
from proof._door import Door
from proof._errand import Errand
from proof._judge import by_mark, complaint, gather
from proof._kinds import KINDS, Board
from proof._trouble import OF_EXECUTE, TIMEOUT, TROUBLE, Person

from _helpers import TOKEN, assert_at_rest, assert_gone, settle
from vkanyio import VK, ClientClosedError
from vkanyio.testing import Simulator, faults

if TYPE_CHECKING:
    from anyio.abc import TaskGroup

FAULTS = {
    **{name: (fault, None) for name, fault in TROUBLE.items()},
    **{f"{name} of execute": (f, "execute") for name, f in TROUBLE.items()},
    **{f"{name} of execute": (f, "execute") for name, f in OF_EXECUTE.items()},
    "error 27 of execute": (faults.error(27), "execute"),
}
MIN_EXAMPLES, MAX_EXAMPLES = 150, 3_000
"""Programs to try, on each event loop."""
MAX_SECONDS = 3600.0
"""Seconds after which a call that has no outcome will get none."""


@attrs.frozen
class Calls:
    """Make calls at once, each in a separate task."""

    kind: str
    number: int = 1
    patience: float | None = None


@attrs.frozen
class Trouble:
    """Inject a fault for the next calls."""

    fault: str
    times: int = 1


@attrs.frozen
class Wait:
    """Let time pass."""

    seconds: float


@attrs.frozen
class Cancel:
    """Cancel the caller of a call, counted from the last one."""

    which: int


Step: TypeAlias = Calls | Trouble | Wait | Cancel


@attrs.frozen(kw_only=True)
class Plan:
    """A program.

    :ivar storm: the probability of a fault of a call or a request
    :ivar end: how the client's block is left: after all calls have ended, normally, by
        an exception, or by a cancellation
    """

    options: dict[str, Any]
    steps: list[Step]
    storm: float = 0.0
    end: str = "drained"
    latency: float = 0.5
    seed: int = 0


steps = st.one_of(
    st.builds(
        Calls,
        st.sampled_from([*KINDS]),
        st.sampled_from([1, 2, 5, 30]),
        st.sampled_from([None, None, None, None, None, None, 0.0, 0.5, 2.5, 6.0]),
    ),
    st.builds(Trouble, st.sampled_from([*FAULTS]), st.sampled_from([1, 2, 5])),
    st.builds(Wait, st.sampled_from([0.0, 0.5, 1.0, 4.0])),
    st.builds(Cancel, st.integers(0, 40)),
)
plans = st.builds(
    Plan,
    options=st.fixed_dictionaries(
        {},
        optional={
            "mode": st.sampled_from(["parallel", "parallel_selected"]),
            "request_mode": st.just("burst"),
            "limit": st.sampled_from([1, 2, 20]),
            "execute_count": st.sampled_from([1, 2, 3, 10]),
            "retry_limit": st.sampled_from([0, 1, 2]),
            "wait": st.sampled_from([0.0, 1.0]),
            "max_waiting": st.sampled_from([1, 5, 30]),
            "max_connections": st.sampled_from([1, 2, 3]),
            "asks": st.booleans(),
        },
    ),
    # Not too short, so that steps coincide; failing programs are shrunk anyway.
    steps=st.one_of(
        st.lists(steps, min_size=1, max_size=15),
        st.lists(steps, min_size=10, max_size=30),
        st.lists(steps, min_size=15, max_size=30),
    ),
    storm=st.sampled_from([0.0, 0.1, 0.4, 0.4]),
    end=st.sampled_from(["drained", "drained", "normally", "error", "cancelled"]),
    latency=st.sampled_from([0.0, 0.5, 1.0]),
    seed=st.integers(0, 99),
)


class Left(Exception):
    """Raised to leave the block of a client."""


@final
class World:
    """A program as it runs, and its simulator."""

    def __init__(self, plan: Plan) -> None:
        options = dict(plan.options)
        self.plan = plan
        self.errands: list[Errand] = []
        self.door = Door()
        self.board = Board()
        self.limit: int = options.setdefault("limit", 3)
        self.retry_limit: int = options.setdefault("retry_limit", 3)
        self.simulator = Simulator(
            limit=self.limit,
            latency=plan.latency,
            seed=plan.seed,
            trailing_execute_error=bool(plan.seed % 2),
        )
        self.board.add_to(self.simulator)
        for fault in TROUBLE.values():
            self.simulator.fault(fault, rate=plan.storm / len(TROUBLE))
        for fault in OF_EXECUTE.values():
            self.simulator.fault(fault, "execute", rate=plan.storm / 10)
        if options.pop("asks", True):
            person = Person(random.Random(plan.seed), lambda: self.simulator)
            options["on_captcha"] = person.solve
            options["on_confirmation"] = person.agree
            options["on_validation"] = person.confirm
        self.options = options

    async def run(self) -> None:
        """Run the program, and judge each of its calls."""
        await self.door.lead_to(self.simulator)
        api = VK(
            TOKEN,
            execute_methods=["messages.send", "wall.post"],
            timeout=TIMEOUT,
            http_client=self.door,
            **self.options,
        )
        with anyio.move_on_after(MAX_SECONDS):
            async with anyio.create_task_group() as callers:
                await self.live(api, callers)
                self.start(api, callers, Calls("post"))
        self.judge()
        last = self.errands[-1].outcome
        assert isinstance(last, ClientClosedError)
        assert_gone(api)
        assert self.door.in_flight == 0
        assert self.door.worst <= self.limit
        assert api.statistics().sent == self.door.requests
        await self.door.lead_to(None)

    async def live(self, api: VK, callers: TaskGroup) -> None:
        """Go through the life of the client."""
        left: Exception | None = None
        try:
            with anyio.CancelScope() as block:
                async with api:
                    for step in self.plan.steps:
                        await self.take(step, api, callers)
                    if self.plan.end == "drained":
                        for errand in self.errands:
                            await errand.ended.wait()
                        await settle()
                        assert_at_rest(api)
                    elif self.plan.end == "error":
                        raise Left
                    elif self.plan.end == "cancelled":
                        block.cancel()
                        await anyio.sleep_forever()
        except Left as error:
            left = error
        assert (left is not None) == (self.plan.end == "error")

    async def take(self, step: Step, api: VK, callers: TaskGroup) -> None:
        """Take a step."""
        if isinstance(step, Calls):
            self.start(api, callers, step)
        elif isinstance(step, Trouble):
            fault, method = FAULTS[step.fault]
            self.simulator.fault(fault, method, times=step.times)
        elif isinstance(step, Wait):
            await anyio.sleep(step.seconds)
        elif self.errands:
            self.errands[-1 - step.which % len(self.errands)].cancel()

    def start(self, api: VK, callers: TaskGroup, calls: Calls) -> None:
        """Start callers."""
        for _ in range(calls.number):
            mark = f"c{len(self.errands) + 1}"
            errand = Errand(mark, KINDS[calls.kind], calls.patience)
            self.errands.append(errand)
            callers.start_soon(errand.run, api, lambda: self.door.requests)

    def judge(self) -> None:
        """Compare the outcomes of the calls with those the model allows."""
        entries = by_mark(self.simulator.ledger)
        for errand in self.errands:
            evidence = gather(
                errand,
                self.door.passages.get(errand.mark, ()),
                entries.get(errand.mark, ()),
                self.board.expected(errand.kind, errand.mark),
            )
            wrong = complaint(errand, evidence, self.retry_limit)
            assert wrong is None, wrong


@pytest.mark.long
@pytest.mark.parametrize("backend", BACKENDS)
def test_each_call_becomes_what_the_model_allows(
    backend: str, pytestconfig: pytest.Config
) -> None:
    examples = MAX_EXAMPLES if pytestconfig.getoption("--long") else MIN_EXAMPLES

    @given(plans)
    @settings(
        max_examples=examples,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    def run(plan: Plan) -> None:
        run_in_virtual_time(backend, World(plan).run)

    run()
