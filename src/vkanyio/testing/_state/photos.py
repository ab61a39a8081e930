"""``photos``: albums and photos."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, final

import attrs

from .._errors import JSON, VKFault
from .base import flag, numbers, page, unix
from .media import sizes_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .._call import Call, Handler
    from .group_updates import GroupUpdates
    from .media import Media
    from .owners import Owners
    from .uploads import Upload, Uploads

SYSTEM_ALBUMS: Final = {"profile": -6, "wall": -7, "saved": -15}
MESSAGES: Final = -3


@final
@attrs.frozen(eq=False)
class Photos:
    """Methods that read and change photos."""

    _owners: Owners
    _media: Media
    _uploads: Uploads
    _updates: GroupUpdates
    _albums: dict[tuple[int, int], dict[str, JSON]] = attrs.field(
        factory=dict[tuple[int, int], dict[str, JSON]]
    )

    def methods(self) -> dict[str, Handler]:
        """Return the methods by name."""
        return {
            "photos.createAlbum": self._create_album,
            "photos.get": self._get,
            "photos.getAlbums": self._get_albums,
            "photos.getAll": self._get_all,
            "photos.getById": self._get_by_id,
            "photos.getMessagesUploadServer": self._messages_server,
            "photos.getUploadServer": self._album_server,
            "photos.getWallUploadServer": self._wall_server,
            "photos.save": self._save,
            "photos.saveMessagesPhoto": self._save_messages_photo,
            "photos.saveWallPhoto": self._save_wall_photo,
        }

    def _owner_to_write(self, call: Call) -> int:
        owner_id = -call.integer("group_id", 0) or call.account.owner_id
        if not self._owners.commands(call, owner_id):
            raise VKFault(200)
        return owner_id

    def _create_album(self, call: Call) -> JSON:
        owner_id = self._owner_to_write(call)
        title = call.text("title")
        if len(title) < 2:
            raise VKFault.parameter("title should be at least 2 characters long")
        album_id = 300_000_000 + len(self._albums)
        self._albums[owner_id, album_id] = {
            "id": album_id,
            "owner_id": owner_id,
            "title": title,
            "description": call.params.get("description", ""),
            "created": unix(call.time),
            "updated": unix(call.time),
            "thumb_id": 0,
        }
        return self._show_album(owner_id, album_id)

    def _show_album(self, owner_id: int, album_id: int) -> dict[str, JSON]:
        size = len(self._in_album(owner_id, album_id))
        return {**self._albums[owner_id, album_id], "size": size}

    def _in_album(self, owner_id: int, album_id: int) -> list[dict[str, JSON]]:
        photos = self._media.of("photo", owner_id)
        return [each for each in photos if each["album_id"] == album_id]

    def _get_albums(self, call: Call) -> JSON:
        owner_id = self._owners.owner(call)
        self._owners.require_visible(call, owner_id)
        wanted = numbers(call, "album_ids")
        ids = [album_id for owner, album_id in self._albums if owner == owner_id]
        albums = [self._show_album(owner_id, each) for each in reversed(ids)]
        if flag(call, "need_system"):
            albums += [
                {
                    "id": album_id,
                    "owner_id": owner_id,
                    "title": f"Photos: {name}",
                    "size": len(self._in_album(owner_id, album_id)),
                    "thumb_id": 0,
                }
                for name, album_id in SYSTEM_ALBUMS.items()
            ]
        albums = [each for each in albums if not wanted or each["id"] in wanted]
        return {
            "count": len(albums),
            "items": page(call, albums, default=len(albums)),
        }

    def _get(self, call: Call) -> JSON:
        owner_id = self._owners.owner(call)
        self._owners.require_visible(call, owner_id)
        wanted = numbers(call, "photo_ids")
        photos = self._media.of("photo", owner_id)
        if album := call.params.get("album_id"):
            album_id = SYSTEM_ALBUMS.get(album) or call.integer("album_id")
            known = album_id in SYSTEM_ALBUMS.values()
            if not known and (owner_id, album_id) not in self._albums:
                raise VKFault(200)
            photos = self._in_album(owner_id, album_id)
        if wanted:
            photos = [each for each in photos if each["id"] in wanted]
        if flag(call, "rev"):
            photos.reverse()
        shown = page(call, photos, default=50)
        return {"count": len(photos), "items": shown}

    def _get_all(self, call: Call) -> JSON:
        owner_id = self._owners.owner(call)
        self._owners.require_visible(call, owner_id)
        photos = [
            each
            for each in reversed(self._media.of("photo", owner_id))
            if each["album_id"] != MESSAGES
        ]
        shown = page(call, photos, default=20)
        return {"count": len(photos), "items": shown}

    def _get_by_id(self, call: Call) -> JSON:
        found: list[JSON] = []
        for name in call.items("photos"):
            try:
                owner_id, photo_id = map(int, name.split("_")[:2])
            except ValueError:
                raise VKFault.parameter("photos is invalid") from None
            photo = self._media.find("photo", owner_id, photo_id)
            if photo and self._may_see(call, photo, name):
                found.append(photo)
        return found

    def _may_see(self, call: Call, photo: dict[str, JSON], name: str) -> bool:
        """Return whether the caller may see a photo; photos of messages need a key."""
        if photo["album_id"] == MESSAGES:
            mine = photo["owner_id"] == call.account.owner_id
            return mine or name.endswith("_" + photo["access_key"])
        try:
            self._owners.require_visible(call, photo["owner_id"])
        except VKFault:
            return False
        return True

    def _server(self, call: Call, url: str, album_id: int) -> JSON:
        return {
            "upload_url": url,
            "album_id": album_id,
            "user_id": call.account.id if call.account.kind == "user" else 0,
            "group_id": call.integer("group_id", 0),
        }

    def _album_server(self, call: Call) -> JSON:
        album_id = call.integer("album_id")
        if (self._owner_to_write(call), album_id) not in self._albums:
            raise VKFault(114)
        url = self._uploads.open(call, "album", album_id)
        return self._server(call, url, album_id)

    def _wall_server(self, call: Call) -> JSON:
        self._owner_to_write(call)
        url = self._uploads.open(call, "photo", SYSTEM_ALBUMS["wall"])
        return self._server(call, url, SYSTEM_ALBUMS["wall"])

    def _messages_server(self, call: Call) -> JSON:
        url = self._uploads.open(call, "photo", MESSAGES)
        return self._server(call, url, MESSAGES)

    def _save(self, call: Call) -> JSON:
        upload = self._uploads.redeem(call, "photos_list", "album")
        owner_id = self._owner_to_write(call)
        if call.integer("album_id") != upload.album_id:
            raise VKFault(114)
        if (owner_id, upload.album_id) not in self._albums:
            raise VKFault(114)
        self._albums[owner_id, upload.album_id]["updated"] = unix(call.time)
        return self._keep(call, upload, owner_id)

    def _save_wall_photo(self, call: Call) -> JSON:
        upload = self._uploads.redeem(call, "photo", "photo")
        if upload.album_id != SYSTEM_ALBUMS["wall"]:
            raise VKFault(129)
        # The photo belongs to the user who uploaded it, even if it is for a community.
        return self._keep(call, upload, call.account.owner_id)

    def _save_messages_photo(self, call: Call) -> JSON:
        upload = self._uploads.redeem(call, "photo", "photo")
        if upload.album_id != MESSAGES:
            raise VKFault(129)
        return self._keep(call, upload, call.account.owner_id)

    def _keep(self, call: Call, upload: Upload, owner_id: int) -> Sequence[JSON]:
        photos: list[JSON] = []
        for _ in upload.files:
            number = self._media.new_id()
            photo: dict[str, JSON] = {
                "id": number,
                "owner_id": owner_id,
                "album_id": upload.album_id,
                "user_id": call.account.id,
                "date": unix(call.time),
                "text": call.params.get("caption", ""),
                "has_tags": False,
                "access_key": f"{upload.key[:12]}{number:x}",
                "sizes": sizes_of(owner_id, number),
            }
            self._media.keep("photo", photo)
            if upload.album_id != MESSAGES:
                self._updates.about(owner_id, "photo_new", {**photo}, call.time)
            photos.append(photo)
        self._uploads.note_saved(call.method, upload)
        return photos
