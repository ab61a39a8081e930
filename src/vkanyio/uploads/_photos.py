"""``api.upload``: photos, and the pictures of things."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from .._typeguards import is_list, is_tuple
from .._wire_checks import shown
from ._shared import KindUploads

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .._uploaded import Uploaded
    from ..objects.app_widgets import Photo as WidgetImage
    from ..objects.market import PhotoIdResponse, UploadPhotoData
    from ..objects.messages import SetChatPhotoResponse
    from ..objects.photos import (
        Photo,
        SaveOwnerCoverPhotoResponse,
        SaveOwnerPhotoResponse,
    )
    from ..objects.polls import Background
    from ._shared import Progress
    from ._sources import AnyFile

ImageType: TypeAlias = Literal["160x160", "160x240", "24x24", "50x50", "510x128"]


class PhotoUploads(KindUploads):
    """The uploads of photos.

    VK takes JPG, PNG and GIF, up to 50 MB, with width and height together up to 14,000
    pixels.
    """

    async def album_photos(
        self,
        files: Iterable[AnyFile],
        *,
        album_id: int,
        group_id: int | None = None,
        caption: str | None = None,
        latitude: float | None = None,
        longitude: float | None = None,
        progress: Progress | None = None,
    ) -> list[Uploaded[Photo]]:
        """Add any number of photos to an album, five in a request.

        If one of the requests fails, the photos before it are in the album already: the
        ``saved`` of the error has them.

        :param group_id: id of the community that has the album
        :param caption: the text of all photos
        :return: the photos, in order
        """
        return await self._upload_many(
            "album_photos",
            files,
            params={"album_id": album_id, "group_id": group_id},
            save_params={
                "group_id": group_id,
                "caption": caption,
                "latitude": latitude,
                "longitude": longitude,
            },
            progress=progress,
        )

    async def wall_photo(
        self,
        file: AnyFile,
        *,
        group_id: int | None = None,
        user_id: int | None = None,
        caption: str | None = None,
        latitude: float | None = None,
        longitude: float | None = None,
        progress: Progress | None = None,
    ) -> Uploaded[Photo]:
        """Upload a photo to attach it to a post.

        :param group_id: id of the community on whose wall the post is
        :param user_id: id of the user on whose wall the post is
        :param caption: the text of the photo
        """
        return await self._upload(
            "wall_photo",
            file,
            params={"group_id": group_id},
            save_params={
                "group_id": group_id,
                "user_id": user_id,
                "caption": caption,
                "latitude": latitude,
                "longitude": longitude,
            },
            progress=progress,
        )

    async def message_photo(
        self,
        file: AnyFile,
        *,
        peer_id: int | None = None,
        progress: Progress | None = None,
    ) -> Uploaded[Photo]:
        """Upload a photo to send it in a message.

        :param peer_id: the conversation; without that of a chat, VK may refuse to save
            the photo, with error 1
        """
        return await self._upload(
            "message_photo", file, params={"peer_id": peer_id}, progress=progress
        )

    async def owner_photo(
        self,
        file: AnyFile,
        *,
        owner_id: int | None = None,
        square_crop: tuple[int, int, int] | None = None,
        progress: Progress | None = None,
    ) -> Uploaded[SaveOwnerPhotoResponse]:
        """Set the main photo of the user, or of a community.

        It has at least 200 by 200 pixels, and is from 0.25 to 3 times as wide as high.

        :param owner_id: the community, negative
        :param square_crop: the small square picture: its left edge, its upper edge and
            its width, in pixels
        """
        form: dict[str, str] = {}
        if square_crop is not None:
            form["_square_crop"] = _three_numbers("square_crop", square_crop)
        return await self._upload(
            "owner_photo",
            file,
            params={"owner_id": owner_id},
            form=form,
            progress=progress,
        )

    async def chat_photo(
        self,
        file: AnyFile,
        *,
        chat_id: int,
        crop_x: int | None = None,
        crop_y: int | None = None,
        crop_width: int | None = None,
        progress: Progress | None = None,
    ) -> Uploaded[SetChatPhotoResponse]:
        """Set the photo of a chat: at least 200 by 200 pixels.

        :param chat_id: the number of the chat, its peer id without 2,000,000,000
        :param crop_x: the left edge of the square picture
        :param crop_y: its upper edge
        :param crop_width: its width, from 200 on
        """
        return await self._upload(
            "chat_photo",
            file,
            params={
                "chat_id": chat_id,
                "crop_x": crop_x,
                "crop_y": crop_y,
                "crop_width": crop_width,
            },
            progress=progress,
        )

    async def cover_photo(
        self,
        file: AnyFile,
        *,
        group_id: int | None = None,
        crop_x: int | None = None,
        crop_y: int | None = None,
        crop_x2: int | None = None,
        crop_y2: int | None = None,
        progress: Progress | None = None,
    ) -> Uploaded[SaveOwnerCoverPhotoResponse]:
        """Set the cover of a community: at least 795 by 200 pixels, best 1590 by 400.

        VK takes 1,500 covers a day.

        :param group_id: id of the community
        :param crop_x: the left edge of what is shown
        :param crop_y: its upper edge
        :param crop_x2: its right edge
        :param crop_y2: its lower edge
        """
        return await self._upload(
            "cover_photo",
            file,
            params={
                "group_id": group_id,
                "crop_x": crop_x,
                "crop_y": crop_y,
                "crop_x2": crop_x2,
                "crop_y2": crop_y2,
            },
            progress=progress,
        )

    async def market_photo(
        self, file: AnyFile, *, group_id: int, progress: Progress | None = None
    ) -> Uploaded[PhotoIdResponse]:
        """Upload a photo of a product: at least 400 by 400 pixels.

        :param group_id: id of the community
        :return: what ``market.add(main_photo_id=...)`` takes
        """
        return await self._upload(
            "market_photo", file, params={"group_id": group_id}, progress=progress
        )

    async def market_photos(
        self,
        files: Iterable[AnyFile],
        *,
        group_id: int,
        progress: Progress | None = None,
    ) -> list[Uploaded[UploadPhotoData]]:
        """Upload any number of photos of products, five in a request.

        If one of the requests fails, the ``saved`` of the error has the photos before
        it.

        :param group_id: id of the community
        :return: the photos, which ``market.add(photo_ids=[...])`` takes
        """
        return await self._upload_many(
            "market_photos", files, params={"group_id": group_id}, progress=progress
        )

    async def market_album_photo(
        self, file: AnyFile, *, group_id: int, progress: Progress | None = None
    ) -> Uploaded[Photo]:
        """Upload the cover of a collection of products: at least 1280 by 720 pixels.

        :param group_id: id of the community
        :return: what ``market.addAlbum(photo_id=...)`` takes
        """
        return await self._upload(
            "market_album_photo",
            file,
            params={"group_id": group_id},
            save_params={"group_id": group_id},
            progress=progress,
        )

    async def poll_photo(
        self,
        file: AnyFile,
        *,
        owner_id: int | None = None,
        progress: Progress | None = None,
    ) -> Uploaded[Background]:
        """Upload the background of a poll.

        :param owner_id: the owner of the poll, negative for a community
        :return: what ``polls.create(photo_id=...)`` takes
        """
        return await self._upload(
            "poll_photo", file, params={"owner_id": owner_id}, progress=progress
        )

    async def app_widget_image(
        self,
        file: AnyFile,
        *,
        image_type: ImageType,
        progress: Progress | None = None,
    ) -> Uploaded[WidgetImage]:
        """Upload an image for the widgets of an app, with its service token.

        :param image_type: its size as shown; the file is three times as large
        """
        return await self._upload(
            "app_widget_image",
            file,
            params={"image_type": image_type},
            progress=progress,
        )

    async def group_widget_image(
        self,
        file: AnyFile,
        *,
        image_type: ImageType,
        progress: Progress | None = None,
    ) -> Uploaded[WidgetImage]:
        """Upload an image for the widgets of a community, with its token.

        :param image_type: its size as shown; the file is three times as large
        """
        return await self._upload(
            "group_widget_image",
            file,
            params={"image_type": image_type},
            progress=progress,
        )

    async def pretty_card_photo(
        self, file: AnyFile, *, progress: Progress | None = None
    ) -> Uploaded[dict[str, str]]:
        """Upload a photo for a card of an advertisement.

        :return: what ``prettyCards.create(photo=...)`` takes
        """
        return await self._upload("pretty_card_photo", file, progress=progress)

    async def lead_form_photo(
        self, file: AnyFile, *, progress: Progress | None = None
    ) -> Uploaded[dict[str, str]]:
        """Upload the cover of a form for leads.

        :return: what ``leadForms.create(photo=...)`` takes
        """
        return await self._upload("lead_form_photo", file, progress=progress)


def _three_numbers(name: str, value: object) -> str:
    numbers = [*value] if is_tuple(value) or is_list(value) else []
    if len(numbers) != 3 or not all(type(each) is int for each in numbers):
        message = (
            f"{name} must be three whole numbers (x, y, width), got {shown(value)}"
        )
        raise ValueError(message)
    return ",".join(str(each) for each in numbers)
