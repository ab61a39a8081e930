"""What happens in conversations, as the arrays that the mailboxes of both sides get."""

from __future__ import annotations

import html
import json
from typing import TYPE_CHECKING, Final, final

import attrs

from .base import unix
from .media import ATTACHMENT

if TYPE_CHECKING:
    from .._errors import JSON
    from .conversations import Conversation, Message
    from .mailbox import Mailbox
    from .mailboxes import Mailboxes

UNREAD: Final = 1
OUTBOX: Final = 2
DELETED: Final = 128
DELETED_FOR_ALL: Final = 131_072

FLAGS_SET: Final = 2
FLAGS_RESET: Final = 3
NEW: Final = 4
EDITED: Final = 5
READ_INCOMING: Final = 6
READ_OUTGOING: Final = 7
CHAT_CHANGED: Final = 52
ACTIVITIES: Final = {
    "typing": 63,
    "audiomessage": 64,
    "photo": 65,
    "video": 66,
    "file": 67,
}
INVITED, LEFT, KICKED = 6, 7, 8


@final
@attrs.frozen(eq=False)
class MailboxReports:
    """Reports to mailboxes what happens in their conversations."""

    _box: Mailbox
    _mailboxes: Mailboxes

    def sent(self, message: Message, now: float) -> None:
        """Report a new message, and the change of a chat that it records."""
        for viewer in self._viewers(message):
            value = [NEW, *self._fields(message, viewer)]
            self._mailboxes.add(viewer, value, now, message=message)
            if message.action and (member := message.action.get("member_id")):
                left = LEFT if member == message.from_id else KICKED
                kind = INVITED if "invite" in message.action["type"] else left
                peer = self._peer(message, viewer)
                change = [CHAT_CHANGED, kind, peer, member]
                self._mailboxes.add(viewer, change, now)

    def edited(self, message: Message, now: float) -> None:
        """Report that a message was changed."""
        for viewer in self._viewers(message):
            value = [EDITED, *self._fields(message, viewer)]
            self._mailboxes.add(viewer, value, now, message=message)

    def read(self, message: Message, reader: int, now: float) -> None:
        """Report that somebody has read a message and those before it."""
        conversation = self._box.all.behind(message)
        for viewer in self._viewers(message):
            code = READ_INCOMING if viewer == reader else READ_OUTGOING
            unread = conversation.unread_by(viewer) if viewer == reader else 0
            value = [code, self._peer(message, viewer), message.id, unread]
            self._mailboxes.add(viewer, value, now)

    def typing(
        self, conversation: Conversation, who: int, kind: str, now: float
    ) -> None:
        """Report that somebody is typing, recording, or about to send a file."""
        for viewer in conversation.participants():
            if viewer != who:
                peer = conversation.peer_of(viewer)
                value = [ACTIVITIES[kind], peer, [who], 1, unix(now)]
                self._mailboxes.add(viewer, value, now, lasting=False)

    def deleted(
        self, message: Message, viewers: set[int], now: float, *, for_all: bool
    ) -> None:
        """Report that a message was deleted from some mailboxes."""
        flags = DELETED | DELETED_FOR_ALL if for_all else DELETED
        for viewer in viewers:
            value = [FLAGS_SET, message.id, flags, self._peer(message, viewer)]
            self._mailboxes.add(viewer, value, now, message=message)

    def restored(self, message: Message, viewer: int, now: float) -> None:
        """Report that a message is in a mailbox again."""
        _, _, *fields = self._fields(message, viewer)
        value = [FLAGS_RESET, message.id, DELETED, *fields]
        self._mailboxes.add(viewer, value, now, message=message)

    def _viewers(self, message: Message) -> list[int]:
        return self._box.all.behind(message).participants()

    def _peer(self, message: Message, viewer: int) -> int:
        return self._box.all.behind(message).peer_of(viewer)

    def _fields(self, message: Message, viewer: int) -> list[JSON]:
        """Return what follows the code in an array about a message."""
        mine = message.from_id == viewer
        conversation = self._box.all.behind(message)
        unread = message.cmid > conversation.read.get(viewer, 0)
        additional: dict[str, JSON] = {"title": " ... "}
        if conversation.chat:
            title = conversation.chat.title
            additional = {"title": title, "from": str(message.from_id)}
        if message.payload:
            additional["payload"] = message.payload
        if message.action:
            additional["source_act"] = message.action["type"]
            if member := message.action.get("member_id"):
                additional["source_mid"] = str(member)
        text = html.escape(message.text, quote=False).replace('"', "&quot;")
        return [
            message.id,
            (OUTBOX if mine else 0) | (UNREAD if unread or mine else 0),
            conversation.peer_of(viewer),
            message.date,
            text.replace("\n", "<br>"),
            additional,
            self._attachments(message),
            message.random_id if mine else 0,
        ]

    def _attachments(self, message: Message) -> dict[str, str]:
        shown: dict[str, str] = {}
        found = [ATTACHMENT.fullmatch(name) for name in message.attachments]
        for number, parts in enumerate([each for each in found if each], 1):
            shown[f"attach{number}_type"] = parts[1]
            shown[f"attach{number}"] = f"{parts[2]}_{parts[3]}"
        if message.reply_to:
            cmid = self._box.all.messages[message.reply_to].cmid
            shown["reply"] = json.dumps({"conversation_message_id": cmid})
        if message.forwarded:
            shown["fwd"] = "0_0"
        return shown
