"""Token functions that fail, return nothing new, hang, or are cancelled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio
import pytest

from _helpers import assert_gone
from _tokens import MODES, Source, fail_with, outcomes_of
from vkanyio import AuthError, ConnectionFailedError, TokenRenewalError
from vkanyio.testing import faults

if TYPE_CHECKING:
    from _tokens import Make
    from vkanyio.testing import Simulator

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("echoes")]


@MODES
async def test_a_renewal_that_fails_fails_each_call_and_is_remembered(
    make: Make, simulator: Simulator, mode: Any, caplog: pytest.LogCaptureFixture
) -> None:
    cause = LookupError("the refresh token is spent")
    source = Source(takes=1.0, fail=fail_with(cause))
    async with make(source, mode=mode, max_connections=3) as api:
        source.expire(simulator)
        with anyio.fail_after(60):
            outcomes = await outcomes_of(api, 50, "test.post")
        refused = simulator.ledger.requests
        assert refused <= 3
        await anyio.sleep(3600)
        outcomes += await outcomes_of(api, 5)
        assert simulator.ledger.requests == refused  # nothing was sent any more
    assert len({id(each) for each in outcomes}) == 55
    for each in outcomes:
        assert isinstance(each, TokenRenewalError)
        assert each.__cause__ is cause
        assert not each.is_transient
        assert "LookupError: the refresh token is spent" in str(each)
        assert "access_token has expired" in str(each)
    assert source.renewals == 1
    assert caplog.text.count("the refresh token is spent") == 1
    assert "vk1.a." not in caplog.text
    assert_gone(api)


@pytest.mark.parametrize(
    ("returned", "text"),
    [
        (None, "got NoneType"),
        ("two words", "got a string with a space"),
        ("vk1.a.the-secret-token-1", "should replace: it must return another one"),
    ],
)
async def test_a_renewal_that_returns_no_other_token_has_failed(
    make: Make, simulator: Simulator, returned: Any, text: str
) -> None:
    asked: list[str | None] = []

    async def source(refused: str | None) -> Any:
        asked.append(refused)
        return "vk1.a.the-secret-token-1" if refused is None else returned

    async with make(source) as api:
        simulator.expire("vk1.a.the-secret-token-1")
        outcomes = await outcomes_of(api, 3)
    assert [type(each) for each in outcomes] == [TokenRenewalError] * 3
    assert all(text in str(each) for each in outcomes)
    assert not any("vk1.a." in str(each) for each in outcomes)
    assert len(asked) == 2


async def test_a_new_token_that_vk_refuses_at_once_is_not_renewed_again(
    make: Make, simulator: Simulator
) -> None:
    source = Source()
    simulator.fault(
        faults.error(
            5,
            "User authorization failed: access_token was given to another ip address.",
            error_subcode=1130,
        ),
        rate=1,
    )
    async with make(source) as api:
        outcomes = await outcomes_of(api, 3)
        requests = simulator.ledger.requests
        outcomes += await outcomes_of(api, 3)
        assert simulator.ledger.requests == requests
    assert source.renewals == 1
    for each in outcomes:
        assert isinstance(each, TokenRenewalError)
        assert isinstance(each.__cause__, AuthError)
        assert each.__cause__.subcode == 1130
        assert "through the same proxy, as the calls" in str(each)


@pytest.mark.parametrize(
    "cause",
    [
        ConnectionFailedError("id.vk.ru is away"),
        TimeoutError(),  # of anyio.fail_after
        ConnectionRefusedError("the vault is away"),
    ],
    ids=lambda cause: type(cause).__name__,
)
async def test_a_transient_failure_is_tried_again_after_a_while(
    make: Make, simulator: Simulator, cause: Exception
) -> None:
    source = Source(fail=fail_with(cause))
    async with make(source, retry_limit=0) as api:
        source.expire(simulator)
        outcomes = await outcomes_of(api, 3)
        assert [type(each) for each in outcomes] == [TokenRenewalError] * 3
        assert all(each.is_transient for each in outcomes)
        assert (await outcomes_of(api, 1))[0].is_transient
        assert source.renewals == 1
        await anyio.sleep(10)
        source.fail = None
        assert await api.call("test.post", {"id": 1}) == 1
    assert source.renewals == 2


async def test_a_call_survives_a_short_outage_by_its_own_retries(
    make: Make, simulator: Simulator
) -> None:
    source = Source(fail=fail_with(ConnectionFailedError("id.vk.ru is away")))
    async with make(source, wait=20.0, retry_limit=10) as api:
        source.expire(simulator)
        async with anyio.create_task_group() as tg:
            tg.start_soon(api.call, "test.post", {"id": 1})
            await anyio.sleep(5)
            source.fail = None
    assert source.renewals == 2


async def test_a_renewal_that_hangs_holds_only_those_who_wait(
    make: Make, simulator: Simulator
) -> None:
    source = Source(takes=float("inf"))
    async with make(source) as api:
        source.expire(simulator)
        with anyio.move_on_after(5) as scope:
            await api.call("test.get", {"id": 1})
        assert scope.cancelled_caught
        assert source.in_progress == 1
        source.takes = 0.0
        with anyio.move_on_after(5):
            await api.call("test.get", {"id": 2})
        assert source.renewals == 1  # nobody is asked beside it
    assert source.in_progress == 0
    assert_gone(api)


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_what_the_function_waits_for_may_be_cancelled_natively(
    make: Make, simulator: Simulator
) -> None:
    import asyncio

    async def source(refused: str | None) -> str:
        if refused is not None:
            task = asyncio.ensure_future(asyncio.sleep(10))
            asyncio.get_running_loop().call_soon(task.cancel)
            await task
        return "vk1.a.the-secret-token-1"

    async with make(source) as api:
        simulator.expire("vk1.a.the-secret-token-1")
        [error] = await outcomes_of(api, 1)
        assert isinstance(error, TokenRenewalError)
        assert isinstance(error.__cause__, asyncio.CancelledError)
