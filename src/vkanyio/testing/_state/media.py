"""Photos and documents as things that posts and messages can have attached."""

from __future__ import annotations

import re
from typing import Final, final

import attrs

from .._errors import JSON

ATTACHMENT: Final = re.compile(r"([a-z_]+?)(-?\d+)_(\d+)(?:_\w+)?")
"""VK's way to name a thing: its type, its owner, its number, and perhaps a key."""


@final
@attrs.frozen(eq=False)
class Media:
    """All that has been uploaded, by type, owner and number."""

    _things: dict[tuple[str, int, int], dict[str, JSON]] = attrs.field(
        factory=dict[tuple[str, int, int], dict[str, JSON]]
    )

    def new_id(self) -> int:
        """Return a number that nothing has yet."""
        return 456_239_017 + len(self._things)

    def keep(self, kind: str, thing: dict[str, JSON]) -> None:
        """Keep what has been uploaded.

        :param kind: "photo" or "doc"
        :param thing: VK's object, with ``owner_id`` and ``id``
        """
        self._things[kind, thing["owner_id"], thing["id"]] = thing

    def find(self, kind: str, owner_id: int, number: int) -> dict[str, JSON] | None:
        """Look for what has been uploaded."""
        return self._things.get((kind, owner_id, number))

    def of(self, kind: str, owner_id: int) -> list[dict[str, JSON]]:
        """List what an owner has of a type, oldest first."""
        return [
            thing
            for (type_, owner, _), thing in self._things.items()
            if (type_, owner) == (kind, owner_id)
        ]

    def attached(self, names: list[str]) -> list[JSON]:
        """Turn the names of attachments into the objects that VK shows.

        :param names: such as "photo1_2", or the address of a page
        :return: the objects; what was not uploaded here has an owner and a number, and
            what is no name is left out, as VK does
        """
        shown: list[JSON] = []
        for name in names:
            if name.startswith(("http://", "https://")):
                link = {"url": name, "title": "", "description": ""}
                shown.append({"type": "link", "link": link})
            elif parts := ATTACHMENT.fullmatch(name):
                kind, owner_id, number = parts[1], int(parts[2]), int(parts[3])
                bare = {"id": number, "owner_id": owner_id}
                thing = self.find(kind, owner_id, number) or bare
                shown.append({"type": kind, kind: thing})
        return shown
