"""What may happen during a renewal: callers leave, the client closes, VK asks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

import anyio
import pytest

from _helpers import assert_gone, note, settle, solve_by
from _probe import Probe
from _tokens import MODES, Source, outcomes_of
from vkanyio import (
    VK,
    Captcha,
    ClientClosedError,
    ClientUseError,
    HTTPResponse,
    TokenRenewalError,
    TokenView,
    Validation,
)
from vkanyio.testing import faults

if TYPE_CHECKING:
    from _tokens import Make
    from vkanyio.testing import Simulator

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("echoes")]


# Callers that leave.


@MODES
async def test_cancelled_callers_leave_at_once_and_the_renewal_goes_on(
    make: Make, simulator: Simulator, mode: Any
) -> None:
    source = Source(takes=5.0)
    outcomes: list[Any] = []
    async with make(source, mode=mode) as api, anyio.create_task_group() as tg:
        source.expire(simulator)
        for i in range(3):
            tg.start_soon(note, outcomes, api.call, "test.post", {"id": i})
        began = anyio.current_time()
        with anyio.move_on_after(1):
            await api.call("test.post", {"id": 9})
        assert anyio.current_time() == began + 1
    assert sorted(outcomes) == [0, 1, 2]
    assert source.renewals == 1
    assert {
        each.params["id"] for each in simulator.ledger.carried_out("test.post")
    } == {*"012"}


async def test_a_renewal_goes_on_when_every_caller_has_left(
    make: Make, simulator: Simulator
) -> None:
    source = Source(takes=5.0)
    async with make(source) as api:
        source.expire(simulator)
        with anyio.move_on_after(1):
            await api.call("test.get", {"id": 1})
        await anyio.sleep(10)
        assert source.asked == [None, "vk1.a.the-secret-token-1"]
        assert await api.call("test.get", {"id": 2}) == 2
    assert source.renewals == 1


# Closing.


async def test_leaving_waits_for_the_calls_that_wait_for_a_renewal(
    make: Make, simulator: Simulator
) -> None:
    source = Source(takes=5.0)
    outcomes: list[Any] = []
    async with anyio.create_task_group() as tg:
        async with make(source) as api:
            source.expire(simulator)
            tg.start_soon(note, outcomes, api.call, "test.post", {"id": 1})
            await anyio.sleep(1)
        assert api.statistics().calls == 1
    assert outcomes == [1]
    assert source.renewals == 1
    assert_gone(api)


async def test_leaving_by_an_error_cancels_the_renewal(
    make: Make, simulator: Simulator
) -> None:
    source = Source(takes=5.0)
    outcomes: list[Any] = []
    async with anyio.create_task_group() as tg:
        with pytest.raises(KeyError):  # noqa: PT012
            async with make(source) as api:
                source.expire(simulator)
                tg.start_soon(note, outcomes, api.call, "test.post", {"id": 1})
                await anyio.sleep(1)
                raise KeyError
        assert source.in_progress == 0
    [error] = outcomes
    assert isinstance(error, ClientClosedError)
    assert not error.maybe_carried_out
    assert_gone(api)


async def test_leaving_does_not_wait_for_who_enters_a_view(make: Make) -> None:
    source = Source()
    asked: list[str | None] = []
    outcomes: list[Any] = []

    async def slow(refused: str | None) -> str:
        asked.append(refused)
        await anyio.sleep(1000)
        return "vk1.a.late"

    async def enter(view: TokenView) -> None:
        async with view:
            pytest.fail("it was entered")

    async with anyio.create_task_group() as tg:
        began = anyio.current_time()
        async with make(source) as api:
            tg.start_soon(note, outcomes, enter, api.as_token(slow))
            await anyio.sleep(1)
        assert anyio.current_time() == began + 1
    [error] = outcomes
    assert isinstance(error, ClientClosedError)
    assert asked == [None]
    assert_gone(api)


@final
class Expired:
    """An HTTP client that waits, and then responds that the token has expired."""

    status_code = 200
    content = (
        b'{"error":{"error_code":5,"error_msg":"User authorization failed:'
        b' access_token has expired."}}'
    )

    def __init__(self) -> None:
        self.responds = anyio.Event()

    async def post(self, url: str, **_: Any) -> HTTPResponse:
        """Respond."""
        await self.responds.wait()
        return self


async def test_leaving_does_not_wait_for_a_renewal_that_begins_in_the_same_turn() -> (
    None
):
    source, outcomes, http_client = Source(takes=1000.0), list[Any](), Expired()
    async with anyio.create_task_group() as tg:
        with pytest.raises(KeyError):  # noqa: PT012
            async with VK(source, http_client=http_client) as api:
                tg.start_soon(note, outcomes, api.call, "test.get", {"id": 1})
                await settle()
                began = anyio.current_time()
                http_client.responds.set()
                raise KeyError
        assert anyio.current_time() == began
        assert source.in_progress == 0
    assert [type(error) for error in outcomes] == [ClientClosedError]
    assert_gone(api)


# Captchas, and calls that the functions make.


async def test_a_captcha_handler_may_call_vk_while_a_renewal_is_on(
    make: Make, simulator: Simulator
) -> None:
    source = Source(takes=2.0)

    async def solve(captcha: Captcha) -> None:
        source.expire(simulator)
        assert await api.call("test.get", {"id": 7}) == 7
        source.expire(simulator)
        await solve_by(simulator, captcha)

    simulator.fault(faults.captcha(), "test.post")
    async with make(source, on_captcha=solve) as api:
        with anyio.fail_after(10):
            assert await api.call("test.post", {"id": 1}) == 1
    assert source.renewals == 2


async def test_a_token_function_may_call_vk_with_another_token_during_a_captcha(
    make: Make, simulator: Simulator
) -> None:
    outcomes: list[Any] = []

    async def source(refused: str | None) -> str:
        if refused is None:
            return "vk1.a.the-secret-token-1"
        await note(outcomes, api.call, "test.post", {"id": 5, "access_token": "other"})
        return "vk1.a.the-secret-token-2"

    async def solve(captcha: Captcha) -> None:
        simulator.expire("vk1.a.the-secret-token-1")
        simulator.fault(faults.captcha(), "test.post")  # for the token function
        await api.call("test.get", {"id": 7})
        await solve_by(simulator, captcha)

    simulator.fault(faults.captcha(), "test.post")
    async with make(source, on_captcha=solve) as api:
        with anyio.fail_after(10):
            assert await api.call("test.post", {"id": 1}) == 1
    assert [type(each).__name__ for each in outcomes] == ["CaptchaError"]


async def test_a_token_function_that_waits_for_itself_gets_an_error(
    make: Make, simulator: Simulator
) -> None:
    async def source(refused: str | None) -> str:
        if refused is not None:
            await api.call("test.get", {"id": 1})
        return "vk1.a.the-secret-token-1"

    async with make(source) as api:
        simulator.expire("vk1.a.the-secret-token-1")
        with anyio.fail_after(5):
            [error] = await outcomes_of(api, 1)
        assert isinstance(error, TokenRenewalError)
        assert isinstance(error.__cause__, ClientUseError)
        assert "the token function cannot make calls" in str(error)


async def test_a_validation_replaces_the_token_of_a_function(
    make: Make, simulator: Simulator
) -> None:
    source = Source()

    async def validate(_: Validation) -> str:
        return "vk1.a.validated"

    async with make(source, on_validation=validate) as api:
        simulator.fault(faults.validation())
        await api.call("test.get", {"id": 1})
        simulator.expire("vk1.a.validated")
        await api.call("test.get", {"id": 2})
    assert source.asked == [None, "vk1.a.validated"]


async def test_a_validation_ends_the_wait_for_a_renewal_that_hangs(
    make: Make, simulator: Simulator
) -> None:
    source, outcomes = Source(takes=1000.0), list[Any]()

    async def validate(_: Validation) -> str:
        await anyio.sleep(5)
        return "vk1.a.validated"

    simulator.fault(faults.validation(), times=1)
    async with make(source, on_validation=validate) as api:
        with anyio.fail_after(10):
            async with anyio.create_task_group() as tg:
                tg.start_soon(note, outcomes, api.call, "test.get", {"id": 1})
                await anyio.sleep(1)
                source.expire(simulator)
                tg.start_soon(note, outcomes, api.call, "test.get", {"id": 2})
                await anyio.sleep(1)
                assert source.renewals == source.in_progress == 1
        assert sorted(outcomes) == [1, 2]
        await anyio.sleep(2000)
        assert await api.call("test.get", {"id": 3}) == 3
        assert Probe(api).tokens == ["vk1.a.validated"]
