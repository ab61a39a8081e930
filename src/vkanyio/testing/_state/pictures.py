"""Pictures of owners, products, polls, widgets and advertisements."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import attrs

from .._errors import JSON, VKFault
from .base import unix
from .media import sizes_of

if TYPE_CHECKING:
    from .._call import Call, Handler
    from .media import Media
    from .owners import Owners
    from .uploads import Upload, Uploads


@final
@attrs.frozen(eq=False)
class Pictures:
    """Methods that save a picture as that of something else."""

    _owners: Owners
    _media: Media
    _uploads: Uploads

    def methods(self) -> dict[str, Handler]:
        """Return the methods by name."""
        methods: dict[str, Handler] = {
            "appWidgets.getAppImageUploadServer": self._widget_server,
            "appWidgets.getGroupImageUploadServer": self._widget_server,
            "appWidgets.saveAppImage": self._save_widget_image,
            "appWidgets.saveGroupImage": self._save_widget_image,
            "leadForms.getUploadURL": self._card_server,
            "market.getProductPhotoUploadServer": self._market_server,
            "market.saveProductPhoto": self._save_market_photo,
            "market.saveProductPhotoBulk": self._save_market_photos,
            "photos.getMarketAlbumUploadServer": self._market_album_server,
            "photos.getOwnerCoverPhotoUploadServer": self._cover_server,
            "photos.getOwnerPhotoUploadServer": self._owner_server,
            "photos.saveMarketAlbumPhoto": self._save_market_album_photo,
            "photos.saveOwnerCoverPhoto": self._save_cover,
            "photos.saveOwnerPhoto": self._save_owner_photo,
            "polls.getPhotoUploadServer": self._poll_server,
            "polls.savePhoto": self._save_poll_photo,
            "prettyCards.getUploadURL": self._card_server,
        }
        return methods

    def _server(self, call: Call, kind: str) -> JSON:
        return {"upload_url": self._uploads.open(call, kind)}

    def _group_server(self, call: Call, kind: str) -> JSON:
        group_id = call.integer("group_id", 0) or call.account.id
        if not self._owners.commands(call, -group_id):
            raise VKFault(15)
        return self._server(call, kind)

    def _widget_server(self, call: Call) -> JSON:
        return self._server(call, "widget")

    def _card_server(self, call: Call) -> JSON:
        return self._uploads.open(call, "card")

    def _market_server(self, call: Call) -> JSON:
        is_bulk = call.params.get("bulk") == "1"
        return self._group_server(call, "market_photos" if is_bulk else "market_photo")

    def _market_album_server(self, call: Call) -> JSON:
        return self._group_server(call, "market_album")

    def _cover_server(self, call: Call) -> JSON:
        return self._group_server(call, "cover")

    def _owner_server(self, call: Call) -> JSON:
        return self._server(call, "owner_photo")

    def _poll_server(self, call: Call) -> JSON:
        return self._server(call, "poll")

    def _take(self, call: Call, name: str, kind: str) -> Upload:
        upload = self._uploads.redeem(call, name, kind)
        self._uploads.note_saved(call.method, upload)
        return upload

    def _keep(self, call: Call) -> int:
        """Store something, and return its id."""
        number = self._media.new_id()
        owner_id = call.account.owner_id
        self._media.keep("picture", {"owner_id": owner_id, "id": number})
        return number

    def _save_widget_image(self, call: Call) -> JSON:
        upload = self._take(call, "image", "widget")
        image = {"url": f"{call.origin}/{upload.key}.png", "width": 150, "height": 150}
        return {"id": f"{call.account.owner_id}_{self._keep(call)}", "images": [image]}

    def _save_market_photo(self, call: Call) -> JSON:
        self._take(call, "upload_response", "market_photo")
        return {"photo_id": self._keep(call)}

    def _save_market_photos(self, call: Call) -> JSON:
        upload = self._take(call, "upload_response", "market_photos")
        return [{"photo_id": self._keep(call)} for _ in upload.files]

    def _save_market_album_photo(self, call: Call) -> JSON:
        upload = self._take(call, "photo", "market_album")
        if upload.group_id != call.integer("group_id"):
            raise VKFault(129)
        number = self._keep(call)
        photo: JSON = {
            "id": number,
            "owner_id": -upload.group_id,
            "album_id": -53,
            "date": unix(call.time),
            "has_tags": False,
            "sizes": sizes_of(-upload.group_id, number),
        }
        return [photo]

    def _save_cover(self, call: Call) -> JSON:
        upload = self._take(call, "photo", "cover")
        image = {"url": f"{call.origin}/{upload.key}.jpg", "width": 1590, "height": 400}
        return {"images": [image]}

    def _save_owner_photo(self, call: Call) -> JSON:
        upload = self._take(call, "photo", "owner_photo")
        source = f"{call.origin}/{upload.key}.jpg"
        return {"photo_hash": upload.proof, "photo_src": source, "saved": 1}

    def _save_poll_photo(self, call: Call) -> JSON:
        self._take(call, "photo", "poll")
        return {"id": self._keep(call), "type": "tile", "color": "4986cc"}
