"""Over real sockets: a call ends as it should, whatever the server sends.

Each bad response raises its kind of error in bounded time and memory, and the client
stays usable. No write is sent twice.
"""

from __future__ import annotations

import random
import re
import tracemalloc
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from _bad_responses import (
    BAD,
    ELSEWHERE,
    ENOUGH,
    MIB,
    ODD,
    REJECTED,
    RESPONSE,
    TOO_LARGE,
    TOO_SLOW,
    bomb,
    chunked,
    http_response,
    packed,
    then,
)
from _helpers import (
    POST,
    READ,
    assert_at_rest,
    assert_gone,
    collect_garbage,
    get,
    own_tasks,
)
from _packing import post, together
from _probe import Probe
from _sockets import FINE, listening, read_request
from vkanyio import (
    VK,
    APIError,
    APIRequest,
    ConnectionFailedError,
    InvalidResponseError,
    OutcomeUnknownError,
    TransportError,
    VKError,
)
from vkanyio._engine._response_body import read_limited

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from anyio.streams.buffered import BufferedByteStream

    from _sockets import Handle

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"]),
    pytest.mark.usefixtures("no_proxy_of_the_environment"),
]

TOKEN = "vk1.a.the-secret-token"
CALLS: list[tuple[str, dict[str, Any]]] = [READ, POST]
EXPECTED = (TransportError, OutcomeUnknownError, APIError)

A_SLOW_MACHINE = 20.0
"""Seconds: far more than anything here takes, but finite."""


def client(base_url: str, **options: Any) -> VK:
    options = {"limit": 1000, "wait": 0, "retry_limit": 0, **options}
    options = {"timeout": A_SLOW_MACHINE, "max_answer": ENOUGH, **options}
    return VK(TOKEN, base_url=base_url, **options)


class Server:
    """Sends a bad response to the first request, and good ones to all others."""

    def __init__(self, bad: Handle) -> None:
        self.bad: Handle | None = bad
        self.requests: list[bytes] = []
        self.connections = 0

    async def handle(self, stream: BufferedByteStream) -> None:
        self.connections += 1
        try:
            bad, self.bad = self.bad, None
            if bad is not None:
                await bad(stream)
            while True:
                request = await read_request(stream)
                self.requests.append(request)
                await stream.send(fine(request))
        finally:
            self.connections -= 1


def fine(request: bytes) -> bytes:
    """Return the response to a request: 1 for each call in it."""
    if not request.startswith(b"POST /method/execute "):
        return FINE
    count = request.count(b"API.")
    return http_response(b'{"response":[' + b",".join([b"1"] * count) + b"]}")


@pytest.mark.parametrize("name", [name for name in BAD if name not in TOO_SLOW])
async def test_a_bad_response_raises_its_error_and_the_client_goes_on(
    name: str,
) -> None:
    await check(name)
    collect_garbage()


async def test_a_response_that_takes_too_long_is_abandoned() -> None:
    await check(*TOO_SLOW)
    collect_garbage()


async def check(*names: str) -> None:
    """Try bad responses with a read, a write and several packed calls."""
    with anyio.fail_after(A_SLOW_MACHINE):
        async with anyio.create_task_group() as tg:
            for name in names:
                tg.start_soon(check_plain, name, READ)
                tg.start_soon(check_plain, name, POST)
                tg.start_soon(check_packed, name)
    assert own_tasks() == []


def is_doubtful(name: str) -> bool:
    """Return whether a request with this response may have been carried out."""
    return name not in REJECTED and BAD[name][1] is not APIError


async def check_plain(name: str, call: tuple[str, dict[str, Any]]) -> None:
    bad, kind = BAD[name]
    async with (
        listening(Server(bad).handle) as base_url,
        client(base_url, timeout=timeout_of(name)) as api,
    ):
        with pytest.raises(VKError) as caught:
            await api.call(*call)
        assert_at_rest(api)
        assert api.statistics().sent == 1
        assert await api.call(*call) == 1
        assert connections_of(api) == 1
    assert_at_rest(api)
    error: BaseException | None = caught.value
    if call == POST and is_doubtful(name):
        assert type(error) is OutcomeUnknownError
        error = error.__cause__
    assert isinstance(error, kind)
    assert isinstance(error, TransportError | APIError)
    assert len(str(caught.value)) < 500
    if name in TOO_LARGE:
        assert f"more than {ENOUGH} bytes" in str(caught.value)
        assert "`max_answer`" in str(caught.value)


async def check_packed(name: str) -> None:
    bad, kind = BAD[name]
    server = Server(bad)
    requests = [*map(post, range(3)), *map(get, range(3, 6))]
    options: dict[str, Any] = {"mode": "parallel", "timeout": timeout_of(name)}
    async with (
        listening(server.handle) as base_url,
        client(base_url, **options) as api,
    ):
        outcomes = await together(api, requests)
        assert api.statistics().batches[6] == 1
        assert_at_rest(api)
    for i, outcome in enumerate(outcomes):
        times = sum(
            re.search(rb"id(%%22%%3A|=)%d\b" % i, r) is not None
            for r in server.requests
        )
        if name in ELSEWHERE:  # all calls have the same address
            assert type(outcome) is InvalidResponseError
            assert times == 0
        elif not is_doubtful(name):
            assert (outcome, times) == (1, 1)
        elif i < 3:
            assert type(outcome) is OutcomeUnknownError
            assert isinstance(outcome.__cause__, kind)
            assert times == 0
        else:  # smaller batches have other responses
            assert (outcome, times) == (1, 1)


