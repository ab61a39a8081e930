"""An upload is lost at each place: nothing is saved twice, and the error says where."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import anyio
import pytest
from _kinds import EXAMPLES, Example, posts

from _helpers import TOKEN
from vkanyio import (
    VK,
    ConnectionFailedError,
    InvalidResponseError,
    OutcomeUnknownError,
    RequestTimeoutError,
    UploadRefusedError,
    VKError,
)
from vkanyio.testing import faults
from vkanyio.uploads import File
from vkanyio.uploads._kinds import KINDS

if TYPE_CHECKING:
    from _helpers import MakeClient
    from vkanyio.testing import Simulator
    from vkanyio.testing.faults import Fault

pytestmark = pytest.mark.anyio

PHOTO = next(example for example in EXAMPLES if example.name == "message_photo")
BIG = bytes(2**20)
VIDEO = next(example for example in EXAMPLES if example.name == "video")
PLACES: dict[str, tuple[Fault, type[VKError], str]] = {
    "nobody listens": (faults.refuse(), ConnectionFailedError, "could not connect"),
    "before": (faults.drop_upload(0), ConnectionFailedError, "before any of the file"),
    "in the head": (faults.drop_upload(1e-5), ConnectionFailedError, "before any of"),
    "in the middle": (
        faults.drop_upload(0.45),
        ConnectionFailedError,
        "after 262,144 of 1,048,576 bytes (or VK refused the file as too large)",
    ),
    "in the tail": (
        faults.drop_upload(0.9999),
        ConnectionFailedError,
        "after 786,432 of 1,048,576 bytes",
    ),
    "after the last byte": (
        faults.drop_upload(1),
        ConnectionFailedError,
        "after the whole file was sent",
    ),
    "after it was taken": (
        faults.drop_after(),
        ConnectionFailedError,
        "after the whole file was sent",
    ),
    "stalled": (faults.stall_upload(0.9), RequestTimeoutError, "no progress for 30 s"),
    "no response": (faults.hang_after(), RequestTimeoutError, "no response for 120 s"),
    "a page": (faults.html(502), InvalidResponseError, "HTTP status 502"),
    "a text": (faults.body(b"Security Breach2"), InvalidResponseError, "Security"),
    "cut JSON": (faults.truncated(after=True), InvalidResponseError, "not JSON"),
    "too fast": (faults.too_fast(), UploadRefusedError, "try again later: too fast"),
}


def big(example: Example) -> File:
    """Return a file of four chunks."""
    return File(BIG, name="a film.mp4" if example is VIDEO else "a cat.jpg")


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("example", [PHOTO, VIDEO], ids=str)
async def test_a_lost_file_is_sent_again_and_saved_once(
    simulator: Simulator, api: VK, example: Example, place: str
) -> None:
    simulator.fault(PLACES[place][0], "upload", times=2)
    uploaded = await example.upload(api, big(example))
    assert str(uploaded.to_vk()).startswith(str(example.returned))
    assert len(simulator.ledger.saved) == 1
    assert simulator.ledger.saved_twice() == []
    addresses = simulator.ledger.carried_out(KINDS[example.name].get)
    # A video exists as soon as it has an address: a new one would be another video.
    assert len(addresses) == (1 if example is VIDEO else 3)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("example", [PHOTO, VIDEO], ids=str)
async def test_the_error_of_a_file_that_stays_lost_says_where(
    simulator: Simulator, api: VK, example: Example, place: str
) -> None:
    fault, error_type, text = PLACES[place]
    simulator.fault(fault, "upload", rate=1)
    with pytest.raises(VKError) as caught:
        await example.upload(api, big(example))
    assert type(caught.value) is error_type
    assert f"upload.{example.name}: " in str(caught.value)
    assert text in str(caught.value)
    assert caught.value.is_transient
    saved = simulator.ledger.saved
    if example is PHOTO:
        assert saved == []
        assert not hasattr(caught.value, "__notes__")
    else:
        [note] = caught.value.__notes__
        assert re.fullmatch(
            r"video.save has created video-7_456239017_\w+, which has no content", note
        )
        assert len(simulator.ledger.carried_out("video.save")) == 1
        assert len(saved) <= 1  # VK has taken it, and the response was lost


ON_THE_WAY = (
    *("before", "in the head", "in the middle", "in the tail"),
    *("after the last byte", "after it was taken"),
)


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
async def test_a_file_of_any_kind_that_is_lost_on_its_way_is_saved_once(
    example: Example,
) -> None:
    for place in ON_THE_WAY:
        simulator = example.simulator()
        simulator.fault(PLACES[place][0], "upload")
        async with VK(TOKEN, http_client=simulator.http_client()) as api:
            await example.prepare(api)
            await example.upload(api, example.file(BIG))
        saved = simulator.ledger.saved
        is_saved = KINDS[example.name].save or example is VIDEO
        assert [each.size for each in saved] == ([len(BIG)] if is_saved else [])
        assert simulator.ledger.saved_twice() == []
        sent = [outcome for outcome in posts(simulator) if outcome == "carried out"]
        assert len(sent) == (2 if place == "after it was taken" else 1)


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
async def test_the_error_of_any_kind_of_file_that_stays_lost_says_where(
    example: Example,
) -> None:
    for place in ON_THE_WAY:
        fault, error_type, text = PLACES[place]
        simulator = example.simulator()
        simulator.fault(fault, "upload", rate=1)
        async with VK(TOKEN, http_client=simulator.http_client()) as api:
            await example.prepare(api)
            with pytest.raises(error_type) as caught:
                await example.upload(api, example.file(BIG))
        assert f"upload.{example.name}: " in str(caught.value)
        assert text in str(caught.value)
        # VK has a video as soon as it has the file: then the response was lost.
        saved = example is VIDEO and place == "after it was taken"
        assert len(simulator.ledger.saved) == saved


@pytest.mark.parametrize("limit", [0, 2])
async def test_attempts_end_at_the_limit_of_retries(
    simulator: Simulator, make_client: MakeClient, limit: int
) -> None:
    simulator.fault(faults.html(502), "upload", rate=1)
    async with make_client(retry_limit=limit) as api:
        with pytest.raises(InvalidResponseError) as caught:
            await PHOTO.upload(api)
    assert (caught.value.method, caught.value.status) == ("upload.message_photo", 502)
    assert posts(simulator) == ["html"] * (limit + 1)


DOUBTFUL = {
    "lost": faults.drop_after(),
    "a page": faults.html(502, after=True),
    "cut JSON": faults.truncated(after=True),
    "cut bytes": faults.drop_midway(),
    "error 10": faults.error(10),
    "no response": faults.hang_after(),
}


SAVED = [each for each in EXAMPLES if KINDS[each.name].save]


@pytest.mark.parametrize(
    ("example", "what"),
    [(PHOTO, what) for what in DOUBTFUL]
    + [(each, "lost") for each in SAVED if each is not PHOTO],
    ids=str,
)
async def test_a_doubtful_save_is_not_repeated_and_can_be_tried_again(
    example: Example, what: str
) -> None:
    simulator, kind = example.simulator(), KINDS[example.name]
    simulator.fault(DOUBTFUL[what], kind.save)
    async with VK(TOKEN, http_client=simulator.http_client()) as api:
        await example.prepare(api)
        with pytest.raises(OutcomeUnknownError) as caught:
            await example.upload(api)
        assert caught.value.method == kind.save
        assert caught.value.uploaded is not None
        assert len(simulator.ledger.saved) == (0 if what == "error 10" else 1)
        assert simulator.ledger.saved_twice() == []
        # Who has looked, and found nothing:
        [saved] = await api.upload.save(caught.value.uploaded)
    assert saved.kind == example.name
    assert len(posts(simulator)) == 1
    assert len(simulator.ledger.saved_twice()) == (0 if what == "error 10" else 1)


async def test_other_calls_that_end_in_doubt_have_no_upload(
    simulator: Simulator, api: VK
) -> None:
    simulator.fault(faults.drop_after(), "wall.post")
    with pytest.raises(OutcomeUnknownError) as caught:
        await api.call("wall.post", {"message": "x"})
    assert caught.value.uploaded is None
    simulator.fault(faults.drop_after(), "video.save")
    with pytest.raises(OutcomeUnknownError) as of_a_video:
        await VIDEO.upload(api)
    assert of_a_video.value.uploaded is None
    assert posts(simulator) == []


async def test_photos_that_were_saved_before_an_error_are_in_it(
    simulator: Simulator, api: VK
) -> None:
    album = await api.photos.createAlbum(title="Cats")
    simulator.fault(faults.early_refusal(), "upload", nth=3)
    seen: list[tuple[int, int]] = []
    with pytest.raises(UploadRefusedError) as caught:
        await api.upload.album_photos(
            [bytes([number]) * 10 for number in range(12)],
            album_id=album["id"],
            progress=lambda sent, total: seen.append((sent, total)),
        )
    assert [photo.object["id"] for photo in caught.value.saved] == [
        photo["id"]
        for photo in (await api.photos.get(album_id=str(album["id"])))["items"]
    ]
    assert len(caught.value.saved) == 10
    assert "10 files were saved before this one" in caught.value.__notes__
    assert seen[-1] == (100, 120)
    assert len(simulator.ledger.saved) == 10


async def test_a_save_goes_alone_where_calls_are_packed(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.add_method("execute", _refuse)  # VK refuses to save inside of it
    options: Any = {"mode": "parallel", "execute_unsupported_methods": ()}
    async with make_client(**options) as api, anyio.create_task_group() as tg:
        for _ in range(3):
            tg.start_soon(_upload_poll_photo, api)
    assert len(simulator.ledger.carried_out("polls.savePhoto")) == 3


async def _upload_poll_photo(api: VK) -> None:
    await api.upload.poll_photo(b"a picture")


def _refuse(_: Any) -> Any:
    raise AssertionError("packed")
