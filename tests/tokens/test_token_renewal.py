"""A token that VK refuses is renewed once for all calls, at any step of a call."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from _helpers import assert_gone, gather, get, note, own_tasks, solve_by
from _tokens import MODES, Source, codes_of, outcomes_of
from vkanyio import AuthError, Captcha
from vkanyio.testing import faults

if TYPE_CHECKING:
    from _tokens import Make
    from vkanyio.testing import Simulator

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("echoes")]

CODES = pytest.mark.parametrize("code", [5, 28, 1117])


# One renewal for all.


@CODES
@MODES
@pytest.mark.simulator_options(latency=0.25)
async def test_a_hundred_calls_with_an_expired_token_renew_it_once(
    make: Make, simulator: Simulator, code: Any, mode: Any
) -> None:
    source = Source(takes=2.0)
    async with make(source, mode=mode, max_connections=10) as api:
        source.expire(simulator, code=code)
        outcomes = await outcomes_of(api, 100, "test.post")
    assert sorted(outcomes) == [*range(100)]
    assert source.asked == [None, "vk1.a.the-secret-token-1"]
    refused = codes_of(simulator)
    assert 1 <= len(refused) <= 10  # those that were in flight
    assert set(refused) == {code}
    done = [each.params["id"] for each in simulator.ledger.carried_out("test.post")]
    assert len(done) == len(set(done)) == 100


async def test_the_lane_is_held_during_a_renewal_for_calls_that_read_too(
    make: Make, simulator: Simulator
) -> None:
    source = Source(takes=5.0)
    async with make(source) as api, anyio.create_task_group() as tg:
        source.expire(simulator)
        tg.start_soon(api.call, "test.get", {"id": 1})
        await anyio.sleep(1)
        before = simulator.ledger.requests
        tg.start_soon(api.call, "test.get", {"id": 2})
        await anyio.sleep(3)
        assert simulator.ledger.requests == before == 1
    assert simulator.ledger.requests == 3


async def test_calls_of_other_tokens_go_on_during_a_renewal(
    make: Make, simulator: Simulator
) -> None:
    source = Source(takes=5.0)
    async with make(source) as api, anyio.create_task_group() as tg:
        source.expire(simulator)
        tg.start_soon(api.call, "test.get", {"id": 1})
        await anyio.sleep(1)
        with anyio.fail_after(1):
            assert await api.call("test.get", {"id": 2, "access_token": "other"}) == 2


@pytest.mark.simulator_options(latency=1.0)
async def test_what_was_sent_with_a_token_replaced_since_goes_again_without_asking(
    make: Make, simulator: Simulator
) -> None:
    source = Source()
    async with make(source) as api, anyio.create_task_group() as tg:
        source.expire(simulator)
        tg.start_soon(api.call, "test.get", {"id": 1})
        await anyio.sleep(0.5)
        tg.start_soon(api.call, "test.post", {"id": 2})  # refused after the renewal
    assert source.renewals == 1
    assert codes_of(simulator) == [5, 5]
    assert len(simulator.ledger.carried_out("test.post")) == 1


async def test_a_batch_that_is_refused_as_a_whole_asks_as_a_whole(
    make: Make, simulator: Simulator
) -> None:
    source = Source(takes=1.0)
    async with make(source, mode="parallel") as api:
        source.expire(simulator)
        outcomes = await outcomes_of(api, 25, "test.post")
        assert sorted(outcomes) == [*range(25)]
        assert api.statistics().batches == {25: 2}
        assert api.statistics().split == 0
    assert source.renewals == 1


async def test_a_call_refused_inside_a_batch_renews_the_token_and_goes_alone(
    make: Make, simulator: Simulator
) -> None:
    source = Source(takes=1.0)
    async with make(source, mode="parallel") as api:
        simulator.fault(faults.expired_token(), "test.post", nth=3)
        outcomes = await outcomes_of(api, 5, "test.post")
    assert sorted(outcomes) == [*range(5)]
    assert source.renewals == 1
    assert len(simulator.ledger.carried_out("test.post")) == 5


async def test_a_token_expires_again_and_again(
    make: Make, simulator: Simulator
) -> None:
    source = Source()
    async with make(source) as api:
        for i in range(20):
            source.expire(simulator)
            assert await api.call("test.post", {"id": i}) == i
    assert source.renewals == 20


async def test_error_5_of_another_kind_asks_nobody(
    make: Make, simulator: Simulator
) -> None:
    source = Source()
    async with make(source) as api:
        simulator.revoke(source.current)
        with pytest.raises(AuthError, match="revoke"):
            await api.call("test.get", {"id": 1})
    assert source.renewals == 0


STEPS: dict[str, dict[str, Any]] = {
    "queued": {"limit": 5},
    "in flight": {},
    "packed": {"mode": "parallel", "execute_count": 4},
    "retried": {"wait": 2.0},
    "in a captcha": {},
    "while a renewal is on": {"limit": 5},
    "closing": {"limit": 5},
}


@CODES
@pytest.mark.parametrize("step", STEPS)
@pytest.mark.simulator_options(latency=0.5)
async def test_a_token_may_expire_at_any_step(
    make: Make, simulator: Simulator, code: Any, step: str
) -> None:
    source = Source(takes=1.0)
    outcomes: list[Any] = []

    async def solve(captcha: Captcha) -> None:
        await anyio.sleep(3)
        await solve_by(simulator, captcha)

    if step == "retried":
        simulator.fault(faults.drop_before(), "test.get", times=4)
    if step == "in a captcha":
        simulator.fault(faults.captcha(), "test.post")
    async with anyio.create_task_group() as tg:  # noqa: SIM117
        async with make(source, **STEPS[step], on_captcha=solve) as api:
            for i in range(12):
                method = "test.get" if i % 2 else "test.post"
                tg.start_soon(note, outcomes, api.call, method, {"id": i})
            await anyio.sleep(0.6 if step == "in a captcha" else 0.1)
            source.expire(simulator, code=code)
            if step == "while a renewal is on":
                await anyio.sleep(1)
                assert source.in_progress == 1
                for i in range(12, 15):
                    tg.start_soon(note, outcomes, api.call, "test.get", {"id": i})
            if step != "closing":
                await anyio.sleep(60)
    assert sorted(outcomes) == [*range(15 if "renewal" in step else 12)]
    assert source.renewals == 1
    posts = [each.params["id"] for each in simulator.ledger.carried_out("test.post")]
    assert len(posts) == len(set(posts)) == 6
    assert_gone(api)


# Contexts, and secrets.


async def test_the_function_sees_the_context_of_the_block_and_no_task_is_left(
    make: Make, simulator: Simulator
) -> None:
    source = Source(takes=1.0)
    async with make(source) as api:
        source.expire(simulator)
        values = await gather(*[partial(api.call_with_request, get(i)) for i in (1, 2)])
        assert values == [1, 2]
        assert not [name for name in own_tasks() if "token" in name]


@pytest.mark.simulator_options(latency=0.25)
async def test_old_and_new_token_are_hidden_in_errors(
    make: Make, simulator: Simulator
) -> None:
    source = Source()
    async with make(source) as api:
        source.expire(simulator)
        await api.call("test.get", {"id": 1})
        quoted = "no access for vk1.a.the-secret-token-1 and vk1.a.the-secret-token-2"
        simulator.fault(faults.error(15, quoted))
        with pytest.raises(Exception, match=r"no access for \*\*\* and \*\*\*"):
            await api.call("test.get", {"id": 1})
