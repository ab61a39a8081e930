"""Token functions for tests, and calls with their tokens."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, final

import anyio
import pytest

from _helpers import note
from vkanyio import Token

if TYPE_CHECKING:
    from collections.abc import Callable

    from vkanyio import VK
    from vkanyio.testing import Simulator

    Make = Callable[..., VK]

MODES = pytest.mark.parametrize("mode", ["sequential", "parallel"])


def codes_of(simulator: Simulator) -> list[int]:
    """Return the codes of the errors that calls met."""
    return [each.outcome for each in simulator.ledger if isinstance(each.outcome, int)]


async def outcomes_of(
    api: VK, count: int, method: str = "test.get", **params: Any
) -> list[Any]:
    """Make calls at once, and return their values and errors."""
    outcomes: list[Any] = []
    async with anyio.create_task_group() as tg:
        for i in range(count):
            tg.start_soon(note, outcomes, api.call, method, {"id": i, **params})
    return outcomes


def fail_with(error: Exception) -> Callable[[], Any]:
    """Return a function that raises an error."""

    def fail() -> None:
        raise error

    return fail


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
