"""End a program at a step of its tasks, and keep what it saved until then."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

import anyio
import attrs

from ._steps import Stepped

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine


@final
class Killer:
    """Counts the steps of the tasks of a life, and ends it at one of them.

    :param at: the step, 0 for none
    :param kills: whether nothing more is saved then
    """

    def __init__(self, at: int, *, kills: bool = True) -> None:
        self.steps = 0
        self.has_struck = False
        self.scope = anyio.CancelScope()
        self._at = at
        self._kills = kills

    @property
    def is_dead(self) -> bool:
        """Whether the program was killed, and not only cancelled."""
        return self.has_struck and self._kills

    def counted(self, coroutine: Coroutine[Any, Any, Any]) -> Stepped:
        """Return an awaitable that runs a coroutine and counts its steps."""
        return Stepped(coroutine, self.step, self.step)

    def step(self) -> None:
        """Count a step, and end the life if it is the right one."""
        self.steps += 1
        if self.steps == self._at:
            self.has_struck = True
            self.scope.cancel()


@final
@attrs.define
class Store:
    """Keeps a position; one that is saved by a dead program is not.

    :ivar killer: may kill the program while it saves
    :ivar check: looks at what is saved
    """

    text: str | None = None
    killer: Killer | None = None
    check: Callable[[str], None] | None = None

    async def load(self) -> str | None:
        """Return the text."""
        return self.text

    async def save(self, position: str) -> None:
        """Save a text, in a while."""
        killer = self.killer
        if killer is not None and self.check is not None:
            self.check(position)
            await killer.counted(anyio.sleep(0.01))
            if not killer.is_dead:
                self.text = position
