"""Failures of an ``execute`` as a whole, and the outcomes of its calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio
import pytest

from _helpers import TOKEN, add_echoes, get
from _packing import (
    client_of,
    done,
    message,
    one_a_second,
    plain_calls,
    post,
    scripts,
    sizes,
    spoil_execute,
    together,
)
from vkanyio import (
    APIError,
    APIRequest,
    CompileError,
    ConnectionFailedError,
    OutcomeUnknownError,
    RequestTimeoutError,
    ScriptRuntimeError,
    TooManyRequestsError,
)
from vkanyio._batch import FORGET_SECONDS
from vkanyio.testing import Account, Simulator, faults

if TYPE_CHECKING:
    from _helpers import MakeClient
    from vkanyio.testing import Call

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.client_options(mode="parallel"),
    pytest.mark.usefixtures("echoes"),
]


# Batches that VK cannot run.


@pytest.mark.parametrize("bad", [0, 7, 24])
async def test_a_call_that_cannot_be_compiled_is_found_by_halving(
    simulator: Simulator, make_client: MakeClient, bad: int
) -> None:
    spoil_execute(simulator, lambda code: 12 if f'"id":{bad}}}' in code else 0)
    async with make_client() as api:
        assert await together(api, map(post, range(25))) == [*range(25)]
        statistics = api.statistics()
    assert done(simulator) == [*range(25)]
    plain = [entry.params["id"] for entry in plain_calls(simulator)]
    assert str(bad) in plain
    assert len(plain) <= 3  # halves of an odd number leave some alone
    assert 4 <= statistics.split <= 5
    assert statistics.sent == sum(statistics.batches.values()) <= 12


async def test_a_batch_that_never_compiles_ends_with_plain_calls(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.fault(faults.error(12), "execute", rate=1)
    async with make_client() as api:
        assert await together(api, map(post, range(25))) == [*range(25)]
    assert done(simulator) == [*range(25)]
    assert len(plain_calls(simulator)) == 25


async def test_a_response_that_is_too_large_is_requested_in_parts(
    simulator: Simulator, make_client: MakeClient
) -> None:
    def long(call: Call) -> str:
        return call.text("id") * 600_000

    simulator.add_method("test.get", long)
    async with make_client() as api:
        values = await together(api, map(get, range(8)))
        assert api.statistics().split == 1
        assert api.statistics().batches == {8: 1, 4: 2}
        assert await together(api, map(get, range(8))) == values
        assert api.statistics().split == 1  # VK's size is known by now
        assert api.statistics().batches == {8: 1, 4: 4}
    assert values == [f"{i}" * 600_000 for i in range(8)]


async def test_a_learned_size_is_forgotten(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.fault(faults.error(13), "execute")
    async with make_client() as api:
        await together(api, map(get, range(8)))
        await anyio.sleep(FORGET_SECONDS + 1)
        assert await together(api, map(get, range(8))) == [*range(8)]
        assert api.statistics().batches == {8: 2, 4: 2}


async def test_calls_carried_out_by_a_failed_script_are_not_retried(
    simulator: Simulator, make_client: MakeClient
) -> None:
    spoil_execute(simulator, lambda code: 13 if "post" in code else 0, after=True)
    async with make_client() as api:
        requests = [*map(post, range(10)), *map(get, range(10, 20))]
        outcomes = await together(api, requests)
    for i, error in enumerate(outcomes[:10]):
        assert isinstance(error, OutcomeUnknownError)
        assert isinstance(error.__cause__, ScriptRuntimeError)
        assert error.__cause__.method == "test.post"
        assert error.__cause__.params == {"id": i}
    assert outcomes[10:] == [*range(10, 20)]
    assert [i for i in done(simulator) if i < 10] == [*range(10)]


async def test_a_message_in_a_failed_script_is_retried_under_its_key(
    simulator: Simulator, make_client: MakeClient
) -> None:
    seen: list[str] = []

    def once(code: str) -> int:
        seen.append(code)
        return 13 if len(seen) == 1 else 0

    spoil_execute(simulator, once, after=True)
    async with make_client() as api:
        outcomes = await together(api, map(message, range(10)))
    assert done(simulator) == [*range(10)]
    assert len(simulator.ledger.repeated("messages.send")) == 10
    assert len(set(outcomes)) == 10
    assert {type(outcome) for outcome in outcomes} == {int}


# Errors of the request as a whole.

LOST: dict[str, Any] = {
    "dropped": (faults.drop_after(), ConnectionFailedError),
    "no response": (faults.hang_after(), RequestTimeoutError),
    "a page": (faults.html(502, after=True), None),
    "half": (faults.truncated(after=True), None),
    "error 10": (faults.error(10), APIError[10]),
    "error 1": (faults.error(1), APIError[1]),
}


@pytest.mark.parametrize(("fault", "kind"), LOST.values(), ids=LOST)
async def test_a_lost_response_is_retried_where_that_does_no_harm(
    simulator: Simulator, make_client: MakeClient, fault: Any, kind: Any
) -> None:
    simulator.fault(fault, "execute")
    async with make_client() as api:
        requests = [
            *map(get, range(8)),
            *map(message, range(8, 16)),
            *map(post, range(16, 24)),
        ]
        outcomes = await together(api, requests)
        if kind is RequestTimeoutError:  # perhaps it was too much at a time
            assert api.statistics().batches == {24: 1, 8: 2}
            assert api.statistics().split == 1
            assert api.statistics().retries == {}
        else:
            assert api.statistics().batches == {24: 1, 16: 1}
            assert sum(api.statistics().retries.values()) == 1
    assert outcomes[:8] == [*range(8)]
    assert len({*outcomes[8:16]}) == 8
    assert {type(outcome) for outcome in outcomes[8:16]} == {int}
    for i, error in enumerate(outcomes[16:], 16):
        assert isinstance(error, OutcomeUnknownError)
        assert error.method == "test.post"
        assert kind is None or type(error.__cause__) is kind
        assert f"{i}" not in [e.params["id"] for e in plain_calls(simulator)]
    ids = [i for i in done(simulator) if i >= 8]
    assert len(ids) == len(set(ids))
    assert {*range(8, 16)} <= {*ids}
    assert {id(error) for error in outcomes[16:]} != {id(outcomes[16])}


async def test_responses_that_stay_lost_are_not_retried_for_ever(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.fault(faults.drop_after(), rate=1)
    async with make_client(retry_limit=2) as api:
        outcomes = await together(api, [*map(get, range(5)), *map(message, range(5))])
        assert api.statistics().batches[10] == 2  # once more, and then in parts
        assert api.statistics().batches[1] == 10 * (1 + 2)
    assert {type(error) for error in outcomes[:5]} == {ConnectionFailedError}
    assert {type(error) for error in outcomes[5:]} == {OutcomeUnknownError}
    assert len({id(error) for error in outcomes}) == 10
    assert outcomes[0].method == "test.get"
    assert outcomes[5].method == "messages.send"


async def test_a_batch_that_was_never_sent_is_retried_whole(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.fault(faults.refuse(), "execute", times=2)
    async with make_client() as api:
        assert await together(api, map(post, range(25))) == [*range(25)]
        assert api.statistics().batches == {25: 3}
    assert done(simulator) == [*range(25)]


async def test_retry_unsafe_retries_all_calls(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.fault(faults.drop_after(), "execute")
    async with make_client(retry_unsafe=True) as api:
        assert await together(api, map(post, range(5))) == [*range(5)]
    assert done(simulator) == sorted([*range(5)] * 2)


async def test_a_packed_request_can_say_whether_it_is_repeatable(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.fault(faults.drop_after(), "execute")
    async with make_client() as api:
        yes, yes_too, no, no_too = await together(
            api,
            [
                APIRequest("test.post", {"id": 0}, repeatable=True),
                APIRequest("test.post", {"id": 1}, repeatable=True),
                APIRequest("test.get", {"id": 2}, repeatable=False),
                APIRequest("test.get", {"id": 3}, repeatable=False),
            ],
        )
    assert (yes, yes_too) == (0, 1)
    assert {type(no), type(no_too)} == {ConnectionFailedError}
    assert done(simulator) == [0, 0, 1, 1, 2, 3]


async def test_a_batch_that_meets_error_6_is_retried(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.fault(faults.error(6), "execute", times=2)
    async with make_client(retry_limit=0) as api:
        assert await together(api, map(post, range(25))) == [*range(25)]
        assert api.statistics().batches == {25: 3}
        assert api.statistics().too_many_requests == 2
        assert api.statistics().margin > 0.02
    assert done(simulator) == [*range(25)]


@pytest.mark.parametrize("code", [3, 15, 23, 27, 28])
async def test_calls_of_a_token_that_may_not_run_scripts_are_sent_plain(
    simulator: Simulator,
    make_client: MakeClient,
    code: int,
    caplog: pytest.LogCaptureFixture,
) -> None:
    simulator.fault(faults.error(code), "execute", rate=1)
    async with one_a_second(make_client, limiter=None) as api:
        # Those that wait behind the first batch are not packed either.
        assert await together(api, map(post, range(60))) == [*range(60)]
        assert await together(api, map(post, range(60, 70))) == [*range(60, 70)]
    assert done(simulator) == [*range(70)]
    assert sizes(simulator) == [0] + [1] * 70
    assert caplog.text.count("one by one") == 1


async def test_a_service_token_does_not_try_execute_twice() -> None:
    simulator = Simulator(limit=0, tokens={TOKEN: Account(kind="service")}, latency=1)
    add_echoes(simulator)
    async with client_of(simulator) as api:
        assert await together(api, map(get, range(60))) == [*range(60)]
        assert await together(api, map(get, range(60))) == [*range(60)]
    assert len(scripts(simulator)) == 3  # those were on their way already
    assert len(plain_calls(simulator)) == 120


@pytest.mark.parametrize("code", [7, 8, 100, 77])
async def test_calls_are_sent_plain_when_vk_rejects_their_script(
    simulator: Simulator, make_client: MakeClient, code: int
) -> None:
    simulator.fault(faults.error(code), "execute")
    async with make_client() as api:
        assert await together(api, map(post, range(25))) == [*range(25)]
        assert api.statistics().batches == {25: 1, 1: 25}
        # It was about that request, and says nothing about the next.
        assert await together(api, map(post, range(25, 30))) == [*range(25, 30)]
        assert api.statistics().batches == {25: 1, 1: 25, 5: 1}
    assert done(simulator) == [*range(30)]


OF_THE_TOKEN: dict[str, Any] = {
    **{str(code): faults.error(code) for code in (4, 5, 9, 18, 25, 29, 1117, 3610)},
    "captcha": faults.captcha(),
    "confirmation": faults.confirmation(),
    "validation": faults.validation(),
}


@pytest.mark.parametrize("fault", OF_THE_TOKEN.values(), ids=OF_THE_TOKEN)
async def test_an_error_about_the_token_is_raised_by_each_call(
    simulator: Simulator, make_client: MakeClient, fault: Any
) -> None:
    simulator.fault(fault, "execute")
    async with make_client() as api:
        outcomes = await together(api, map(post, range(25)))
        assert api.statistics().batches == {25: 1}  # and not 25 more into the wall
        assert await together(api, map(post, range(25))) == [*range(25)]
    assert len({id(error) for error in outcomes}) == 25
    for i, error in enumerate(outcomes):
        assert isinstance(error, APIError)
        assert (error.method, error.params) == ("test.post", {"id": i})
    assert done(simulator) == [*range(25)]


async def test_a_bad_token_fails_every_call(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.expire(TOKEN)
    async with make_client() as api:
        outcomes = await together(api, map(post, range(25)))
    assert {type(outcome) for outcome in outcomes} == {APIError[5]}
    assert len({id(outcome) for outcome in outcomes}) == 25


async def test_the_statistics_count_batches(
    simulator: Simulator, make_client: MakeClient
) -> None:
    spoil_execute(simulator, lambda code: 12 if '"id":3}' in code else 0)
    async with make_client() as api:
        await together(api, map(get, range(4)))
        statistics = api.statistics()
    assert statistics.calls == 4
    assert statistics.sent == 5
    assert statistics.batches == {4: 1, 2: 2, 1: 2}
    assert statistics.split == 2
    assert statistics.waiting == statistics.in_flight == 0


async def test_endless_error_6_for_a_batch_fails_each_call(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.fault(faults.error(6), "execute", rate=1)
    async with make_client() as api:
        begin = anyio.current_time()
        outcomes = await together(api, map(post, range(5)))
        assert anyio.current_time() - begin < 70
    assert {type(outcome) for outcome in outcomes} == {TooManyRequestsError}
    assert [outcome.params for outcome in outcomes] == [{"id": i} for i in range(5)]
    assert {outcome.method for outcome in outcomes} == {"test.post"}


async def test_an_error_of_compilation_never_belongs_to_a_call() -> None:
    simulator = Simulator(limit=0)
    add_echoes(simulator)
    simulator.fault(faults.error(12), "execute", rate=1)
    async with client_of(simulator) as api:
        outcomes = await together(api, map(get, range(3)))
    assert not any(isinstance(outcome, CompileError) for outcome in outcomes)
