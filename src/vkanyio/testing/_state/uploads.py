"""The upload URLs, and what the methods that save a file must send back.

An upload has three steps: a method returns a URL, a POST to that URL sends the file,
and another method saves it with the values from the response to the POST.
"""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, final

import attrs

from .._errors import JSON, VKFault
from .._wire import UPLOAD_PREFIX, File

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .._call import Call

UploadKind: TypeAlias = Literal["album", "photo", "doc", "audio_message", "graffiti"]

ALBUM_FIELDS: Final = ("file1", "file2", "file3", "file4", "file5", "file0")
"""The names of the files for an album
(https://dev.vk.ru/ru/api/upload/album-photos). vk_api counts from 0, which VK accepts,
too (https://github.com/python273/vk_api/blob/master/vk_api/upload.py)."""

MAX_FILES: Final = 5

SERVER: Final = 837_432


@final
@attrs.define(eq=False)
class Upload:
    """An upload URL that was issued, and the files sent to it."""

    key: str
    kind: UploadKind
    owner_id: int
    """The account that requested the URL."""
    album_id: int = 0
    group_id: int = 0
    files: list[File] = attrs.field(factory=list[File])

    @property
    def proof(self) -> str:
        """The value that a save must send back as proof of this upload."""
        return self.key[::-1]

    @property
    def content(self) -> str:
        """The value that a save must send back in addition to the proof."""
        if self.kind in ("album", "photo"):
            listed = [{"photo": self.key, "name": file.field} for file in self.files]
            return json.dumps(listed, separators=(",", ":"))
        return f"{self.owner_id}|0|0|{SERVER}|{self.key}|{self.files[0].extension}"


@final
class Uploads:
    """All upload URLs that were issued.

    :param seed: makes the URLs the same in every run
    """

    def __init__(self, seed: int) -> None:
        self._random = random.Random(f"uploads {seed}")
        self._uploads: dict[str, Upload] = {}
        self._by_content: dict[str, Upload] = {}

    def open(self, call: Call, kind: UploadKind, album_id: int = 0) -> str:
        """Issue an upload URL.

        :param call: the call; the URL has its scheme and host
        :param kind: the kind of upload
        :param album_id: the album for the photos
        :return: the URL
        """
        key = f"{self._random.getrandbits(80):020x}"
        group_id = call.integer("group_id", 0)
        owner_id = call.account.owner_id
        self._uploads[key] = Upload(key, kind, owner_id, album_id, group_id)
        return f"{call.origin}{UPLOAD_PREFIX}{kind}?key={key}"

    def receive(
        self, kind: str, query: Mapping[str, str], files: list[File]
    ) -> dict[str, JSON]:
        """Receive files sent to an upload URL.

        :param kind: the last part of the path
        :param query: the parameters of the URL
        :param files: the files
        :return: the JSON response of the upload server
        :raises VKFault: code 22, for files that it does not accept
        """
        upload = self._uploads.get(query.get("key", ""))
        if upload is None or upload.kind != kind:
            raise VKFault(22, "ERR_UPLOAD_NOT_FOUND: unknown address")
        if not files:
            raise VKFault(22, "ERR_UPLOAD_FILE_NOT_UPLOADED: file not uploaded")
        if kind == "album":
            if any(file.field not in ALBUM_FIELDS for file in files):
                raise VKFault(22, "ERR_UPLOAD_BAD_FIELD: use file1 to file5")
            if len(files) > MAX_FILES:
                raise VKFault(22, "ERR_UPLOAD_TOO_MANY_FILES: five files at a time")
        elif len(files) > 1:
            raise VKFault(22, "ERR_UPLOAD_TOO_MANY_FILES: one file at a time")
        upload.files = files
        self._by_content[upload.content] = upload
        if kind not in ("album", "photo"):
            return {"file": upload.content}
        base: dict[str, JSON] = {"server": SERVER, "hash": upload.proof}
        if kind == "album":
            return {**base, "aid": upload.album_id, "photos_list": upload.content}
        return {**base, "photo": upload.content}

    def redeem(self, call: Call, name: str, *kinds: UploadKind) -> Upload:
        """Return the upload that a call saves.

        :param call: the call
        :param name: the parameter with the content of the upload
        :param kinds: the allowed kinds of upload
        :raises VKFault: code 15, 100, 118 or 121, if there is no such upload of the
            caller
        """
        upload = self._by_content.get(call.text(name))
        if upload is None or upload.kind not in kinds:
            raise VKFault.parameter(f"{name} is invalid")
        if upload.owner_id != call.account.owner_id:
            raise VKFault(15)
        if upload.kind in ("album", "photo"):
            if call.integer("server") != SERVER:
                raise VKFault(118)
            if call.text("hash") != upload.proof:
                raise VKFault(121)
        return upload
