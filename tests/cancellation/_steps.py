"""Count the steps of all tasks of a run, so that something can happen at each."""

from __future__ import annotations

import functools
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, final

import pytest
from proof._steps import Stepped

from vkanyio._service_group import ServiceGroup

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

MAX_STEPS = 5000
"""A run that takes more is in an endless loop."""


@final
class Steps:
    """The resumptions of all tasks of a run, in their order, and the suspensions.

    :param suspensions: whether to count these as well. They add little, since one task
        stops just when the next goes on, and double the time.
    """

    def __init__(self, at: int, act: Callable[[], None], *, suspensions: bool) -> None:
        self.count = 0
        self.suspensions = suspensions
        self._at = at
        self._act = act

    def step(self) -> None:
        """Count a step, and act if it is the right one."""
        self.count += 1
        if self.count == self._at:
            self._act()
        assert self.count < MAX_STEPS, "the run does not end"

    def counted(self, coroutine: Coroutine[Any, Any, Any]) -> Stepped:
        """Return an awaitable that runs a coroutine and counts its steps."""
        return Stepped(coroutine, self._suspension, self.step)

    def _suspension(self) -> None:
        if self.suspensions:
            self.step()

    @contextmanager
    def of_client_tasks(self) -> Iterator[None]:
        """Count the steps of the client's tasks as well."""
        start_soon, counted = ServiceGroup.start_soon, self.counted

        def start_counted(
            self: ServiceGroup, function: Any, *args: Any, **how: Any
        ) -> Any:
            @functools.wraps(function)
            async def run(*args: Any) -> None:
                await counted(function(*args))

            return start_soon(self, run, *args, **how)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(ServiceGroup, "start_soon", start_counted)
            yield
