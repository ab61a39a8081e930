"""``api.upload``: videos, their covers, and stories."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._encoding import encode_params
from .._wire_checks import shown
from ._shared import KindUploads
from ._upload import add_by_link

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .._uploaded import Uploaded
    from ..objects.stories import Story, UploadLinkText
    from ..objects.video import SaveResult, SaveUploadedThumbResponse
    from ._shared import Progress
    from ._sources import AnyFile


class VideoUploads(KindUploads):
    """The uploads of videos and stories."""

    async def video(
        self,
        file: AnyFile,
        *,
        name: str | None = None,
        description: str | None = None,
        group_id: int | None = None,
        album_id: int | None = None,
        is_private: bool | None = None,
        wallpost: bool | None = None,
        privacy_view: str | Iterable[str] | None = None,
        privacy_comment: str | Iterable[str] | None = None,
        no_comments: bool | None = None,
        repeat: bool | None = None,
        compression: bool | None = None,
        extra_params: Mapping[str, Any] | None = None,
        progress: Progress | None = None,
    ) -> Uploaded[SaveResult]:
        """Upload a video, which VK then converts.

        VK creates the video before it gets the file, so a lost attempt is repeated to
        the same address. An upload that fails or is cancelled may leave a video without
        content; a note of the error names it. VK takes 5,000 videos a day.

        :param name: the title
        :param group_id: id of the community that gets the video
        :param is_private: whether it is for a message, and not among the user's videos
        :param wallpost: whether to publish it on the wall
        :param repeat: whether to play it in a loop
        :param extra_params: further parameters of ``video.save``
        """
        params = {
            "name": name,
            "description": description,
            "group_id": group_id,
            "album_id": album_id,
            "is_private": is_private,
            "wallpost": wallpost,
            "privacy_view": privacy_view,
            "privacy_comment": privacy_comment,
            "no_comments": no_comments,
            "repeat": repeat,
            "compression": compression,
            **(extra_params or {}),
        }
        return await self._upload("video", file, params=params, progress=progress)

    async def video_by_link(
        self,
        link: str,
        *,
        name: str | None = None,
        description: str | None = None,
        group_id: int | None = None,
        album_id: int | None = None,
        wallpost: bool | None = None,
        privacy_view: str | Iterable[str] | None = None,
        privacy_comment: str | Iterable[str] | None = None,
        no_comments: bool | None = None,
        repeat: bool | None = None,
        extra_params: Mapping[str, Any] | None = None,
    ) -> Uploaded[SaveResult]:
        """Add a video of another site; see :meth:`video` for the parameters.

        :param link: the URL of its page, such as one of YouTube
        """
        if not isinstance(link, str) or not link.startswith(("http://", "https://")):
            message = f"link must be the URL of a video, got {shown(link)}"
            raise ValueError(message)
        params = {
            "link": link,
            "name": name,
            "description": description,
            "group_id": group_id,
            "album_id": album_id,
            "wallpost": wallpost,
            "privacy_view": privacy_view,
            "privacy_comment": privacy_comment,
            "no_comments": no_comments,
            "repeat": repeat,
            **(extra_params or {}),
        }
        return await add_by_link(self._caller, encode_params(params), self._patience)

    async def video_thumb(
        self,
        file: AnyFile,
        *,
        owner_id: int,
        video_id: int | None = None,
        set_thumb: bool | None = None,
        progress: Progress | None = None,
    ) -> Uploaded[SaveUploadedThumbResponse]:
        """Upload a picture for the cover of a video.

        :param owner_id: the owner of the video, negative for a community
        :param video_id: the video
        :param set_thumb: whether the video gets it at once
        """
        return await self._upload(
            "video_thumb",
            file,
            params={"owner_id": owner_id},
            save_params={
                "owner_id": owner_id,
                "video_id": video_id,
                "set_thumb": set_thumb,
            },
            progress=progress,
        )

    async def story_photo(
        self,
        file: AnyFile,
        *,
        add_to_news: bool | None = None,
        user_ids: int | str | Iterable[int | str] | None = None,
        reply_to_story: str | None = None,
        link_text: UploadLinkText | None = None,
        link_url: str | None = None,
        group_id: int | None = None,
        clickable_stickers: Mapping[str, Any] | str | None = None,
        progress: Progress | None = None,
    ) -> Uploaded[Story]:
        """Publish a story with a photo: JPG, PNG or GIF, up to 10 MB.

        :param add_to_news: whether friends see it; needed without ``user_ids``
        :param user_ids: ids of the users who get it in a message
        :param reply_to_story: the story that it replies to, "1_2"
        :param link_text: the text of the button, if there is a link
        :param link_url: the URL of the button, for communities
        :param group_id: id of the community that publishes it
        :param clickable_stickers: the stickers that react to a tap, as a dict
        """
        params = {
            "add_to_news": add_to_news,
            "user_ids": user_ids,
            "reply_to_story": reply_to_story,
            "link_text": link_text,
            "link_url": link_url,
            "group_id": group_id,
            "clickable_stickers": clickable_stickers,
        }
        return await self._upload("story_photo", file, params=params, progress=progress)

    async def story_video(
        self,
        file: AnyFile,
        *,
        add_to_news: bool | None = None,
        user_ids: int | str | Iterable[int | str] | None = None,
        reply_to_story: str | None = None,
        link_text: UploadLinkText | None = None,
        link_url: str | None = None,
        group_id: int | None = None,
        clickable_stickers: Mapping[str, Any] | str | None = None,
        progress: Progress | None = None,
    ) -> Uploaded[Story]:
        """Publish a story with a video; see :meth:`story_photo` for the parameters."""
        params = {
            "add_to_news": add_to_news,
            "user_ids": user_ids,
            "reply_to_story": reply_to_story,
            "link_text": link_text,
            "link_url": link_url,
            "group_id": group_id,
            "clickable_stickers": clickable_stickers,
        }
        return await self._upload("story_video", file, params=params, progress=progress)
