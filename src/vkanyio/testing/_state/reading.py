"""``messages``: the methods that read messages and conversations."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, final

import attrs

from .._errors import JSON, VKFault
from .base import DAY, flag, numbers, page

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .._call import Call, Handler
    from .conversations import Conversation, Message
    from .mailbox import Mailbox


@final
@attrs.frozen(eq=False)
class Reading:
    """Methods that read messages."""

    _box: Mailbox

    def methods(self) -> dict[str, Handler]:
        """Return the methods by name."""
        return {
            "messages.getByConversationMessageId": self._get_by_cmid,
            "messages.getById": self._get_by_id,
            "messages.getConversations": self._get_conversations,
            "messages.getConversationsById": self._get_conversations_by_id,
            "messages.getHistory": self._get_history,
            "messages.search": self._search,
        }

    def _list(
        self, call: Call, shown: Sequence[Message], count: int | None = None
    ) -> dict[str, JSON]:
        viewer = self._box.viewer(call)
        preview = call.integer("preview_length", 0)
        items = [self._box.show(viewer, each, preview=preview) for each in shown]
        value: dict[str, JSON] = {
            "count": len(items) if count is None else count,
            "items": items,
        }
        return self._box.extend(call, value, shown)

    def _get_history(self, call: Call) -> JSON:
        viewer = self._box.viewer(call)
        conversation = self._box.conversation(call)
        messages = conversation.seen_by(viewer)
        if not flag(call, "rev"):
            messages.reverse()
        offset = call.integer("offset", 0)
        count = call.integer("count", 20)
        begin = offset
        if start := call.integer("start_message_id", 0):
            ids = [each.id for each in messages]
            begin += ids.index(start) if start in ids else 0
        elif offset < 0:
            raise VKFault.parameter("offset should be positive")
        shown = messages[max(begin, 0) : max(begin + count, 0)]
        value = self._list(call, shown, len(messages))
        if flag(call, "extended"):
            value["conversations"] = [self._box.describe(viewer, conversation)]
        return value

    def _get_by_id(self, call: Call) -> JSON:
        viewer = self._box.viewer(call)
        ids = numbers(call, "message_ids")
        if not ids:
            return self._numbered(call, "cmids")
        found = [self._box.message(viewer, each) for each in ids]
        return self._list(call, [each for each in found if each])

    def _get_by_cmid(self, call: Call) -> JSON:
        return self._numbered(call, "conversation_message_ids")

    def _numbered(self, call: Call, name: str) -> JSON:
        cmids = numbers(call, name)
        seen = self._box.conversation(call).seen_by(self._box.viewer(call))
        by_number = {each.cmid: each for each in seen}
        return self._list(
            call, [by_number[each] for each in cmids if each in by_number]
        )

    def _get_conversations(self, call: Call) -> JSON:
        viewer = self._box.viewer(call)
        conversations = self._box.all.of(viewer)
        unread = [each for each in conversations if each.unread_by(viewer)]
        chosen = {
            "all": conversations,
            "unread": unread,
            "unanswered": [
                each
                for each in conversations
                if each.seen_by(viewer)[-1].from_id != viewer
            ],
        }.get(call.params.get("filter") or "all", [])
        if start := call.integer("start_message_id", 0):
            chosen = [each for each in chosen if each.seen_by(viewer)[-1].id <= start]
        shown = page(call, chosen, default=20)
        last = [each.seen_by(viewer)[-1] for each in shown]
        value: dict[str, JSON] = {
            "count": len(chosen),
            "items": [
                {
                    "conversation": self._box.describe(viewer, each),
                    "last_message": self._box.show(viewer, message),
                }
                for each, message in zip(shown, last, strict=True)
            ],
        }
        if unread:
            value["unread_count"] = len(unread)
        return self._box.extend(call, value, last)

    def _get_conversations_by_id(self, call: Call) -> JSON:
        viewer = self._box.viewer(call)
        peers = numbers(call, "peer_ids")
        found: list[Conversation] = [self._box.all.look(viewer, each) for each in peers]
        value: dict[str, JSON] = {
            "count": len(found),
            "items": [self._box.describe(viewer, each) for each in found],
        }
        return self._box.owners.extend(call, value, peers)

    def _search(self, call: Call) -> JSON:
        viewer = self._box.viewer(call)
        words = call.params.get("q", "").lower().split()
        if peer := call.integer("peer_id", 0):
            conversations = [self._box.all.look(viewer, peer)]
        else:
            conversations = self._box.all.of(viewer)
        before = _end_of_day(call.params.get("date", ""))
        found = [
            message
            for conversation in conversations
            for message in conversation.seen_by(viewer)
            if all(word in message.text.lower() for word in words)
            and (before is None or message.date < before)
        ]
        found.sort(key=lambda message: message.id, reverse=True)
        shown = page(call, found, default=20)
        return self._list(call, shown, len(found))


def _end_of_day(date: str) -> int | None:
    """Convert a date in VK's format DDMMYYYY to the Unix time of its end in UTC."""
    if not date:
        return None
    try:
        day = datetime.strptime(date.rjust(8, "0"), "%d%m%Y")
    except ValueError:
        raise VKFault.parameter("date is invalid") from None
    return int(day.replace(tzinfo=UTC).timestamp()) + DAY
