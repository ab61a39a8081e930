"""Captcha handlers: how they may fail, and how often they may answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio
import pytest

from _helpers import POST, READ
from vkanyio import Captcha, CaptchaError, ClientUseError, VKError
from vkanyio.testing import faults

if TYPE_CHECKING:
    from _helpers import MakeClient
    from vkanyio.testing import Simulator

pytestmark = pytest.mark.anyio


async def give_up(captcha: Captcha) -> None:
    """Return without an answer."""


async def test_a_handler_that_raises_fails_the_call_with_its_exception_as_the_cause(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.fault(faults.captcha())

    async def solve(captcha: Captcha) -> None:
        raise KeyError("the solver is out of order")

    async with make_client(on_captcha=solve) as api:
        with pytest.raises(CaptchaError) as caught:
            await api.call(*POST)
        assert await api.call(*READ)
    assert isinstance(caught.value.__cause__, KeyError)


async def test_a_handler_that_raises_after_a_refusal_is_not_called_again(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.fault(faults.captcha())

    async def solve(captcha: Captcha) -> None:
        with pytest.raises(CaptchaError):
            await captcha.retry("wrong")
        raise KeyError("no more ideas")

    async with make_client(on_captcha=solve) as api:
        with pytest.raises(CaptchaError) as caught:
            await api.call(*POST)
    assert isinstance(caught.value.__cause__, KeyError)
    assert simulator.ledger.requests == 2


async def test_a_handler_that_does_not_answer_fails_the_call(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.fault(faults.captcha())
    async with make_client(on_captcha=give_up) as api:
        with pytest.raises(CaptchaError) as caught:
            await api.call(*POST)
    assert caught.value.__cause__ is None
    assert simulator.ledger.requests == 1


async def test_a_handler_that_raises_after_the_right_answer_fails_no_call(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.fault(faults.captcha())

    async def solve(captcha: Captcha) -> None:
        await captcha.retry(simulator.solve(captcha.redirect_uri or ""))
        raise KeyError("too late")

    async with make_client(on_captcha=solve) as api:
        assert await api.call(*POST) == {"post_id": 1}


@pytest.mark.parametrize("answer", ["", None, 12345, b"bytes"])
async def test_an_answer_that_is_not_text_is_refused_unsent_and_can_be_corrected(
    simulator: Simulator, make_client: MakeClient, answer: Any
) -> None:
    simulator.fault(faults.captcha())
    problems: list[Exception] = []

    async def solve(captcha: Captcha) -> None:
        try:
            await captcha.retry(answer)
        except (TypeError, ValueError) as error:
            problems.append(error)
        await captcha.retry(simulator.solve(captcha.redirect_uri or ""))

    async with make_client(on_captcha=solve) as api:
        await api.call(*POST)
    assert len(problems) == 1
    assert simulator.ledger.requests == 2


async def test_a_solved_captcha_takes_no_second_answer(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.fault(faults.captcha())
    problems: list[VKError] = []

    async def solve(captcha: Captcha) -> None:
        await captcha.retry(simulator.solve(captcha.redirect_uri or ""))
        try:
            await captcha.retry("another")
        except ClientUseError as error:
            problems.append(error)

    async with make_client(on_captcha=solve) as api:
        await api.call(*POST)
        await api.call(*READ)
    assert len(problems) == 1
    assert simulator.ledger.requests == 3


async def test_a_captcha_that_a_new_one_has_replaced_takes_no_answer(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.fault(faults.captcha(), times=2)
    seen: list[Captcha] = []

    async def solve(captcha: Captcha) -> None:
        seen.append(captcha)
        if len(seen) == 1:
            await captcha.retry("wrong")  # raises VK's refusal
        with pytest.raises(ClientUseError, match="not open"):
            await seen[0].retry(simulator.solve(captcha.redirect_uri or ""))

    async with make_client(on_captcha=solve) as api:
        with pytest.raises(CaptchaError):
            await api.call(*POST)
    assert len(seen) == 2
    assert simulator.ledger.requests == 2


async def test_a_captcha_takes_no_answer_after_its_handler_has_ended(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.fault(faults.captcha())
    captchas: list[Captcha] = []

    async def solve(captcha: Captcha) -> None:
        captchas.append(captcha)

    async with make_client(on_captcha=solve) as api:
        with pytest.raises(CaptchaError):
            await api.call(*POST)
        with pytest.raises(ClientUseError):
            await captchas[0].retry(simulator.solve(captchas[0].redirect_uri or ""))
    assert simulator.ledger.requests == 1


async def test_a_handler_may_answer_from_another_task(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.fault(faults.captcha())

    async def solve(captcha: Captcha) -> None:
        async with anyio.create_task_group() as tg:
            tg.start_soon(anyio.sleep, 1)
            tg.start_soon(captcha.retry, simulator.solve(captcha.redirect_uri or ""))

    async with make_client(on_captcha=solve) as api:
        assert await api.call(*POST) == {"post_id": 1}
