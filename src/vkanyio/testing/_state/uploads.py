"""The upload URLs, and what the methods that save a file must send back.

An upload has three steps: a method returns a URL, a POST to that URL sends the file,
and another method saves it with the values from the response to the POST.
"""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING, cast, final

import attrs

from .._errors import JSON, VKFault
from .._wire import UPLOAD_PREFIX, SimulatedFile
from .servers import PICTURES, SERVER, SERVERS, filled

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .._call import Call
    from .._ledger import Ledger


@final
@attrs.define(eq=False)
class Upload:
    """An upload URL that was issued, and the files sent to it."""

    key: str
    kind: str
    owner_id: int
    """The account that requested the URL."""
    album_id: int = 0
    group_id: int = 0
    thing: tuple[int, int] = (0, 0)
    """The owner and the id of what the file is for, such as a video."""
    files: list[SimulatedFile] = attrs.field(factory=list[SimulatedFile])
    is_expired: bool = False

    @property
    def proof(self) -> str:
        """The value that a save must send back as proof of this upload."""
        return self.key[::-1]

    @property
    def content(self) -> str:
        """The value that a save must send back in addition to the proof."""
        if SERVERS[self.kind].is_for_pictures:
            listed = [{"photo": self.key, "name": file.field} for file in self.files]
            return json.dumps(listed, separators=(",", ":"))
        return f"{self.owner_id}|0|0|{SERVER}|{self.key}|{self.files[0].extension}"

    def answer(self) -> JSON:
        """Return the response of the upload server."""
        server = SERVERS[self.kind]
        content = self.content
        pictures = [file.extension in PICTURES for file in self.files]
        if server.is_for_pictures and not all(pictures):
            content = "[]"  # as VK returns for what is not a picture
        values = {
            "content": content,
            "proof": self.proof,
            "album": self.album_id,
            "group": self.group_id,
            "size": sum(file.size for file in self.files),
        }
        answer = filled(server.answer, values)
        if self.kind == "video":
            answer["owner_id"], answer["video_id"] = self.thing
        return answer


@final
class Uploads:
    """All upload URLs that were issued.

    :param seed: makes the URLs the same in every run
    :param ledger: where saved files are recorded
    """

    def __init__(self, seed: int, ledger: Ledger) -> None:
        self._random = random.Random(f"uploads {seed}")
        self._ledger = ledger
        self._uploads: dict[str, Upload] = {}
        self._by_content: dict[str, Upload] = {}

    def open(
        self,
        call: Call,
        kind: str,
        album_id: int = 0,
        thing: tuple[int, int] = (0, 0),
    ) -> str:
        """Issue an upload URL.

        :param call: the call; the URL has its scheme and host
        :param kind: the kind of upload
        :param album_id: the album for the photos
        :param thing: the owner and the id of what the file is for
        :return: the URL
        """
        key = f"{self._random.getrandbits(80):020x}"
        group_id = call.integer("group_id", 0)
        owner_id = call.account.owner_id
        self._uploads[key] = Upload(key, kind, owner_id, album_id, group_id, thing)
        return f"{call.origin}{UPLOAD_PREFIX}{kind}?key={key}"

    def expire(self) -> None:
        """Let all URLs that were issued expire."""
        for upload in self._uploads.values():
            upload.is_expired = True

    def receive(
        self, kind: str, query: Mapping[str, str], files: list[SimulatedFile]
    ) -> JSON:
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
        if upload.is_expired:
            raise VKFault(22, "ERR_UPLOAD_EXPIRED: the address has expired")
        if kind == "link":  # VK fetches the video from there
            return {"response": 1}
        server = SERVERS[kind]
        if not files or not all(file.size for file in files):
            raise VKFault(22, "ERR_UPLOAD_FILE_NOT_UPLOADED: file not uploaded")
        if any(file.field not in server.fields for file in files):
            known = ", ".join(server.fields)
            raise VKFault(22, f"ERR_UPLOAD_BAD_FIELD: use {known}")
        if len(files) > server.max_files:
            raise VKFault(22, f"ERR_UPLOAD_TOO_MANY_FILES: {server.max_files} at most")
        is_first = not upload.files
        upload.files = files
        self._by_content[upload.content] = upload
        if kind == "video" and is_first:  # there is no other step
            self.note_saved("video.save", upload)
        return upload.answer()

    def redeem(self, call: Call, name: str, *kinds: str) -> Upload:
        """Return the upload that a call saves.

        :param call: the call
        :param name: the parameter with the content of the upload, or with the whole
            response of the upload server
        :param kinds: the allowed kinds of upload
        :raises VKFault: code 15, 100, 118 or 121, if there is no such upload of the
            caller
        """
        sent = {**call.params, **_whole_response(call.text(name))}
        upload = self._by_content.get(sent.get("photo", "") or call.text(name))
        upload = self._by_content.get(call.text(name)) or upload
        if upload is None or upload.kind not in kinds:
            raise VKFault.parameter(f"{name} is invalid")
        if upload.owner_id != call.account.owner_id:
            raise VKFault(15)
        answer = SERVERS[upload.kind].answer
        if "server" in answer and str(sent.get("server")) != str(SERVER):
            raise VKFault(118)
        if "hash" in answer and sent.get("hash") != upload.proof:
            raise VKFault(121)
        return upload

    def note_saved(self, method: str, upload: Upload) -> None:
        """Record the files of an upload that was saved.

        :param method: the method that saved them
        """
        for file in upload.files:
            self._ledger.note_saved(method, file.name, file.size, file.digest)


def _whole_response(text: str) -> dict[str, JSON]:
    """Return the fields of a response that was sent back as it is."""
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return cast("dict[str, JSON]", value) if isinstance(value, dict) else {}
