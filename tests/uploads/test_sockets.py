"""Uploads over sockets: by the client's own connections, and by a user's client."""

from __future__ import annotations

import json
import tracemalloc
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import anyio
import httpx
import pytest

from _helpers import TOKEN, assert_gone, own_tasks
from _probe import Probe
from _sockets import listening
from vkanyio import (
    VK,
    ConnectionFailedError,
    RequestTimeoutError,
    UploadRefusedError,
    VKError,
)
from vkanyio.testing import Simulator, _serve, faults
from vkanyio.uploads import File

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from anyio.streams.buffered import BufferedByteStream

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"]),
    pytest.mark.usefixtures("no_proxy_of_the_environment"),
]

MB = 2**20


@asynccontextmanager
async def served(simulator: Simulator, **options: Any) -> AsyncIterator[VK]:
    """Open a client of a simulator on a socket."""
    async with simulator.serve() as base_url:
        client = VK(TOKEN, base_url=base_url, limit=1000, wait=0.01, **options)
        async with client as api:
            yield api
        assert_gone(client)


@pytest.mark.parametrize("own_client", [False, True], ids=["ours", "httpx"])
async def test_a_file_of_many_chunks_arrives_to_the_byte(
    simulator: Simulator, tmp_path: Path, own_client: bool
) -> None:
    path = tmp_path / "a film.mp4"
    path.write_bytes(bytes(range(256)) * 4096 * 5)
    seen: list[int] = []
    async with httpx.AsyncClient(trust_env=False) as http_client:
        options: Any = {"http_client": http_client} if own_client else {}
        async with served(simulator, **options) as api:
            await api.upload.video(path, progress=lambda sent, _: seen.append(sent))
            await api.upload.video(File(path.read_bytes(), name="a film.mp4"))
    first, second = simulator.ledger.saved
    assert first == second
    assert first.size == 5 * MB == seen[-1]
    assert seen == sorted(seen)


PLACES = {
    "in the head": faults.drop_upload(0.00001),
    "in the middle": faults.drop_upload(0.5),
    "in the tail": faults.drop_upload(0.9999),
    "after the last byte": faults.drop_upload(1),
    "after it was taken": faults.drop_after(),
    "in the middle of the response": faults.drop_midway(),
}


@pytest.mark.parametrize("place", PLACES)
async def test_a_file_that_is_lost_on_its_way_is_saved_once(
    simulator: Simulator, place: str
) -> None:
    simulator.fault(PLACES[place], "upload")
    async with served(simulator) as api:
        await api.upload.wall_photo(bytes(MB))
    assert len(simulator.ledger.saved) == 1


async def test_a_file_that_nobody_takes_is_given_up_after_the_stall(
    simulator: Simulator,
) -> None:
    simulator.fault(faults.stall_upload(0.3), "upload", rate=1)
    uploads: Any = {"stall_timeout": 0.3}
    async with served(simulator, retry_limit=0) as api:
        with pytest.raises(RequestTimeoutError, match=r"no progress for 0\.3 s, after"):
            await api.upload.options(**uploads).document(
                File(bytes(30 * MB), name="a.bin")
            )
    assert simulator.ledger.saved == []


async def test_an_early_refusal_is_read_where_the_server_waits_for_the_rest(
    simulator: Simulator,
) -> None:
    simulator.fault(faults.early_refusal(at=0.2), "upload", rate=1)
    async with served(simulator) as api:
        with pytest.raises(UploadRefusedError, match="413"):
            await api.upload.wall_photo(bytes(MB))
    assert simulator.ledger.saved == []


async def test_a_server_that_refuses_and_hangs_up_leaves_a_hint_or_its_answer() -> None:
    address = ""

    async def serve(stream: BufferedByteStream) -> None:
        head = await stream.receive_until(b"\r\n\r\n", 65536)
        if b"POST /method/" in head:
            value = json.dumps({"response": {"upload_url": address}}).encode()
            length = str(len(value)).encode()
            await stream.send(b"HTTP/1.1 200 OK\r\ncontent-length: " + length)
            await stream.send(b"\r\n\r\n" + value)
            await anyio.sleep_forever()
        await stream.receive_exactly(2 * MB)
        await stream.send(
            b"HTTP/1.1 413 Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
        )

    async with listening(serve) as base_url:
        address = base_url.replace("/method", "/upload")
        async with VK(TOKEN, base_url=base_url, retry_limit=0) as api:
            with pytest.raises(
                (UploadRefusedError, ConnectionFailedError), match="too large"
            ):
                await api.upload.document(File(bytes(40 * MB), name="a.bin"))


async def test_a_cancelled_upload_closes_its_connection(simulator: Simulator) -> None:
    simulator.fault(faults.stall_upload(0.5), "upload")
    async with served(simulator) as api:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(api.upload.document, File(bytes(30 * MB), name="a.bin"))
            while not Probe(api).other_pools:  # noqa: ASYNC110 - the upload begins
                await anyio.sleep(0.01)
            await anyio.sleep(0.3)
            tasks.cancel_scope.cancel()
        assert [len(pool.idle) for pool in Probe(api).other_pools.values()] == [0]
        await api.upload.wall_photo(b"a picture")
    assert len(simulator.ledger.saved) == 1
    assert own_tasks() == []


async def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a film.mp4"
    size = 32 * MB
    with path.open("wb") as file:
        file.truncate(size)
    received = 0

    async def serve(stream: BufferedByteStream) -> None:
        nonlocal received
        await stream.receive_until(b"\r\n\r\n", 65536)
        while received < size:
            received += len(await stream.receive(65536))
        body = b'{"size":1,"video_id":2}'
        await stream.send(b"HTTP/1.1 200 OK\r\ncontent-length: 23\r\n\r\n" + body)

    async with listening(serve) as base_url, VK(TOKEN, base_url=base_url) as api:
        address = base_url.replace("/method", "/upload")
        tracemalloc.start()
        try:
            answer = await api.upload.raw(address, "video_file", path)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert answer == {"size": 1, "video_id": 2}
    assert peak < 4 * MB


@pytest.mark.parametrize(
    "fault",
    [faults.drop_upload(0.00001), faults.early_refusal(), faults.stall_upload(0.3)],
    ids=["dropped", "refused", "stalled"],
)
async def test_a_server_that_leaves_a_file_unread_ends_at_once(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch, fault: Any
) -> None:
    monkeypatch.setattr(_serve, "SHUTDOWN_TIMEOUT", 30.0)
    simulator.fault(fault, "upload", rate=1)
    with anyio.fail_after(15):
        async with served(simulator, retry_limit=0) as api:
            with pytest.raises(VKError):
                await api.upload.options(stall_timeout=0.3).document(
                    File(bytes(30 * MB), name="a.bin")
                )
    assert simulator.ledger.saved == []
