"""What was handled of what VK sent, and where to go on after a restart.

Pure: it knows neither a clock nor a connection. Updates are acknowledged one by one and
in any order; the position stays before the first one that is not.
"""

from __future__ import annotations

import json
from collections import Counter, deque
from typing import TYPE_CHECKING, Any, Literal, final

import attrs

from .._typeguards import is_dict, is_list
from ._update import Gap

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ._update import Item, Update

MAX_SEEN = 1000
"""Ids that are remembered: VK may send the same updates again."""


@final
@attrs.frozen(kw_only=True)
class UpdatesPosition:
    """Where a program goes on: a short JSON text.

    :ivar group_id: the community, 0 for the mailbox of the token
    :ivar ts: the number of the update after which VK is asked
    :ivar pts: its place in the history of a mailbox, empty for a community
    :ivar handled: the keys of updates after it that were handled already
    """

    group_id: int
    ts: str
    pts: str = ""
    handled: tuple[str, ...] = ()

    def __str__(self) -> str:
        # In ASCII, since a text that VK has cut may end in half a character.
        history = {"pts": self.pts} if self.pts else {}
        return json.dumps(
            {
                "group_id": self.group_id,
                "ts": self.ts,
                **history,
                "handled": [*self.handled],
            },
            separators=(",", ":"),
        )

    @classmethod
    def parse(cls, text: str) -> UpdatesPosition:
        """Read the text of a position.

        :raises ValueError: if it is not a position, with the reason
        """
        try:
            read: Any = json.loads(text)
        except ValueError:
            message = f"it is not JSON, but begins with {text[:40]!r}"
            raise ValueError(message) from None
        if not is_dict(read):
            message = f"it is not a JSON object, but begins with {text[:40]!r}"
            raise ValueError(message)
        group_id, ts, handled = (read.get(k) for k in ("group_id", "ts", "handled"))
        pts = read.get("pts", "")
        if type(group_id) is not int or not isinstance(ts, str) or not ts:
            raise ValueError("it has no group_id, a number, or no ts, a string")
        if not is_list(handled) or not all(isinstance(each, str) for each in handled):
            raise ValueError("it has no list of the ids that were handled")
        if not isinstance(pts, str) or (pts and not pts.isdecimal()):
            raise ValueError("its pts is not the text of a number")
        return cls(group_id=group_id, ts=ts, pts=pts, handled=tuple(handled))


class _Batch:
    """What one answer brought: updates, or a gap.

    :ivar ts: the number after which VK was asked
    :ivar pts: its place in the history
    :ivar keys: the keys of the updates that VK sent for the first time, by their ids
    :ivar left: how many of them are not acknowledged
    """

    __slots__ = ("keys", "left", "pts", "ts")

    def __init__(self, ts: str, pts: str, keys: dict[str, str], left: int) -> None:
        self.ts = ts
        self.pts = pts
        self.keys = keys
        self.left = left


@final
class Progress:
    """The state of long polling: what is fresh, and what was acknowledged.

    :param position: where to begin
    :ivar ts: the number after which VK is asked next
    :ivar pts: its place in the history of a mailbox
    :ivar duplicates: updates that VK sent again
    """

    def __init__(self, position: UpdatesPosition) -> None:
        self.ts: str = position.ts
        self.pts: str = position.pts
        self.duplicates: int = 0
        self._group_id = position.group_id
        # Handled in a former life: VK will send them once more. They are kept until it
        # does, since it may cut its answer before them.
        self._unmet = Counter(position.handled)
        self._seen: dict[str, None] = {}
        self._batches: deque[_Batch] = deque()  # not yet wholly handled
        self._open: dict[str | Gap, _Batch] = {}  # where the others belong

    def accept(
        self, after: str, updates: Iterable[Update[Any]], *, pts: str = ""
    ) -> list[Update[Any]]:
        """Take an answer of VK, and return the updates in it that are new.

        :param after: the number that VK is to be asked after next
        :param pts: its place in the history, empty if that is not known
        """
        fresh: list[Update[Any]] = []
        keys: dict[str, str] = {}
        for update in updates:
            event_id, key = update.event_id, update.key
            if self._unmet[key]:
                self._unmet[key] -= 1
                keys[event_id] = key
            elif event_id in self._seen or event_id in self._open:
                # Not a key of this batch: it is that of an older one, or was handled
                # before, and a later update may have the same key.
                self.duplicates += 1
            else:
                fresh.append(update)
                keys[event_id] = key
            self._remember(event_id)
        # Without new ones it is a batch, too, while an older one is open: the position
        # stays before that, so VK sends these again after a restart.
        if fresh or (keys and self._batches):
            batch = _Batch(self.ts, self.pts, keys, len(fresh))
            self._batches.append(batch)
            self._open |= dict.fromkeys((each.event_id for each in fresh), batch)
        self.ts, self.pts = after, pts or self.pts
        return fresh

    def skip(
        self, reason: Literal["outdated", "lost"], after: str, *, pts: str = ""
    ) -> Gap:
        """Go on after what VK has lost.

        :return: the gap, which is acknowledged as an update is
        """
        gap = Gap(reason=reason, before=self.ts, after=after)
        self._open[gap] = batch = _Batch(self.ts, self.pts, {}, 1)
        self._batches.append(batch)
        self.ts, self.pts = after, pts
        return gap

    def catch_up(self) -> None:
        """Note that VK has told everything that happened after the position.

        What a former life handled and VK did not tell again is not in its history, such
        as typing. It is forgotten: later updates may have the same keys.
        """
        self._unmet.clear()

    def done(self, item: Item) -> None:
        """Acknowledge an update or a gap; a second time changes nothing."""
        batch = self._open.pop(item if isinstance(item, Gap) else item.event_id, None)
        if batch is None:
            return
        batch.left -= 1
        if isinstance(item, Gap):
            self._unmet.clear()  # they were before it
        while self._batches and not self._batches[0].left:
            self._batches.popleft()

    def position(self) -> UpdatesPosition:
        """Return where to go on after a restart."""
        ts, pts = self.ts, self.pts
        if self._batches:
            ts, pts = self._batches[0].ts, self._batches[0].pts
        keys = {k: v for each in self._batches for k, v in each.keys.items()}
        handled = [v for k, v in keys.items() if k not in self._open]
        return UpdatesPosition(
            group_id=self._group_id,
            ts=ts,
            pts=pts,
            handled=(*handled, *self._unmet.elements()),
        )

    def _remember(self, key: str) -> None:
        self._seen[key] = None
        if len(self._seen) > MAX_SEEN:
            del self._seen[next(iter(self._seen))]
