"""``docs``: documents, including voice messages and graffiti."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, final

import attrs

from .._errors import JSON, VKFault
from .base import flag, page, unix

if TYPE_CHECKING:
    from .._call import Call, Handler
    from .media import Media
    from .uploads import Uploads

TYPES: Final = {
    **dict.fromkeys(("txt", "pdf", "doc", "docx", "xls", "xlsx", "rtf"), 1),
    **dict.fromkeys(("zip", "rar", "7z", "gz"), 2),
    "gif": 3,
    **dict.fromkeys(("jpg", "jpeg", "png", "webp", "bmp"), 4),
    **dict.fromkeys(("mp3", "ogg", "wav"), 5),
    **dict.fromkeys(("mp4", "avi", "mov"), 6),
    **dict.fromkeys(("fb2", "epub"), 7),
}
"""VK's kinds of documents (https://dev.vk.com/reference/objects/doc)."""

OTHER: Final = 8

MESSAGE_TYPES: Final = ("doc", "audio_message", "graffiti")


@final
@attrs.frozen(eq=False)
class Docs:
    """Methods that read and save documents."""

    _media: Media
    _uploads: Uploads

    def methods(self) -> dict[str, Handler]:
        """Return the methods by name."""
        return {
            "docs.get": self._get,
            "docs.getById": self._get_by_id,
            "docs.getMessagesUploadServer": self._messages_server,
            "docs.getUploadServer": self._server,
            "docs.getWallUploadServer": self._server,
            "docs.save": self._save,
        }

    def _server(self, call: Call) -> JSON:
        return {"upload_url": self._uploads.open(call, "doc")}

    def _messages_server(self, call: Call) -> JSON:
        wanted = call.params.get("type") or "doc"
        kind = MESSAGE_TYPES[MESSAGE_TYPES.index(wanted)]
        return {"upload_url": self._uploads.open(call, kind)}

    def _save(self, call: Call) -> JSON:
        upload = self._uploads.redeem(call, "file", *MESSAGE_TYPES)
        [file] = upload.files
        owner_id = -upload.group_id or call.account.owner_id
        doc: dict[str, JSON] = {
            "id": self._media.new_id(),
            "owner_id": owner_id,
            "title": call.params.get("title") or file.name,
            "size": file.size,
            "ext": file.extension,
            "date": unix(call.time),
            "type": TYPES.get(file.extension, OTHER),
            "url": f"{call.origin}/doc/{upload.key}",
            "access_key": upload.key[:12],
        }
        if flag(call, "return_tags"):
            doc["tags"] = call.items("tags")
        self._media.keep("doc", doc)
        self._uploads.note_saved(call.method, upload)
        if upload.kind == "doc":
            return {"type": "doc", "doc": doc}
        base = {name: doc[name] for name in ("id", "owner_id", "access_key")}
        if upload.kind == "graffiti":
            drawing = {**base, "url": doc["url"], "width": 512, "height": 512}
            return {"type": "graffiti", "graffiti": drawing}
        recording = {
            **base,
            "duration": 1,
            "waveform": [0] * 128,
            "link_ogg": f"{doc['url']}.ogg",
            "link_mp3": f"{doc['url']}.mp3",
        }
        return {"type": "audio_message", "audio_message": recording}

    def _get(self, call: Call) -> JSON:
        owner_id = call.integer("owner_id", 0) or call.account.owner_id
        kind = call.integer("type", 0)
        docs = [
            each
            for each in reversed(self._media.of("doc", owner_id))
            if kind in (0, each["type"])
        ]
        return {"count": len(docs), "items": page(call, docs, default=len(docs))}

    def _get_by_id(self, call: Call) -> JSON:
        found: list[JSON] = []
        for name in call.items("docs"):
            try:
                owner_id, doc_id = map(int, name.split("_")[:2])
            except ValueError:
                raise VKFault.parameter("docs is invalid") from None
            if doc := self._media.find("doc", owner_id, doc_id):
                found.append(doc)
        return found
