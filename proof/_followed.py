"""What the bots of :mod:`proof.updates` follow: a community, or its mailbox.

It makes things happen there, and knows which of them a bot must hear of, and which of
them a position has as handled. It reads VK's JSON itself, and asks vkanyio for none of
this.
"""

from __future__ import annotations

import json
import random
from abc import ABC, abstractmethod
from collections import Counter
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeAlias, final

import anyio
import attrs

from vkanyio.testing import Account, Simulator, faults

if TYPE_CHECKING:
    import httpx

    from vkanyio import VK
    from vkanyio.updates import BotUpdates, PositionStore, Update, UserUpdates

Kind: TypeAlias = Literal["community", "mailbox"]

GROUP = 9
USERS = (1, 2, 3)
TOKENS = {
    "club": Account(id=GROUP, kind="group"),
    **{f"user {each}": Account(id=each) for each in USERS},
}
PAUSES = (0, 0.02, 0.6, 3, 40)

NEW = 4
KEPT = {2: 4, 3: 4, NEW: 2, 5: 4, 6: 3}
"""By code, how many elements of an array identify what happened in a mailbox: VK's
history has no more of it. All other codes are not in the history."""


@final
@attrs.frozen
class Happening:
    """Something that a bot must hear of.

    :ivar number: its number on the long poll server, VK's ``ts``
    :ivar place: the place in a position after it
    :ivar key: what identifies it, in a position, too; several may have the same
    :ivar peer: the conversation
    """

    number: int
    place: int
    key: str
    peer: int


class Followed(ABC):
    """A community or a mailbox, on a simulator whose long poll servers fail.

    :ivar town: the simulator
    :ivar may_repeat: whether VK sends updates again, which have no ids in a mailbox
    """

    place: ClassVar[str]
    """What a position calls the place in it."""
    begin: ClassVar[dict[str, Any]]
    """The position before everything that happens."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.may_repeat: bool = False
        self.town = town = Simulator(limit=0, tokens=TOKENS, seed=seed, latency=0.02)
        town.long_poll(
            key_seconds=self.chance.choice([70, 3600]),
            retention=self.chance.choice([3, 50]),
            most=self.chance.choice([1, 3, 20]),
        )
        for fault in (
            faults.drop_before(),
            faults.drop_after(),
            faults.html(502),
            faults.failed(2),
        ):
            town.fault(fault, "longpoll", rate=self.chance.choice([0, 0, 0.2]))
        rate = self.chance.choice([0, 0, 0, 0.05])
        town.fault(faults.failed(3), "longpoll", rate=rate)

    @abstractmethod
    def listen(self, api: VK, position: PositionStore) -> BotUpdates | UserUpdates:
        """Return what a bot listens to."""

    @abstractmethod
    async def happen(self) -> None:
        """Let everything happen, in a while."""

    @abstractmethod
    def happenings(self) -> list[Happening]:
        """List what has happened so far, of what a bot must hear of."""

    @abstractmethod
    def last_number(self) -> int:
        """Return the number of the last update on the long poll server."""

    @abstractmethod
    def key_of(self, update: Update[Any]) -> str | None:
        """Return the key of what an update reports, None if no bot must hear of it."""

    def is_unique(self, key: str) -> bool:  # noqa: ARG002
        """Return whether nothing else has a key."""
        return True

    def is_past_all(self, position: str) -> bool:
        """Return whether a position is after everything that has happened."""
        return int(json.loads(position)["ts"]) >= self.last_number()

    def handled_by(self, text: str | None) -> set[int]:
        """Return the indexes of what a saved position has as handled."""
        if text is None:
            return set()
        position = json.loads(text)
        place = int(position[self.place])
        keys: Counter[str] = Counter(position["handled"])
        found: set[int] = set()
        for index, each in enumerate(self.happenings()):
            if each.place <= place:
                found.add(index)
            elif keys[each.key]:
                keys[each.key] -= 1
                found.add(index)
        return found


@final
class Community(Followed):
    """A community to which users write."""

    place = "ts"
    begin: ClassVar[dict[str, Any]] = {"group_id": GROUP, "ts": "1", "handled": []}

    def listen(self, api: VK, position: PositionStore) -> BotUpdates:
        """Return the updates of the community."""
        return api.bot_updates(GROUP, position=position)

    async def happen(self) -> None:
        """Let users write."""
        for number in range(12):
            await anyio.sleep(self.chance.choice(PAUSES))
            self.town.say(USERS[number % 3], GROUP, str(number))

    def happenings(self) -> list[Happening]:
        """List the messages."""
        return [
            Happening(made.number, made.number, made.event_id, _peer(made.object))
            for made in self.town.ledger.updates
        ]

    def last_number(self) -> int:
        """Return the number of the last message."""
        return self.town.ledger.updates[-1].number

    def key_of(self, update: Update[Any]) -> str:
        """Return VK's id."""
        return update.event_id


