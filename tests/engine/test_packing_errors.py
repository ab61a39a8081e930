"""Errors of single calls in an ``execute``."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING, Any

import pytest

from _helpers import TOKEN, add_echoes, assert_at_rest, get
from _packing import (
    client_of,
    done,
    message,
    one_a_second,
    plain_calls,
    post,
    scripts,
    together,
)
from vkanyio import APIError, APIRequest, OutcomeUnknownError, ParameterError, VKError
from vkanyio.testing import Simulator, VKFault, faults

if TYPE_CHECKING:
    from _helpers import MakeClient
    from vkanyio.testing import Call

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.client_options(mode="parallel"),
    pytest.mark.usefixtures("echoes"),
]


@pytest.mark.parametrize("code", [9, 15, 18, 29, 100, 113, 214, 901, 77777])
async def test_an_error_belongs_to_its_call(
    simulator: Simulator, make_client: MakeClient, code: int
) -> None:
    def picky(call: Call) -> int:
        if call.integer("id") % 3 == 0:
            raise VKFault(code, f"not {call.text('id')}")
        return call.integer("id")

    simulator.add_method("test.post", picky)
    async with make_client() as api:
        requests = [*map(post, range(12)), *map(get, range(12, 24))]
        outcomes = await together(api, requests)
        assert api.statistics().batches == {24: 1}
    for i, outcome in enumerate(outcomes):
        if i < 12 and i % 3 == 0:
            assert type(outcome) is APIError[code]
            assert outcome.code == code
            assert outcome.message == f"not {i}"
            assert outcome.method == "test.post"
            assert outcome.params == {"id": i}
            assert outcome.raw["error_code"] == code
        else:
            assert outcome == i
    assert len({id(o) for o in outcomes if isinstance(o, VKError)}) == 4


async def test_a_legitimate_false_is_a_value(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.add_method("test.is", lambda call: False)
    simulator.fault(faults.error(100), "test.post", nth=2, times=1)
    async with make_client() as api:
        requests = [APIRequest("test.is", {"id": i}) for i in range(5)]
        outcomes = await together(api, [*requests, *map(post, range(5))])
    assert outcomes[:5] == [False] * 5
    assert [type(o) for o in outcomes[5:]].count(APIError[100]) == 1


async def test_a_false_that_may_be_a_failure_is_retried(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.add_method("test.is", lambda call: False)
    simulator.fault(faults.error(100), "test.is", nth=1, times=1)
    async with make_client() as api:
        requests = [APIRequest("test.is", {"id": i}) for i in range(5)]
        assert await together(api, requests) == [False] * 5
    assert len(plain_calls(simulator)) == 5


async def test_a_write_whose_false_may_be_a_failure_is_not_retried(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.add_method("test.post", lambda call: False)
    simulator.fault(faults.error(100), "test.post", nth=1, times=1)
    async with make_client() as api:
        outcomes = await together(api, [*map(post, range(5)), get(5), get(6)])
    assert {type(outcome) for outcome in outcomes[:5]} == {OutcomeUnknownError}
    assert outcomes[5:] == [5, 6]
    assert plain_calls(simulator) == []


async def test_a_trailing_entry_of_execute_fails_no_call() -> None:
    simulator = Simulator(limit=0, trailing_execute_error=True)
    add_echoes(simulator)
    simulator.fault(faults.error(100), "test.post", nth=3, times=1)
    async with client_of(simulator) as api:
        outcomes = await together(api, map(post, range(5)))
        assert api.statistics().batches == {5: 1}
    assert sorted(type(o).__name__ for o in outcomes) == ["ParameterError"] + 4 * [
        "int"
    ]
    assert len(done(simulator)) == 4


PASSING: dict[str, tuple[Any, type[VKError] | None]] = {
    "6": (faults.error(6), None),
    "1": (faults.error(1), APIError[1]),
    "10": (faults.error(10), APIError[10]),
    "36": (faults.error(36), APIError[36]),
}


@pytest.mark.parametrize(("fault", "cause"), PASSING.values(), ids=PASSING)
async def test_a_call_with_a_transient_failure_is_retried_plain(
    simulator: Simulator, make_client: MakeClient, fault: Any, cause: Any
) -> None:
    simulator.fault(fault, "test.get", nth=2)
    simulator.fault(fault, "test.post", nth=2)
    simulator.fault(fault, "messages.send", nth=2)
    async with make_client() as api:
        outcomes = await together(
            api, [*map(get, range(8)), *map(message, range(8)), *map(post, range(8))]
        )
        assert outcomes[:8] == [*range(8)]
        assert {type(outcome) for outcome in outcomes[8:16]} == {int}
        errors = [o for o in outcomes[16:] if isinstance(o, VKError)]
        if cause is None:
            assert errors == []
            assert api.statistics().too_many_requests == 3
            assert api.statistics().batches == {24: 1, 1: 3}
        else:
            [error] = errors
            assert isinstance(error, OutcomeUnknownError)
            assert type(error.__cause__) is cause
            assert api.statistics().batches == {24: 1, 1: 2}
        assert_at_rest(api)


async def test_a_call_that_keeps_failing_has_a_separate_retry_limit(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.fault(faults.error(10), "test.get", rate=1)
    async with make_client(retry_limit=2) as api:
        outcomes = await together(api, [get(0), *map(post, range(1, 25))])
        assert api.statistics().batches == {25: 1, 1: 2}
    assert type(outcomes[0]) is APIError[10]
    assert outcomes[1:] == [*range(1, 25)]


async def test_no_error_of_a_batch_shows_the_token(
    simulator: Simulator, make_client: MakeClient
) -> None:
    async def refuse(call: Call) -> None:
        raise VKFault(100, f"no: {TOKEN}", note=TOKEN)

    simulator.add_method("test.get", refuse)
    async with make_client(retry_limit=0) as api:
        inner = await together(api, map(get, range(5)))
        simulator.fault(faults.body(f"<p>{TOKEN}</p>".encode()), "execute")
        whole = await together(api, map(post, range(5)))
        simulator.fault(faults.error(10, f"no: {TOKEN}"), "execute")
        failed = await together(api, map(post, range(5)))
    assert {type(error) for error in inner} == {ParameterError}
    assert {type(error) for error in whole + failed} == {OutcomeUnknownError}
    for error in inner + whole + failed:
        shown = "".join(traceback.format_exception(error))
        for each in (error, error.__cause__):
            shown += f"{each!r} {getattr(each, '__dict__', None)!r}"
        assert TOKEN not in shown


async def test_secret_parameters_are_in_no_script_and_in_no_error(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.fault(faults.error(100), "test.get", rate=1)
    async with make_client() as api:
        outcomes = await together(api, [get(i, password="hunter2") for i in range(5)])
        assert api.statistics().batches == {1: 5}
    assert scripts(simulator) == []
    for error in outcomes:
        assert type(error) is ParameterError
        assert "hunter2" not in f"{error!r} {error} {error.__dict__}"


@pytest.mark.parametrize("lost", [1, 2, 3])
async def test_a_call_that_leaves_a_batch_has_the_attempts_of_a_plain_call(
    simulator: Simulator, make_client: MakeClient, lost: int
) -> None:
    simulator.fault(faults.html(502), "execute", times=lost)
    simulator.fault(faults.error(10), "test.get", rate=1)
    async with one_a_second(make_client, retry_limit=3, wait=0) as api:
        await api.call("users.get")
        outcomes = await together(api, [get(1), APIRequest("users.get")])
    assert outcomes[0].code == 10
    attempts = [entry for entry in simulator.ledger if entry.method == "test.get"]
    assert len(attempts) == 1 + 3
    assert isinstance(outcomes[1], list)
