"""Scenarios in which a token expires, and is renewed by a function."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import anyio

from vkanyio import TokenRenewalError
from vkanyio.testing import Simulator, faults

from ._calls import READ, WRITE
from ._play import BODY
from ._scenarios import ONE, PACKED, TWO, Scenario

if TYPE_CHECKING:
    from vkanyio import Captcha

    from ._answers import Answers
    from ._play import Play

TAKES = 0.25
FIRST = "vk1.a.the-first-token"


@final
class Renewal:
    """A token function, which returns the first token and then others.

    :ivar renewals: how often it was asked after the first time
    """

    def __init__(self, *, fails: bool = False) -> None:
        self.renewals = -1
        self._fails = fails

    async def __call__(self, refused: str | None) -> str:
        """Return a token, a moment later."""
        self.renewals += 1
        await anyio.sleep(TAKES if self.renewals else 0)
        if self._fails and self.renewals:
            raise LookupError("the refresh token is spent")
        return FIRST if refused is None else f"vk1.a.token-{self.renewals}"


def _expire(simulator: Simulator) -> None:
    simulator.expire(FIRST)


def _expire_during_a_captcha(simulator: Simulator) -> None:
    simulator.fault(faults.captcha(), "test.post")


def expiring_solver(play: Play) -> Answers:
    """Answer captchas, but let the token expire first."""

    async def solve(captcha: Captcha) -> None:
        play.simulator.expire(FIRST)
        await anyio.sleep(0.25)
        await captcha.retry(play.simulator.solve(captcha.redirect_uri or ""))

    return {"on_captcha": solve}


TOKENS = [
    Scenario(
        "an expired token",
        (READ, WRITE, READ),
        victims=(ONE, {0, 1, 2}),
        faults=_expire,
        token=Renewal,
    ),
    Scenario(
        "a batch with an expired token",
        (READ, WRITE, READ, WRITE),
        victims=(TWO, {0, 1, 2, 3}),
        options=PACKED,
        faults=_expire,
        token=Renewal,
    ),
    Scenario(
        "a token that expires during a captcha",
        (WRITE, READ),
        victims=(ONE, TWO),
        faults=_expire_during_a_captcha,
        answers=expiring_solver,
        token=Renewal,
    ),
    Scenario(
        "leaving with an expired token",
        (READ, WRITE, READ),
        victims=({BODY},),
        faults=_expire,
        token=Renewal,
        leaves="normally",
    ),
    Scenario(
        "leaving with a renewal that fails",
        (READ, WRITE, READ),
        victims=({BODY},),
        options=PACKED,
        faults=_expire,
        token=lambda: Renewal(fails=True),
        errors=(TokenRenewalError,),
        leaves="normally",
    ),
]
