"""Packing calls into ``execute``: more calls a second, and nothing else changes."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeAlias

import anyio
import pytest
from anyio.lowlevel import checkpoint
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from _helpers import add_echoes, assert_gone, note, settle
from vkanyio import (
    VK,
    APIError,
    APIRequest,
    CaptchaError,
    ClientClosedError,
    ConfirmationError,
    FloodControlError,
    OutcomeUnknownError,
    RequestTimeoutError,
    ValidationError,
    VKError,
)
from vkanyio.testing import Call, Simulator, VKFault, faults

if TYPE_CHECKING:
    from collections.abc import Callable

    from vkanyio import Captcha

    MakeClient: TypeAlias = Callable[..., VK]

pytestmark = pytest.mark.anyio

TOKEN = "vk1.a.the-secret-token"


def client_of(simulator: Simulator, **options: Any) -> VK:
    options = {"mode": "parallel", "limit": 20, "request_mode": "burst", **options}
    return VK(TOKEN, http_client=simulator.http_client(), **options)


@pytest.fixture
def simulator() -> Simulator:
    simulator = Simulator(limit=20, latency=0.1)
    add_echoes(simulator)
    return simulator


async def call_all(
    api: VK, calls: list[tuple[str, dict[str, Any]]], *, in_order: bool = False
) -> list[Any]:
    """Make calls at the same time, and return what came of each, in their order.

    :param in_order: let them arrive in this order, once the budget is spent: trio runs
        tasks that start together in any order
    """
    outcomes: list[Any] = [None] * len(calls)

    async def one(place: int, method: str, params: dict[str, Any]) -> None:
        try:
            outcomes[place] = await api.call(method, params)
        except VKError as error:
            outcomes[place] = error

    if in_order:
        await api.call("test.get", {"id": 0})
    async with anyio.create_task_group() as tg:
        for place, (method, params) in enumerate(calls):
            tg.start_soon(one, place, method, params)
            if in_order:
                await checkpoint()
    return outcomes


def gets(*numbers: int) -> list[tuple[str, dict[str, Any]]]:
    return [("test.get", {"id": number}) for number in numbers]


def posts(*numbers: int) -> list[tuple[str, dict[str, Any]]]:
    return [("test.post", {"id": number}) for number in numbers]


def methods_of(simulator: Simulator) -> list[tuple[int, list[str]]]:
    """Return which methods each HTTP request brought, by their numbers."""
    found: dict[int, list[str]] = {}
    for entry in simulator.ledger:
        found.setdefault(entry.request, []).append(entry.method)
    return sorted(found.items())


def kinds(outcomes: list[Any]) -> list[Any]:
    return [
        type(each) if isinstance(each, BaseException) else each for each in outcomes
    ]


# What it is for


async def test_a_thousand_calls_take_forty_requests(simulator: Simulator) -> None:
    async with client_of(simulator) as api:
        start = anyio.current_time()
        assert await call_all(api, gets(*range(1000))) == [*range(1000)]
        assert anyio.current_time() - start <= 1.15
        statistics = api.statistics()
    assert simulator.ledger.requests == 40
    assert statistics.batches == {25: 40}
    assert (statistics.calls, statistics.sent, statistics.split) == (1000, 40, 0)
    assert simulator.ledger.worst_window() <= 20


async def test_a_lone_call_goes_as_it_is(simulator: Simulator) -> None:
    async with client_of(simulator) as api:
        assert await api.call("test.get", {"id": 1}) == 1
    assert methods_of(simulator) == [(1, ["test.get"])]


@pytest.mark.parametrize("count", [1, 2, 10])
async def test_no_batch_is_larger_than_the_option(
    simulator: Simulator, count: int
) -> None:
    async with client_of(simulator, execute_count=count) as api:
        assert await call_all(api, gets(*range(20))) == [*range(20)]
        assert max(api.statistics().batches) == count


async def test_a_batch_has_no_more_code_than_is_sensible(simulator: Simulator) -> None:
    calls: list[Any] = [("test.get", {"id": n, "text": "x" * 20_000}) for n in range(8)]
    async with client_of(simulator) as api:
        assert await call_all(api, calls) == [*range(8)]
        assert api.statistics().batches == {3: 2, 2: 1}


async def test_a_call_that_is_larger_than_that_goes_alone(simulator: Simulator) -> None:
    calls: list[Any] = [
        ("test.get", {"id": n, "text": "x" * 100_000}) for n in range(2)
    ]
    async with client_of(simulator) as api:
        assert await call_all(api, calls) == [0, 1]
        assert api.statistics().batches == {1: 2}


async def test_what_cannot_be_packed_goes_alone_and_is_not_held_up(
    simulator: Simulator,
) -> None:
    simulator.add_method("docs.save", lambda call: call.integer("id"))
    simulator.add_method("execute.mine", lambda call: call.integer("id"))
    alone: list[tuple[str, dict[str, Any]]] = [
        ("docs.save", {"id": 2}),
        ("execute.mine", {"id": 4}),
        ("test.get", {"id": 6, "lang": "en"}),
        ("test.get", {"id": 8, "v": "5.131"}),
        ("execute", {"code": "return 10;"}),
    ]
    mixed = [each for n, a in enumerate(alone) for each in (*gets(2 * n + 1), a)]
    async with client_of(simulator, limit=1) as api:
        assert await call_all(api, mixed, in_order=True) == [*range(1, 11)]
        assert api.statistics().batches == {5: 1, 1: 6}
    _, *found = [names for _, names in methods_of(simulator)]
    assert found == [
        ["test.get"] * 5 + ["execute"],
        ["docs.save"],
        ["execute.mine"],
        ["test.get"],
        ["test.get"],
        ["execute"],
    ]


async def test_calls_with_a_token_or_headers_of_their_own_go_alone(
    simulator: Simulator,
) -> None:
    own = APIRequest("test.get", {"id": 5}, headers={"x-a": "b"})
    async with client_of(simulator) as api, anyio.create_task_group() as tg:
        for n in range(4):
            params = {"id": n, "access_token": "another-token"}
            tg.start_soon(api.call, "test.get", params)
        tg.start_soon(api.call_with_request, own)
        tg.start_soon(api.call, "test.get", {"id": 6})
    assert {len(names) for _, names in methods_of(simulator)} == {1}


async def test_the_selective_mode_packs_nothing_but_what_it_is_told(
    simulator: Simulator,
) -> None:
    options: dict[str, Any] = {"execute_methods": ["test.post"]}
    async with client_of(simulator, mode="parallel_selected", **options) as api:
        calls = [*gets(1, 2), *posts(3, 4, 5)]
        assert await call_all(api, calls) == [1, 2, 3, 4, 5]
        assert api.statistics().batches == {1: 2, 3: 1}


async def test_what_gathers_while_the_budget_is_spent_goes_together(
    simulator: Simulator,
) -> None:
    async with client_of(simulator, limit=1) as api, anyio.create_task_group() as tg:
        await api.call("test.get", {"id": 0})
        for n in range(1, 5):
            await anyio.sleep(0.1)
            tg.start_soon(api.call, "test.get", {"id": n})
    assert [len(names) for _, names in methods_of(simulator)] == [1, 5]


async def test_a_call_that_was_cancelled_before_is_not_in_the_batch(
    simulator: Simulator,
) -> None:
    async with client_of(simulator, limit=1) as api, anyio.create_task_group() as tg:
        await api.call("test.get", {"id": 0})
        for n in range(1, 5):
            tg.start_soon(api.call, "test.get", {"id": n})
        with anyio.move_on_after(0.2):
            await api.call("test.get", {"id": 99})
    assert sorted(carried_out_ids(simulator)) == [0, 1, 2, 3, 4]
    assert simulator.ledger.requests == 2


# Cancellation and closing


async def test_one_call_of_a_batch_is_cancelled_and_the_others_go_on(
    simulator: Simulator,
) -> None:
    async with client_of(simulator) as api:
        outcomes: list[Any] = []
        async with anyio.create_task_group() as tg:
            for n in range(24):
                tg.start_soon(note, outcomes, api.call, "test.get", {"id": n})
            with anyio.move_on_after(0.05) as scope:
                await api.call("test.get", {"id": 99})
        assert scope.cancelled_caught
        assert sorted(outcomes) == [*range(24)]
    assert simulator.ledger.requests == 1
    assert_gone(api)


async def test_a_batch_for_which_nobody_waits_any_more_is_cancelled(
    simulator: Simulator,
) -> None:
    simulator.fault(faults.hang_before(), "execute")
    async with client_of(simulator, timeout=1000) as api:
        start = anyio.current_time()
        with anyio.move_on_after(5):
            await call_all(api, gets(1, 2, 3))
        await settle()
        assert api.statistics().in_flight == 0
        assert anyio.current_time() == start + 5
    assert_gone(api)


async def test_closing_in_flight_tells_each_call(simulator: Simulator) -> None:
    simulator.fault(faults.hang_after(), "execute")
    outcomes: list[Any] = []
    async with anyio.create_task_group() as tg:
        with suppress(KeyError):
            async with client_of(simulator) as api:
                for n in range(5):
                    tg.start_soon(note, outcomes, api.call, "test.post", {"id": n})
                await anyio.sleep(1)
                raise KeyError
    assert kinds(outcomes) == [ClientClosedError] * 5
    assert all(each.maybe_carried_out for each in outcomes)
    assert len({id(each) for each in outcomes}) == 5
    assert_gone(api)


async def test_leaving_normally_finishes_the_batches(simulator: Simulator) -> None:
    outcomes: list[Any] = []
    async with anyio.create_task_group() as tg, client_of(simulator) as api:
        for n in range(60):
            tg.start_soon(note, outcomes, api.call, "test.get", {"id": n})
        await settle()
    assert sorted(outcomes) == [*range(60)]


# What goes wrong with a call


async def test_an_error_belongs_to_its_call(simulator: Simulator) -> None:
    calls: list[Any] = [("wall.delete", {"post_id": n}) for n in (7, 8)]
    async with client_of(simulator) as api:
        first, value, second = await call_all(api, [calls[0], *gets(1), calls[1]])
    assert value == 1
    for error, post_id in ((first, 7), (second, 8)):
        assert isinstance(error, APIError)
        assert (error.code, error.method) == (104, "wall.delete")
        assert error.params == {"post_id": post_id}
        assert TOKEN not in repr(error.__dict__)
    assert first is not second


@pytest.mark.parametrize("code", [6, 1, 10, 36])
async def test_a_read_that_vk_failed_at_is_sent_again_alone(
    simulator: Simulator, code: int
) -> None:
    simulator.fault(faults.error(code), "test.get", nth=2)
    async with client_of(simulator) as api:
        assert await call_all(api, gets(1, 2, 3)) == [1, 2, 3]
        assert api.statistics().batches == {3: 1, 1: 1}
    assert sorted(carried_out_ids(simulator)) == [1, 2, 3]


def carried_out_ids(simulator: Simulator) -> list[int]:
    entries = simulator.ledger.carried_out()
    return [int(e.params["id"]) for e in entries if "id" in e.params]


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (faults.error(6), None),
        (faults.error(1), OutcomeUnknownError),
        (faults.error(9), FloodControlError),
        (faults.error(901), APIError[901]),
        (faults.captcha(), CaptchaError),
        (faults.confirmation(), ConfirmationError),
        (faults.validation(), ValidationError),
    ],
)
async def test_a_write_that_vk_refused_ends_as_a_plain_one(
    simulator: Simulator, fault: Any, expected: Any
) -> None:
    simulator.fault(fault, "test.post", nth=2)
    async with client_of(simulator) as api:
        outcomes = kinds(await call_all(api, posts(1, 2, 3)))
    failed = {1, 2, 3}.difference(outcomes)
    assert len(failed) == (0 if expected is None else 1)
    assert expected is None or expected in outcomes
    assert {*carried_out_ids(simulator)} == {1, 2, 3} - failed
    assert len(simulator.ledger.carried_out("test.post")) == 3 - len(failed)


async def test_a_captcha_inside_a_batch_is_answered_for_that_call(
    simulator: Simulator,
) -> None:
    answered: list[str] = []

    async def solve(captcha: Captcha) -> None:
        answered.append(captcha.request.method)
        await captcha.retry(simulator.solve(captcha.redirect_uri or ""))

    simulator.fault(faults.captcha(), "test.post", nth=2)
    async with client_of(simulator, on_captcha=solve) as api:
        assert await call_all(api, posts(1, 2, 3)) == [1, 2, 3]
    assert answered == ["test.post"]
    assert sorted(carried_out_ids(simulator)) == [1, 2, 3]


# What goes wrong with a batch


@pytest.mark.parametrize(
    "fault",
    [
        faults.drop_before(),
        faults.drop_after(),
        faults.drop_midway(),
        faults.html(502, after=True),
        faults.truncated(after=True),
        faults.body(b'{"response":[1]}', after=True),
        faults.error(10),
    ],
    ids=lambda fault: fault.name,
)
async def test_a_lost_answer_repeats_what_may_be_repeated_call_by_call(
    simulator: Simulator, fault: Any
) -> None:
    simulator.fault(fault, "execute")
    send = [("messages.send", {"peer_id": 5, "message": "hello"})]
    async with client_of(simulator) as api:
        outcomes = await call_all(api, [*gets(1), *posts(2), *send, *posts(3)])
    assert outcomes[0] == 1
    assert isinstance(outcomes[2], int)
    for outcome in (outcomes[1], outcomes[3]):
        assert isinstance(outcome, OutcomeUnknownError)
        assert outcome.method == "test.post"
    assert len(simulator.ledger.carried_out("messages.send")) == 1
    ids = [e.params["id"] for e in simulator.ledger.carried_out("test.post")]
    assert len(ids) == len(set(ids))


async def test_a_batch_that_never_reached_vk_is_sent_again_whole(
    simulator: Simulator,
) -> None:
    simulator.fault(faults.refuse(), "execute", times=2)
    async with client_of(simulator) as api:
        assert await call_all(api, posts(1, 2, 3)) == [1, 2, 3]
        assert api.statistics().batches == {3: 3}


async def test_repetitions_of_a_batch_are_bounded(simulator: Simulator) -> None:
    simulator.fault(faults.hang_before(), "execute", rate=1)
    async with client_of(simulator, retry_limit=2) as api:
        outcomes = await call_all(api, [*gets(1, 2), *posts(3)])
        assert api.statistics().batches == {3: 1, 2: 2}
    assert kinds(outcomes) == [
        RequestTimeoutError,
        RequestTimeoutError,
        OutcomeUnknownError,
    ]
    assert [each.method for each in outcomes] == ["test.get", "test.get", "test.post"]


async def test_error_6_for_a_batch_reaches_no_caller(simulator: Simulator) -> None:
    simulator.fault(faults.error(6), "execute", times=3)
    async with client_of(simulator) as api:
        assert await call_all(api, posts(1, 2, 3)) == [1, 2, 3]
        assert api.statistics().too_many_requests == 3
    assert sorted(carried_out_ids(simulator)) == [1, 2, 3]


def refuse_scripts_with(simulator: Simulator, code: int, bad: str) -> None:
    """Answer with an error of scripts as long as a certain text is in one."""
    execute = simulator._methods["execute"].handler

    async def run(call: Call) -> Any:
        if bad in call.params["code"]:
            raise VKFault(code)
        return await execute(call)

    simulator.add_method("execute", run)


async def test_a_call_that_does_not_compile_is_isolated_by_halving(
    simulator: Simulator,
) -> None:
    refuse_scripts_with(simulator, 12, '"id":13}')
    async with client_of(simulator) as api:
        assert await call_all(api, posts(*range(25))) == [*range(25)]
        statistics = api.statistics()
    assert statistics.split in (4, 5)  # of 25, 13 or 12, and so on
    assert sorted(carried_out_ids(simulator)) == [*range(25)]


async def test_a_batch_that_is_too_large_is_halved_for_reads_alone(
    simulator: Simulator,
) -> None:
    refuse_scripts_with(simulator, 13, '"id":13}')
    async with client_of(simulator) as api:
        outcomes = await call_all(api, [*gets(*range(12)), *posts(12, 13)])
        assert api.statistics().split >= 1
    assert outcomes[:12] == [*range(12)]
    assert kinds(outcomes[12:]) == [OutcomeUnknownError] * 2


async def test_a_smaller_batch_is_learned_and_slowly_forgotten(
    simulator: Simulator,
) -> None:
    execute = simulator._methods["execute"].handler

    async def run(call: Call) -> Any:
        if call.params["code"].count("API.") > 6:
            raise VKFault(13, "Runtime error: response size is too big")
        return await execute(call)

    simulator.add_method("execute", run)
    async with client_of(simulator) as api:
        assert await call_all(api, gets(*range(25))) == [*range(25)]
        split = api.statistics().split
        assert await call_all(api, gets(*range(25))) == [*range(25)]
        assert api.statistics().split == split
        assert max(api.statistics().batches) == 25
        await anyio.sleep(1000)
        assert await call_all(api, gets(*range(25))) == [*range(25)]
        assert api.statistics().split > split


@pytest.mark.parametrize("code", [5, 9, 14, 17, 24, 29])
async def test_where_vk_refuses_the_batch_itself_calls_go_alone(
    simulator: Simulator, code: int
) -> None:
    simulator.fault(faults.error(code), "execute")
    async with client_of(simulator) as api:
        assert await call_all(api, posts(1, 2, 3)) == [1, 2, 3]
        assert await call_all(api, posts(4, 5)) == [4, 5]
        assert api.statistics().batches == {3: 1, 1: 3, 2: 1}


@pytest.mark.parametrize("code", [15, 27, 28])
async def test_a_token_that_may_not_run_scripts_is_packed_no_more(
    simulator: Simulator, code: int
) -> None:
    simulator.fault(faults.error(code), "execute")
    async with client_of(simulator) as api:
        assert await call_all(api, posts(1, 2, 3)) == [1, 2, 3]
        assert await call_all(api, posts(4, 5)) == [4, 5]
        assert api.statistics().batches == {3: 1, 1: 5}


async def test_a_page_that_turns_a_batch_away_sends_its_calls_alone(
    simulator: Simulator,
) -> None:
    simulator.fault(faults.html(413), "execute")
    async with client_of(simulator) as api:
        assert await call_all(api, posts(1, 2, 3)) == [1, 2, 3]
        assert api.statistics().batches == {3: 1, 1: 3}


async def test_what_waits_when_packing_stops_goes_alone_too(
    simulator: Simulator, caplog: pytest.LogCaptureFixture
) -> None:
    simulator.fault(faults.error(28), "execute", rate=1)
    async with client_of(simulator, limit=2, execute_count=5) as api:
        assert await call_all(api, posts(*range(30))) == [*range(30)]
        assert sum(n for size, n in api.statistics().batches.items() if size > 1) <= 2
    warnings = [r for r in caplog.records if "one by one" in r.getMessage()]
    assert len(warnings) == 1


# Parity


ODD = 'a\n"b"\\ \u2028 Ё🦊 ${x} */ //'

PARITY: list[tuple[str, dict[str, Any]]] = [
    ("test.get", {"id": 1}),
    ("test.value", {"of": "false"}),
    ("test.value", {"of": "null"}),
    ("test.value", {"of": "list"}),
    ("test.echo", {"text": ODD, ODD: ODD}),
    ("test.echo", {"big": 2**63, "list": [1, "b"], "dict": {"a": [1, None]}}),
    ("wall.post", {"message": ODD}),
    ("wall.delete", {"post_id": 999}),
    ("users.get", {"user_ids": "x"}),
    ("no.such", {}),
    ("messages.send", {"peer_id": 5, "random_id": 9}),
    ("test.fail", {"code": 5}),
    ("test.fail", {"code": 9}),
    ("test.fail", {"code": 14}),
    ("test.fail", {"code": 10}),
    ("test.postFail", {"code": 10}),
    ("users.get", {"user_ids": [1, 2]}),
    ("status.set", {"text": ODD}),
    ("secure.getAppBalance", {}),
]


def add_odd_methods(simulator: Simulator) -> None:
    values: dict[str, Any] = {"false": False, "null": None, "list": []}

    def fail(call: Call) -> None:
        raise VKFault(call.integer("code"))

    def echo(call: Call) -> Any:
        return {name: text for name, text in call.params.items() if name != "v"}

    simulator.add_method("test.value", lambda call: values[call.text("of")])
    simulator.add_method("test.echo", echo)
    simulator.add_method("test.fail", fail)
    simulator.add_method("test.postFail", fail)


async def outcomes_in(mode: str) -> list[Any]:
    simulator = Simulator(limit=0)
    add_echoes(simulator)
    add_odd_methods(simulator)
    methods = {method for method, _ in PARITY}
    options: dict[str, Any] = {"mode": mode, "execute_methods": methods, "limit": 1000}
    async with client_of(simulator, wait=0, retry_limit=1, **options) as api:
        found = await call_all(api, PARITY)
        assert (max(api.statistics().batches) > 1) == (mode != "sequential")
    return [
        (type(each), getattr(each, "code", None), getattr(each, "params", None))
        if isinstance(each, VKError)
        else each
        for each in found
    ]


async def test_packing_changes_no_value_and_no_error() -> None:
    plain = await outcomes_in("sequential")
    assert plain[4] == {"text": ODD, ODD: ODD}
    assert await outcomes_in("parallel") == plain
    assert await outcomes_in("parallel_selected") == plain


# Random runs


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(seed=st.integers(0, 10**6), number=st.integers(2, 60))
async def test_nothing_is_lost_and_nothing_done_twice(seed: int, number: int) -> None:
    simulator = Simulator(limit=20, latency=0.1, seed=seed)
    add_echoes(simulator)
    for fault in (faults.drop_before(), faults.drop_after(), faults.html(502)):
        simulator.fault(fault, "execute", rate=0.1)
    for code in (1, 6, 9, 10):
        simulator.fault(faults.error(code), rate=0.02)
    simulator.fault(faults.truncated(after=True), rate=0.05)
    calls = [(posts if n % 2 else gets)(n)[0] for n in range(number)]
    async with client_of(simulator, wait=0.1) as api:
        outcomes = await call_all(api, calls)
    assert_gone(api)
    done = [int(e.params["id"]) for e in simulator.ledger.carried_out("test.post")]
    assert len(done) == len(set(done))
    for n, outcome in enumerate(outcomes):
        assert outcome == n or isinstance(outcome, VKError)
        if n % 2 and outcome == n:
            assert n in done
        if n % 2 and isinstance(outcome, APIError):
            with suppress(ValueError):
                assert n not in done
