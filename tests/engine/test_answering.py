"""Functions that answer VK's questions may use the client."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from _helpers import solve_by
from vkanyio import Captcha, CaptchaError, Confirmation
from vkanyio.testing import Simulator, VirtualClockLoop, faults

if TYPE_CHECKING:
    from _helpers import MakeClient

pytestmark = pytest.mark.anyio

MESSAGE = {"peer_id": 1, "message": "hello"}
ADMIN = {"peer_id": 1, "message": "Solve this, please"}


async def test_a_handler_may_send_a_message_about_the_captcha(
    simulator: Simulator, make_client: MakeClient
) -> None:
    async def solve(captcha: Captcha) -> None:
        await api.call("messages.send", ADMIN)
        assert captcha.redirect_uri is not None
        await captcha.retry(simulator.solve(captcha.redirect_uri))

    simulator.fault(faults.captcha(), "wall.post")
    async with make_client(on_captcha=solve) as api:
        with anyio.fail_after(60):
            await api.call("wall.post", {"message": "hello"})
    assert len(simulator.ledger.carried_out("messages.send")) == 1
    assert len(simulator.ledger.carried_out("wall.post")) == 1


async def test_a_task_started_by_the_handler_may_send_one_too(
    simulator: Simulator, make_client: MakeClient
) -> None:
    async def solve(captcha: Captcha) -> None:
        async with anyio.create_task_group() as tg:
            tg.start_soon(api.call, "messages.send", ADMIN)
        assert captcha.redirect_uri is not None
        await captcha.retry(simulator.solve(captcha.redirect_uri))

    simulator.fault(faults.captcha(), "wall.post")
    async with make_client(on_captcha=solve) as api:
        with anyio.fail_after(60):
            await api.call("wall.post", {"message": "hello"})
    assert len(simulator.ledger.carried_out("messages.send")) == 1


async def test_a_captcha_for_a_call_of_the_handler_is_raised_in_the_handler(
    simulator: Simulator, make_client: MakeClient
) -> None:
    seen: list[CaptchaError] = []

    async def solve(captcha: Captcha) -> None:
        with pytest.raises(CaptchaError) as caught:
            await api.call("messages.send", ADMIN)
        seen.append(caught.value)
        assert captcha.redirect_uri is not None
        await captcha.retry(simulator.solve(captcha.redirect_uri))

    simulator.fault(faults.captcha(), "wall.post")
    simulator.fault(faults.captcha(), "messages.send")
    async with make_client(on_captcha=solve) as api:
        with anyio.fail_after(60):
            await api.call("wall.post", {"message": "hello"})
    assert [error.method for error in seen] == ["messages.send"]


async def test_the_next_call_of_the_same_task_is_an_ordinary_call(
    simulator: Simulator, make_client: MakeClient
) -> None:
    asked: list[Any] = []

    async def agree(question: Confirmation) -> bool:
        asked.append(question.request.method)
        return True

    simulator.fault(faults.confirmation("Sure?"), "wall.post", times=2)
    async with make_client(on_confirmation=agree) as api:
        for _ in range(2):
            await api.call("wall.post", {"message": "hello"})
    assert asked == ["wall.post", "wall.post"]


async def test_a_handler_may_call_when_there_is_no_room(
    simulator: Simulator, make_client: MakeClient
) -> None:
    async def solve(captcha: Captcha) -> None:
        await api.users.get(user_ids=[1])
        await solve_by(simulator, captcha)

    simulator.fault(faults.captcha(), "messages.send")
    with anyio.fail_after(60):
        async with (
            make_client(on_captcha=solve, max_waiting=3) as api,
            anyio.create_task_group() as tg,
        ):
            for _ in range(6):
                tg.start_soon(api.call, "messages.send", MESSAGE)
    assert len(simulator.ledger.carried_out("messages.send")) == 6


async def test_a_handler_may_call_while_the_client_closes(
    simulator: Simulator, make_client: MakeClient
) -> None:
    leaving = anyio.Event()
    met = anyio.Event()

    async def solve(captcha: Captcha) -> None:
        met.set()
        await leaving.wait()
        await anyio.sleep(1)
        await api.users.get(user_ids=[1])
        await solve_by(simulator, captcha)

    simulator.fault(faults.captcha(), "messages.send")
    async with (
        anyio.create_task_group() as outer,
        make_client(on_captcha=solve) as api,
    ):
        outer.start_soon(api.call, "messages.send", MESSAGE)
        await met.wait()
        leaving.set()
    assert len(simulator.ledger.carried_out("messages.send")) == 1


async def test_a_task_that_outlives_the_handler_makes_ordinary_calls(
    simulator: Simulator, make_client: MakeClient
) -> None:
    asked: list[str] = []
    solved = anyio.Event()

    async def later() -> None:
        await solved.wait()
        await api.call("messages.send", MESSAGE)

    async def solve(captcha: Captcha) -> None:
        asked.append(captcha.request.method)
        if len(asked) == 1:
            tasks.start_soon(later)
        await solve_by(simulator, captcha)

    simulator.fault(faults.captcha(), "wall.post")
    simulator.fault(faults.captcha(), "messages.send")
    async with anyio.create_task_group() as tasks, make_client(on_captcha=solve) as api:
        await api.call("wall.post", {"message": "hello"})
        solved.set()
        await anyio.sleep(10)
    assert asked == ["wall.post", "messages.send"]


@pytest.mark.parametrize(
    "anyio_backend", [("asyncio", {"loop_factory": VirtualClockLoop})], ids=["asyncio"]
)
async def test_a_handler_that_awaits_a_cancelled_task_fails_only_its_call(
    simulator: Simulator, make_client: MakeClient
) -> None:
    async def solve(_: Captcha) -> None:
        task = asyncio.create_task(asyncio.sleep(60))
        task.cancel()
        await task

    simulator.fault(faults.captcha(), "wall.post")
    async with make_client(on_captcha=solve) as api:
        with pytest.raises(CaptchaError) as caught:
            await api.call("wall.post", {"message": "hello"})
        assert await api.users.get(user_ids=[1])
    assert isinstance(caught.value.__cause__, asyncio.CancelledError)


async def test_a_function_that_is_not_async_fails_with_a_type_error(
    simulator: Simulator, make_client: MakeClient
) -> None:
    def solve(_: Captcha) -> None:
        return None

    simulator.fault(faults.captcha(), "wall.post")
    async with make_client(on_captcha=solve) as api:
        with pytest.raises(CaptchaError) as caught:
            await api.call("wall.post", {"message": "hello"})
    assert isinstance(caught.value.__cause__, TypeError)
    assert "async function" in str(caught.value.__cause__)
