"""``api.upload``: what all kinds of files share, and what is not a kind."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, final

from .._encoding import encode_params
from .._masking import kind_of, mask
from .._similar import did_you_mean
from .._uploaded import UnsavedUpload
from .._wire_checks import shown
from ._documents import DocumentUploads
from ._kinds import KINDS
from ._photos import PhotoUploads
from ._shared import check_progress
from ._sources import check_file
from ._upload import RESPONSE_TIMEOUT, STALL_TIMEOUT, Form, Patience, save, send_form
from ._videos import VideoUploads

if TYPE_CHECKING:
    from .._uploaded import Uploaded
    from ._shared import Progress
    from ._sources import AnyFile


METHODS: Final = (*KINDS, "video_by_link")
"""The methods of ``api.upload`` that upload something of a kind."""


@final
class Uploader(PhotoUploads, DocumentUploads, VideoUploads):
    """Uploads of files, of all kinds that VK takes: ``api.upload`` is one.

    ::

        photo = await api.upload.message_photo("cat.jpg", peer_id=peer_id)
        await api.messages.send(peer_id=peer_id, attachment=photo)

    A file is a path, bytes, a binary file object, or a :class:`File`. It is
    checked before anything is sent, and sent in chunks, whatever its size. A client
    sends four files at a time, outside its rate limit; others wait for their turn.

    An upload as a whole has no deadline: ``anyio.fail_after`` sets one. An attempt
    fails after 30 s without progress. A failed attempt is repeated with a new address,
    up to ``retry_limit`` times, since nothing is saved before the last call. An upload
    that is cancelled saves nothing, unless its last call was already sent.

    ``progress`` is called with the number of bytes that were sent, and with the total;
    a retry starts again from 0.

    The methods raise, besides what the file itself raises:

    - :exc:`TypeError` and :exc:`ValueError` for an argument or a file that is wrong,
      and :exc:`OSError` for one that cannot be read, before anything is sent
    - :exc:`~vkanyio.UploadRefusedError` if VK refuses the file
    - :exc:`~vkanyio.TransportError` if the file could not be sent; it says how far the
      attempt came
    - :exc:`~vkanyio.OutcomeUnknownError` if VK may have saved the file; its
      ``uploaded`` is for :meth:`save`
    - :exc:`~vkanyio.APIError` as the methods that return the address and save the file
    """

    __module__ = "vkanyio.uploads"

    if not TYPE_CHECKING:  # it would accept any name there

        def __getattr__(self, name: str) -> Any:
            kinds = () if name.startswith("_") else METHODS
            meant = did_you_mean(name, kinds, most=3)
            message = f"api.upload has no method {name!r}{meant}"
            # Without `obj`, or Python would add a suggestion when it prints the error.
            raise AttributeError(message, name=name)

    def options(
        self,
        *,
        stall_timeout: float = STALL_TIMEOUT,
        response_timeout: float = RESPONSE_TIMEOUT,
    ) -> Uploader:
        """Return an uploader with other limits.

        :param stall_timeout: seconds without progress after which an attempt is lost
        :param response_timeout: seconds for VK's response after the last byte
        :raises TypeError: for a value that is not a number
        :raises ValueError: for a value that is not positive
        """
        _check_seconds("stall_timeout", stall_timeout)
        _check_seconds("response_timeout", response_timeout)
        patience = Patience(stall=stall_timeout, response=response_timeout)
        return Uploader(self._caller, patience)

    async def save(self, upload: UnsavedUpload) -> list[Uploaded[Any]]:
        """Save a file that an upload server has, after an
        :exc:`~vkanyio.OutcomeUnknownError`.

        Check first whether the file was saved: this may save it a second time.

        :param upload: ``error.uploaded``
        :return: what was saved, one element for each file
        """
        if not isinstance(upload, UnsavedUpload):
            message = f"upload must be the `uploaded` of an error, got {shown(upload)}"
            raise TypeError(message)
        return await save(self._caller, upload)

    async def raw(
        self,
        url: str,
        field: str,
        file: AnyFile,
        *,
        data: Mapping[str, Any] | None = None,
        progress: Progress | None = None,
    ) -> Any:
        """Send a file to an address that a method of VK returned.

        For kinds of files that have no method. If an attempt fails, the file is sent
        again to the same address.

        :param url: the address
        :param field: the name of the field for the file
        :param data: further fields; values are encoded as those of calls
        :return: the JSON that the server returned, without an envelope
        """
        url = mask(url)
        for name, value in (("url", url), ("field", field)):
            if not isinstance(value, str):
                message = f"{name} must be a str, got {kind_of(value)}"
                raise TypeError(message)
        if data is not None and not isinstance(data, Mapping):
            message = f"data must be a mapping of fields, got {shown(data)}"
            raise TypeError(message)
        check_progress(progress)
        self._caller.check_usable()
        more = {name: str(value) for name, value in encode_params(data or {}).items()}
        source = await check_file("file", file, None)
        form = Form(
            kind="raw",
            files=[(field, source)],
            more=more,
            on_progress=progress,
            patience=self._patience,
        )

        async def find_address() -> str:
            return url

        return (await send_form(self._caller, form, find_address)).value


def _check_seconds(name: str, value: Any) -> None:
    message = f"{name} must be a number of seconds above 0, got {shown(value)}"
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise TypeError(message)
    if not value > 0 or math.isnan(value):
        raise ValueError(message)
