"""Over real sockets: connections, and what their failures mean to the caller."""

from __future__ import annotations

import gc
import traceback
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from _helpers import POST, READ, both_calls, note
from _probe import Probe
from _sockets import (
    FINE,
    closed_port,
    collecting,
    listening,
    never_respond,
    port_of,
    read_request,
)
from vkanyio import (
    VK,
    APIRequest,
    ClientClosedError,
    ConnectionFailedError,
    InvalidResponseError,
    OutcomeUnknownError,
    RequestTimeoutError,
    UnknownMethodError,
    VKError,
)
from vkanyio._engine import _transport
from vkanyio.testing import Call, Simulator, faults

if TYPE_CHECKING:
    from anyio.streams.buffered import BufferedByteStream

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"]),
    pytest.mark.usefixtures("no_proxy_of_the_environment"),
]

TOKEN = "vk1.a.the-secret-token"


def client(base_url: str, **options: Any) -> VK:
    options = {"limit": 1000, "wait": 0, "retry_limit": 0, **options}
    return VK(TOKEN, base_url=base_url, **options)


async def error_of(api: VK, call: tuple[str, dict[str, Any]]) -> VKError:
    with pytest.raises(VKError) as caught, anyio.fail_after(5):
        await api.call(*call)
    return caught.value


async def test_calls_work_over_a_real_socket() -> None:
    simulator = Simulator(limit=0)
    async with simulator.serve() as base_url, client(base_url) as api:
        [user] = await api.users.get(user_ids=[1])
        assert user["id"] == 1
        assert await api.wall.post(message="Привет, мир & all") == {"post_id": 1}
        page = await api.wall.get()
    assert page["items"][0]["text"] == "Привет, мир & all"


async def test_names_that_are_no_methods_do_not_pile_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(_transport, "MAX_URLS", 3)
    simulator = Simulator(limit=0)
    async with simulator.serve() as base_url, client(base_url) as api:
        for i in range(8):
            with pytest.raises(UnknownMethodError):
                await api.call(f"users.get{i}")
        assert Probe(api).url_count == 2


@both_calls
async def test_a_connection_to_a_closed_port_leaves_no_doubt(call: Any) -> None:
    async with closed_port() as base_url, client(base_url, retry_limit=2) as api:
        error = await error_of(api, call)
        assert api.statistics().sent == 3
    assert isinstance(error, ConnectionFailedError)
    assert "127.0.0.1" in str(error)
    assert error.__cause__ is error.__context__ is None
    frames = traceback.extract_tb(error.__traceback__)
    assert len(frames) < 12
    assert not [frame for frame in frames if "httpcore" in frame.filename]


@both_calls
async def test_a_connection_that_was_closed_while_idle_is_replaced_silently(
    call: Any,
) -> None:
    closed = anyio.Event()

    async def respond_once(stream: BufferedByteStream) -> None:
        await read_request(stream)
        await stream.send(FINE)
        await stream.aclose()
        closed.set()

    async with listening(respond_once) as base_url, client(base_url) as api:
        assert await api.call(*call) == 1
        await closed.wait()
        assert await api.call(*call) == 1


async def test_the_restart_of_a_server_between_two_calls_is_not_noticed() -> None:
    simulator = Simulator(limit=0)
    async with closed_port() as base_url, client(base_url) as api:
        port = port_of(base_url)
        for _ in range(2):
            async with simulator.serve(port=port):
                await api.users.get(user_ids=[1])


async def serve_one_and_drop_the_next(stream: BufferedByteStream) -> None:
    await read_request(stream)
    await stream.send(FINE)
    await read_request(stream)


async def test_a_read_on_a_connection_closed_under_it_is_retried_at_once() -> None:
    async with (
        listening(serve_one_and_drop_the_next) as base_url,
        client(base_url, wait=1000, retry_limit=1) as api,
    ):
        for _ in range(4):
            with anyio.fail_after(5):
                assert await api.call(*READ) == 1
        assert api.statistics().retries["ConnectionFailedError"] == 3


