"""``api.upload``: documents, voice messages and drawings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._shared import KindUploads

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .._uploaded import Uploaded
    from ..objects.docs import Doc
    from ..objects.messages import AudioMessage, Graffiti
    from ._shared import Progress
    from ._sources import AnyFile


class DocumentUploads(KindUploads):
    """The uploads of documents."""

    async def document(
        self,
        file: AnyFile,
        *,
        group_id: int | None = None,
        title: str | None = None,
        tags: str | Iterable[str] | None = None,
        progress: Progress | None = None,
    ) -> Uploaded[Doc]:
        """Add a document to those of the user, or of a community.

        Any format but MP3 and programs, up to 200 MB. Bytes need a name:
        ``File(data, name="report.pdf")``.

        :param group_id: id of the community
        :param title: by default the name of the file
        """
        return await self._upload(
            "document",
            file,
            params={"group_id": group_id},
            save_params={"title": title, "tags": tags},
            progress=progress,
        )

    async def wall_document(
        self,
        file: AnyFile,
        *,
        group_id: int | None = None,
        title: str | None = None,
        tags: str | Iterable[str] | None = None,
        progress: Progress | None = None,
    ) -> Uploaded[Doc]:
        """Upload a document to attach it to a post; see :meth:`document`.

        :param group_id: id of the community on whose wall the post is
        """
        return await self._upload(
            "wall_document",
            file,
            params={"group_id": group_id},
            save_params={"title": title, "tags": tags},
            progress=progress,
        )

    async def message_document(
        self,
        file: AnyFile,
        *,
        peer_id: int | None = None,
        title: str | None = None,
        tags: str | Iterable[str] | None = None,
        progress: Progress | None = None,
    ) -> Uploaded[Doc]:
        """Upload a document to send it in a message; see :meth:`document`.

        :param peer_id: the conversation, which a community has to give
        """
        return await self._upload(
            "message_document",
            file,
            params={"peer_id": peer_id},
            save_params={"title": title, "tags": tags},
            progress=progress,
        )

    async def audio_message(
        self,
        file: AnyFile,
        *,
        peer_id: int | None = None,
        progress: Progress | None = None,
    ) -> Uploaded[AudioMessage]:
        """Upload a voice message: OGG with OPUS, 16 kHz, one channel, up to an hour.

        :param peer_id: the conversation, which a community has to give
        """
        return await self._upload(
            "audio_message", file, params={"peer_id": peer_id}, progress=progress
        )

    async def graffiti(
        self,
        file: AnyFile,
        *,
        peer_id: int | None = None,
        progress: Progress | None = None,
    ) -> Uploaded[Graffiti]:
        """Upload a drawing for a message: a PNG with a transparent background.

        :param peer_id: the conversation, which a community has to give
        """
        return await self._upload(
            "graffiti", file, params={"peer_id": peer_id}, progress=progress
        )
