"""A record of all updates, for tests that check that none was missed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Generic, TypeVar, final, overload

import attrs

if TYPE_CHECKING:
    from ._errors import JSON

WITH_MESSAGE = (3, 4, 5)
"""The codes of arrays with the fields of a message."""

WHOLE = 9
WITH_ATTACHMENTS = 2
WITH_RANDOM_ID = 128
"""Bits of ``mode``."""


@final
@attrs.define(eq=False, kw_only=True)
class MadeUpdate:
    """An update of a community that the simulator has made.

    :ivar group_id: the community
    :ivar number: its number on the community's long poll server, VK's ``ts``; 0 if the
        settings leave it out there
    :ivar time: when it was made, by :func:`anyio.current_time`
    :ivar value: VK's object, as it is handed out: ``type``, ``object``, ``event_id``
        and so on
    :ivar handed_out: how often a long poll server has sent it, also in responses that
        were lost on the way
    :ivar forgotten: whether VK no longer keeps it
    :ivar sent: how often it was sent to the servers of the Callback API
    :ivar accepted: whether one of them has answered "ok"
    """

    group_id: int
    number: int
    time: float
    value: dict[str, JSON] = attrs.field(repr=lambda value: repr(value["type"]))
    handed_out: int = 0
    forgotten: bool = False
    sent: int = 0
    accepted: bool = False

    @property
    def type(self) -> str:
        """VK's name for what has happened, such as "message_new"."""
        return str(self.value["type"])

    @property
    def event_id(self) -> str:
        """The id of the update, 40 hexadecimal digits."""
        return str(self.value["event_id"])

    @property
    def object(self) -> JSON:
        """What has happened, in the shape of the settings' version."""
        return self.value["object"]

    def shown(self, _mode: int) -> JSON:
        """Return it as a long poll server sends it, whatever the mode."""
        return self.value


@final
@attrs.define(eq=False, kw_only=True)
class MailboxUpdate:
    """An update of a mailbox that the simulator has made, for the long poll of users.

    :ivar owner_id: whose mailbox it is: a user, or a community (negative)
    :ivar number: its number on the mailbox's long poll server, VK's ``ts``
    :ivar pts: the position in the history after it
    :ivar time: when it was made, by :func:`anyio.current_time`
    :ivar value: VK's array
    :ivar message_id: the message that it is about, 0 for none
    :ivar handed_out: how often a long poll server has sent it, also in responses that
        were lost on the way
    :ivar forgotten: whether the long poll server no longer keeps it
    """

    owner_id: int
    number: int
    pts: int
    time: float
    value: list[JSON]
    message_id: int = 0
    handed_out: int = 0
    forgotten: bool = False

    @property
    def code(self) -> int:
        """VK's code for what has happened, such as 4 for a new message."""
        return int(self.value[0])

    def shown(self, mode: int) -> JSON:
        """Return it as a long poll server sends it in this mode."""
        if self.code not in WITH_MESSAGE or len(self.value) < WHOLE:
            return self.value
        *fields, attachments, random_id = self.value
        end = [random_id] if mode & WITH_RANDOM_ID else []
        return [*fields, attachments if mode & WITH_ATTACHMENTS else {}, *end]


M = TypeVar("M", MadeUpdate, MailboxUpdate)


class MadeLedger(Sequence[M], Generic[M]):
    """Updates in the order in which they were made."""

    def __init__(self) -> None:
        self._made: list[M] = []

    @overload
    def __getitem__(self, index: int) -> M: ...
    @overload
    def __getitem__(self, index: slice) -> list[M]: ...
    def __getitem__(self, index: int | slice) -> M | list[M]:
        return self._made[index]

    def __len__(self) -> int:
        return len(self._made)

    def __iter__(self) -> Iterator[M]:
        return iter(self._made)

    def __repr__(self) -> str:
        return (
            f"<{type(self).__name__}: {len(self)} made, "
            f"{len(self.not_handed_out())} not handed out, {len(self.lost())} lost>"
        )

    def not_handed_out(self) -> list[M]:
        """List the updates that no long poll server has sent, in order."""
        return [each for each in self._made if not each.handed_out]

    def lost(self) -> list[M]:
        """List the updates that were forgotten before anybody asked for them."""
        return [each for each in self.not_handed_out() if each.forgotten]

    def append(self, made: M) -> None:
        """Record an update."""
        self._made.append(made)


@final
class UpdateLedger(MadeLedger[MadeUpdate]):
    """Every update of every community, in the order in which they were made."""

    def of(self, group_id: int, type: str | None = None) -> list[MadeUpdate]:  # noqa: A002, VK's word
        """List the updates of a community.

        :param group_id: the community
        :param type: only the updates of this type, such as "message_new"
        :return: the updates, in order
        """
        return [
            each
            for each in self._made
            if each.group_id == group_id and type in (None, each.type)
        ]


@final
class MailboxLedger(MadeLedger[MailboxUpdate]):
    """Every update of the mailboxes that anybody follows."""

    def of(self, owner_id: int, code: int | None = None) -> list[MailboxUpdate]:
        """List the updates of a mailbox.

        :param owner_id: a user, or a community (negative)
        :param code: only the updates with this code, such as 4 for new messages
        :return: the updates, in order
        """
        return [
            each
            for each in self._made
            if each.owner_id == owner_id and code in (None, each.code)
        ]
