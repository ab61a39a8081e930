"""``video`` and ``stories``: what is uploaded to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import attrs

from .._errors import JSON, VKFault
from .base import unix

if TYPE_CHECKING:
    from .._call import Call, Handler
    from .media import Media
    from .owners import Owners
    from .uploads import Uploads


@final
@attrs.frozen(eq=False)
class Videos:
    """Methods that save videos, their covers, and stories."""

    _owners: Owners
    _media: Media
    _uploads: Uploads

    def methods(self) -> dict[str, Handler]:
        """Return the methods by name."""
        return {
            "stories.getPhotoUploadServer": self._photo_story_server,
            "stories.getVideoUploadServer": self._video_story_server,
            "stories.save": self._save_stories,
            "video.getThumbUploadUrl": self._thumb_server,
            "video.save": self._save,
            "video.saveUploadedThumb": self._save_thumb,
        }

    def _save(self, call: Call) -> JSON:
        owner_id = -call.integer("group_id", 0) or call.account.owner_id
        if not self._owners.commands(call, owner_id):
            raise VKFault(204)
        number = self._media.new_id()
        title = call.params.get("name") or "No name"
        description = call.params.get("description", "")
        video = {"owner_id": owner_id, "title": title, "description": description}
        is_link = bool(call.params.get("link"))
        kind = "link" if is_link else "video"
        url = self._uploads.open(call, kind, thing=(owner_id, number))
        access_key = url.rpartition("=")[2][:12]
        kept = {**video, "id": number, "date": unix(call.time), "duration": 0}
        self._media.keep("video", {**kept, "access_key": access_key})
        return {
            **video,
            "video_id": number,
            "access_key": access_key,
            "upload_url": url,
        }

    def _thumb_server(self, call: Call) -> JSON:
        return {"upload_url": self._uploads.open(call, "video_thumb")}

    def _save_thumb(self, call: Call) -> JSON:
        upload = self._uploads.redeem(call, "thumb_json", "video_thumb")
        self._uploads.note_saved(call.method, upload)
        number = self._media.new_id()
        owner_id = call.integer("owner_id")
        self._media.keep("picture", {"owner_id": owner_id, "id": number})
        return {"photo_id": number, "photo_hash": upload.proof}

    def _story_server(self, call: Call, kind: str) -> JSON:
        if not call.params.get("add_to_news") and not call.items("user_ids"):
            raise VKFault.parameter("user_ids is undefined")
        return {"upload_url": self._uploads.open(call, kind), "user_ids": []}

    def _photo_story_server(self, call: Call) -> JSON:
        return self._story_server(call, "story_photo")

    def _video_story_server(self, call: Call) -> JSON:
        return self._story_server(call, "story_video")

    def _save_stories(self, call: Call) -> JSON:
        upload = self._uploads.redeem(
            call, "upload_results", "story_photo", "story_video"
        )
        self._uploads.note_saved(call.method, upload)
        story = {
            "id": self._media.new_id(),
            "owner_id": -upload.group_id or call.account.owner_id,
            "type": upload.kind.removeprefix("story_"),
            "date": unix(call.time),
            "access_key": upload.key[:12],
        }
        self._media.keep("story", story)
        return {"count": 1, "items": [story]}
