"""The updates about messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, final

import attrs

if TYPE_CHECKING:
    from .._errors import JSON
    from .conversations import Conversation, Message
    from .group_updates import GroupUpdates
    from .mailbox import Mailbox
    from .mailbox_reports import MailboxReports

WITH_CLIENT_INFO: Final = (5, 103)
"""The version from which a new message comes with what its sender's client can show
(https://dev.vk.com/api/community-events/json-schema)."""

CLIENT_INFO: Final[JSON] = {
    "button_actions": ["text", "open_link", "open_app", "callback", "location"],
    "keyboard": True,
    "inline_keyboard": True,
    "carousel": True,
    "lang_id": 0,
}


@final
@attrs.frozen(eq=False)
class MessageUpdates:
    """Reports what happens in conversations: to communities, and to mailboxes."""

    _box: Mailbox
    _updates: GroupUpdates
    _mailboxes: MailboxReports

    def sent(self, message: Message, now: float) -> None:
        """Report a new message."""
        self._mailboxes.sent(message, now)
        for group_id in self._box.all.behind(message).communities():
            shown = self._box.show(-group_id, message)
            if message.from_id == -group_id:
                self._updates.make(group_id, "message_reply", shown, now)
            elif self._updates.version(group_id) >= WITH_CLIENT_INFO:
                both: JSON = {"message": shown, "client_info": CLIENT_INFO}
                self._updates.make(group_id, "message_new", both, now)
            else:
                self._updates.make(group_id, "message_new", shown, now)

    def edited(self, message: Message, now: float) -> None:
        """Report that a message was changed."""
        self._mailboxes.edited(message, now)
        for group_id in self._box.all.behind(message).communities():
            shown = self._box.show(-group_id, message)
            self._updates.make(group_id, "message_edit", shown, now)

    def read(self, message: Message, reader: int, now: float) -> None:
        """Report that somebody has read a message and those before it."""
        self._mailboxes.read(message, reader, now)
        for group_id in self._box.all.behind(message).communities():
            if reader != -group_id:
                shown = {
                    "from_id": reader,
                    "peer_id": self._box.all.behind(message).peer_of(-group_id),
                    "read_message_id": message.id,
                    "conversation_message_id": message.cmid,
                }
                self._updates.make(group_id, "message_read", shown, now)

    def typing(
        self, conversation: Conversation, who: int, kind: str, now: float
    ) -> None:
        """Report that somebody is typing, recording, or about to send a file."""
        self._mailboxes.typing(conversation, who, kind, now)
        for group_id in conversation.communities():
            if who != -group_id:
                shown = {"state": kind, "from_id": who, "to_id": -group_id}
                self._updates.make(group_id, "message_typing_state", shown, now)

    def deleted(
        self, message: Message, viewers: set[int], now: float, *, for_all: bool
    ) -> None:
        """Report that a message was deleted, which only mailboxes get to know."""
        self._mailboxes.deleted(message, viewers, now, for_all=for_all)

    def restored(self, message: Message, viewer: int, now: float) -> None:
        """Report that a message is in a mailbox again."""
        self._mailboxes.restored(message, viewer, now)

    def reacted(
        self, message: Message, who: int, reaction_id: int | None, now: float
    ) -> None:
        """Report a reaction to a message, or that it was taken back."""
        conversation = self._box.all.behind(message)
        for group_id in conversation.communities():
            shown: JSON = {
                "reacted_id": who,
                "peer_id": conversation.peer_of(-group_id),
                "cmid": message.cmid,
            }
            if reaction_id is not None:
                shown["reaction_id"] = reaction_id
            self._updates.make(group_id, "message_reaction_event", shown, now)
