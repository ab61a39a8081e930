"""Cancellation at every step of every task, and random schedules of everything."""

from __future__ import annotations

import asyncio
import functools
import random
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, final
from urllib.parse import parse_qs

import anyio
import attrs
import httpx
import pytest
import trio.testing
from anyio import CancelScope, create_task_group, current_time, move_on_after

from _helpers import add_echoes, assert_at_rest, assert_gone, carried_out, settle
from vkanyio import VK, APIRequest, ClientClosedError, ClientUseError, VKError
from vkanyio._services import Services
from vkanyio.testing import Simulator, VirtualClockLoop, faults

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Coroutine, Generator, Iterator

pytestmark = pytest.mark.anyio

RANDOM_SCHEDULES = 200
"""For each of the three ways of running."""


@pytest.fixture(params=["asyncio", "asyncio, by task", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, Any]]:
    if request.param == "trio":
        clock = trio.testing.MockClock(autojump_threshold=0)
        return "trio", {"clock": clock}
    return "asyncio", {"loop_factory": VirtualClockLoop}


@pytest.fixture
def by_task(request: pytest.FixtureRequest) -> bool:
    """Whether calls are cancelled by ``Task.cancel``, and not by a scope."""
    return "by task" in request.node.name


# What happened


@final
class Wire(httpx.AsyncBaseTransport):
    """The way to a simulator, which takes note of all that is handed to it."""

    def __init__(self, simulator: Simulator) -> None:
        self.sent: list[tuple[float, int]] = []
        self.most_in_flight = 0
        self._in_flight = 0
        self._client = simulator.http_client()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Hand a request on."""
        [number] = parse_qs(request.content.decode())["id"]
        self.sent.append((current_time(), int(number)))
        self._in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self._in_flight)
        try:
            return await self._client.post(
                request.url, content=request.content, headers=request.headers
            )
        finally:
            self._in_flight -= 1

    def ids(self) -> list[int]:
        """Return which calls were sent, once for each attempt."""
        return [number for _, number in self.sent]

    def assert_paced(self, limit: int) -> None:
        """Assert that no second held more starts than the limit allows."""
        times = [time for time, _ in self.sent]
        for early, late in zip(times, times[limit:], strict=False):
            assert late - early >= 1


@final
@attrs.define
class Calls:
    """Calls by tasks that may be cancelled, and what became of them."""

    by_task: bool
    outcomes: dict[int, Any] = attrs.field(factory=dict)
    requests: dict[int, APIRequest] = attrs.field(factory=dict)
    cancel: dict[int, Callable[[], object]] = attrs.field(factory=dict)

    async def make(self, api: VK, i: int, *, method: str = "test.get") -> None:
        """Make a call, and note what became of it."""
        request = self.requests[i] = APIRequest(method, {"id": i})
        self.outcomes[i] = "cancelled"
        with self._cancellable(i):
            try:
                self.outcomes[i] = await api.call_with_request(request)
            except VKError as error:
                self.outcomes[i] = error

    @contextmanager
    def _cancellable(self, i: int) -> Iterator[None]:
        if not self.by_task:
            with CancelScope() as scope:
                self.cancel[i] = scope.cancel
                yield
            return
        task = asyncio.current_task()
        assert task is not None
        self.cancel[i] = task.cancel
        yield

    async def run(self, steps: Collection[Callable[[], Coroutine[Any, Any, None]]]):
        """Run each in a task of its own; those that are cancelled just end."""
        if self.by_task:
            tasks = [asyncio.create_task(step()) for step in steps]
            try:
                await asyncio.gather(*tasks, return_exceptions=True)
            finally:
                for task in tasks:
                    task.cancel()
            for task in tasks:
                if not task.cancelled():
                    task.result()
            return
        async with create_task_group() as group:
            for step in steps:
                group.start_soon(step)

    def errors(self) -> list[VKError]:
        """Return what was raised."""
        return [each for each in self.outcomes.values() if isinstance(each, VKError)]

    def assert_own(self) -> None:
        """Assert that nobody got what was another's."""
        for i, outcome in self.outcomes.items():
            if isinstance(outcome, int):
                assert outcome == i
        errors = self.errors()
        assert len({id(error) for error in errors}) == len(errors)

    def assert_told_right(self, wire: Wire) -> None:
        """Assert that what was told about sending is so."""
        sent = set(wire.ids())
        for i, outcome in self.outcomes.items():
            if isinstance(outcome, int):
                assert i in sent
            if isinstance(outcome, ClientClosedError):
                assert outcome.maybe_carried_out == (i in sent), (i, outcome)
            if not self.requests[i].slot.maybe_carried_out:
                assert i not in sent, i


# At every step


@final
class Steps:
    """The suspensions and resumptions of all tasks of a run, in their order."""

    def __init__(self, at: int, act: Callable[[], None]) -> None:
        self.count = 0
        self._at = at
        self._act = act

    def step(self) -> None:
        """Count one, and act if it is the one to act at."""
        self.count += 1
        if self.count == self._at:
            self._act()


