"""``messages``: the methods that send, change and delete messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import attrs

from .._call import GROUP_CHAT, Call, Handler, Reply
from .._errors import JSON, VKFault
from .base import DAY, Seen, flag, number, numbers, unix
from .formats import format_data_of
from .keyboards import check_template, keyboard_of
from .references import references_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .conversations import Message
    from .mailbox import Mailbox
    from .message_updates import MessageUpdates

EDITABLE = DAY
"""Seconds for which a message can be edited, and deleted for everybody."""

CONTENT = (
    *("message", "attachment", "sticker_id", "forward_messages", "forward"),
    "lat",
)
"""The parameters of which a message needs at least one.

A template needs a message with it (https://vk.com/dev/bot_docs_templates).
"""


@final
@attrs.frozen(eq=False)
class Sending:
    """Methods that change messages."""

    _box: Mailbox
    _updates: MessageUpdates
    _sent: Seen = attrs.field(factory=Seen)

    def methods(self) -> dict[str, Handler]:
        """Return the methods by name."""
        return {
            "messages.delete": self._delete,
            "messages.edit": self._edit,
            "messages.markAsRead": self._mark_as_read,
            "messages.restore": self._restore,
            "messages.send": self.send,
        }

    def send(self, call: Call) -> Reply:
        """Send a message; the method ``messages.send``."""
        random_id = _int32(call.integer("random_id"))
        if not any(call.params.get(name) for name in CONTENT):
            raise VKFault.parameter("message is empty or invalid")
        peers = call.items("peer_ids") or call.items("user_ids")
        if not peers:
            message, repeated = self._send_to(call, self._box.peer(call), random_id)
            return Reply(message.id, repeated=repeated)
        value: list[dict[str, JSON]] = []
        all_repeated = True
        for peer in [number(each) for each in peers]:
            item: dict[str, JSON] = {"peer_id": peer}
            try:
                message, repeated = self._send_to(call, peer, random_id)
            except VKFault as refusal:
                item["error"] = {"code": refusal.code, "description": refusal.message}
                all_repeated = False
            else:
                item["message_id"] = message.id
                item["conversation_message_id"] = message.cmid
                all_repeated = all_repeated and repeated
            value.append(item)
        return Reply(value, repeated=all_repeated)

    def _send_to(self, call: Call, peer: int, random_id: int) -> tuple[Message, bool]:
        viewer = self._box.viewer(call)
        key = (viewer, peer, random_id)
        if random_id and (known := self._sent.find(key, call.time)) is not None:
            return self._box.all.messages[known], True
        conversation = self._box.all.look(viewer, peer)
        self._require_willing(viewer, peer)
        reply_to, forwarded = references_of(call, self._box, viewer, peer)
        check_template(call)
        keyboard, format_data = keyboard_of(call), format_data_of(call)
        message = self._box.all.write(
            conversation,
            viewer,
            call.time,
            text=call.params.get("message", ""),
            attachments=call.items("attachment"),
        )
        message.random_id = random_id
        message.payload = call.params.get("payload", "")
        message.keyboard, message.format_data = keyboard, format_data
        message.reply_to, message.forwarded = reply_to, forwarded
        if random_id:
            self._sent.note(key, call.time, message.id)
        self._updates.sent(message, call.time)
        return message, False

    def _require_willing(self, viewer: int, peer: int) -> None:
        """Require that the peer accepts messages.

        :raises VKFault: 900 to 902 if not, 936 for a message between communities
        """
        if peer >= GROUP_CHAT:
            return
        if peer < 0:
            if viewer < 0:
                raise VKFault(936)
            look = self._box.owners.communities.look
            if look(-peer).properties.get("can_message") == 0:
                raise VKFault(901)
            return
        if (peer, viewer) in self._box.denials:
            raise VKFault(901)
        people = self._box.owners.people
        if people.given(peer, "deactivated"):
            raise VKFault(902 if viewer > 0 else 901)
        if people.given(peer, "blacklisted"):
            raise VKFault(900)
        if people.given(peer, "can_write_private_message") == 0:
            wrote_first = any(
                each.from_id == peer
                for each in self._box.all.look(viewer, peer).messages
            )
            if not (viewer < 0 and wrote_first):
                raise VKFault(902 if viewer > 0 else 901)

    def _edit(self, call: Call) -> JSON:
        viewer = self._box.viewer(call)
        conversation = self._box.conversation(call)
        message_id = call.integer("message_id", 0)
        cmid = call.integer("cmid", 0) or call.integer("conversation_message_id", 0)
        for message in conversation.seen_by(viewer):
            if message_id == message.id or cmid == message.cmid:
                break
        else:
            raise VKFault.parameter("message_id is invalid")
        if message.from_id != viewer:
            raise VKFault(15)
        if message.action:
            raise VKFault(920)
        if unix(call.time) - message.date >= EDITABLE:
            raise VKFault(909)
        text = call.params.get("message", "")
        attachments = call.items("attachment")
        if not text and not attachments:
            raise VKFault.parameter("message is empty or invalid")
        check_template(call)
        keyboard, format_data = keyboard_of(call), format_data_of(call)
        message.keyboard, message.format_data = keyboard, format_data
        message.text, message.attachments = text, attachments
        message.edited = unix(call.time)
        self._updates.edited(message, call.time)
        return 1

    def _delete(self, call: Call) -> JSON:
        viewer = self._box.viewer(call)
        for_all = flag(call, "delete_for_all")
        value: list[dict[str, JSON]] = []
        for message in self._chosen(call, viewer):
            if not for_all:
                gone = {viewer}
            elif message.from_id != viewer or (
                unix(call.time) - message.date >= EDITABLE
            ):
                raise VKFault(924)
            else:
                conversation = self._box.all.behind(message)
                members = (
                    conversation.chat.members if conversation.chat else message.key
                )
                gone = {*members} - message.hidden_from
            message.hidden_from |= gone
            self._updates.deleted(message, gone, call.time, for_all=for_all)
            value.append(
                {
                    "peer_id": self._box.all.behind(message).peer_of(viewer),
                    "message_id": message.id,
                    "conversation_message_id": message.cmid,
                    "response": 1,
                }
            )
        return value

    def _chosen(self, call: Call, viewer: int) -> Sequence[Message]:
        if ids := numbers(call, "message_ids"):
            found = [self._box.message(viewer, each) for each in ids]
            return [each for each in found if each]
        # The newer name of the parameter, and the older one.
        names = ("cmids", "conversation_message_ids")
        cmids = [each for name in names for each in numbers(call, name)]
        seen = self._box.conversation(call).seen_by(viewer)
        return [each for each in seen if each.cmid in cmids]

    def _restore(self, call: Call) -> JSON:
        viewer = self._box.viewer(call)
        if number_ := call.integer("message_id", 0):
            message = self._box.all.messages.get(number_)
        else:
            messages = self._box.conversation(call).messages
            cmid = call.integer("cmid")
            message = messages[cmid - 1] if 0 < cmid <= len(messages) else None
        if message is None or message.hidden_from != {viewer}:
            raise VKFault.parameter("message_id is invalid")
        message.hidden_from.clear()
        self._updates.restored(message, viewer, call.time)
        return 1

    def _mark_as_read(self, call: Call) -> JSON:
        viewer = self._box.viewer(call)
        if ids := numbers(call, "message_ids"):
            found = [self._box.message(viewer, each) for each in ids]
            chosen = [each for each in found if each]
        else:
            conversation = self._box.conversation(call)
            up_to = call.integer("up_to_cmid", 0)
            start = call.integer("start_message_id", 0)
            chosen = [
                each
                for each in conversation.seen_by(viewer)
                if (not up_to or each.cmid <= up_to) and (not start or each.id <= start)
            ]
        for message in chosen:
            read = self._box.all.behind(message).read
            if message.cmid > read.get(viewer, 0):
                read[viewer] = message.cmid
                self._updates.read(message, viewer, call.time)
        return 1


def _int32(value: int) -> int:
    """Reduce a ``random_id`` to 32 bits, as VK does."""
    return (value + 2**31) % 2**32 - 2**31
