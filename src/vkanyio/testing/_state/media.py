"""Photos and documents that can be attached to posts and messages."""

from __future__ import annotations

import re
from typing import Final, final

import attrs

from .._errors import JSON

ATTACHMENT: Final = re.compile(r"([a-z_]+?)(-?\d+)_(\d+)(?:_\w+)?")
"""An attachment in VK's notation: type, owner, id, and optionally an access key."""

EMPTY: Final[dict[str, dict[str, JSON]]] = {
    "audio": {"artist": "", "title": "", "duration": 0},
    "doc": {"title": "", "size": 0, "ext": "", "date": 0, "type": 8},
    "photo": {"album_id": -7, "date": 0, "sizes": []},
    "video": {"title": "", "duration": 0, "date": 0},
}
"""The fields that VK always sends, for things that were not uploaded here."""


SIZES: Final = (
    *(("s", 75, 56), ("m", 130, 98), ("x", 604, 453)),
    *(("y", 807, 605), ("z", 1280, 960)),
)


def sizes_of(owner_id: int, number: int) -> list[JSON]:
    """List the sizes of a photo."""
    root = f"https://sun1.userapi.com/photo/{owner_id}_{number}"
    return [
        {"type": kind, "width": width, "height": height, "url": f"{root}_{kind}.jpg"}
        for kind, width, height in SIZES
    ]


@final
@attrs.frozen(eq=False)
class Media:
    """All uploaded photos and documents, by type, owner and id."""

    _things: dict[tuple[str, int, int], dict[str, JSON]] = attrs.field(
        factory=dict[tuple[str, int, int], dict[str, JSON]]
    )

    def new_id(self) -> int:
        """Return an unused id."""
        return 456_239_017 + len(self._things)

    def keep(self, kind: str, thing: dict[str, JSON]) -> None:
        """Store a photo or document.

        :param kind: "photo" or "doc"
        :param thing: VK's object, with ``owner_id`` and ``id``
        """
        self._things[kind, thing["owner_id"], thing["id"]] = thing

    def find(self, kind: str, owner_id: int, number: int) -> dict[str, JSON] | None:
        """Return a photo or document, or None if there is none."""
        return self._things.get((kind, owner_id, number))

    def of(self, kind: str, owner_id: int) -> list[dict[str, JSON]]:
        """List the photos or documents of an owner, oldest first."""
        return [
            thing
            for (type_, owner, _), thing in self._things.items()
            if (type_, owner) == (kind, owner_id)
        ]

    def attached(self, names: list[str]) -> list[JSON]:
        """Convert the names of attachments to the objects that VK returns.

        :param names: such as "photo1_2", or the URL of a page
        :return: the objects; one that was not uploaded here has an owner, an id and
            empty fields, and invalid names are omitted, as by VK
        """
        shown: list[JSON] = []
        for name in names:
            if name.startswith(("http://", "https://")):
                link = {"url": name, "title": "", "description": ""}
                shown.append({"type": "link", "link": link})
            elif parts := ATTACHMENT.fullmatch(name):
                kind, owner_id, number = parts[1], int(parts[2]), int(parts[3])
                bare = {"id": number, "owner_id": owner_id, **EMPTY.get(kind, {})}
                thing = self.find(kind, owner_id, number) or bare
                shown.append({"type": kind, kind: thing})
        return shown
