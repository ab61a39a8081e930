"""What upload servers return: what is taken, and what is a refusal in which words."""

from __future__ import annotations

import copy
import json
import pickle
from typing import TYPE_CHECKING, Any

import pytest
from _kinds import EXAMPLES, Example, posts
from hypothesis import given
from hypothesis import strategies as st

from vkanyio import InvalidResponseError, UploadRefusedError
from vkanyio._outcome import Failure
from vkanyio._response import Response
from vkanyio.testing import faults
from vkanyio.uploads import File
from vkanyio.uploads._answers import Answer, find_refusal, read_answer
from vkanyio.uploads._kinds import KINDS

if TYPE_CHECKING:
    from _helpers import MakeClient
    from vkanyio import VK
    from vkanyio.testing import Simulator

pytestmark = pytest.mark.anyio

WITH_PHOTO = [each for each in EXAMPLES if "photo" in KINDS[each.name].needed]


def read(body: Any, status: int = 200, **headers: str) -> Answer | Failure:
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    return read_answer(Response(status, text, headers.get), "wall_photo")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"error": "ERR_UPLOAD_BAD_IMAGE_SIZE: market"}, "ERR_UPLOAD_BAD_IMAGE_SIZE"),
        ({"error": "unknown", "error_descr": "bad file"}, "unknown bad file"),
        ({"error": {"error_code": 22, "error_msg": "Upload error"}}, "error code 22"),
        ({"error_code": 5, "error_msg": "denied", "photo": "x"}, "denied code 5"),
        ({"error": 7}, "7"),
        ({"error": "line\nbreak"}, "line\\nbreak"),
    ],
)
def test_a_refusal_is_told_in_the_words_of_the_server(body: Any, words: str) -> None:
    result = read(body)
    assert isinstance(result, Failure)
    assert isinstance(result.error, UploadRefusedError)
    assert words in str(result.error)
    assert result.error.response == body
    assert not result.is_transient


@pytest.mark.parametrize(
    "body", [{"error": ""}, {"error": None}, {"error": 0}, [], "x"]
)
def test_an_empty_error_is_no_refusal(body: Any) -> None:
    result = read(body)
    assert isinstance(result, Answer)
    assert result.value == body


def test_an_envelope_is_taken_off_and_the_text_is_kept() -> None:
    body = b'{"response": {"upload_result": "abc"},  "_sig": 1}'
    result = read(body)
    assert result == Answer({"upload_result": "abc"}, body.decode())


@pytest.mark.parametrize(
    ("status", "error_type", "is_transient"),
    [
        (200, InvalidResponseError, True),
        (301, InvalidResponseError, False),
        (404, InvalidResponseError, False),
        (408, InvalidResponseError, True),
        (413, UploadRefusedError, False),
        (429, InvalidResponseError, True),
        (500, InvalidResponseError, True),
    ],
)
def test_a_page_is_no_answer(
    status: int, error_type: type[Exception], is_transient: bool
) -> None:
    result = read(b"<html>\xff", status, **{"Retry-After": "7"})
    assert isinstance(result, Failure)
    assert isinstance(result.error, error_type)
    assert result.is_transient is is_transient
    assert not result.maybe_carried_out
    if error_type is InvalidResponseError:
        assert result.retry_after == 7


def test_json_of_an_error_page_is_no_answer() -> None:
    result = read({"photo": "x"}, 403)
    assert isinstance(result, Failure)
    assert isinstance(result.error, InvalidResponseError)
    assert result.error.status == 403


@pytest.mark.parametrize("empty", ["", "[]", None, [], "{}"])
@pytest.mark.parametrize("kind", [k for k in KINDS.values() if k.needed], ids=str)
def test_an_answer_without_a_file_is_a_refusal_with_the_likely_reason(
    kind: Any, empty: Any
) -> None:
    [key] = kind.needed
    value = empty if key == "*" else {key: empty, "hash": "x"}
    failure = find_refusal(Answer(value, ""), kind)
    assert failure is not None
    assert isinstance(failure.error, UploadRefusedError)
    assert kind.limits in str(failure.error)
    full = "abc" if key == "*" else {key: "abc"}
    assert find_refusal(Answer(full, ""), kind) is None
    assert find_refusal(Answer([], ""), kind) is not None


@given(body=st.binary(max_size=50), status=st.sampled_from([200, 302, 400, 413, 502]))
def test_any_bytes_are_read(body: bytes, status: int) -> None:
    result = read(body, status)
    assert isinstance(result, Answer | Failure)


def test_a_refusal_can_be_copied_and_pickled() -> None:
    error = UploadRefusedError("no", kind="video", response={"a": 1}, is_transient=True)
    for each in (copy.copy(error), pickle.loads(pickle.dumps(error))):
        assert str(each) == "upload.video: no"
        assert (each.kind, each.response, each.is_transient) == (
            "video",
            {"a": 1},
            True,
        )


@pytest.mark.parametrize("example", WITH_PHOTO, ids=str)
async def test_what_is_not_a_picture_is_refused_once_and_not_saved(
    simulator: Simulator, api: VK, example: Example
) -> None:
    # The name has the right suffix for vkanyio, and the simulator cannot read it.
    simulator.fault(faults.body(b'{"server":1,"photo":"[]","hash":"x"}'), "upload")
    with pytest.raises(UploadRefusedError) as caught:
        await example.upload(api)
    assert caught.value.kind == example.name
    assert posts(simulator) == ["body"]
    assert simulator.ledger.saved == []


async def test_a_file_that_is_too_large_for_the_server_is_sent_once(
    simulator: Simulator, api: VK
) -> None:
    simulator.fault(faults.early_refusal(at=0.5), "upload")
    with pytest.raises(UploadRefusedError, match="413"):
        await api.upload.document(File(bytes(2**20), name="a.bin"))
    assert posts(simulator) == ["early_refusal"]


async def test_files_that_come_too_fast_are_sent_again_after_a_while(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.fault(faults.too_fast(), "upload", times=2)
    async with make_client(wait=8.0) as api:
        await api.upload.video(b"a film")
    assert posts(simulator) == ["body", "body", "carried out"]
    starts = simulator.ledger.starts
    assert starts[-1] > starts[0]


async def test_an_address_that_has_expired_is_a_refusal(
    simulator: Simulator, api: VK
) -> None:
    simulator.fault(faults.html(502), "upload")
    simulator.between("photos.getWallUploadServer", simulator.expire_uploads)
    with pytest.raises(UploadRefusedError, match="ERR_UPLOAD_EXPIRED"):
        await api.upload.wall_photo(b"a picture")
    assert simulator.ledger.saved == []


@pytest.mark.parametrize(
    "url", ["", None, "pu.vk.com/c1", "//pu.vk.com", "https://a b"]
)
async def test_a_method_that_returns_no_address_is_an_error(
    simulator: Simulator, api: VK, url: Any
) -> None:
    simulator.add_method("photos.getWallUploadServer", lambda _: {"upload_url": url})
    with pytest.raises(InvalidResponseError, match="returned no address"):
        await api.upload.wall_photo(b"a picture")


async def test_a_method_that_saves_nothing_is_an_error(
    simulator: Simulator, api: VK
) -> None:
    simulator.add_method("photos.saveWallPhoto", lambda _: [])
    with pytest.raises(InvalidResponseError, match="saved no file"):
        await api.upload.wall_photo(b"a picture")