def timeout_of(name: str) -> float:
    return 1.5 if name in TOO_SLOW else A_SLOW_MACHINE


def connections_of(api: VK) -> int:
    """Return how many connections a client holds."""
    return Probe(api).open_connection_count


@pytest.mark.parametrize("name", ODD)
async def test_an_odd_but_valid_response_is_accepted(name: str) -> None:
    odd, value = ODD[name]
    async with (
        listening(Server(then(odd)).handle) as base_url,
        client(base_url) as api,
    ):
        with anyio.fail_after(A_SLOW_MACHINE):
            assert await api.call(*READ) == value
            assert await api.call(*READ) == 1


@pytest.mark.parametrize("encoding", ["length", "chunks"])
async def test_a_second_response_is_not_read_by_the_next_call(
    encoding: str,
) -> None:
    count = 0

    async def respond_twice(stream: BufferedByteStream) -> None:
        nonlocal count
        while True:
            await read_request(stream)
            count += 1
            right, wrong = b'{"response":%d}' % count, b'{"response":"wrong"}'
            write = http_response if encoding == "length" else chunked
            await stream.send(write(right) + write(wrong))

    async with listening(respond_twice) as base_url, client(base_url) as api:
        for i in range(1, 6):
            assert await api.call(*CALLS[i % 2]) == i
        assert connections_of(api) <= 2  # one may wait to be looked at


async def test_a_second_response_behind_a_whole_read_is_not_read_either() -> None:
    """asyncio receives up to 256 KiB at once, of which a read gets 64 KiB."""
    count = 0

    async def respond_twice(stream: BufferedByteStream) -> None:
        nonlocal count
        while True:
            await read_request(stream)
            count += 1
            right = b'{"response":%d}' % count
            rest = 65_536 - len(http_response(b" " * 65_000)) + 65_000 - len(right)
            response = http_response(right + b" " * rest)
            assert len(response) == 65_536
            await stream.send(response + http_response(b'{"response":"wrong"}'))

    async with listening(respond_twice) as base_url, client(base_url) as api:
        for i in range(1, 6):
            assert await api.call(*CALLS[i % 2]) == i
        assert connections_of(api) <= 2  # one may wait to be looked at


# Memory


SIZE = 100_000


async def test_a_body_sent_byte_by_byte_takes_a_few_times_its_size() -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for i in range(SIZE):
            yield b"%c" % (i % 256)

    tracemalloc.start()
    try:
        body = await read_limited(pieces(), SIZE)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(body) == SIZE
    assert peak < 4 * SIZE


@pytest.mark.parametrize(
    "bad",
    [packed("gzip", bomb(4, 31)), packed("deflate", bomb(4, -15))],
    ids=["gzip", "deflate"],
)
async def test_a_decompression_bomb_takes_a_few_times_the_allowed_size(
    bad: bytes,
) -> None:
    allowed = 5 * MIB  # more than the 4 MiB that it has on the wire
    async with (
        listening(Server(then(bad)).handle) as base_url,
        client(base_url, max_answer=allowed) as api,
    ):
        tracemalloc.start()
        try:
            with anyio.fail_after(60), pytest.raises(InvalidResponseError):
                await api.call(*READ)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert peak < 5 * allowed


# At random


def distorted(rng: random.Random) -> bytes:
    """Make a response that is probably corrupt."""
    good = rng.choice(
        [
            FINE,
            http_response(b'{"error":{"error_code":100,"error_msg":"no"}}'),
            http_response(
                b'{"response":[{"id":1}],"execute_errors":[{"error_code":1}]}'
            ),
            packed("gzip", gzip_of_response()),
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
            b"e\r\n" + RESPONSE + b"\r\n0\r\n\r\n",
        ]
    )
    data = bytearray(good)
    for _ in range(rng.randrange(5)):
        place = rng.randrange(len(data) + 1)
        length = rng.randrange(1, 8)
        match rng.randrange(4):
            case 0:
                data[place : place + length] = rng.randbytes(length)
            case 1:
                del data[place : place + length]
            case 2:
                data[place:place] = rng.choice([b"\r\n", b"\x00", b"9", b"{", b":"])
            case _:
                data[place:place] = data[place : place + 20 * length]
    return bytes(data) if rng.random() < 0.8 else rng.randbytes(rng.randrange(500))


def gzip_of_response() -> bytes:
    return ODD["gzip"][0].partition(b"\r\n\r\n")[2]


async def test_random_bytes_do_not_break_the_client() -> None:
    rng = random.Random(20240101)  # the same on every machine
    posts = 0

    async def handle(stream: BufferedByteStream) -> None:
        nonlocal posts
        while True:
            request = await read_request(stream)
            posts += request.startswith(b"POST /method/wall.post ")
            await stream.send(distorted(rng))
            if rng.random() < 0.9:
                return

    async with (
        listening(handle) as base_url,
        client(base_url, timeout=0.5, retry_limit=1, max_connections=20) as api,
    ):
        outcomes = await together(api, [APIRequest(*CALLS[i % 2]) for i in range(300)])
        assert_at_rest(api)
    assert_gone(api)
    errors = [outcome for outcome in outcomes if isinstance(outcome, VKError)]
    kinds = {type(error) for error in errors}
    assert kinds >= {ConnectionFailedError, InvalidResponseError, OutcomeUnknownError}
    assert all(issubclass(kind, EXPECTED) for kind in kinds)
    assert 50 < len(errors) < 300
    assert posts <= 150
