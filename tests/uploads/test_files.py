"""What can be uploaded, and what is refused before anything is sent."""

from __future__ import annotations

import io
import os
import threading
from typing import TYPE_CHECKING, Any

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vkanyio import ConnectionFailedError
from vkanyio.testing import Simulator, _wire, faults
from vkanyio.uploads import File
from vkanyio.uploads._kinds import KINDS, MB
from vkanyio.uploads._multipart import Multipart
from vkanyio.uploads._sources import CHUNK, check_file

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from vkanyio import VK

pytestmark = pytest.mark.anyio

CONTENT = os.urandom(2 * CHUNK + 1000)


class Chunks:
    """An asynchronous iterable that can be iterated over anew."""

    def __init__(self, *chunks: Any) -> None:
        self._chunks = chunks

    async def __aiter__(self) -> AsyncIterator[Any]:
        for chunk in self._chunks:
            await anyio.lowlevel.checkpoint()
            yield chunk


class Once:
    """An asynchronous iterator, which ends once."""

    def __init__(self, *chunks: bytes) -> None:
        self._chunks = [*chunks]

    def __aiter__(self) -> Once:
        return self

    async def __anext__(self) -> bytes:
        if not self._chunks:
            raise StopAsyncIteration
        return self._chunks.pop(0)


class Pipe(io.BytesIO):
    """A file object that cannot be rewound."""

    def seekable(self) -> bool:
        return False


class AsyncFile:
    """An uploaded file as web frameworks have them."""

    async def read(self, size: int = -1) -> bytes:
        raise AssertionError("it was read")


def rewound() -> io.BytesIO:
    """Return a file object that stands at the beginning of the content."""
    file = io.BytesIO(b"before " + CONTENT)
    file.seek(len(b"before "))
    return file


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "кот.jpg"
    path.write_bytes(CONTENT)
    return path


SOURCES: dict[str, tuple[Any, bool]] = {
    "a path": (lambda path: path, True),
    "a path as text": (str, True),
    "bytes": (lambda _: CONTENT, True),
    "a bytearray": (lambda _: bytearray(CONTENT), True),
    "a File of a path": (lambda path: File(path, size=len(CONTENT)), True),
    "a path that is open": (lambda path: path.open("rb"), True),
    "a file object": (lambda path: File(path.open("rb"), name="a.jpg"), True),
    "one in its middle": (lambda _: File(rewound()), True),
    "an iterable": (
        lambda _: File(Chunks(CONTENT[:9], b"", CONTENT[9:]), size=len(CONTENT)),
        True,
    ),
    "an iterator": (
        lambda _: File(Once(CONTENT[:9], CONTENT[9:]), size=len(CONTENT)),
        False,
    ),
    "a pipe": (lambda _: File(Pipe(CONTENT), size=len(CONTENT)), False),
}


@pytest.mark.parametrize("what", SOURCES)
async def test_a_file_arrives_to_the_byte_from_any_source(
    simulator: Simulator, api: VK, path: Path, what: str
) -> None:
    make, _ = SOURCES[what]
    file = make(path)
    await api.upload.wall_photo(file)
    await api.upload.wall_photo(CONTENT)
    first, second = simulator.ledger.saved
    assert (first.digest, first.size) == (second.digest, len(CONTENT))
    assert first.name == ("кот.jpg" if what.startswith("a path") else first.name)
    close(file)


@pytest.mark.parametrize("what", SOURCES)
async def test_what_can_be_read_again_is_sent_again(
    simulator: Simulator, api: VK, path: Path, what: str
) -> None:
    make, is_repeatable = SOURCES[what]
    simulator.fault(faults.drop_upload(0.9), "upload")
    file = make(path)
    if is_repeatable:
        await api.upload.wall_photo(file)
        assert [saved.size for saved in simulator.ledger.saved] == [len(CONTENT)]
    else:
        with pytest.raises(ConnectionFailedError, match="of 525,288 bytes"):
            await api.upload.wall_photo(file)
        assert simulator.ledger.saved == []
    close(file)


def close(file: Any) -> None:
    """Close the file object in a file, which is its owner's."""
    content = getattr(file, "content", file)
    if isinstance(content, io.IOBase):
        assert not content.closed
        content.close()


async def test_an_open_file_of_anyio_is_read_in_chunks_and_not_in_lines(
    simulator: Simulator, api: VK, path: Path
) -> None:
    async with await anyio.open_file(path, "rb") as file:
        await api.upload.wall_photo(File(file, name="cat.png"))
    [saved] = simulator.ledger.saved
    assert (saved.name, saved.size) == ("cat.png", len(CONTENT))


