"""What a type checker makes of uploads: checked, never run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, assert_type

from vkanyio import OutcomeUnknownError, UploadRefusedError
from vkanyio.objects.app_widgets import Photo as WidgetImage
from vkanyio.objects.docs import Doc
from vkanyio.objects.market import PhotoIdResponse, UploadPhotoData
from vkanyio.objects.messages import AudioMessage, Graffiti, SetChatPhotoResponse
from vkanyio.objects.photos import (
    Photo,
    SaveOwnerCoverPhotoResponse,
    SaveOwnerPhotoResponse,
)
from vkanyio.objects.polls import Background
from vkanyio.objects.stories import Story
from vkanyio.objects.video import SaveResult, SaveUploadedThumbResponse
from vkanyio.uploads import File, UnsavedUpload, Uploaded, Uploader

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from vkanyio import VK

FILE = Path("cat.jpg")


async def photos(api: VK) -> None:
    up = api.upload
    assert_type(up, Uploader)
    assert_type(await up.album_photos([FILE], album_id=1), list[Uploaded[Photo]])
    assert_type(await up.wall_photo(FILE, group_id=1), Uploaded[Photo])
    assert_type(await up.message_photo(FILE, peer_id=1), Uploaded[Photo])
    assert_type(
        await up.owner_photo(FILE, square_crop=(0, 0, 200)),
        Uploaded[SaveOwnerPhotoResponse],
    )
    assert_type(await up.chat_photo(FILE, chat_id=1), Uploaded[SetChatPhotoResponse])
    assert_type(
        await up.cover_photo(FILE, group_id=1), Uploaded[SaveOwnerCoverPhotoResponse]
    )


async def pictures_of_things(api: VK) -> None:
    up = api.upload
    assert_type(await up.market_photo(FILE, group_id=1), Uploaded[PhotoIdResponse])
    assert_type(
        await up.market_photos([FILE], group_id=1), list[Uploaded[UploadPhotoData]]
    )
    assert_type(await up.market_album_photo(FILE, group_id=1), Uploaded[Photo])
    assert_type(await up.poll_photo(FILE), Uploaded[Background])
    widget = await up.app_widget_image(FILE, image_type="24x24")
    assert_type(widget, Uploaded[WidgetImage])
    widget = await up.group_widget_image(FILE, image_type="510x128")
    assert_type(widget, Uploaded[WidgetImage])
    assert_type(await up.pretty_card_photo(FILE), Uploaded[dict[str, str]])
    assert_type(await up.lead_form_photo(FILE), Uploaded[dict[str, str]])


async def documents(api: VK) -> None:
    up = api.upload
    assert_type(await up.document(FILE, tags=["a"]), Uploaded[Doc])
    assert_type(await up.wall_document(FILE, title="x"), Uploaded[Doc])
    assert_type(await up.message_document(FILE, peer_id=1), Uploaded[Doc])
    assert_type(await up.audio_message(FILE, peer_id=1), Uploaded[AudioMessage])
    assert_type(await up.graffiti(FILE, peer_id=1), Uploaded[Graffiti])


async def videos_and_stories(api: VK) -> None:
    up = api.upload
    assert_type(await up.video(FILE, name="x"), Uploaded[SaveResult])
    assert_type(await up.video_by_link("https://x.y/z"), Uploaded[SaveResult])
    assert_type(
        await up.video_thumb(FILE, owner_id=1), Uploaded[SaveUploadedThumbResponse]
    )
    assert_type(await up.story_photo(FILE, add_to_news=True), Uploaded[Story])
    assert_type(await up.story_video(FILE, user_ids=[1]), Uploaded[Story])


async def files_of_all_sorts(api: VK, chunks: AsyncIterator[bytes]) -> None:
    with FILE.open("rb") as opened:  # noqa: ASYNC230 - it is never run
        for file in (
            "cat.jpg",
            FILE,
            b"bytes",
            bytearray(b"bytes"),
            opened,
            File(FILE, name="cat.jpg"),
            File(opened),
            File(chunks, size=5),
        ):
            await api.upload.wall_photo(file)
    await api.upload.album_photos(["a.jpg", FILE, b"bytes"], album_id=1)
    answer = await api.upload.raw("https://x.y", "file", FILE, data={"a": 1})
    assert_type(answer, Any)
    await api.upload.wall_photo(chunks)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await api.upload.wall_photo([FILE])  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await api.upload.wall_photo(5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


async def progress_is_a_function_of_two_numbers(api: VK) -> None:
    def show(sent: int, total: int) -> None: ...

    def of_one(sent: int) -> None: ...

    await api.upload.wall_photo(FILE, progress=show)
    await api.upload.wall_photo(FILE, progress=lambda sent, total: sent / total)
    await api.upload.options(stall_timeout=60).wall_photo(FILE, progress=show)
    await api.upload.raw("https://x.y", "file", FILE, progress=show)
    await api.upload.wall_photo(FILE, progress=of_one)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await api.upload.video_by_link("https://x.y/z", progress=show)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


async def results_are_parameters(api: VK) -> None:
    photo = await api.upload.message_photo(FILE, peer_id=1)
    document = await api.upload.message_document(FILE, peer_id=1)
    assert_type(photo.object["owner_id"], int)
    assert_type(photo.kind, str)
    assert_type(photo.to_vk(), str | int)
    await api.messages.send(peer_id=1, attachment=photo)
    await api.messages.send(peer_id=1, attachment=[photo, document, "wall1_2"])
    await api.wall.post(attachments=[photo, document])
    uploaded: list[Uploaded[object]] = [photo, document]
    await api.wall.post(attachments=uploaded)
    picture = await api.upload.market_photo(FILE, group_id=1)
    more = await api.upload.market_photos([FILE], group_id=1)
    await api.market.edit(
        owner_id=-1, item_id=1, main_photo_id=picture, photo_ids=[*more, 7]
    )
    cover = await api.upload.market_album_photo(FILE, group_id=1)
    await api.market.add_album(owner_id=-1, title="x", photo_id=cover)
    background = await api.upload.poll_photo(FILE)
    await api.polls.create(question="x", photo_id=background)
    lead = await api.upload.lead_form_photo(FILE)
    await api.lead_forms.update(
        group_id=1,
        form_id=1,
        name="x",
        title="x",
        description="x",
        questions="[]",
        policy_link_url="x",
        photo=lead,
    )


async def errors_have_what_is_needed(api: VK) -> None:
    try:
        await api.upload.wall_photo(FILE)
    except UploadRefusedError as error:
        assert_type(error.kind, str)
        assert_type(error.response, Any)
        assert_type(error.saved, tuple[Uploaded[Any], ...])
    except OutcomeUnknownError as error:
        assert_type(error.uploaded, UnsavedUpload | None)
        if error.uploaded is not None:
            assert_type(await api.upload.save(error.uploaded), list[Uploaded[Any]])


async def what_must_fail(api: VK) -> None:
    await api.upload.photo(FILE)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    await api.upload.album_photos([FILE])  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    await api.upload.message_photo(FILE, 1)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    await api.upload.app_widget_image(FILE, image_type="1x1")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    UnsavedUpload().kind = "x"  # type: ignore[call-arg, misc]  # pyright: ignore[reportCallIssue, reportAttributeAccessIssue]
