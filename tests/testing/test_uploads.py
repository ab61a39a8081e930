"""``photos`` and ``docs``: albums and uploads."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeAlias

import anyio
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vkanyio.testing import Simulator, _wire, faults

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Ask: TypeAlias = Callable[..., Awaitable[Any]]

pytestmark = pytest.mark.anyio

SIX_FIELDS = [f"file{n}" for n in range(6)]
JPG = ("cat.jpg", b"\xff\xd8\r\n--\r\n\x00", "image/jpeg")


@pytest.fixture
async def upload(ask: Ask, browser: httpx.AsyncClient) -> Ask:
    """Requests an upload URL and sends files to it."""

    async def upload(
        method: str, files: Any, token: str = "anna", **params: Any
    ) -> Any:
        server = await ask(method, token, **params)
        return (await browser.post(server["upload_url"], files=files)).json()

    return upload


@pytest.mark.parametrize("field", ["photo", "file", "file1"])
async def test_a_photo_is_put_on_a_wall(ask: Ask, upload: Ask, field: str) -> None:
    sent = await upload("photos.getWallUploadServer", {field: JPG})
    assert set(sent) == {"server", "photo", "hash"}
    [photo] = await ask("photos.saveWallPhoto", caption="cat", **sent)
    name = f"photo{photo['owner_id']}_{photo['id']}"
    assert (photo["owner_id"], photo["album_id"], photo["text"]) == (1, -7, "cat")
    await ask("wall.post", attachments=name)
    [post] = (await ask("wall.get"))["items"]
    assert post["attachments"] == [{"type": "photo", "photo": photo}]
    assert await ask("photos.getById", photos=name.removeprefix("photo")) == [photo]


@pytest.mark.parametrize("first", [0, 1])
async def test_an_album_takes_five_photos_at_once(
    ask: Ask, code: Ask, upload: Ask, first: int
) -> None:
    album = await ask("photos.createAlbum", title="Cats", group_id=7)
    target = {"album_id": album["id"], "group_id": 7}
    files = {f"file{n}": JPG for n in range(first, first + 5)}
    sent = await upload("photos.getUploadServer", files, **target)
    assert (set(sent), sent["aid"]) == (
        {"server", "photos_list", "aid", "hash"},
        album["id"],
    )
    sent.pop("aid")
    assert await code("photos.save", **{**target, **sent, "album_id": 5}) == 114
    assert await code("photos.save", album_id=album["id"], **sent) == 114
    photos = await ask("photos.save", **target, **sent)
    assert {photo["owner_id"] for photo in photos} == {-7}
    listed = await ask("photos.get", owner_id=-7, album_id=album["id"], offset=3)
    assert (listed["count"], listed["items"]) == (5, photos[3:])
    turned = await ask("photos.get", owner_id=-7, album_id=album["id"], rev=1, count=1)
    assert turned["items"] == photos[4:]
    newest = await ask("photos.getAll", owner_id=-7, count=2)
    assert newest["items"] == photos[:2:-1]
    chosen = f"{photos[1]['id']},{photos[2]['id']}"
    some = await ask("photos.get", owner_id=-7, photo_ids=chosen)
    assert some["items"] == photos[1:3]
    [shown] = (await ask("photos.getAlbums", owner_id=-7))["items"]
    assert (shown["title"], shown["size"]) == ("Cats", 5)


async def test_albums_are_listed_newest_first(ask: Ask) -> None:
    made = [(await ask("photos.createAlbum", title=f"a{n}"))["id"] for n in range(3)]

    async def listed(**params: Any) -> list[int]:
        value = await ask("photos.getAlbums", **params)
        return [each["id"] for each in value["items"]]

    assert await listed() == made[::-1]
    assert await listed(offset=1, count=1) == [made[1]]
    assert await listed(album_ids=f"{made[0]},77") == [made[0]]
    assert await listed(need_system=1) == [*made[::-1], -6, -7, -15]


async def test_a_photo_of_a_message_needs_its_key(ask: Ask, upload: Ask) -> None:
    sent = await upload("photos.getMessagesUploadServer", {"photo": JPG}, "club")
    [photo] = await ask("photos.saveMessagesPhoto", "club", **sent)
    name = f"-9_{photo['id']}"
    assert await ask("photos.getById", photos=name) == []
    assert await ask("photos.getById", photos=f"{name}_{photo['access_key']}") == [
        photo
    ]
    assert (await ask("photos.getAll", owner_id=-9))["count"] == 0


@pytest.mark.parametrize(
    ("method", "params", "kind", "ext"),
    [
        ("docs.getUploadServer", {}, "doc", 1),
        ("docs.getWallUploadServer", {}, "doc", 1),
        ("docs.getMessagesUploadServer", {}, "doc", 1),
        ("docs.getMessagesUploadServer", {"type": "graffiti"}, "graffiti", 1),
        ("docs.getMessagesUploadServer", {"type": "audio_message"}, "audio_message", 1),
    ],
)
async def test_a_document_is_saved_as_what_it_was_sent_for(
    ask: Ask, upload: Ask, method: str, params: dict[str, Any], kind: str, ext: int
) -> None:
    sent = await upload(method, {"file": ("a.TXT", b"12345")}, **params)
    assert set(sent) == {"file"}
    saved = await ask("docs.save", title="mine", tags="a,b", return_tags=1, **sent)
    assert saved["type"] == kind
    [doc] = (await ask("docs.get"))["items"]
    assert (doc["title"], doc["size"], doc["ext"]) == ("mine", 5, "txt")
    assert (doc["type"], doc["tags"]) == (ext, ["a", "b"])
    assert saved[kind]["id"] == doc["id"]
    assert await ask("docs.getById", docs=f"1_{doc['id']}") == [doc]
    assert (await ask("docs.get", type=4))["count"] == 0


async def test_the_photo_of_a_chat_is_shown_and_reported_in_the_chat(
    ask: Ask, code: Ask, upload: Ask
) -> None:
    server = "photos.getChatUploadServer"
    assert await code(server, chat_id=1) == 917  # there is no such chat
    await ask("messages.createChat", user_ids=2, title="Cats")
    assert await code(server, "daria", chat_id=1) == 917
    sent = await upload(server, {"file": JPG}, chat_id=1)
    changed = await ask("messages.setChatPhoto", file=sent["response"])
    assert changed["chat"] == await ask("messages.getChat", "boris", chat_id=1)
    assert changed["chat"]["photo_200"].endswith(".jpg")
    history = await ask("messages.getHistory", peer_id=2_000_000_001, count=1)
    [message] = history["items"]
    assert message["id"] == changed["message_id"]
    assert message["action"] == {"type": "chat_photo_update"}


@pytest.mark.parametrize(
    ("changed", "expected"),
    [({"server": 1}, 118), ({"hash": "x"}, 121), ({"photo": "[]"}, 100), ({}, 0)],
)
async def test_what_was_not_uploaded_cannot_be_saved(
    code: Ask, upload: Ask, changed: dict[str, Any], expected: int
) -> None:
    sent = await upload("photos.getWallUploadServer", {"photo": JPG})
    assert await code("photos.saveWallPhoto", **{**sent, **changed}) == expected
    if not changed:
        assert await code("photos.saveMessagesPhoto", **sent) == 129
        assert await code("photos.saveWallPhoto", "boris", **sent) == 15


@pytest.mark.parametrize(
    ("method", "params", "expected"),
    [
        ("photos.createAlbum", {"title": "x"}, 100),
        ("photos.createAlbum", {"title": "xy", "group_id": 7}, 200),
        ("photos.get", {"album_id": 5}, 200),
        ("photos.get", {}, 100),
        ("photos.get", {"album_id": "wall", "count": 1001}, 100),
        ("photos.getAll", {"count": 201}, 100),
        ("photos.getById", {"photos": "x"}, 100),
        ("photos.getById", {"photos": ",".join(["1_1"] * 501)}, 100),
        ("photos.getUploadServer", {"album_id": 5}, 114),
        ("docs.getMessagesUploadServer", {"type": "x"}, 100),
        ("docs.getById", {"docs": "x"}, 100),
    ],
)
async def test_invalid_parameters_are_refused(
    town: Simulator, code: Ask, method: str, params: dict[str, Any], expected: int
) -> None:
    town.add_group(7, managers=[2])
    assert await code(method, **params) == expected


async def test_photos_of_a_closed_profile_stay_out_of_a_list_of_ids(
    town: Simulator, ask: Ask, upload: Ask
) -> None:
    sent = await upload("photos.getWallUploadServer", {"photo": JPG}, "boris")
    [photo] = await ask("photos.saveWallPhoto", "boris", **sent)
    town.add_user(2, is_closed=True)
    name = f"2_{photo['id']}"
    assert await ask("photos.getById", photos=name) == []
    assert await ask("photos.getById", "boris", photos=name) == [photo]


@pytest.mark.parametrize(
    ("method", "files", "word"),
    [
        ("photos.getWallUploadServer", {}, "NOT_UPLOADED"),
        ("photos.getWallUploadServer", {"photo": JPG, "file": JPG}, "TOO_MANY"),
        ("photos.getUploadServer", {"photo": JPG}, "BAD_FIELD"),
        ("photos.getUploadServer", {"file6": JPG}, "BAD_FIELD"),
        ("photos.getUploadServer", dict.fromkeys(SIX_FIELDS, JPG), "TOO_MANY"),
    ],
)
async def test_an_upload_server_refuses_in_its_own_words(
    ask: Ask, upload: Ask, method: str, files: Any, word: str
) -> None:
    await ask("photos.createAlbum", title="album")
    response = await upload(method, files, album_id=300_000_000)
    assert list(response) == ["error"]
    assert word in response["error"]


@pytest.mark.parametrize(
    ("method", "name"),
    [
        ("photos.save", "photos_list"),
        ("photos.saveWallPhoto", "photo"),
        ("photos.saveMessagesPhoto", "photo"),
    ],
)
async def test_saving_what_was_refused_is_refused_in_turn(
    ask: Ask, method: str, name: str
) -> None:
    error = await ask(method, error="ERR_UPLOAD_TOO_MANY_FILES")
    assert error["error_code"] == 100
    assert error["error_msg"].endswith(f": {name} is undefined")


async def test_an_address_that_was_not_given_out_takes_nothing(
    town: Simulator, browser: httpx.AsyncClient
) -> None:
    response = await browser.post("https://vk/upload/photo?key=x", files={"photo": JPG})
    assert "NOT_FOUND" in response.json()["error"]
    assert [entry.outcome for entry in town.ledger] == [22]


async def test_faults_strike_uploads_by_that_name(
    town: Simulator, ask: Ask, browser: httpx.AsyncClient
) -> None:
    server = await ask("photos.getWallUploadServer")
    for fault in (
        faults.drop_after(),
        faults.error(22),
        faults.html(),
        faults.refuse(),
    ):
        town.fault(fault, "upload")

    async def send() -> httpx.Response:
        return await browser.post(server["upload_url"], files={"photo": JPG})

    with pytest.raises(httpx.ReadError):
        await send()
    assert (await send()).json() == {"error": "Upload error"}
    assert (await send()).status_code == 502
    with pytest.raises(httpx.ConnectError):
        await send()
    assert "photo" in (await send()).json()
    outcomes = [entry.outcome for entry in town.ledger if entry.method == "upload"]
    assert outcomes == ["carried out", 22, "html", "carried out"]


@pytest.mark.parametrize(
    "fault",
    [
        faults.drop_upload(),
        faults.stall_upload(),
        faults.slow_upload(1),
        faults.early_refusal(),
    ],
    ids=lambda fault: fault.name,
)
async def test_the_faults_of_uploads_affect_nothing_else(
    town: Simulator, ask: Ask, browser: httpx.AsyncClient, fault: Any
) -> None:
    with pytest.raises(ValueError, match=r"only 'upload', not 'docs\.save'"):
        town.fault(fault, "docs.save")
    town.fault(fault)
    server = await ask("photos.getWallUploadServer")
    assert [entry.fault for entry in town.ledger] == [None]
    with suppress(httpx.ReadError), anyio.move_on_after(2):
        await browser.post(server["upload_url"], files={"photo": JPG})
    assert [entry.fault for entry in town.ledger] == [None, fault.name]


@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
async def test_an_address_leads_back_to_the_socket_that_gave_it() -> None:
    simulator = Simulator(limit=0)
    call = {"v": "5.199", "access_token": "t"}
    async with simulator.serve() as base_url, httpx.AsyncClient() as client:
        response = await client.post(f"{base_url}/docs.getUploadServer", data=call)
        url = response.json()["response"]["upload_url"]
        assert url.startswith(base_url.removesuffix("/method") + "/upload/")
        sent = await client.post(url, files={"file": ("a.txt", b"text")})
        saved = await client.post(f"{base_url}/docs.save", data={**call, **sent.json()})
    assert saved.json()["response"]["doc"]["size"] == 4


@given(content=st.binary(max_size=200), name=st.text("aяё. \"'-", min_size=1))
def test_a_file_arrives_to_the_byte(content: bytes, name: str) -> None:
    request = httpx.Request("POST", "https://vk/", files={"f": (name, content)})
    [part] = _wire._multipart(request.headers["content-type"], request.read())
    assert (part.field, part.content) == ("f", content)
    assert part.filename is not None


async def test_a_body_without_a_boundary_has_no_parts(
    browser: httpx.AsyncClient, ask: Ask
) -> None:
    server = await ask("docs.getUploadServer")
    headers = {"Content-Type": "multipart/form-data"}
    response = await browser.post(server["upload_url"], content=b"x", headers=headers)
    assert "NOT_UPLOADED" in response.json()["error"]


async def test_a_photo_for_a_message_cannot_be_saved_for_a_wall(
    code: Ask, upload: Ask
) -> None:
    sent = await upload("photos.getMessagesUploadServer", {"photo": JPG})
    assert await code("photos.saveWallPhoto", **sent) == 129


async def test_documents_that_are_not_there_are_left_out(ask: Ask) -> None:
    assert await ask("docs.getById", docs="1_5,1_6") == []