@pytest.mark.parametrize(
    ("kind", "name", "sent"),
    [
        ("wall_photo", None, "file.jpg"),
        ("wall_photo", "cat", "cat.jpg"),
        ("wall_photo", "CAT.PNG", "CAT.PNG"),
        ("wall_photo", ".hidden", ".hidden.jpg"),
        ("audio_message", None, "file.ogg"),
        ("document", "README", "README"),
        ("document", "a.tar.gz", "a.tar.gz"),
    ],
)
async def test_a_name_has_a_suffix_that_fits(
    kind: str, name: str | None, sent: str
) -> None:
    source = await check_file("file", File(b"x", name=name), KINDS[kind])
    assert source.name == sent


def make_large(path: Path, size: int) -> Path:
    with path.open("wb") as file:
        file.truncate(size)
    return path


REFUSED: dict[str, tuple[str, Any, type[Exception], str]] = {
    "not there": ("wall_photo", "no such.jpg", FileNotFoundError, "no such.jpg"),
    "a directory": ("wall_photo", ".", IsADirectoryError, "'.'"),
    "empty": ("wall_photo", b"", ValueError, "file must not be empty"),
    "an empty file": (
        "document",
        "empty.txt",
        ValueError,
        "file must not be empty, got 'empty.txt' of 0 bytes",
    ),
    "too large": (
        "story_photo",
        "large.jpg",
        ValueError,
        "10,485,760 bytes for upload.story_photo, got 'large.jpg' of 10,485,761",
    ),
    "a wrong suffix": (
        "wall_photo",
        "large.txt",
        ValueError,
        "'large.txt': if only its name is wrong, rename it, or pass File(..., name='",
    ),
    "a program": (
        "document",
        File(b"x", name="a.EXE"),
        ValueError,
        "which VK refuses, got 'a.EXE': put it into an archive",
    ),
    "a text": ("document", io.StringIO("x"), TypeError, 'open(path, "rb"), got text'),
    "no name": ("document", b"x", ValueError, 'File(content, name="report.pdf")'),
    "an empty name": ("document", lambda: File(b"x", name=" "), ValueError, "name"),
    "a name of bytes": (
        "document",
        lambda: File(b"x", name=b"x"),  # type: ignore[arg-type]
        TypeError,
        "name must be a str",
    ),
    "a size of text": (
        "document",
        lambda: File(b"x", size="1"),  # type: ignore[arg-type]
        TypeError,
        "size must be a number of bytes, got '1'",
    ),
    "a negative size": ("document", lambda: File(b"x", size=-1), ValueError, "-1"),
    "another size": (
        "wall_photo",
        File(b"x", size=2),
        ValueError,
        "file must have 2 bytes, as its size says, got 1",
    ),
    "no size": ("wall_photo", File(Chunks()), ValueError, "File(content, size=...)"),
    "no size of a pipe": ("wall_photo", File(Pipe(b"x")), ValueError, "size=..."),
    "an async file": ("wall_photo", AsyncFile(), TypeError, "AsyncFile, whose `read`"),
    "a number": ("wall_photo", 5, TypeError, "a vkanyio.uploads.File, got int"),
    "a File in a File": ("wall_photo", File(File(b"x")), TypeError, "got File"),  # type: ignore[arg-type]
    "a URL": ("wall_photo", "https://vk.com/1.jpg", ValueError, "got a URL"),
}


