"""What the classes of a mailbox's updates have in common."""

from __future__ import annotations

from html import unescape
from typing import TYPE_CHECKING, Any, ClassVar, Self

import attrs

from .._typeguards import is_dict, is_list
from ._update import Update

if TYPE_CHECKING:
    from collections.abc import Mapping

OUTBOX = 2
"""The flag of a message that the owner of the mailbox has sent."""
_CHAT = 2_000_000_000
"""The peer of a chat is its id and this number."""


@attrs.frozen(kw_only=True)
class UserUpdate(Update[list[Any]]):
    """Something that happened in a mailbox, such as a new message.

    :ivar object: VK's array
    :ivar event_id: identifies the update in this program
    :ivar group_id: the community of the mailbox, 0 for that of the token
    :ivar message: VK's object of the message, as it is now, for what comes from the
        history; else None
    :ivar replayed: whether it comes from the history, where VK shortens arrays
    :cvar persistent: whether the history has it: if not, it is lost while nobody
        listens, and no :class:`~vkanyio.updates.Gap` says so
    """

    __module__ = "vkanyio.updates.mailbox"
    _peer_at: ClassVar[int | None] = None
    _is_chat: ClassVar[bool] = False
    _kept: ClassVar[int | None] = None
    """How many elements of the array identify it: at most those in the history."""
    _is_unique: ClassVar[bool] = False
    """Whether no other update has its key."""
    _has_message: ClassVar[bool] = False
    persistent: ClassVar[bool] = True

    message: dict[str, Any] | None = attrs.field(default=None, eq=False)
    replayed: bool = attrs.field(default=False, eq=False)

    @property
    def code(self) -> int:
        """VK's code of the type, 0 if it has none."""
        return self._number(0) or 0

    @classmethod
    def _key_of(cls, array: list[Any]) -> str:
        """Return the key of an array: what the history has of it."""
        return ":".join(str(each) for each in array[: cls._kept])

    @property
    def key(self) -> str:
        """What a restarted program recognizes it by, polled or from the history."""
        return self._key_of(self.object)

    @property
    def peer_id(self) -> int | None:
        """The conversation that it belongs to, None if it concerns none."""
        found = None if self._peer_at is None else self._number(self._peer_at)
        if found is not None and self._is_chat and found < _CHAT:
            return found + _CHAT
        return found

    @classmethod
    def make(
        cls,
        array: list[Any],
        group_id: int,
        place: str,
        messages: Mapping[int, dict[str, Any]] | None,
    ) -> Self:
        """Create an update from VK's array.

        :param place: distinguishes updates with the same contents
        :param messages: the messages of a history by their ids, None for what was
            polled
        """
        key = cls._key_of(array)
        message = None
        if messages is not None and cls._has_message and len(array) > 1:
            message = messages.get(array[1]) if type(array[1]) is int else None
        return cls(
            object=array,
            event_id=key if cls._is_unique else f"{key}@{place}",
            group_id=group_id,
            message=message,
            replayed=messages is not None,
        )

    def _element(self, index: int) -> Any:
        return self.object[index] if len(self.object) > index else None

    def _number(self, index: int) -> int | None:
        found = self._element(index)
        return found if type(found) is int else None

    def __hash__(self) -> int:
        return hash(self.event_id)


class AboutMessage(UserUpdate):
    """An update about one message."""

    __slots__ = ()
    _peer_at: ClassVar[int | None] = 3
    _kept: ClassVar[int | None] = 4

    @property
    def message_id(self) -> int:
        """The id of the message in this mailbox."""
        return self._number(1) or 0

    @property
    def flags(self) -> int:
        """The flags of the message, or those that were set or reset, as bits."""
        return self._number(2) or 0


class WithText(AboutMessage):
    """An update with the contents of a message.

    The history has no array of them, but the object of the message.
    """

    __slots__ = ()
    _has_message = True

    @property
    def is_outgoing(self) -> bool:
        """Whether the owner of the mailbox has sent it."""
        return bool(self.flags & OUTBOX)

    @property
    def date(self) -> int | None:
        """When the message was sent, in Unix time."""
        found = self._of_message("date", self._number(4))
        return found if type(found) is int else None

    @property
    def text(self) -> str:
        """The text, in which VK's ``<br>`` and ``&quot;`` are decoded."""
        found = self._element(5)
        text = unescape(found.replace("<br>", "\n")) if isinstance(found, str) else ""
        return str(self._of_message("text", text))

    @property
    def additional(self) -> dict[str, Any]:
        """More about the message, such as ``from``, the sender in a chat."""
        found = self._element(6)
        return found if is_dict(found) else {}

    @property
    def attachments(self) -> dict[str, Any]:
        """What is attached, as VK's ``attach1``, ``attach1_type`` and so on."""
        found = self._element(7)
        return found if is_dict(found) else {}

    @property
    def sent_random_id(self) -> int:
        """The ``random_id`` that it was sent with, 0 if it is not known."""
        found = self._of_message("random_id", self._number(8))
        return found if type(found) is int else 0

    def _of_message(self, name: str, default: Any) -> Any:
        return default if self.message is None else self.message.get(name, default)


class UpToMessage(UserUpdate):
    """An update about the messages of a conversation up to one."""

    __slots__ = ()
    _peer_at: ClassVar[int | None] = 1

    @property
    def message_id(self) -> int:
        """The id of the last message that it concerns."""
        return self._number(2) or 0


class ConversationFlags(UserUpdate):
    """An update of the flags of a conversation."""

    __slots__ = ()
    _peer_at: ClassVar[int | None] = 1

    @property
    def flags(self) -> int:
        """The flags of the conversation, or those that were set or reset, as bits."""
        return self._number(2) or 0


class Presence(UserUpdate):
    """A friend came online or went offline."""

    __slots__ = ()
    persistent = False

    @property
    def user_id(self) -> int:
        """The user."""
        return abs(self._number(1) or 0)


class Activity(UserUpdate):
    """What somebody is doing in a conversation."""

    __slots__ = ()
    _peer_at = 1
    persistent = False

    @property
    def user_ids(self) -> tuple[int, ...]:
        """Who does it."""
        found = self._element(2)
        ids: list[Any] = found if is_list(found) else [found]
        return tuple(each for each in ids if type(each) is int)
