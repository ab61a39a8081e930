"""Updates of a community by long poll: what :meth:`API.bot_updates` returns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

from .._similar import did_you_mean
from .._wire_checks import check_whole, shown
from ._consumer import WAIT, LongPollUpdates
from ._group import GroupChannel
from ._types import UPDATE_TYPES
from ._update import Gap, UnknownUpdate, Update

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .._caller import Caller
    from ._positions import PositionStore
    from ._update import Item

_NAMES: dict[type[Update[Any]], str] = {
    UnknownUpdate: "",
    **{cls: name for name, cls in UPDATE_TYPES.items()},
}


@final
class BotUpdates(LongPollUpdates):
    """Updates about a community: :meth:`~vkanyio.API.bot_updates` makes it.

    ::

        async with api.bot_updates(position=FilePosition("bot.json")) as updates:
            async for update in updates:
                match update:
                    case MessageNew(object={"message": message}):
                        print(message["text"])
                    case Gap():
                        print("VK has lost some")

    Requesting the next update acknowledges the one before. The loop may be left and
    continued, also by another task, but only one task may wait at a time. A wait may be
    cancelled at any time, and loses nothing.

    Guarantees: every update that VK hands out after the position is delivered, or a
    :class:`Gap` reports between which numbers VK has lost some. One is delivered again
    only if it was not acknowledged in the position that was saved last.
    """

    _made_by = "bot_updates"

    def __init__(
        self,
        caller: Caller,
        group_id: int | None = None,
        *,
        position: PositionStore | str | None = None,
        wait: int = WAIT,
        configure: bool = False,
        kinds: Iterable[type[Update[Any]] | str] | None = None,
    ) -> None:
        if group_id is not None:
            check_whole("group_id", group_id, 1)
        self._kinds = _check_kinds(kinds)
        super().__init__(
            caller,
            GroupChannel(caller, group_id, self._kinds or (), configure=configure),
            position=position,
            wait=wait,
            is_wanted=self._is_wanted_kind,
        )

    def _is_wanted_kind(self, item: Item) -> bool:
        if self._kinds is None or isinstance(item, Gap):
            return True
        return _NAMES[type(item)] in self._kinds


def _check_kinds(
    kinds: Iterable[type[Update[Any]] | str] | None,
) -> frozenset[str] | None:
    if kinds is None:
        return None
    listed = [kinds] if isinstance(kinds, str | type) else [*kinds]
    return frozenset(_kind(each) for each in listed)


def _kind(kind: type[Update[Any]] | str) -> str:
    """Return the name of a type of updates; that of unknown ones is empty."""
    if isinstance(kind, str):
        if kind in UPDATE_TYPES:
            return kind
        message = (
            f"kinds has {shown(kind)}, which vkanyio does not"
            f" know{did_you_mean(kind, UPDATE_TYPES)} (UnknownUpdate stands for all"
            " unknown kinds)"
        )
        raise ValueError(message)
    if isinstance(kind, type) and kind in _NAMES:
        return _NAMES[kind]
    message = (
        "kinds must have classes such as MessageNew, or their names such as"
        f" 'message_new', got {shown(kind)}"
    )
    raise TypeError(message)
