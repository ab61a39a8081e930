"""What happens in a mailbox, by long poll: what :meth:`API.user_updates` returns."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from .._wire_checks import check_whole
from ._consumer import WAIT, LongPollUpdates
from ._mailbox import MailboxChannel

if TYPE_CHECKING:
    from .._caller import Caller
    from ._positions import PositionStore
    from ._update import Item


@final
class UserUpdates(LongPollUpdates):
    """What happens in a mailbox: :meth:`~vkanyio.API.user_updates` makes it.

    ::

        async with api.user_updates(position=FilePosition("box.json")) as updates:
            async for update in updates:
                match update:
                    case mailbox.NewMessage(peer_id=peer_id, text=text):
                        print(peer_id, text)
                    case mailbox.MessageFlagsSet(flags=flags):
                        print("deleted" if flags & mailbox.DELETED else "marked")

    It is used as :class:`BotUpdates` are, and gives the same guarantees for what VK
    keeps in its history. What happened while nobody listened is read from there first:
    such updates are ``replayed``. Typing and counters are not in the history.
    """

    __module__ = "vkanyio.updates"
    _made_by = "user_updates"

    def __init__(
        self,
        caller: Caller,
        group_id: int | None = None,
        *,
        position: PositionStore | str | None = None,
        wait: int = WAIT,
    ) -> None:
        if group_id is not None:
            check_whole("group_id", group_id, 1)
        super().__init__(
            caller,
            MailboxChannel(caller, group_id),
            position=position,
            wait=wait,
            is_wanted=_is_wanted,
        )


def _is_wanted(_: Item) -> bool:
    return True
