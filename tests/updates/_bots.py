"""What tests of bots do: users write, and updates are read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import anyio

from vkanyio.updates import Gap, mailbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from vkanyio.testing import Simulator
    from vkanyio.updates import BotUpdates, Update, UserUpdates

GROUP = 9


class Followed(NamedTuple):
    """A community or its mailbox.

    :ivar server: the method that returns its server
    :ivar listen: ``club.bot_updates`` or ``club.user_updates``
    """

    server: str
    listen: Callable[..., BotUpdates | UserUpdates]


def write(town: Simulator, *numbers: int, user: int = 1) -> None:
    """Let a user write some numbers to the community."""
    for number in numbers:
        town.say(user, GROUP, str(number))


async def write_slowly(town: Simulator, numbers: Iterable[int], seconds: float) -> None:
    """Let users write numbers, some seconds apart."""
    for number in numbers:
        await anyio.sleep(seconds)
        write(town, number, user=1 + number % 3)


def number_of(update: Update[Any] | Gap) -> int:
    """Return the number that a user wrote."""
    assert not isinstance(update, Gap)
    if isinstance(update, mailbox.NewMessage):
        return int(update.text)
    return int(update.object["message"]["text"])


async def read(updates: BotUpdates | UserUpdates, count: int) -> list[int]:
    """Read some numbers, and acknowledge the last one."""
    found: list[int] = []
    with anyio.fail_after(100_000):
        async for update in updates:
            found.append(number_of(update))
            if len(found) == count:
                updates.acknowledge()
                break
    return found


class Memory:
    """A store of positions that may fail.

    :ivar text: what was saved last
    :ivar saves: when it was saved
    :ivar error: raised by the next saves
    """

    def __init__(self, text: str | None = None) -> None:
        self.text = text
        self.saves: list[float] = []
        self.attempts: list[float] = []
        self.error: Exception | None = None
        self.seconds = 0.0

    async def load(self) -> str | None:
        return self.text

    async def save(self, position: str) -> None:
        self.attempts.append(anyio.current_time())
        await anyio.sleep(self.seconds)
        if self.error is not None:
            raise self.error
        self.text = position
        self.saves.append(anyio.current_time())
