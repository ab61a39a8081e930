"""The kinds of uploads: what VK takes where, and what it returns.

Each kind has a method that returns the address of an upload server, the names of the
fields of the form that is sent there, and a method that saves what the server returned.
Sources: https://dev.vk.com/api/upload, and for what that page lacks, the field names
that vk_api, vk-io and VK's SDK for Go send.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, final

import attrs

from .._typeguards import is_dict, is_list

if TYPE_CHECKING:
    from collections.abc import Mapping

MB: Final = 2**20
PHOTO_MAX_SIZE: Final = 50 * MB
DOCUMENT_MAX_SIZE: Final = 200 * MB
STORY_PHOTO_MAX_SIZE: Final = 10 * MB

PHOTOS: Final = ("jpg", "jpeg", "png", "gif", "webp", "bmp", "heic", "heif")
VIDEOS: Final = (
    *("mp4", "avi", "3gp", "mpeg", "mpg", "mov", "flv", "f4v", "wmv", "mkv", "webm"),
    *("vob", "rm", "rmvb", "m4v", "ogv", "ts", "m2ts", "mts"),
)
RECORDINGS: Final = ("ogg", "oga", "opus", "mp3")
NO_DOCUMENTS: Final = ("mp3", "exe", "msi", "com", "bat", "cmd", "scr")

FILES: Final = ("file1", "file2", "file3", "file4", "file5")
"""The fields of a form that takes several files."""

_PHOTO = "JPG, PNG or GIF, up to 50 MB, width and height together up to 14,000 pixels,"
_ANY_PHOTO = f"{_PHOTO} and neither side more than 20 times as long as the other"
_DOCUMENT = "any format but MP3 and programs, up to 200 MB, with a suffix in its name"


@final
@attrs.frozen(kw_only=True)
class FileKind:
    """What VK takes as one kind of file, and how.

    :ivar name: the method of ``api.upload``
    :ivar get: VK's method that returns the address
    :ivar fixed: parameters of that method that make the kind
    :ivar fields: the fields of the form, one for each file
    :ivar save: VK's method that saves the file; empty if nothing has to be saved
    :ivar answer: which fields of the server's answer become which parameters of that
        method. An empty name stands for the whole text of the answer
    :ivar needed: the fields of the answer that must not be empty
    :ivar keeps_address: whether a repetition goes to the same address, because to ask
        for another one would create something
    :ivar suffixes: the suffixes of the names that VK takes, the usual one first
    :ivar refused_suffixes: where all others are taken: the suffixes that VK refuses
    :ivar max_size: bytes of a file, None where no limit is known
    :ivar limits: what VK takes, in words
    :ivar reference: how an object becomes a parameter: a key of it; or the type of an
        attachment, with a colon after it; empty if it cannot
    """

    name: str
    get: str
    fixed: Mapping[str, str] = attrs.field(factory=dict[str, str])
    fields: tuple[str, ...]
    save: str = ""
    answer: Mapping[str, str] = attrs.field(factory=dict[str, str])
    needed: tuple[str, ...] = ()
    keeps_address: bool = False
    suffixes: tuple[str, ...] = ()
    refused_suffixes: tuple[str, ...] = ()
    max_size: int | None = None
    limits: str
    reference: str = ""

    def params_of(self, answer: Any, text: str) -> dict[str, Any]:
        """Return the parameters that save a file.

        :param answer: what the upload server returned, as JSON
        :param text: the same as text
        """
        found: dict[str, Any] = {}
        for key, param in self.answer.items():
            value = answer if key == "*" else text if not key else answer.get(key)
            if value is not None:
                found[param] = value
        return found

    def objects_in(self, value: Any) -> list[Any]:
        """Return the objects in the value of the method that saves.

        1. A list has one for each file.
        2. A document is in an object that names its type.
        3. Stories are in a page.
        """
        if is_list(value):
            return value
        if is_dict(value):
            kind = value.get("type")
            if self.save == "docs.save" and isinstance(kind, str):
                return [value.get(kind, value)]
            if self.save == "stories.save":
                items = value.get("items")
                return items if is_list(items) else [value]
        return [value]

    def reference_to(self, thing: Any) -> str | int | None:
        """Return what VK's parameters take for an object, None if there is nothing."""
        if not self.reference or not is_dict(thing):
            return None
        type_, is_attachment, id_key = self.reference.partition(":")
        if not is_attachment:
            return thing.get(type_)
        owner_id, number = thing.get("owner_id"), thing.get(id_key or "id")
        if owner_id is None or number is None:
            return None
        access_key = thing.get("access_key")
        key = f"_{access_key}" if access_key else ""
        return f"{type_}{owner_id}_{number}{key}"


_photo = {
    "suffixes": PHOTOS,
    "max_size": PHOTO_MAX_SIZE,
    "limits": _ANY_PHOTO,
}
_three = {"server": "server", "photo": "photo", "hash": "hash"}
_document = {
    "fields": ("file",),
    "save": "docs.save",
    "answer": {"file": "file"},
    "needed": ("file",),
    "max_size": DOCUMENT_MAX_SIZE,
}


def _kind(name: str, get: str, *defaults: Mapping[str, Any], **more: Any) -> FileKind:
    given: dict[str, Any] = {}
    for each in (*defaults, more):
        given |= each
    return FileKind(name=name, get=get, **given)


