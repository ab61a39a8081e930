"""The stored messages and their conversations.

A message has the same id for all readers, whereas VK gives it a different one in every
mailbox; a chat has the same number for everybody, too. Within a conversation messages
are numbered from 1, as VK numbers them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias, final

import attrs

from .._call import GROUP_CHAT
from .._errors import JSON, VKFault
from .base import unix

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .media import Media

Key: TypeAlias = tuple[int, int]
"""The ids of two participants, the smaller first; or 0 and the peer id of a chat."""


@final
@attrs.define(eq=False, kw_only=True)
class Message:
    """One message."""

    id: int
    cmid: int
    key: Key
    date: int
    from_id: int
    text: str
    attachments: list[str]
    random_id: int = 0
    payload: str = ""
    keyboard: dict[str, JSON] | None = None
    format_data: dict[str, JSON] | None = None
    reply_to: int = 0
    forwarded: Sequence[int] = ()
    action: dict[str, JSON] | None = None
    edited: int = 0
    reactions: dict[int, int] = attrs.field(factory=dict[int, int])
    """The reaction of each participant who has reacted."""
    hidden_from: set[int] = attrs.field(factory=set[int])
    """Those who have deleted it."""


@final
@attrs.define(eq=False, kw_only=True)
class Chat:
    """The additional data of a conversation with several members."""

    id: int
    title: str
    admin_id: int
    members: dict[int, int]
    """The members, each with the one who invited them."""
    photo: str = ""
    """The address of its photo."""


@final
@attrs.define(eq=False)
class Conversation:
    """The messages between two participants, or in a chat."""

    key: Key
    chat: Chat | None = None
    messages: list[Message] = attrs.field(factory=list[Message])
    read: dict[int, int] = attrs.field(factory=dict[int, int])
    """The last message that each participant has read, by its number in here."""

    def peer_of(self, viewer: int) -> int:
        """Return the peer id of the conversation for a participant."""
        if self.chat:
            return self.key[1]
        low, high = self.key
        return high if viewer == low else low

    def includes(self, viewer: int) -> bool:
        """Return whether somebody is a participant."""
        return viewer in (self.chat.members if self.chat else self.key)

    def participants(self) -> list[int]:
        """List the participants, communities with negative ids."""
        return [*(self.chat.members if self.chat else self.key)]

    def communities(self) -> list[int]:
        """List the ids of the communities among the participants."""
        return [-each for each in self.participants() if each < 0]

    def seen_by(self, viewer: int) -> list[Message]:
        """List the messages that a participant has not deleted, oldest first."""
        return [each for each in self.messages if viewer not in each.hidden_from]

    def unread_by(self, viewer: int) -> int:
        """Count the messages of others that a participant has not read."""
        read = self.read.get(viewer, 0)
        return sum(
            each.cmid > read and each.from_id != viewer for each in self.seen_by(viewer)
        )


@final
@attrs.define(eq=False)
class Conversations:
    """All conversations."""

    media: Media
    messages: dict[int, Message] = attrs.field(factory=dict[int, Message])
    _conversations: dict[Key, Conversation] = attrs.field(
        factory=dict[Key, Conversation]
    )
    _last_chat: int = 0

    def of(self, viewer: int) -> list[Conversation]:
        """List the conversations of a participant, the most recent one first."""
        mine = [
            each
            for each in self._conversations.values()
            if each.includes(viewer) and each.seen_by(viewer)
        ]
        return sorted(mine, key=lambda each: each.seen_by(viewer)[-1].id, reverse=True)

    def look(self, viewer: int, peer: int) -> Conversation:
        """Return a conversation, which may have no messages yet.

        :param viewer: the participant who asks, negative for a community
        :param peer: the other participant, or a chat
        :raises VKFault: 917, if it is a chat that the viewer is not in
        """
        key = _key(viewer, peer)
        found = self._conversations.get(key) or Conversation(key)
        if peer >= GROUP_CHAT and (found.chat is None or not found.includes(viewer)):
            raise VKFault(917)
        return found

    def behind(self, message: Message) -> Conversation:
        """Return the conversation that contains a message."""
        return self._conversations[message.key]

    def found(
        self, title: str, admin_id: int, members: Sequence[int], now: float
    ) -> Chat:
        """Create a chat; its first message records that."""
        self._last_chat += 1
        peer = GROUP_CHAT + self._last_chat
        inside = dict.fromkeys([admin_id, *members], admin_id)
        chat = Chat(id=self._last_chat, title=title, admin_id=admin_id, members=inside)
        conversation = Conversation((0, peer), chat)
        self._conversations[conversation.key] = conversation
        self.write(
            conversation,
            admin_id,
            now,
            action={"type": "chat_create", "text": title},
        )
        return chat

    def write(
        self,
        conversation: Conversation,
        from_id: int,
        now: float,
        *,
        text: str = "",
        attachments: Sequence[str] = (),
        action: dict[str, JSON] | None = None,
    ) -> Message:
        """Add a message to a conversation."""
        self._conversations.setdefault(conversation.key, conversation)
        message = Message(
            id=len(self.messages) + 1,
            cmid=len(conversation.messages) + 1,
            key=conversation.key,
            date=unix(now),
            from_id=from_id,
            text=text,
            attachments=[*attachments],
            action=action,
        )
        conversation.messages.append(message)
        self.messages[message.id] = message
        # Somebody who writes has read the previous messages.
        conversation.read[from_id] = message.cmid
        return message


def _key(viewer: int, peer: int) -> Key:
    if peer >= GROUP_CHAT:
        return 0, peer
    return min(viewer, peer), max(viewer, peer)