async def test_a_write_on_a_connection_closed_under_it_is_not_retried() -> None:
    async with (
        listening(serve_one_and_drop_the_next) as base_url,
        client(base_url, retry_limit=3) as api,
    ):
        await api.call(*POST)
        error = await error_of(api, POST)
        assert api.statistics().sent == 2
    assert isinstance(error, OutcomeUnknownError)
    assert isinstance(error.__cause__, ConnectionFailedError)


@pytest.mark.parametrize("max_connections", [1, 10, 25])
async def test_all_connections_are_used_and_kept(max_connections: int) -> None:
    now = worst = opened = 0
    full = anyio.Event()

    async def serve(stream: BufferedByteStream) -> None:
        nonlocal now, worst, opened
        opened += 1
        while True:
            await read_request(stream)
            now += 1
            worst = max(worst, now)
            if now == max_connections:
                full.set()
            await full.wait()
            now -= 1
            await stream.send(FINE)

    async with (
        listening(serve) as base_url,
        client(base_url, max_connections=max_connections, request_mode="burst") as api,
    ):
        with anyio.fail_after(10):
            async with anyio.create_task_group() as tg:
                for _ in range(4 * max_connections):
                    tg.start_soon(api.call, "users.get")
    assert worst == max_connections
    assert opened <= max_connections


async def test_surplus_connections_are_closed_as_calls_go_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("vkanyio._keep_alive.MAX_IDLE", 0.2)
    together, alone = anyio.Event(), anyio.Event()
    is_open: set[int] = set()

    async def serve(stream: BufferedByteStream) -> None:
        me = len(is_open)
        is_open.add(me)
        try:
            while True:
                await read_request(stream)
                if len(is_open) == 5:
                    together.set()
                await together.wait()
                await stream.send(FINE)
        finally:
            is_open.discard(me)
            if len(is_open) == 1:
                alone.set()

    async with (
        listening(serve) as base_url,
        client(base_url, request_mode="burst") as api,
    ):
        with anyio.fail_after(10):
            async with anyio.create_task_group() as tg:
                for _ in range(5):
                    tg.start_soon(api.call, "users.get")
            assert len(is_open) == 5
            await anyio.sleep(0.3)
            for _ in range(4):
                await api.call("users.get")
            await alone.wait()


# Deadlines.


@both_calls
async def test_a_connection_that_is_not_made_in_time_leaves_no_doubt(
    call: Any,
) -> None:
    async with listening(never_respond) as base_url:
        secure = base_url.replace("http:", "https:")
        async with client(secure, timeout=0.1, retry_limit=1) as api:
            error = await error_of(api, call)
            assert api.statistics().sent == 2
    gc.collect(1)  # a socket left open would warn now
    assert isinstance(error, ConnectionFailedError)
    assert "127.0.0.1" in str(error)


@both_calls
@pytest.mark.parametrize("mode", ["sequential", "parallel"])
async def test_a_call_that_is_given_up_while_it_connects_was_not_carried_out(
    call: Any, mode: str
) -> None:
    requests = [APIRequest(*call) for _ in range(2)]
    errors: list[Any] = []
    async with listening(never_respond) as base_url, anyio.create_task_group() as tg:
        secure = base_url.replace("http:", "https:")  # a handshake that does not end
        with anyio.move_on_after(0.5):
            async with client(secure, mode=mode) as api:
                tg.start_soon(note, errors, api.call_with_request, requests[0])
                with anyio.move_on_after(0.2):
                    await api.call_with_request(requests[1])
                assert api.statistics().in_flight > 0
                assert [each.maybe_carried_out for each in requests] == [False, False]
                await anyio.sleep_forever()
    [error] = errors
    assert isinstance(error, ClientClosedError)
    assert not error.maybe_carried_out
    assert "did not carry it out" in str(error)


async def test_a_call_that_is_given_up_after_it_was_sent_may_be_carried_out() -> None:
    request = APIRequest(*POST)
    async with listening(never_respond) as base_url, client(base_url) as api:
        with anyio.move_on_after(0.3):
            await api.call_with_request(request)
        assert request.maybe_carried_out


