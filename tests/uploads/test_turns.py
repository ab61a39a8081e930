"""When uploads are sent, how long they may take, and what is left of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio
import pytest
from _kinds import posts
from anyio import current_time

from _helpers import assert_at_rest, assert_gone
from vkanyio import (
    VK,
    ClientClosedError,
    ConnectionFailedError,
    RequestTimeoutError,
)
from vkanyio.testing import faults
from vkanyio.uploads import File

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from _helpers import MakeClient
    from vkanyio.testing import Simulator

pytestmark = pytest.mark.anyio

PHOTO = b"a picture"
BIG = bytes(2**20)
CHUNK = 2**18


async def test_four_files_are_sent_at_a_time_outside_the_limit(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.fault(faults.slow_upload(10.0), "upload", rate=1)
    ends: list[float] = []

    async def upload(api: VK) -> None:
        await api.upload.wall_photo(PHOTO)
        ends.append(current_time() - start)

    async with make_client(limit=2, request_mode="burst") as api:
        start = current_time()
        async with anyio.create_task_group() as tg:
            for _ in range(9):
                tg.start_soon(upload, api)
            await anyio.sleep(5)
            # They hold no permit of the calls.
            with anyio.fail_after(2):
                await api.users.get(user_ids=1)
    rounds = [round(end / 10) for end in ends]
    assert rounds.count(1) == rounds.count(2) == 4
    assert rounds.count(3) == 1


async def test_an_upload_that_waits_for_its_turn_is_bounded_by_its_caller(
    simulator: Simulator, api: VK
) -> None:
    simulator.fault(faults.slow_upload(40.0), "upload", rate=1)
    async with anyio.create_task_group() as tg:
        for _ in range(4):
            tg.start_soon(api.upload.wall_photo, PHOTO)
        await anyio.sleep(1)
        with anyio.move_on_after(1) as scope:
            await api.upload.wall_photo(PHOTO)
        assert scope.cancelled_caught
    assert len(simulator.ledger.saved) == 4
    await api.upload.wall_photo(PHOTO)
    assert len(simulator.ledger.saved) == 5
    assert_at_rest(api)


async def test_an_upload_has_no_deadline_as_long_as_it_makes_progress(
    simulator: Simulator, api: VK
) -> None:
    simulator.fault(faults.slow_upload(100.0), "upload")
    start = current_time()
    await api.upload.options(stall_timeout=30.0).wall_photo(BIG)
    assert current_time() - start == pytest.approx(100, abs=1)
    assert posts(simulator) == ["carried out"]


async def test_a_chunk_that_takes_too_long_is_lost_and_sent_again(
    simulator: Simulator, api: VK
) -> None:
    simulator.fault(faults.slow_upload(100.0), "upload")
    start = current_time()
    await api.upload.options(stall_timeout=20.0).wall_photo(BIG)
    assert posts(simulator) == ["carried out"]  # the second one
    assert 20 <= current_time() - start < 50


async def test_a_slow_source_is_no_slow_network(simulator: Simulator, api: VK) -> None:
    class Slow:
        async def __aiter__(self) -> AsyncIterator[bytes]:
            for _ in range(4):
                await anyio.sleep(1000)
                yield b"1234"

    await api.upload.wall_photo(File(Slow(), name="a.jpg", size=16))
    assert posts(simulator) == ["carried out"]
    assert current_time() >= 4000


@pytest.mark.parametrize("seconds", [50.0, 150.0])
async def test_the_response_has_a_deadline_of_its_own(
    simulator: Simulator, make_client: MakeClient, seconds: float
) -> None:
    simulator.fault(faults.delay(seconds), "upload")
    async with make_client(retry_limit=0) as api:
        if seconds < 120:
            await api.upload.wall_photo(PHOTO)
            return
        with pytest.raises(RequestTimeoutError, match="no response for 120 s"):
            await api.upload.wall_photo(PHOTO)
        await api.upload.options(response_timeout=200).wall_photo(PHOTO)


async def test_progress_is_reported_from_nothing_to_all_in_each_attempt(
    simulator: Simulator, api: VK
) -> None:
    seen: list[tuple[int, int]] = []
    simulator.fault(faults.drop_upload(0.6), "upload")
    await api.upload.wall_photo(BIG, progress=lambda *numbers: seen.append(numbers))
    size = len(BIG)
    complete = [(n * CHUNK, size) for n in range(5)]
    assert seen == complete[:3] + complete


async def test_an_error_of_the_progress_function_ends_the_upload_as_itself(
    simulator: Simulator, api: VK
) -> None:
    def fail(sent: int, total: int) -> None:
        raise LookupError(sent, total)

    with pytest.raises(LookupError):
        await api.upload.wall_photo(PHOTO, progress=fail)
    assert simulator.ledger.saved == []
    assert_at_rest(api)


async def test_progress_of_many_photos_is_that_of_all(
    simulator: Simulator, api: VK
) -> None:
    album = await api.photos.createAlbum(title="Cats")
    seen: list[tuple[int, int]] = []
    photos = await api.upload.album_photos(
        [bytes([number]) * 10 for number in range(7)],
        album_id=album["id"],
        caption="A cat",
        progress=lambda *numbers: seen.append(numbers),
    )
    assert [photo.kind for photo in photos] == ["album_photos"] * 7
    assert {photo.object["text"] for photo in photos} == {"A cat"}
    assert [saved.digest for saved in simulator.ledger.saved].count("") == 0
    assert len({saved.digest for saved in simulator.ledger.saved}) == 7
    assert seen[0] == (0, 70)
    assert seen[-1] == (70, 70)
    assert [sent for sent, _ in seen] == sorted(sent for sent, _ in seen)
    assert posts(simulator) == ["carried out"] * 2


async def test_what_comes_of_uploads_is_attached_as_it_is(
    simulator: Simulator, api: VK
) -> None:
    photo = await api.upload.message_photo(PHOTO, peer_id=5)
    document = await api.upload.message_document(File(b"text", name="a.txt"), peer_id=5)
    await api.messages.send(peer_id=5, attachment=[photo, document])
    [entry] = simulator.ledger.carried_out("messages.send")
    attached = photo.object, document.object
    assert entry.params["attachment"] == ",".join(
        f"{kind}1_{each['id']}_{each['access_key']}"
        for kind, each in zip(("photo", "doc"), attached, strict=True)
    )


async def test_raw_sends_fields_and_repeats_to_the_same_address(
    simulator: Simulator, api: VK
) -> None:
    simulator.fault(faults.drop_after(), "upload")
    server = await api.photos.getWallUploadServer()
    answer = await api.upload.raw(
        server["upload_url"], "photo", File(PHOTO, name="a.jpg"), data={"x": [1, 2]}
    )
    assert {"server", "photo", "hash"} == set(answer)
    assert len(simulator.ledger.carried_out("photos.getWallUploadServer")) == 1
    assert posts(simulator) == ["carried out"] * 2
    assert simulator.ledger.saved == []


@pytest.mark.parametrize("fault", [None, faults.drop_after(), faults.hang_before()])
async def test_a_video_of_another_site_is_added_once(
    simulator: Simulator, api: VK, fault: Any
) -> None:
    if fault is not None:
        simulator.fault(fault, "upload")
    video = await api.upload.video_by_link("https://youtu.be/1", name="Film")
    assert str(video.to_vk()).startswith("video1_")
    assert video.kind == "video_by_link"
    [saved] = simulator.ledger.carried_out("video.save")
    assert saved.params["link"] == "https://youtu.be/1"


async def test_a_link_that_stays_lost_says_that_there_is_a_video(
    simulator: Simulator, api: VK
) -> None:
    simulator.fault(faults.drop_before(), "upload", rate=1)
    with pytest.raises(ConnectionFailedError, match="video_by_link") as caught:
        await api.upload.video_by_link("https://youtu.be/1")
    assert "has created video1_" in caught.value.__notes__[0]


async def test_without_an_open_client_nothing_is_uploaded(make_client: Any) -> None:
    client = make_client()
    for _ in range(2):
        with pytest.raises(ClientClosedError):
            await client.upload.wall_photo(PHOTO)
        with pytest.raises(ClientClosedError):
            await client.upload.album_photos([PHOTO], album_id=1)
        with pytest.raises(ClientClosedError):
            await client.upload.raw("https://vk/x", "file", File(PHOTO, name="a"))
        with pytest.raises(ClientClosedError):
            await client.upload.video_by_link("https://youtu.be/1")
        if client.config.retry_limit and "new" in repr(client):
            async with client:
                pass


async def test_leaving_the_client_ends_an_upload(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.fault(faults.stall_upload(), "upload", rate=1)
    errors: list[BaseException] = []

    async def upload(client: VK) -> None:
        try:
            await client.upload.options(stall_timeout=5).wall_photo(PHOTO)
        except ClientClosedError as error:
            errors.append(error)

    client = make_client()
    async with anyio.create_task_group() as tg, client:
        tg.start_soon(upload, client)
        await anyio.sleep(1)
    assert len(errors) == 1
    assert simulator.ledger.saved == []
    assert_gone(client)


@pytest.mark.parametrize("connections", [1, 5])
async def test_an_upload_holds_one_permit_of_a_client_that_was_brought(
    simulator: Simulator, make_client: MakeClient, connections: int
) -> None:
    simulator.fault(faults.slow_upload(10.0), "upload", rate=1)
    async with make_client(max_connections=connections) as api:
        start = current_time()
        async with anyio.create_task_group() as tg:
            for _ in range(3):
                tg.start_soon(api.upload.wall_photo, PHOTO)
        assert_at_rest(api)
    rounds = 3 if connections == 1 else 1
    assert current_time() - start == pytest.approx(10 * rounds, abs=2)
    assert len(simulator.ledger.saved) == 3