@final
class Stepped:
    """A coroutine that counts its steps."""

    def __init__(self, coroutine: Coroutine[Any, Any, Any], steps: Steps) -> None:
        self._coroutine = coroutine
        self._steps = steps

    def __await__(self) -> Generator[Any, Any, Any]:
        value, error = None, None
        iterator = self._coroutine.__await__()
        while True:
            try:
                if error is not None:
                    trap = iterator.throw(error)
                else:
                    trap = iterator.send(value)
            except StopIteration as stop:
                return stop.value
            self._steps.step()
            value, error = None, None
            try:
                value = yield trap
            except BaseException as thrown:
                error = thrown
            self._steps.step()


@contextmanager
def stepped_services(steps: Steps) -> Iterator[None]:
    """Count the steps of the client's own tasks as well."""
    start_soon = Services.start_soon

    def start_stepped(self: Services, function: Any, *args: Any, **how: Any) -> Any:
        @functools.wraps(function)
        async def stepped(*args: Any) -> None:
            await Stepped(function(*args), steps)

        return start_soon(self, stepped, *args, **how)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Services, "start_soon", start_stepped)
        yield


def make_world() -> tuple[Simulator, Wire, VK]:
    simulator = Simulator(limit=0, latency=0.25)
    add_echoes(simulator)
    wire = Wire(simulator)
    http_client = httpx.AsyncClient(transport=wire)
    client = VK("token", limit=3, max_connections=2, http_client=http_client)
    return simulator, wire, client


NUMBER = 6


async def cancel_at(step: int, victims: set[int], by_task: bool) -> bool:
    """Run six calls, and cancel some of them at one step of the whole.

    :return: whether the run had so many steps
    """
    simulator, wire, client = make_world()
    calls = Calls(by_task)

    def act() -> None:
        for victim in victims:
            if victim in calls.cancel:
                calls.cancel[victim]()

    steps = Steps(step, act)

    def caller(i: int) -> Callable[[], Coroutine[Any, Any, None]]:
        async def call() -> None:
            await Stepped(calls.make(client, i), steps)

        return call

    with stepped_services(steps):
        async with client as api:
            await calls.run([caller(i) for i in range(NUMBER)])
            await settle()
            assert_at_rest(api)
            assert await api.call("test.get", {"id": 99}) == 99
            await settle()
            assert_at_rest(api)
    assert_gone(client)
    done = carried_out(simulator)
    assert len(set(done)) == len(done)
    for i in set(range(NUMBER)) - victims:
        assert calls.outcomes[i] == i
    assert not calls.errors()
    calls.assert_own()
    calls.assert_told_right(wire)
    wire.assert_paced(3)
    assert wire.most_in_flight <= 2
    return steps.count >= step


@pytest.mark.parametrize(
    "victims", [{0}, {3}, {0, 1}, set(range(NUMBER))], ids=["0", "3", "0+1", "all"]
)
async def test_calls_can_be_cancelled_at_every_step(victims, by_task):
    step = 1
    while await at_step(step, cancel_at(step, victims, by_task)):
        step += 1
    assert step > 50


async def at_step(step: int, run: Coroutine[Any, Any, bool]) -> bool:
    try:
        return await run
    except Exception as error:
        error.add_note(f"at step {step}")
        raise


async def leave_at(step: int) -> bool:
    """Run six calls, and cancel the body of the client at one step of the whole."""
    simulator, wire, client = make_world()
    calls = Calls(by_task=False)
    body = CancelScope()
    steps = Steps(step, body.cancel)
    left = 0.0

    async def call(i: int) -> None:
        await Stepped(calls.make(client, i), steps)

    with stepped_services(steps):
        async with create_task_group() as outer:
            with body:
                async with client:
                    for i in range(NUMBER):
                        outer.start_soon(call, i)
                    try:
                        await anyio.sleep(60)
                    finally:
                        left = current_time()
            assert current_time() == left
    assert current_time() == left
    assert_gone(client)
    done = carried_out(simulator)
    assert len(set(done)) == len(done)
    assert len(calls.outcomes) == NUMBER
    assert "cancelled" not in calls.outcomes.values()
    calls.assert_own()
    calls.assert_told_right(wire)
    return body.cancel_called


async def test_a_client_can_be_left_at_every_step():
    step = 1
    while await at_step(step, leave_at(step)):
        step += 1
    assert step > 50


# At random

GRID = 0.25
"""Everything happens at multiples of this, so that much happens at once."""

FAULTS = [
    faults.refuse(),
    faults.drop_before(),
    faults.drop_after(),
    faults.error(6),
    faults.error(10),
    faults.error(100),
    faults.html(502, after=True),
    faults.hang_after(),
    faults.delay(GRID),
]


