"""Where files are sent to, and what their saving must bring back.

The first step of an upload is a method that gives out an address, the second a POST to
it, the third a method that takes what the POST was answered.
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
(https://dev.vk.ru/ru/api/upload/album-photos). vk_api counts from 0 and is taken, too
(https://github.com/python273/vk_api/blob/master/vk_api/upload.py)."""

MOST_FILES: Final = 5

SERVER: Final = 837_432


@final
@attrs.define(eq=False)
class Upload:
    """An address that was given out, and what was sent to it."""

    key: str
    kind: UploadKind
    owner_id: int
    """Whose address it is."""
    album_id: int = 0
    group_id: int = 0
    files: list[File] = attrs.field(factory=list[File])

    @property
    def proof(self) -> str:
        """What shows that a saving belongs to this upload."""
        return self.key[::-1]

    @property
    def content(self) -> str:
        """What the saving is to bring back, besides the proof."""
        if self.kind in ("album", "photo"):
            listed = [{"photo": self.key, "name": file.field} for file in self.files]
            return json.dumps(listed, separators=(",", ":"))
        return f"{self.owner_id}|0|0|{SERVER}|{self.key}|{self.files[0].extension}"


@final
class Uploads:
    """All addresses that were given out.

    :param seed: makes the addresses the same in every run
    """

    def __init__(self, seed: int) -> None:
        self._random = random.Random(f"uploads {seed}")
        self._uploads: dict[str, Upload] = {}
        self._by_content: dict[str, Upload] = {}

    def open(self, call: Call, kind: UploadKind, album_id: int = 0) -> str:
        """Give out an address.

        :param call: the call: the address leads to where it came from
        :param kind: what is to be uploaded
        :param album_id: the album that it is for
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
        """Take what is sent to an address.

        :param kind: the last part of the address
        :param query: what follows its question mark
        :param files: the files
        :return: what the upload server answers
        :raises VKFault: code 22, for files that it does not take
        """
        upload = self._uploads.get(query.get("key", ""))
        if upload is None or upload.kind != kind:
            raise VKFault(22, "ERR_UPLOAD_NOT_FOUND: unknown address")
        if not files:
            raise VKFault(22, "ERR_UPLOAD_FILE_NOT_UPLOADED: file not uploaded")
        if kind == "album":
            if any(file.field not in ALBUM_FIELDS for file in files):
                raise VKFault(22, "ERR_UPLOAD_BAD_FIELD: use file1 to file5")
            if len(files) > MOST_FILES:
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
        """Find the upload that is to be saved.

        :param call: the call that saves it
        :param name: the parameter that has the content
        :param kinds: what it may be
        :raises VKFault: code 100, 118 or 121, if nothing like that was uploaded
        """
        if not (content := call.params.get(name)):
            # As https://github.com/python273/vk_api/issues/544 met it.
            raise VKFault.parameter(f"{name} is undefined")
        upload = self._by_content.get(content)
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
