"""A function that answers VK's question may itself use the client."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio
import pytest

from vkanyio import VK, Captcha, CaptchaError, Confirmation
from vkanyio.testing import Simulator, faults

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.anyio

ADMIN = {"peer_id": 1, "message": "Solve this, please"}


async def test_a_handler_may_send_a_message_about_the_captcha(
    simulator: Simulator, make_client: Callable[..., VK]
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


async def test_a_task_that_the_handler_started_may_do_so_too(
    simulator: Simulator, make_client: Callable[..., VK]
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


async def test_a_captcha_about_the_handlers_own_call_is_an_error_there(
    simulator: Simulator, make_client: Callable[..., VK]
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


async def test_the_next_call_of_the_same_task_is_an_ordinary_one(
    simulator: Simulator, make_client: Callable[..., VK]
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
