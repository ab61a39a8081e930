"""Token functions for tests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, final

import anyio

from vkanyio import Token

if TYPE_CHECKING:
    from collections.abc import Callable

    from vkanyio.testing import Simulator


@final
class Source:
    """A token function that returns one token after the other.

    :param takes: seconds that a renewal takes
    :param life: seconds after which a token expires, None if it does not say so
    :param fail: called for each renewal, to fail it
    :ivar asked: the tokens that it was asked to replace
    :ivar in_progress: how many times it is being asked right now
    """

    def __init__(
        self,
        *,
        takes: float = 0.0,
        life: float | None = None,
        fail: Callable[[], Any] | None = None,
    ) -> None:
        self.takes = takes
        self.asked: list[str | None] = []
        self.in_progress = 0
        self.max_in_progress = 0
        self._life = life
        self.fail = fail

    async def __call__(self, refused: str | None) -> str | Token:
        self.asked.append(refused)
        self.in_progress += 1
        self.max_in_progress = max(self.max_in_progress, self.in_progress)
        try:
            await anyio.sleep(self.takes if refused is not None else 0)
        finally:
            self.in_progress -= 1
        if refused is not None and self.fail is not None:
            self.fail()
        if self._life is None:
            return self.current
        return Token(self.current, datetime.now(UTC) + timedelta(seconds=self._life))

    @property
    def current(self) -> str:
        """The token that it returned last."""
        return f"vk1.a.the-secret-token-{len(self.asked)}"

    @property
    def renewals(self) -> int:
        """How often it was asked after the first time."""
        return len(self.asked) - 1

    def expire(self, simulator: Simulator, **how: Any) -> None:
        """Let the token expire that it returned last."""
        simulator.expire(self.current, **how)