@pytest.mark.parametrize("what", REFUSED)
async def test_a_file_that_cannot_be_right_is_refused_before_anything_is_sent(
    simulator: Simulator,
    api: VK,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    what: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty.txt").touch()
    make_large(tmp_path / "large.jpg", 10 * MB + 1)
    make_large(tmp_path / "large.txt", 1)
    kind, file, error_type, text = REFUSED[what]
    with pytest.raises(error_type) as caught:
        await getattr(api.upload, kind)(file() if callable(file) else file)
    assert text in str(caught.value)
    assert simulator.ledger.requests == 0


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes")
async def test_a_named_pipe_is_refused_without_waiting_for_its_writer(
    simulator: Simulator, api: VK, tmp_path: Path
) -> None:
    path = tmp_path / "cat.jpg"
    os.mkfifo(path)
    opened: list[int] = []
    in_the_end = threading.Timer(5, lambda: opened.append(os.open(path, os.O_RDWR)))
    in_the_end.start()
    with pytest.raises(ValueError, match=r"must be a regular file, got '.*cat\.jpg'"):
        await api.upload.wall_photo(path)
    in_the_end.cancel()
    assert not opened
    assert simulator.ledger.requests == 0


@pytest.mark.parametrize(
    ("method", "arguments", "error_type", "text"),
    [
        ("album_photos", {"files": b"x", "album_id": 1}, TypeError, "a list of files"),
        ("album_photos", {"files": "x", "album_id": 1}, TypeError, "a list of files"),
        ("album_photos", {"files": 5, "album_id": 1}, TypeError, "got int"),
        ("album_photos", {"files": [], "album_id": 1}, ValueError, "got none"),
        (
            "market_photos",
            {"files": [b"x", b""], "group_id": 1},
            ValueError,
            "files[1]",
        ),
        ("wall_photo", {"file": b"x", "caption": object}, TypeError, "caption"),
        ("wall_photo", {"file": b"x", "group_id": object()}, TypeError, "group_id"),
        ("wall_photo", {"file": b"x", "progress": 5}, TypeError, "progress"),
        ("owner_photo", {"file": b"x", "square_crop": (1, 2)}, ValueError, "(1, 2)"),
        ("video_by_link", {"link": "film.mp4"}, ValueError, "link must be the URL"),
        ("options", {"stall_timeout": 0}, ValueError, "stall_timeout must be"),
        ("options", {"response_timeout": "1"}, TypeError, "response_timeout must be"),
        ("raw", {"url": 5, "field": "f", "file": b"x"}, TypeError, "url must be"),
        ("raw", {"url": "u", "field": 5, "file": b"x"}, TypeError, "field must be"),
        (
            "raw",
            {"url": "u", "field": "f", "file": File(b"x", name="n"), "data": [1]},
            TypeError,
            "data must be a mapping",
        ),
        ("save", {"upload": None}, TypeError, "the `uploaded` of an error"),
    ],
)
async def test_a_wrong_argument_is_refused_before_anything_is_sent(
    simulator: Simulator,
    api: VK,
    method: str,
    arguments: dict[str, Any],
    error_type: type[Exception],
    text: str,
) -> None:
    async def call() -> None:
        found = getattr(api.upload, method)(**arguments)
        if method != "options":
            await found

    with pytest.raises(error_type) as caught:
        await call()
    assert text in str(caught.value)
    assert simulator.ledger.requests == 0


async def test_an_async_progress_is_refused(api: VK) -> None:
    async def progress(_: int, __: int) -> None: ...

    with pytest.raises(TypeError, match="not async"):
        await api.upload.wall_photo(b"x", progress=progress)


@pytest.mark.parametrize(
    ("file", "text"),
    [
        (File(Chunks(b"123", b"45"), size=4), "more bytes than its `size`"),
        (File(Chunks(b"1234", b"5"), size=4), "more bytes than its `size`"),
        (File(Chunks(b"123"), size=4), "fewer bytes than its `size`"),
        (File(Chunks("1234"), size=4), "must consist of bytes, got str"),
    ],
)
async def test_a_file_with_other_bytes_than_it_said_is_not_saved(
    simulator: Simulator, api: VK, file: File, text: str
) -> None:
    with pytest.raises((TypeError, ValueError), match=text):
        await api.upload.wall_photo(file)
    assert simulator.ledger.saved == []


async def test_an_error_of_the_source_leaves_as_itself(
    simulator: Simulator, api: VK
) -> None:
    class Broken:
        async def __aiter__(self) -> AsyncIterator[bytes]:
            yield b"12"
            raise OSError(5, "Input/output error")

    with pytest.raises(OSError, match="Input/output error"):
        await api.upload.wall_photo(File(Broken(), size=4))
    assert simulator.ledger.saved == []


async def body_of(source: Any, form: dict[str, str]) -> tuple[Multipart, bytes]:
    body = Multipart([("file", source)], form, None)
    chunks = [chunk async for chunk in body]
    return body, b"".join(chunks)


@given(
    content=st.binary(min_size=1, max_size=300),
    name=st.text(min_size=1).filter(str.strip),
    value=st.text(),
)
def test_a_form_is_read_as_it_was_meant(content: bytes, name: str, value: str) -> None:
    async def make() -> tuple[Multipart, bytes]:
        source = await check_file("file", File(content, name=f"{name}.x"), None)
        return await body_of(source, {"more": value})

    # A surrogate cannot be in a parameter, but in the name of a file it can.
    value = value.encode("utf-8", "replace").decode()
    body, data = anyio.run(make)
    assert len(data) == body.length
    [more, file] = _wire._multipart(body.content_type, data)
    assert (more.field, more.content.decode()) == ("more", value)
    assert (file.field, file.content) == ("file", content)
    assert file.filename is not None


async def test_a_name_cannot_end_its_header_or_add_another(
    simulator: Simulator, api: VK
) -> None:
    name = 'a"; x="\r\nContent-Type: text/html\r\n\r\n.jpg'
    await api.upload.wall_photo(File(b"x", name=name))
    [saved] = simulator.ledger.saved
    assert saved.size == 1
    assert "\n" not in saved.name