@final
class Mailbox(Followed):
    """The mailbox of a community: users write, edit, delete and type, it reads.

    What the server has forgotten is in VK's history, which may fail, too.
    """

    place = "pts"
    begin: ClassVar[dict[str, Any]] = {
        "group_id": 0,
        "ts": "1",
        "pts": "1",
        "handled": [],
    }

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        chance, town = self.chance, self.town
        town.long_poll(
            history=chance.choice([8, 5000, 5000]), page=chance.choice([2, 1000])
        )
        repeats = chance.choice([0, 0, 0.2])
        self.may_repeat = repeats > 0
        town.fault(faults.repeated(3), "longpoll", rate=repeats)
        for fault in (faults.failed(1), faults.silent()):
            town.fault(fault, "longpoll", rate=chance.choice([0, 0, 0, 0.05]))
        for fault in (faults.drop_after(), faults.html(502), faults.error(10)):
            rate = chance.choice([0, 0, 0.3])
            town.fault(fault, "messages.getLongPollHistory", rate=rate)

    def listen(self, api: VK, position: PositionStore) -> UserUpdates:
        """Return the updates of the mailbox."""
        return api.user_updates(position=position)

    async def happen(self) -> None:
        """Let users write, and let something become of each message."""
        async with self.town.http_client() as browser:
            # Before that, nobody follows it, and VK keeps nothing.
            await _call(browser, "club", "getLongPollServer")
            for number in range(8):
                await anyio.sleep(self.chance.choice(PAUSES))
                user = USERS[number % 3]
                message = self.town.say(user, GROUP, str(number))
                await self._more(browser, user, message)

    async def _more(self, browser: httpx.AsyncClient, user: int, message: int) -> None:
        its = f"user {user}"
        match self.chance.choice(["edit", "read", "delete", "type", "hide", ""]):
            case "edit":
                new = {"peer_id": -GROUP, "message_id": message, "message": "new"}
                await _call(browser, its, "edit", **new)
            case "read":
                await _call(browser, "club", "markAsRead", peer_id=user)
            case "delete":
                gone = {"message_ids": message, "delete_for_all": 1}
                await _call(browser, its, "delete", **gone)
            case "type":  # which no history has
                for each in USERS:
                    doing = {"peer_id": -GROUP, "type": "typing"}
                    await _call(browser, f"user {each}", "setActivity", **doing)
            case "hide" if not self.may_repeat:  # two deletions with the same key
                await _call(browser, "club", "delete", message_ids=message)
                await _call(browser, "club", "restore", message_id=message)
                await _call(browser, "club", "delete", message_ids=message)
            case _:
                pass

    def happenings(self) -> list[Happening]:
        """List what is in the history."""
        return [
            Happening(
                made.number, made.pts, key, made.value[1 if made.code == 6 else 3]
            )
            for made in self.town.ledger.mailbox_updates.of(-GROUP)
            if (key := _key(made.value)) is not None
        ]

    def last_number(self) -> int:
        """Return the number of the last update, be it in the history or not."""
        return self.town.ledger.mailbox_updates.of(-GROUP)[-1].number

    def key_of(self, update: Update[Any]) -> str | None:
        """Return the elements of an array that the history also contains."""
        return _key(update.object)

    def is_unique(self, key: str) -> bool:
        """Return whether it is that of a new message."""
        return key.startswith(f"{NEW}:")


FOLLOWED: dict[Kind, type[Followed]] = {"community": Community, "mailbox": Mailbox}


def _peer(found: Any) -> int:
    return int(found["message"]["peer_id"])


def _key(array: list[Any]) -> str | None:
    kept = KEPT.get(array[0])
    return None if kept is None else ":".join(str(each) for each in array[:kept])


async def _call(
    browser: httpx.AsyncClient, token: str, method: str, **params: object
) -> None:
    response = await browser.post(
        f"https://api.vk.ru/method/messages.{method}",
        data={"v": "5.199", "access_token": token, **params},
    )
    assert "response" in response.json(), response.text
