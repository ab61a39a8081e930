"""A record of all updates, for tests that check that none was missed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, final, overload

import attrs

if TYPE_CHECKING:
    from ._errors import JSON


@final
@attrs.define(eq=False, kw_only=True)
class MadeUpdate:
    """An update of a community that the simulator has made.

    :ivar group_id: the community
    :ivar number: its number on the community's long poll server, VK's ``ts``
    :ivar time: when it was made, by :func:`anyio.current_time`
    :ivar value: VK's object, as it is handed out: ``type``, ``object``, ``event_id``
        and so on
    :ivar handed_out: how often a long poll server has sent it, also in responses that
        were lost on the way
    :ivar forgotten: whether VK no longer keeps it
    """

    group_id: int
    number: int
    time: float
    value: dict[str, JSON] = attrs.field(repr=lambda value: repr(value["type"]))
    handed_out: int = 0
    forgotten: bool = False

    @property
    def type(self) -> str:
        """VK's name for what has happened, such as "message_new"."""
        return str(self.value["type"])

    @property
    def event_id(self) -> str:
        """The id of the update, 40 hexadecimal digits."""
        return str(self.value["event_id"])

    @property
    def object(self) -> JSON:
        """What has happened, in the shape of the settings' version."""
        return self.value["object"]


@final
class UpdateLedger(Sequence[MadeUpdate]):
    """Every update of every community, in the order in which they were made."""

    def __init__(self) -> None:
        self._made: list[MadeUpdate] = []

    @overload
    def __getitem__(self, index: int) -> MadeUpdate: ...
    @overload
    def __getitem__(self, index: slice) -> list[MadeUpdate]: ...
    def __getitem__(self, index: int | slice) -> MadeUpdate | list[MadeUpdate]:
        return self._made[index]

    def __len__(self) -> int:
        return len(self._made)

    def __iter__(self) -> Iterator[MadeUpdate]:
        return iter(self._made)

    def __repr__(self) -> str:
        return (
            f"<UpdateLedger: {len(self)} made, {len(self.not_handed_out())} not handed "
            f"out, {len(self.lost())} lost>"
        )

    def of(self, group_id: int, type: str | None = None) -> list[MadeUpdate]:  # noqa: A002, VK's word
        """List the updates of a community.

        :param group_id: the community
        :param type: only the updates of this type, such as "message_new"
        :return: the updates, in order
        """
        return [
            each
            for each in self._made
            if each.group_id == group_id and type in (None, each.type)
        ]

    def not_handed_out(self) -> list[MadeUpdate]:
        """List the updates that no long poll server has sent, in order."""
        return [each for each in self._made if not each.handed_out]

    def lost(self) -> list[MadeUpdate]:
        """List the updates that were forgotten before anybody asked for them."""
        return [each for each in self.not_handed_out() if each.forgotten]

    def append(self, made: MadeUpdate) -> None:
        """Record an update."""
        self._made.append(made)
