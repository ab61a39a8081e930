"""One upload of each kind: how it is called, and what comes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import attrs

from _helpers import TOKEN
from vkanyio.testing import Account, Simulator
from vkanyio.uploads import File
from vkanyio.uploads._kinds import KINDS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from vkanyio import VK

    Upload: TypeAlias = Callable[[VK], Awaitable[Any]]

OWNERS = {
    "user": Account(id=1),
    "group": Account(id=9, kind="group"),
    "service": Account(id=1, kind="service"),
}
BYTES = b"some bytes that are not really a picture"
WIDGET: dict[str, Any] = {"image_type": "24x24"}


@attrs.frozen
class Example:
    """An upload of one kind.

    :ivar params: its arguments beside the file
    :ivar returned: the beginning of what `to_vk` returns, None if it raises
    :ivar token: the kind of token that it needs
    """

    name: str
    params: dict[str, Any] = attrs.field(factory=dict)
    returned: str | int | None = attrs.field(default=None, kw_only=True)
    token: str = attrs.field(default="user", kw_only=True)

    def __str__(self) -> str:
        return self.name

    @property
    def is_list(self) -> bool:
        """Whether it takes several files."""
        return len(KINDS[self.name].fields) > 1

    def file(self, content: bytes = BYTES) -> Any:
        """Return something to upload: a file, or a list of them."""
        suffixes = KINDS[self.name].suffixes or ("txt",)
        file = File(content, name=f"a file.{suffixes[0]}")
        return [file] if self.is_list else file

    def simulator(self) -> Simulator:
        """Return a simulator, with a token that may upload it."""
        return Simulator(limit=0, tokens={TOKEN: OWNERS[self.token]})

    async def prepare(self, api: VK) -> None:
        """Make what the file is for."""
        if self.name == "album_photos":
            await api.photos.createAlbum(title="Cats")
        if self.name == "chat_photo":
            await api.messages.createChat(user_ids=[2], title="Cats")

    async def upload(self, api: VK, file: Any = None, **more: Any) -> Any:
        """Upload a file, and return what comes of it."""
        method = getattr(api.upload, self.name)
        found = await method(file or self.file(), **self.params, **more)
        return found[0] if self.is_list else found


EXAMPLES = [
    Example("album_photos", {"album_id": 300_000_000}, returned="photo1_"),
    Example("wall_photo", {"caption": "A cat"}, returned="photo1_"),
    Example("message_photo", {"peer_id": 5}, returned="photo1_"),
    Example("owner_photo", {"square_crop": (0, 0, 200)}),
    Example("chat_photo", {"chat_id": 1, "crop_width": 200}),
    Example("cover_photo", {"group_id": 7, "crop_x2": 1590}),
    Example("market_photo", {"group_id": 7}, returned=456_239_017),
    Example("market_photos", {"group_id": 7}, returned=456_239_017),
    Example("market_album_photo", {"group_id": 7}, returned=456_239_017),
    Example("poll_photo", {"owner_id": -7}, returned=456_239_017),
    Example("app_widget_image", WIDGET, returned="1_456239017", token="service"),
    Example("group_widget_image", WIDGET, returned="-9_456239017", token="group"),
    Example("document", {"group_id": 7, "title": "T"}, returned="doc-7_"),
    Example("wall_document", {"tags": ["a", "b"]}, returned="doc1_"),
    Example("message_document", {"peer_id": 5}, returned="doc1_"),
    Example("audio_message", {"peer_id": 5}, returned="audio_message1_"),
    Example("graffiti", {"peer_id": 5}, returned="graffiti1_"),
    Example("video", {"name": "Film", "group_id": 7}, returned="video-7_"),
    Example("video_thumb", {"owner_id": -7, "video_id": 2, "set_thumb": True}),
    Example("story_photo", {"add_to_news": True}, returned="story1_"),
    Example("story_video", {"user_ids": [1, 2]}, returned="story1_"),
    Example("pretty_card_photo", returned="["),
    Example("lead_form_photo", returned="["),
]


def posts(simulator: Simulator) -> list[Any]:
    """Return what became of the files that were sent, in order."""
    return [entry.outcome for entry in simulator.ledger if entry.method == "upload"]
