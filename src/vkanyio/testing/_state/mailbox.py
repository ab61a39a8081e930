"""Messages and conversations as one participant sees them."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import attrs

from .._call import GROUP_CHAT, Call
from .._errors import JSON, VKFault
from .base import flag

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .conversations import Conversation, Conversations, Message
    from .owners import Owners

VERSION = 10_000_000
"""The start of the version counter that VK adds to messages."""


@final
@attrs.frozen(eq=False)
class Mailbox:
    """What the methods of ``messages`` share."""

    owners: Owners
    all: Conversations
    denials: set[tuple[int, int]] = attrs.field(factory=set[tuple[int, int]])
    """Users who refuse messages of a community, each with its owner id."""

    def viewer(self, call: Call) -> int:
        """Return the participant on whose behalf a call reads and writes messages.

        This is the caller, or the community in ``group_id``.

        :raises VKFault: code 15, if the user does not manage the community
        """
        group_id = call.integer("group_id", 0)
        if not group_id:
            return call.account.owner_id
        if not self.owners.communities.manages(call, group_id):
            raise VKFault(15, "Access denied: you should be group moderator")
        return -group_id

    def peer(self, call: Call) -> int:
        """Return the peer in the parameters of a call.

        :raises VKFault: code 100, if there is none
        """
        if peer := call.integer("peer_id", 0) or call.integer("user_id", 0):
            return peer
        if chat := call.integer("chat_id", 0):
            return GROUP_CHAT + chat
        if domain := call.params.get("domain"):
            if found := self.owners.find(domain):
                return found
            raise VKFault(936)
        raise VKFault.parameter("peer_id is undefined")

    def conversation(self, call: Call) -> Conversation:
        """Return the conversation in the parameters of a call."""
        return self.all.look(self.viewer(call), self.peer(call))

    def message(self, viewer: int, number: int) -> Message | None:
        """Return a message if the viewer may read it and has not deleted it."""
        message = self.all.messages.get(number)
        if message is None or viewer in message.hidden_from:
            return None
        return message if self.all.behind(message).includes(viewer) else None

    def show(self, viewer: int, message: Message, *, preview: int = 0) -> JSON:
        """Describe a message.

        :param viewer: the reader
        :param message: the message
        :param preview: how many characters of the text to show, 0 for all
        :return: VK's object
        """
        mine = message.from_id == viewer
        text = message.text
        shown: dict[str, JSON] = {
            "id": message.id,
            "conversation_message_id": message.cmid,
            "peer_id": self.all.behind(message).peer_of(viewer),
            "from_id": message.from_id,
            "date": message.date,
            "out": int(mine),
            "text": text[:preview] if preview else text,
            "version": VERSION + message.id,
            "random_id": message.random_id if mine else 0,
            "attachments": self.all.media.attached(message.attachments),
            "fwd_messages": [
                self._quote(self.all.messages[each]) for each in message.forwarded
            ],
            "important": False,
            "is_hidden": False,
        }
        if message.reply_to:
            shown["reply_message"] = self._quote(self.all.messages[message.reply_to])
        if message.payload:
            shown["payload"] = message.payload
        if message.format_data:
            shown["format_data"] = message.format_data
        if message.keyboard and message.keyboard["inline"]:
            shown["keyboard"] = message.keyboard
        if message.action:
            shown["action"] = message.action
        if message.edited:
            shown["update_time"] = message.edited
        return shown

    def _quote(self, message: Message) -> dict[str, JSON]:
        return {
            "id": message.id,
            "conversation_message_id": message.cmid,
            "date": message.date,
            "from_id": message.from_id,
            "text": message.text,
            "attachments": self.all.media.attached(message.attachments),
        }

    def describe(self, viewer: int, conversation: Conversation) -> dict[str, JSON]:
        """Describe a conversation.

        :return: VK's object
        """
        peer = conversation.peer_of(viewer)
        seen = conversation.seen_by(viewer)
        last = seen[-1] if seen else None
        others = [
            read for reader, read in conversation.read.items() if reader != viewer
        ]
        shown: dict[str, JSON] = {
            "peer": self._describe_peer(peer),
            "sort_id": {"major_id": 0, "minor_id": last.id if last else 0},
            "last_message_id": last.id if last else 0,
            "last_conversation_message_id": last.cmid if last else 0,
            "in_read": _id_at(conversation, conversation.read.get(viewer, 0)),
            "out_read": _id_at(conversation, max(others, default=0)),
            "in_read_cmid": conversation.read.get(viewer, 0),
            "out_read_cmid": max(others, default=0),
            "version": VERSION + (last.id if last else 0),
            "is_marked_unread": False,
            "important": False,
            "can_write": {"allowed": True},
        }
        if unread := conversation.unread_by(viewer):
            shown["unread_count"] = unread
        if chat := conversation.chat:
            shown["chat_settings"] = {
                "title": chat.title,
                "members_count": len(chat.members),
                "owner_id": chat.admin_id,
                "state": "in",
                "admin_ids": [chat.admin_id],
                "active_ids": [each for each in chat.members if each != viewer][:4],
                "is_group_channel": False,
                "acl": _rights(admin=viewer == chat.admin_id),
            }
        return shown

    def _describe_peer(self, peer: int) -> dict[str, JSON]:
        if peer >= GROUP_CHAT:
            return {"id": peer, "type": "chat", "local_id": peer - GROUP_CHAT}
        kind = "user" if peer > 0 else "group"
        return {"id": peer, "type": kind, "local_id": abs(peer)}

    def extend(
        self, call: Call, value: dict[str, JSON], messages: Iterable[Message]
    ) -> dict[str, JSON]:
        """Add profiles to a value if ``extended`` or ``fields`` asks for them."""
        if not flag(call, "extended") and not call.items("fields"):
            return value
        ids: list[int] = []
        for each in messages:
            ids += [each.from_id, *self.all.behind(each).key]
        return value | self.owners.introduce(call, [each for each in ids if each])


def _id_at(conversation: Conversation, cmid: int) -> int:
    return conversation.messages[cmid - 1].id if cmid else 0


def _rights(*, admin: bool) -> dict[str, JSON]:
    everybody = (
        "can_invite",
        "can_see_invite_link",
        "can_call",
        "can_use_mass_mentions",
    )
    admins = (
        *("can_change_info", "can_change_pin", "can_promote_users", "can_moderate"),
        *("can_change_invite_link", "can_copy_chat"),
    )
    return dict.fromkeys(everybody, True) | dict.fromkeys(admins, admin)
