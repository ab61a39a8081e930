"""What VK reports: updates, and the gaps between them."""

from __future__ import annotations

from typing import (
    TYPE_CHECKING,
    Any,
    ClassVar,
    Generic,
    Literal,
    TypeAlias,
    TypeVar,
    final,
)

import attrs

from .._random_id import random_id
from .._typeguards import is_dict

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

T = TypeVar("T")

_COMMENTS: Mapping[str, tuple[tuple[str, ...], str]] = {
    "board_post": (("topic_owner_id",), "topic_id"),
    "market_comment": (("market_owner_id", "owner_id"), "item_id"),
    "photo_comment": (("photo_owner_id", "owner_id"), "photo_id"),
    "video_comment": (("video_owner_id", "owner_id"), "video_id"),
    "wall_reply": (("post_owner_id", "owner_id"), "post_id"),
}
"""Where comments have what they are below: the fields of the owner, and of the id."""


@attrs.frozen(kw_only=True)
class Update(Generic[T]):
    """Something that happened in a community, such as a message to it.

    There is a class for each type, such as :class:`MessageNew`; types that vkanyio does
    not know are :class:`UnknownUpdate`. Nothing in it is validated.

    :ivar object: what VK reports, its JSON unchanged; its form depends on the version
        in the settings of the community, see ``v``
    :ivar event_id: identifies the update: the same if VK sends it again
    :ivar group_id: the community
    :ivar v: the version of the API whose form ``object`` has
    :ivar attempt: how often VK has tried to deliver it before, as it says; always 0 by
        long poll
    """

    __module__ = "vkanyio.updates"
    _type: ClassVar[str] = ""

    object: T
    event_id: str
    group_id: int
    v: str = ""
    attempt: int = attrs.field(default=0, eq=False)

    @property
    def type(self) -> str:
        """VK's name of the type: ``"message_new"``."""
        return self._type

    @property
    def key(self) -> str:
        """What a restarted program recognizes it by, also if its id is another one."""
        return self.event_id

    @property
    def peer_id(self) -> int | None:
        """The conversation that it belongs to, None if it concerns none."""
        if not self.type.startswith("message_"):
            return None
        found: Any = self.object
        if not is_dict(found):
            return None
        if is_dict(found.get("message")):
            found = found["message"]
        names = ["peer_id", "user_id"]
        if self.type == "message_typing_state":  # one of the two is the community
            names = ["to_id" if found.get("from_id") == -self.group_id else "from_id"]
        return next((found[k] for k in names if type(found.get(k)) is int), None)

    @property
    def order_key(self) -> Hashable | None:
        """The key of its order: updates with the same key are handled one after the
        other.

        The conversation, or the post, photo, video, product or topic below which a
        comment is; None for all others, which have no order.
        """
        if self.peer_id is not None:
            return self.peer_id
        found: Any = self.object
        family = self.type.rpartition("_")[0]
        if family in _COMMENTS and is_dict(found):
            owners, item = _COMMENTS[family]
            owner = next((found[each] for each in owners if each in found), None)
            if type(owner) is int and type(found.get(item)) is int:
                return (family, owner, found[item])
        return None

    def random_id(self, n: int = 0) -> int:
        """Return a ``random_id`` for a message that responds to this update.

        It depends on the update alone. If the update is delivered again after a crash,
        the second message is a duplicate for VK, which delivers it only once within an
        hour.

        :param n: distinguishes several messages that respond to one update: 0, 1, 2
        :return: what :func:`vkanyio.random_id` makes of ``event_id`` and ``n``
        """
        return random_id(self.key, n)

    def __hash__(self) -> int:
        return hash(self.event_id)


@final
@attrs.frozen(kw_only=True)
class UnknownUpdate(Update[Any]):
    """An update of a type that vkanyio does not know."""

    __module__ = "vkanyio.updates"

    _unknown_type: str = attrs.field(alias="type")

    @property
    def type(self) -> str:
        """VK's name of the type, an empty string if it has none."""
        return self._unknown_type

    def __hash__(self) -> int:
        return hash(self.event_id)


@final
@attrs.frozen(kw_only=True, eq=False)
class Gap:
    """VK lost updates: read what they reported through the API.

    :ivar reason: "outdated" if VK no longer keeps the updates, "lost" if it reports
        that it has lost them
    :ivar before: the number of the last update that VK has delivered
    :ivar after: the number of the last update that is lost
    """

    __module__ = "vkanyio.updates"

    reason: Literal["outdated", "lost"]
    before: str
    after: str


Item: TypeAlias = "Update[Any] | Gap"
"""What is delivered, and acknowledged."""
