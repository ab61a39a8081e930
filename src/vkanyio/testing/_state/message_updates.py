"""The updates about messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, final

import attrs

if TYPE_CHECKING:
    from .._errors import JSON
    from .conversations import Message
    from .group_updates import GroupUpdates
    from .mailbox import Mailbox

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
    """Reports to communities what happens in their conversations."""

    _box: Mailbox
    _updates: GroupUpdates

    def sent(self, message: Message, now: float) -> None:
        """Report a new message to the communities that see it."""
        for group_id in self._communities(message):
            shown = self._box.show(-group_id, message)
            if message.from_id == -group_id:
                self._updates.make(group_id, "message_reply", shown, now)
            elif self._updates.version(group_id) >= WITH_CLIENT_INFO:
                both: JSON = {"message": shown, "client_info": CLIENT_INFO}
                self._updates.make(group_id, "message_new", both, now)
            else:
                self._updates.make(group_id, "message_new", shown, now)

    def _communities(self, message: Message) -> list[int]:
        conversation = self._box.all.behind(message)
        chat = conversation.chat
        return (
            [-each for each in chat.members if each < 0]
            if chat
            else [-each for each in conversation.key if each < 0]
        )
