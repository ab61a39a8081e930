"""``messages``: the long poll of users and communities for their mailboxes, version 3.

The arrays are those of https://dev.vk.com/api/user-long-poll/getting-started. Unlike
the updates of communities, most are also in a history, where positions are called
``pts``. A mailbox is followed from the first time that its server is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, final

import attrs

from .._errors import JSON, VKFault
from .._update_ledger import WITH_MESSAGE, MailboxUpdate
from .base import flag
from .feeds import History

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .._call import Call, Handler
    from .._update_ledger import MailboxLedger
    from .conversations import Message
    from .feeds import Feed
    from .long_poll import LongPoll
    from .mailbox import Mailbox

CUT: Final = {3: 4, 4: 4, 5: 4, 6: 3, 7: 3}
"""How many elements of an array are in the history, by its code; by default all."""

DEFAULT_MESSAGES: Final = 200
TOO_OLD_PTS: Final = 907
TOO_NEW_PTS: Final = 908


@final
@attrs.frozen(eq=False)
class Mailboxes:
    """The long poll of mailboxes.

    :param box: the messages
    :param long_poll: keeps and sends the updates
    :param ledger: records them
    """

    _box: Mailbox
    _long_poll: LongPoll
    _ledger: MailboxLedger

    def methods(self) -> dict[str, Handler]:
        """Return the methods by name."""
        return {
            "messages.getLongPollHistory": self._get_history,
            "messages.getLongPollServer": self._get_server,
        }

    def add(
        self,
        owner_id: int,
        value: Sequence[JSON],
        now: float,
        *,
        lasting: bool = True,
        message: Message | None = None,
    ) -> None:
        """Add an update to a mailbox, if anybody has ever asked for its server.

        :param owner_id: a user, or a community (negative)
        :param value: VK's array
        :param now: the time
        :param lasting: whether it is in the history, too
        :param message: the message that it is about
        """
        feed = self._long_poll.find_mailbox(owner_id)
        if feed is None or feed.history is None:
            return
        made = MailboxUpdate(
            owner_id=owner_id,
            number=feed.last + 1,
            pts=feed.history.pts + lasting,
            time=now,
            value=[*value],
            message_id=message.id if message else 0,
        )
        self._ledger.append(made)
        if lasting:
            feed.history.add(made)
        feed.add(made)

    def _get_server(self, call: Call) -> JSON:
        feed = self._long_poll.mailbox(self._box.viewer(call))
        server = self._long_poll.issue(call, feed)
        if not flag(call, "need_pts"):
            del server["pts"]
        return server

    def _get_history(self, call: Call) -> JSON:
        viewer = self._box.viewer(call)
        feed = self._long_poll.mailbox(viewer)
        history = feed.history or History(feed.limits)
        begin = _begin(call, feed, history)
        page = call.integer("events_limit", feed.limits.page)
        found, messages = self._with_messages(call, history.after(begin)[:page])
        end = found[-1].pts if found else begin
        shown = [self._box.show(viewer, each) for each in messages]
        for message, each in zip(messages, shown, strict=True):
            if viewer in message.hidden_from:
                each["deleted"] = 1
        people = [self._box.all.behind(each).peer_of(viewer) for each in messages]
        value: dict[str, JSON] = {
            "history": [each.value[: CUT.get(each.value[0])] for each in found],
            "messages": {"count": len(shown), "items": shown},
            **self._box.owners.introduce(call, people),
            "from_pts": begin,
            "new_pts": end,
        }
        if end < history.pts:
            value["more"] = True
        if flag(call, "credentials"):
            value["credentials"] = self._long_poll.issue(call, feed)
        return value

    def _with_messages(
        self, call: Call, found: list[MailboxUpdate]
    ) -> tuple[list[MailboxUpdate], list[Message]]:
        """Return the updates whose messages fit into an answer, and these messages.

        VK returns a message once, as it is now, whatever happened to it: it was sent,
        edited or restored (https://github.com/danyadev/longpoll-doc).
        """
        most = call.integer("msgs_limit", DEFAULT_MESSAGES)
        messages: dict[int, Message] = {}
        for index, each in enumerate(found):
            if each.code not in WITH_MESSAGE or each.message_id in messages:
                continue
            if len(messages) == most:
                return found[:index], [*messages.values()]
            messages[each.message_id] = self._box.all.messages[each.message_id]
        return found, [*messages.values()]


def _begin(call: Call, feed: Feed, history: History) -> int:
    """Return the ``pts`` from which a call wants to know what happened."""
    if pts := call.integer("pts", 0):
        if pts > history.pts:
            raise VKFault(TOO_NEW_PTS)
        begin = pts
    elif last_n := call.integer("last_n", 0):
        return max(history.pts - last_n, history.oldest)
    else:
        ts = call.integer("ts")
        if ts > feed.last:
            raise VKFault(TOO_NEW_PTS)
        begin = history.pts_at(ts)
    if begin < history.oldest:
        raise VKFault(TOO_OLD_PTS)
    return begin