_KINDS = (
    _kind(
        "album_photos",
        "photos.getUploadServer",
        _photo,
        fields=FILES,
        save="photos.save",
        answer={
            "server": "server",
            "photos_list": "photos_list",
            "aid": "album_id",
            "hash": "hash",
        },
        needed=("photos_list",),
        reference="photo:",
    ),
    _kind(
        "wall_photo",
        "photos.getWallUploadServer",
        _photo,
        fields=("photo",),
        save="photos.saveWallPhoto",
        answer=_three,
        needed=("photo",),
        reference="photo:",
    ),
    _kind(
        "message_photo",
        "photos.getMessagesUploadServer",
        _photo,
        fields=("photo",),
        save="photos.saveMessagesPhoto",
        answer=_three,
        needed=("photo",),
        reference="photo:",
    ),
    _kind(
        "owner_photo",
        "photos.getOwnerPhotoUploadServer",
        _photo,
        fields=("photo",),
        save="photos.saveOwnerPhoto",
        answer=_three,
        needed=("photo",),
        limits=f"{_PHOTO} at least 200 by 200, width to height from 0.25 to 3",
    ),
    _kind(
        "chat_photo",
        "photos.getChatUploadServer",
        _photo,
        fields=("file",),
        save="messages.setChatPhoto",
        answer={"*": "file"},
        needed=("*",),
        limits=f"{_PHOTO} at least 200 by 200",
    ),
    _kind(
        "cover_photo",
        "photos.getOwnerCoverPhotoUploadServer",
        _photo,
        fields=("photo",),
        save="photos.saveOwnerCoverPhoto",
        answer={"photo": "photo", "hash": "hash"},
        needed=("photo",),
        limits=f"{_PHOTO} at least 795 by 200, best 1590 by 400",
    ),
    _kind(
        "market_photo",
        "market.getProductPhotoUploadServer",
        _photo,
        fields=("file",),
        save="market.saveProductPhoto",
        answer={"": "upload_response"},
        limits=f"{_PHOTO} at least 400 by 400",
        reference="photo_id",
    ),
    _kind(
        "market_photos",
        "market.getProductPhotoUploadServer",
        _photo,
        fixed={"bulk": "1"},
        fields=FILES,
        save="market.saveProductPhotoBulk",
        answer={"": "upload_response"},
        limits=f"{_PHOTO} at least 400 by 400",
        reference="photo_id",
    ),
    _kind(
        "market_album_photo",
        "photos.getMarketAlbumUploadServer",
        _photo,
        fields=("file",),
        save="photos.saveMarketAlbumPhoto",
        answer=_three,
        needed=("photo",),
        limits=f"{_PHOTO} at least 1280 by 720",
        reference="id",
    ),
    _kind(
        "poll_photo",
        "polls.getPhotoUploadServer",
        _photo,
        fields=("photo",),
        save="polls.savePhoto",
        answer={"photo": "photo", "hash": "hash"},
        needed=("photo",),
        reference="id",
    ),
    *(
        _kind(
            f"{owner.lower()}_widget_image",
            f"appWidgets.get{owner}ImageUploadServer",
            _photo,
            fields=("image",),
            save=f"appWidgets.save{owner}Image",
            answer={"image": "image", "hash": "hash"},
            needed=("image",),
            limits="a PNG or JPG three times as large as its type, such as 150 by 150",
            reference="id",
        )
        for owner in ("App", "Group")
    ),
    *(
        _kind(
            name,
            get,
            _document,
            refused_suffixes=NO_DOCUMENTS,
            limits=_DOCUMENT,
            reference="doc:",
        )
        for name, get in (
            ("document", "docs.getUploadServer"),
            ("wall_document", "docs.getWallUploadServer"),
            ("message_document", "docs.getMessagesUploadServer"),
        )
    ),
    _kind(
        "audio_message",
        "docs.getMessagesUploadServer",
        _document,
        fixed={"type": "audio_message"},
        suffixes=RECORDINGS,
        limits="OGG with OPUS, 16 kHz, one channel, 16 kbit/s, up to an hour",
        reference="audio_message:",
    ),
    _kind(
        "graffiti",
        "docs.getMessagesUploadServer",
        _document,
        fixed={"type": "graffiti"},
        suffixes=("png",),
        limits="a PNG with a transparent background",
        reference="graffiti:",
    ),
    _kind(
        "video",
        "video.save",
        fields=("video_file",),
        keeps_address=True,
        suffixes=VIDEOS,
        limits="MP4, AVI, MOV and other usual formats",
        reference="video:video_id",
    ),
    _kind(
        "video_thumb",
        "video.getThumbUploadUrl",
        _photo,
        fields=("file",),
        save="video.saveUploadedThumb",
        answer={"": "thumb_json"},
    ),
    _kind(
        "story_photo",
        "stories.getPhotoUploadServer",
        _photo,
        fields=("file",),
        save="stories.save",
        answer={"upload_result": "upload_results"},
        needed=("upload_result",),
        max_size=STORY_PHOTO_MAX_SIZE,
        limits="JPG, PNG or GIF, up to 10 MB",
        reference="story:",
    ),
    _kind(
        "story_video",
        "stories.getVideoUploadServer",
        fields=("video_file",),
        save="stories.save",
        answer={"upload_result": "upload_results"},
        needed=("upload_result",),
        suffixes=VIDEOS,
        limits="MP4 with H.264 and AAC, or another usual format",
        reference="story:",
    ),
    *(
        _kind(
            name,
            get,
            _photo,
            fields=("file",),
            needed=("photo",),
            reference="photo",
        )
        for name, get in (
            ("pretty_card_photo", "prettyCards.getUploadURL"),
            ("lead_form_photo", "leadForms.getUploadURL"),
        )
    ),
)
KINDS: Final[Mapping[str, FileKind]] = {kind.name: kind for kind in _KINDS}
"""All kinds with a file, by their names."""
