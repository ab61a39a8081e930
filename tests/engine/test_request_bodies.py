"""Bodies in chunks: what goes wrong with them is an error of their author."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio
import httpcore
import httpx
import pytest

from _probe import Probe
from _sockets import FINE, always_succeed, listening, read_request
from vkanyio import VK
from vkanyio._engine._network import MAX_GATHERED
from vkanyio._response import Response

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from anyio.streams.buffered import BufferedByteStream

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"]),
    pytest.mark.usefixtures("no_proxy_of_the_environment"),
]

MUCH = bytes(2 * MAX_GATHERED)
TYPE = {"content-type": "application/octet-stream"}


@pytest.fixture(params=["ours", "httpx"])
async def options(request: pytest.FixtureRequest) -> AsyncIterator[dict[str, Any]]:
    """Options of clients with their own connections, and with the user's client."""
    if request.param == "ours":
        yield {}
        return
    async with httpx.AsyncClient(trust_env=False) as http_client:
        yield {"http_client": http_client}


class Chunks:
    """Chunks of a body, the last of which may be an exception that is raised."""

    def __init__(self, *chunks: Any) -> None:
        self._chunks = [*chunks]

    def __aiter__(self) -> Chunks:
        return self

    async def __anext__(self) -> Any:
        await anyio.lowlevel.checkpoint()
        if not self._chunks:
            raise StopAsyncIteration
        chunk = self._chunks.pop(0)
        if isinstance(chunk, Exception):
            raise chunk
        return chunk


async def post(api: VK, url: str, body: Any, length: int) -> Any:
    caller = Probe(api).caller
    with anyio.fail_after(5):
        return await caller.post(url, body, length=length, headers=TYPE)


def kept_for(api: VK) -> list[float]:
    """Return for how long connections to other servers are kept, by their pools."""
    pools, now = Probe(api).other_pools.values(), anyio.current_time()
    return [pool._keep_alive.max_idle(now) for pool in pools]


@pytest.mark.parametrize(
    "problem",
    [
        OSError(5, "Input/output error"),
        httpx.ReadError("of another request"),
        httpcore.WriteError("of another request"),
        anyio.EndOfStream(),
        KeyError("a bug"),
        TimeoutError(),
    ],
    ids=lambda problem: type(problem).__name__,
)
async def test_what_the_chunks_raise_leaves_as_itself(
    options: dict[str, Any], problem: Exception
) -> None:
    async with (
        listening(always_succeed) as url,
        VK("a-token", base_url=url, **options) as api,
    ):
        assert (await post(api, url, b"text", 4)).status_code == 200
        with pytest.raises(type(problem)) as caught:
            # So much that the beginning has left when the problem comes.
            await post(api, url, Chunks(MUCH, problem), 2 * len(MUCH))
        assert caught.value is problem
        assert problem.__cause__ is problem.__context__ is None
        assert kept_for(api) == ([] if options else [5.0])  # nothing was learned
        assert (await post(api, url, Chunks(b"tex", b"t"), 4)).status_code == 200


@pytest.mark.parametrize(
    ("body", "actual"),
    [
        (b"text.", "5"),
        (b"", "0"),
        (Chunks(b"tex"), "only 3"),
        (Chunks(), "only 0"),
        (Chunks(b"tex", b"t", b"."), "5 or more"),
    ],
    ids=["more", "nothing", "fewer in chunks", "no chunks", "more in chunks"],
)
async def test_a_wrong_length_is_named(
    options: dict[str, Any], body: Any, actual: str
) -> None:
    requests: list[bytes] = []

    async def serve(stream: BufferedByteStream) -> None:
        requests.append(await read_request(stream))
        await stream.send(FINE)

    if isinstance(body, Chunks):
        body = Chunks(*body._chunks)
    async with (
        listening(serve) as url,
        VK("a-token", base_url=url, **options) as api,
    ):
        with pytest.raises(ValueError, match=f"^length must .* is {actual}, got 4$"):
            await post(api, url, body, 4)
    assert requests == []  # none that is whole


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("text", "bytes, or an async iterable of bytes, got str"),
        ([b"text"], "bytes, or an async iterable of bytes, got list"),
        (Chunks(b"tex", "xt"), "chunks of bytes, got str"),
    ],
    ids=["str", "list", "chunks of str"],
)
async def test_what_is_no_body_is_refused(
    options: dict[str, Any], body: Any, words: str
) -> None:
    if isinstance(body, Chunks):
        body = Chunks(*body._chunks)
    async with (
        listening(always_succeed) as url,
        VK("a-token", base_url=url, **options) as api,
    ):
        with pytest.raises(TypeError, match=f"^body must .* {words}$"):
            await post(api, url, body, 4)


async def test_a_client_may_send_the_chunks_again() -> None:
    class Twice:
        """A client that tries a second time."""

        def __init__(self, client: httpx.AsyncClient) -> None:
            self._client = client

        async def post(self, url: str, **arguments: Any) -> Any:
            await self._client.post(url, **arguments)
            return await self._client.post(url, **arguments)

    class Again:
        """A body that can be read any number of times."""

        def __aiter__(self) -> Chunks:
            return Chunks(b"tex", b"t")

    async with (
        listening(always_succeed) as url,
        httpx.AsyncClient(trust_env=False) as http_client,
        VK("a-token", base_url=url, http_client=Twice(http_client)) as api,
    ):
        assert isinstance(await post(api, url, Again(), 4), Response)
