"""Count the steps of all tasks of a run, so that something can happen at each."""

from __future__ import annotations

import functools
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, final

import pytest

from vkanyio._service_group import ServiceGroup

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Generator, Iterator

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

    def counted(self, coroutine: Coroutine[Any, Any, Any]) -> _Stepped:
        """Return an awaitable that runs a coroutine and counts its steps."""
        return _Stepped(coroutine, self)

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


@final
class _Stepped:
    """A coroutine that counts its steps."""

    def __init__(self, coroutine: Coroutine[Any, Any, Any], steps: Steps) -> None:
        self._coroutine = coroutine
        self._steps = steps

    def __await__(self) -> Generator[Any, Any, Any]:
        value, error = None, None
        iterator = self._coroutine.__await__()
        while True:
            try:
                if error is not None:
                    trap = iterator.throw(error)
                else:
                    trap = iterator.send(value)
            except StopIteration as stop:
                return stop.value
            if self._steps.suspensions:
                self._steps.step()
            value, error = None, None
            try:
                value = yield trap
            except BaseException as thrown:
                error = thrown
            self._steps.step()
