"""Functions that answer VK's questions in the scenarios."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeAlias

import anyio
from anyio.lowlevel import checkpoint

from vkanyio import CaptchaError, VKError

if TYPE_CHECKING:
    from vkanyio import Captcha, Confirmation, Validation

    from ._play import Play

Answers: TypeAlias = dict[str, Any]

SOLVER = -1
"""The victim that is the function which solves captchas."""


def _solution(play: Play, captcha: Captcha) -> str:
    return play.simulator.solve(captcha.redirect_uri or "")


def solver(play: Play) -> Answers:
    async def solve(captcha: Captcha) -> None:
        await anyio.sleep(0.25)
        await captcha.retry(_solution(play, captcha))

    return {"on_captcha": solve}


def curious_solver(play: Play) -> Answers:
    """Make a call before the answer, and be refused once."""

    async def solve(captcha: Captcha) -> None:
        await play.client.call("test.get", {"id": 90})
        with suppress(CaptchaError):
            await captcha.retry("wrong")
        await captcha.retry(_solution(play, captcha))

    return {"on_captcha": solve}


def cancelled_solver(play: Play) -> Answers:
    """Cancel the answer, but not the call."""

    async def solve(captcha: Captcha) -> None:
        async def retry() -> None:
            await anyio.sleep(0.25)
            await captcha.retry(_solution(play, captcha))

        await play.cancellable(SOLVER, retry)

    return {"on_captcha": solve}


def helped_solver(play: Play) -> Answers:
    """Send the answer from a task that is not the client's."""

    async def solve(captcha: Captcha) -> None:
        async def retry() -> None:
            with suppress(VKError):
                await captcha.retry(_solution(play, captcha))

        play.helpers.start_soon(retry)
        await checkpoint()
        await checkpoint()  # so that it has begun

    return {"on_captcha": solve}


def confirmer(_: Play) -> Answers:
    async def confirm(_: Confirmation) -> bool:
        await anyio.sleep(0.25)
        return True

    return {"on_confirmation": confirm}


def validator(_: Play) -> Answers:
    async def validate(_: Validation) -> str:
        await anyio.sleep(0.25)
        return "vk1.a.a-new-token"

    return {"on_validation": validate}
