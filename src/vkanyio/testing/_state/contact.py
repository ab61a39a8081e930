"""``messages``: what participants do besides writing, and whether they may write."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import attrs

from .._errors import VKFault

if TYPE_CHECKING:
    from .._call import Call, Handler
    from .._errors import JSON
    from .conversations import Message
    from .group_updates import GroupUpdates
    from .mailbox import Mailbox
    from .message_updates import MessageUpdates


@final
@attrs.frozen(eq=False)
class Contact:
    """Methods for typing, reactions, and the right to write to a user."""

    _box: Mailbox
    _reports: MessageUpdates
    _updates: GroupUpdates

    def methods(self) -> dict[str, Handler]:
        """Return the methods by name."""
        return {
            "messages.allowMessagesFromGroup": self._allow,
            "messages.deleteReaction": self._delete_reaction,
            "messages.denyMessagesFromGroup": self._deny,
            "messages.isMessagesFromGroupAllowed": self._is_allowed,
            "messages.sendReaction": self._send_reaction,
            "messages.setActivity": self._set_activity,
        }

    def _set_activity(self, call: Call) -> JSON:
        kind = call.params.get("type", "typing")
        conversation = self._box.conversation(call)
        self._reports.typing(conversation, self._box.viewer(call), kind, call.time)
        return 1

    def _message(self, call: Call) -> Message:
        cmid = call.integer("cmid")
        for message in self._box.conversation(call).seen_by(self._box.viewer(call)):
            if message.cmid == cmid:
                return message
        raise VKFault.parameter("cmid is invalid")

    def _send_reaction(self, call: Call) -> JSON:
        message, viewer = self._message(call), self._box.viewer(call)
        reaction_id = call.integer("reaction_id")
        message.reactions[viewer] = reaction_id
        self._reports.reacted(message, viewer, reaction_id, call.time)
        return 1

    def _delete_reaction(self, call: Call) -> JSON:
        message, viewer = self._message(call), self._box.viewer(call)
        if message.reactions.pop(viewer, None) is not None:
            self._reports.reacted(message, viewer, None, call.time)
        return 1

    def _allow(self, call: Call) -> JSON:
        group_id, user_id = call.integer("group_id"), call.account.id
        self._box.denials.discard((user_id, -group_id))
        shown = {"user_id": user_id, "key": call.params.get("key", "")}
        self._updates.make(group_id, "message_allow", shown, call.time)
        return 1

    def _deny(self, call: Call) -> JSON:
        group_id, user_id = call.integer("group_id"), call.account.id
        self._box.denials.add((user_id, -group_id))
        self._updates.make(group_id, "message_deny", {"user_id": user_id}, call.time)
        return 1

    def _is_allowed(self, call: Call) -> JSON:
        pair = call.integer("user_id"), -call.integer("group_id")
        return {"is_allowed": int(pair not in self._box.denials)}