async def test_a_read_that_gets_no_response_in_time_is_a_timeout() -> None:
    async with (
        listening(never_respond) as base_url,
        client(base_url, timeout=0.5, retry_limit=1) as api,
    ):
        error = await error_of(api, READ)
        assert api.statistics().sent == 2
    assert isinstance(error, RequestTimeoutError)


async def test_a_write_that_gets_no_response_in_time_has_an_unknown_outcome() -> None:
    async with (
        listening(never_respond) as base_url,
        client(base_url, timeout=0.5, retry_limit=3) as api,
    ):
        error = await error_of(api, POST)
        assert api.statistics().sent == 1
    assert isinstance(error, OutcomeUnknownError)
    assert isinstance(error.__cause__, RequestTimeoutError)


# Truncated and invalid responses.


@pytest.mark.parametrize(
    "response",
    [
        b"",
        b"HTTP/1.1 200",
        FINE[:-1],
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
    ],
    ids=["nothing", "half a line", "a byte less", "SSH", "bad chunk"],
)
@both_calls
async def test_a_truncated_response_is_a_lost_connection(
    call: Any, response: bytes
) -> None:
    async def break_off(stream: BufferedByteStream) -> None:
        await read_request(stream)
        await stream.send(response)

    async with (
        listening(break_off) as base_url,
        client(base_url, retry_limit=2) as api,
    ):
        error = await error_of(api, call)
        assert api.statistics().sent == (3 if call == READ else 1)
    if call == POST:
        assert isinstance(error, OutcomeUnknownError)
        assert isinstance(error.__cause__, ConnectionFailedError)
    else:
        assert isinstance(error, ConnectionFailedError)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed_and_the_token_is_not_forwarded(
    status: int,
) -> None:
    elsewhere: list[bytes] = []
    requests: list[bytes] = []

    async def collect(stream: BufferedByteStream) -> None:
        elsewhere.append(await read_request(stream))

    async with listening(collect) as target:

        async def redirect(stream: BufferedByteStream) -> None:
            requests.append(await read_request(stream))
            head = f"HTTP/1.1 {status} Moved\r\nlocation: {target}/users.get\r\n"
            await stream.send(f"{head}content-length: 0\r\n\r\n".encode())

        async with (
            listening(redirect) as base_url,
            client(base_url, retry_limit=3) as api,
        ):
            error = await error_of(api, READ)
    assert isinstance(error, InvalidResponseError)
    assert error.status == status
    assert len(requests) == 1
    assert elsewhere == []


async def test_a_request_on_the_wire_has_the_token_in_one_header_only() -> None:
    requests: list[bytes] = []
    async with listening(collecting(requests)) as base_url, client(base_url) as api:
        await api.call("users.get", {"user_ids": [1, 2]})
    [request] = requests
    head, _, body = request.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    assert lines[0] == b"POST /method/users.get HTTP/1.1"
    assert sum(TOKEN.encode() in line for line in lines) == 1
    assert b"authorization: bearer " + TOKEN.encode() in head.lower().replace(
        TOKEN.lower().encode(), TOKEN.encode()
    )
    assert body == b"v=5.199&user_ids=1,2"


@both_calls
async def test_a_call_cancelled_in_flight_leaves_a_client_that_works(call: Any) -> None:
    simulator = Simulator(limit=0)
    simulator.fault(faults.hang_before(), times=30)
    arrived = anyio.Event()

    def note(_: Call) -> int:
        arrived.set()
        return 1

    simulator.add_method("test.get", note)
    async with (
        simulator.serve() as base_url,
        client(base_url, max_connections=12, request_mode="burst") as api,
    ):
        for _ in range(3):
            async with anyio.create_task_group() as tg:
                for _ in range(10):
                    tg.start_soon(api.call, *call)
                while api.statistics().in_flight < 10:
                    await anyio.lowlevel.checkpoint()
                tg.cancel_scope.cancel()
        simulator.clear_faults()
        with anyio.fail_after(5):
            await api.call("test.get")
    assert arrived.is_set()