@final
class Broken(Exception):
    """What a body fails with."""


@final
class Schedule:
    """A random run: calls, cancellations, time limits, faults and an end."""

    def __init__(self, seed: int, by_task: bool) -> None:
        self._random = random.Random(seed)
        random.seed(seed)  # the jitter of the back-off
        self.simulator = Simulator(limit=0, latency=self._latency, seed=seed)
        add_echoes(self.simulator)
        self.wire = Wire(self.simulator)
        self.limit = self._random.choice([1, 2, 5])
        self.client = self._make_client()
        self.calls = Calls(by_task)
        self.ending = self._random.choice(["end", "leave", "fail", "cancel"])
        self.ends_at = self._moment(40)
        self.left = 0.0
        if self._random.random() < 0.6:
            for fault in self._random.sample(FAULTS, 2):
                self.simulator.fault(fault, rate=0.2)

    def _latency(self, chance: random.Random) -> float:
        return chance.randrange(5) * GRID

    def _moment(self, most: int) -> float:
        return self._random.randrange(most) * GRID

    def _make_client(self) -> VK:
        pick = self._random.choice
        return VK(
            "token",
            limit=self.limit,
            request_mode=pick(["sequential", "burst"]),
            max_waiting=pick([1, 2, 100]),
            max_connections=pick([1, 2, 5]),
            timeout=pick([GRID, 1, 10]),
            wait=pick([0, 1]),
            retry_limit=pick([0, 2]),
            http_client=httpx.AsyncClient(transport=self.wire),
        )

    def _caller(self, i: int) -> Callable[[], Coroutine[Any, Any, None]]:
        start = self._moment(20)
        method = self._random.choice(["test.get", "test.post"])
        limit = self._random.choice([None, self._moment(20)])

        async def call() -> None:
            await anyio.sleep(start)
            with move_on_after(limit):
                await self.calls.make(self.client, i, method=method)

        return call

    def _canceller(self, i: int) -> Callable[[], Coroutine[Any, Any, None]]:
        moment = self._moment(30)

        async def cancel() -> None:
            await anyio.sleep(moment)
            self.calls.cancel.get(i, bool)()

        return cancel

    async def _be_in_the_client(self) -> None:
        # Started first: the callers find the client open, or closed again.
        with CancelScope() as scope, suppress(Broken):
            async with self.client as api:
                if self.ending == "cancel":
                    scope.deadline = current_time() + self.ends_at
                try:
                    await anyio.sleep(60 if self.ending == "end" else self.ends_at)
                    if self.ending == "end":
                        await settle()
                        assert_at_rest(api)
                    if self.ending == "fail":
                        raise Broken
                finally:
                    self.left = current_time()
        if self.ending in ("cancel", "fail"):
            assert current_time() == self.left

    async def run(self) -> None:
        """Let it happen, and look at what came of it."""
        number = self._random.randrange(1, 10)
        steps = [self._caller(i) for i in range(number)]
        steps += [self._canceller(i) for i in range(0, number, 2)]
        async with create_task_group() as tasks:
            tasks.start_soon(self._be_in_the_client)
            await settle()
            await self.calls.run(steps)
        assert_gone(self.client)
        self._check(number)

    def _check(self, number: int) -> None:
        calls = self.calls
        assert len(calls.outcomes) == number or calls.by_task
        assert not [e for e in calls.errors() if isinstance(e, ClientUseError)]
        calls.assert_own()
        self._check_sending()
        self.wire.assert_paced(self.limit)
        assert self.wire.most_in_flight <= self.client.config.max_connections
        done = [
            entry.params["id"]
            for entry in self.simulator.ledger.carried_out("test.post")
        ]
        assert len(set(done)) == len(done)
        if self.ending in ("end", "leave"):
            closed = [e for e in calls.errors() if isinstance(e, ClientClosedError)]
            assert not any(error.maybe_carried_out for error in closed)

    def _check_sending(self) -> None:
        sent = set(self.wire.ids())
        for i, outcome in self.calls.outcomes.items():
            if isinstance(outcome, int):
                assert i in sent
            if isinstance(outcome, ClientClosedError) and outcome.maybe_carried_out:
                assert i in sent
            if isinstance(outcome, ClientClosedError) and not outcome.maybe_carried_out:
                done = carried_out(self.simulator)
                assert i not in done


@pytest.mark.parametrize("block", range(3))
async def test_random_schedules_keep_every_promise(block, by_task, monkeypatch):
    for seed in range(
        block * RANDOM_SCHEDULES // 3, (block + 1) * RANDOM_SCHEDULES // 3
    ):
        with suppress(AttributeError):  # trio runs tasks in an order of its own
            trio._core._run._r.seed(seed)
        try:
            await Schedule(seed, by_task).run()
        except BaseException as error:
            error.add_note(f"with the seed {seed}")
            raise
