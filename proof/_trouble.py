"""All kinds of faults, and a person who answers VK's questions, not always well."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, final

import anyio

from vkanyio import CaptchaError
from vkanyio.testing import faults

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Mapping

    from vkanyio import Captcha, Confirmation, Validation
    from vkanyio.testing import Simulator
    from vkanyio.testing.faults import Fault

TIMEOUT = 4.0
"""The timeout of the clients in seconds; some responses come later."""

TROUBLE: Mapping[str, Fault] = {
    "refuse": faults.refuse(),
    "drop_before": faults.drop_before(),
    "drop_after": faults.drop_after(),
    "drop_midway": faults.drop_midway(),
    "hang_before": faults.hang_before(),
    "hang_after": faults.hang_after(),
    "html": faults.html(502),
    "html after": faults.html(504, after=True),
    "html 413": faults.html(413),
    "html 429": faults.html(429),
    "html 429 with a pause": faults.html(429, headers={"retry-after": "2"}),
    "html 503 with a delay": faults.html(503, headers={"retry-after": "2"}),
    "body": faults.body(b"\xff\x00"),
    "body after": faults.body(b'{"response"', after=True),
    "delay": faults.delay(1),
    "delay after": faults.delay(1, after=True),
    "delay too long": faults.delay(TIMEOUT + 1),
    "delay too long after": faults.delay(TIMEOUT + 1, after=True),
    "slow_body": faults.slow_body(1),
    "slow_body too long": faults.slow_body(TIMEOUT + 1),
    "truncated": faults.truncated(),
    "truncated after": faults.truncated(after=True),
    "captcha": faults.captcha(),
    "old captcha": faults.captcha("old"),
    "confirmation": faults.confirmation(),
    "validation": faults.validation(),
    "expired_token": faults.expired_token(),
    "expired_token 1117": faults.expired_token(1117),
    **{f"error {code}": faults.error(code) for code in (1, 6, 9, 10, 29, 36, 100)},
}

_FAILED = b'{"error":{"error_code":13,"error_msg":"Runtime error"}}'
OF_EXECUTE: Mapping[str, Fault] = {
    **{f"error {code}": faults.error(code) for code in (12, 13)},
    "error 13 after": faults.body(_FAILED, after=True),
}
"""Faults that only `execute` has."""


@final
class Person:
    """Answers VK's questions, mostly correctly.

    :param chance: decides how
    :param simulator: returns the simulator that can solve the captchas
    """

    def __init__(
        self, chance: random.Random, simulator: Callable[[], Simulator]
    ) -> None:
        self._chance = chance
        self._simulator = simulator
        self._tokens = count(1)

    async def solve(self, captcha: Captcha) -> None:
        """Answer a captcha correctly, wrongly at first, not at all, or raise."""
        mood = self._chance.random()
        await anyio.sleep(0.2)
        if mood < 0.05:
            raise RuntimeError("cannot read it")
        if mood < 0.1:
            return
        if mood < 0.3:
            try:
                await captcha.retry("wrong")
            except CaptchaError:
                await anyio.sleep(0.2)  # the next answer is correct
            else:
                return
        question = captcha.redirect_uri or captcha.sid or ""
        await captcha.retry(self._simulator().solve(question))

    async def agree(self, _: Confirmation) -> bool:
        """Agree or refuse."""
        await anyio.sleep(0.1)
        return self._chance.random() < 0.8

    async def confirm(self, _: Validation) -> str:
        """Return a new token, or raise."""
        await anyio.sleep(0.1)
        if self._chance.random() < 0.2:
            raise RuntimeError("nobody is there")
        return f"vk1.a.the-new-token-{next(self._tokens)}"
