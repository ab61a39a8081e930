"""What upload servers take and return, a row for each kind.

The field names come from VK's documentation (https://dev.vk.com/api/upload), and from
vk_api, vk-io, vkbottle and VK's SDK for Go, whose uploads VK is known to accept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast, final

import attrs

if TYPE_CHECKING:
    from .._errors import JSON

MAX_FILES: Final = 5
SERVER: Final = 837_432

PICTURES: Final = ("jpg", "jpeg", "png", "gif", "webp", "bmp", "heic", "heif")

ONE_FILE = ("photo", "file", "file0", "file1")
SEVERAL_FILES = tuple(f"file{number}" for number in range(1, MAX_FILES + 1))


@final
@attrs.frozen
class UploadServer:
    """A kind of upload server.

    :ivar fields: the names of the fields for files that it takes
    :ivar max_files: how many files
    :ivar answer: its response, where "content", "proof" and the like stand for values
    :ivar is_for_pictures: whether it reads the file, and returns an empty list if that
        is not a picture
    """

    fields: tuple[str, ...]
    answer: JSON
    max_files: int = attrs.field(default=1, kw_only=True)
    is_for_pictures: bool = attrs.field(default=True, kw_only=True)


_THREE = {"server": SERVER, "photo": "{content}", "hash": "{proof}"}
_TWO = {"hash": "{proof}", "photo": "{content}"}
_MARKET = {"meta": {"name": "photo"}, **_THREE}
_STORY = {"response": {"upload_result": "{content}", "_sig": "{proof}"}}
_DOC = UploadServer(("file",), {"file": "{content}"}, is_for_pictures=False)
_VIDEO = {"size": "{size}", "video_hash": "{proof}", "owner_id": 1, "video_id": 1}

SERVERS: Final = {
    # vk_api counts from 0.
    "album": UploadServer(
        (*SEVERAL_FILES, "file0"),
        {
            "server": SERVER,
            "photos_list": "{content}",
            "aid": "{album}",
            "hash": "{proof}",
        },
        max_files=MAX_FILES,
    ),
    "photo": UploadServer(ONE_FILE, _THREE),
    "owner_photo": UploadServer(ONE_FILE, _THREE),
    "chat_photo": UploadServer(("file", "photo"), {"response": "{content}"}),
    "cover": UploadServer(ONE_FILE, _TWO),
    "market_photo": UploadServer(("file",), _MARKET),
    "market_photos": UploadServer(
        ("file", *SEVERAL_FILES), _MARKET, max_files=MAX_FILES
    ),
    "market_album": UploadServer(("file", "file0"), {"gid": "{group}", **_THREE}),
    "poll": UploadServer(("photo", "file"), _TWO),
    "widget": UploadServer(
        ("image", "file"), {"hash": "{proof}", "image": "{content}"}
    ),
    "doc": _DOC,
    "audio_message": _DOC,
    "graffiti": _DOC,
    "video": UploadServer(("video_file",), _VIDEO, is_for_pictures=False),
    "video_thumb": UploadServer(("file",), _TWO),
    "story_photo": UploadServer(("file",), _STORY),
    "story_video": UploadServer(("video_file", "file"), _STORY, is_for_pictures=False),
    "link": UploadServer((), 1),
    "card": UploadServer(("file", "photo"), {"photo": "{content}"}),
}
"""All kinds, by the last part of the path of their addresses."""


def filled(answer: JSON, values: dict[str, Any]) -> JSON:
    """Return a response with values in place of their names."""
    if isinstance(answer, dict):
        fields = cast("dict[str, JSON]", answer)
        return {key: filled(value, values) for key, value in fields.items()}
    if isinstance(answer, str) and answer.startswith("{"):
        return values[answer[1:-1]]
    return answer
