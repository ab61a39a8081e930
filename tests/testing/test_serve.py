"""The simulator on a real socket."""

from __future__ import annotations

import gc
import logging
import socket
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import anyio
import httpx
import pytest
from anyio.lowlevel import checkpoint

from _helpers import collect_garbage
from vkanyio.testing import Call, Simulator, _asgi, _serve, faults

if TYPE_CHECKING:
    from collections.abc import Callable

    from anyio.abc import SocketStream

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"]),
]

CALL = {"v": "5.199", "access_token": "t"}
REQUEST = b"GET /method/test.echo?v=5.199&access_token=t HTTP/1.1\r\nHost: vk\r\n\r\n"


@pytest.fixture
async def simulator() -> Simulator:
    simulator = Simulator(limit=0)
    simulator.add_method("test.echo", lambda call: dict(call.params))
    return simulator


async def wait_until(condition: Callable[[], bool]) -> None:
    with anyio.fail_after(10):
        while not condition():  # noqa: ASYNC110
            await anyio.sleep(0.001)


async def raw(base_url: str, data: bytes) -> SocketStream:
    url = httpx.URL(base_url)
    assert url.port is not None
    stream = await anyio.connect_tcp(url.host, url.port)
    await stream.send(data)
    return stream


async def test_it_responds_over_http(simulator: Simulator) -> None:
    async with simulator.serve() as base_url, httpx.AsyncClient() as client:
        assert httpx.URL(base_url).path == "/method"
        for _ in range(3):
            response = await client.post(
                f"{base_url}/test.echo", data={**CALL, "a": "ё"}
            )
            assert response.json() == {"response": {"v": "5.199", "a": "ё"}}
            assert response.http_version == "HTTP/1.1"
    assert simulator.ledger.requests == 3


async def test_requests_are_processed_concurrently(simulator: Simulator) -> None:
    both = anyio.Event()

    async def meet(call: Call) -> int:
        if simulator.ledger.requests == 2:
            both.set()
        await both.wait()
        return 1

    simulator.add_method("test.meet", meet)
    async with simulator.serve() as base_url, httpx.AsyncClient() as client:

        async def send() -> None:
            response = await client.post(f"{base_url}/test.meet", data=CALL)
            assert "response" in response.json()

        with anyio.fail_after(10):
            async with anyio.create_task_group() as tg:
                tg.start_soon(send)
                tg.start_soon(send)


async def test_the_port_can_be_chosen(simulator: Simulator) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match="in use"):
            async with simulator.serve(port=port):
                pass
    async with simulator.serve(port=port) as base_url:
        assert base_url == f"http://127.0.0.1:{port}/method"
    async with simulator.serve(port=port) as base_url, httpx.AsyncClient() as client:
        response = await client.post(f"{base_url}/test.echo", data=CALL)
        assert response.status_code == 200


async def test_an_ipv6_address_is_written_in_brackets(simulator: Simulator) -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("no IPv6 here")
    async with simulator.serve("::1") as base_url, httpx.AsyncClient() as client:
        assert base_url.startswith("http://[::1]:")
        response = await client.post(f"{base_url}/test.echo", data=CALL)
        assert response.status_code == 200


async def test_nobody_listens_once_the_block_is_left(simulator: Simulator) -> None:
    async with simulator.serve() as base_url:
        pass
    with pytest.raises(OSError):  # noqa: PT011
        await raw(base_url, b"")


@pytest.mark.parametrize(
    ("fault", "carried_out"),
    [
        (faults.drop_before(), 0),
        (faults.drop_after(), 1),
        (faults.refuse(), 0),
    ],
)
async def test_a_connection_is_closed_without_a_response(
    simulator: Simulator, fault: Any, carried_out: int
) -> None:
    simulator.fault(fault)
    async with simulator.serve() as base_url, httpx.AsyncClient() as client:
        with pytest.raises(httpx.RemoteProtocolError, match="without sending"):
            await client.post(f"{base_url}/test.echo", data=CALL)
        assert len(simulator.ledger.carried_out()) == carried_out
        response = await client.post(f"{base_url}/test.echo", data=CALL)
        assert response.status_code == 200


async def test_a_dropped_connection_delivers_no_final_response(
    simulator: Simulator,
) -> None:
    simulator.fault(faults.drop_before())
    request = b"GET /method/test.echo?access_token=t HTTP/1.1\r\nHost: vk\r\n\r\n"
    async with simulator.serve() as base_url:
        received = b""
        async with await raw(base_url, request) as stream:
            async for chunk in stream:
                received += chunk
    assert received.startswith(b"HTTP/1.1 100 ")
    assert received.count(b"HTTP/1.1") == 1
    assert received.endswith(b"\r\n\r\n")


@pytest.mark.parametrize("fault", [faults.hang_before(), faults.hang_after()])
async def test_a_hang_ends_when_the_client_goes_away(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch, fault: Any
) -> None:
    ended = anyio.Event()
    handle = simulator.handle

    async def watched(request: Any) -> Any:
        try:
            return await handle(request)
        finally:
            ended.set()

    monkeypatch.setattr(simulator, "handle", watched)
    simulator.fault(fault)
    async with simulator.serve() as base_url, httpx.AsyncClient() as client:
        async with anyio.create_task_group() as tg:
            tg.start_soon(lambda: client.post(f"{base_url}/test.echo", data=CALL))
            await wait_until(lambda: len(simulator.ledger) == 1)
            assert not ended.is_set()
            tg.cancel_scope.cancel()
        with anyio.fail_after(10):
            await ended.wait()


async def test_leaving_cancels_requests_in_progress(simulator: Simulator) -> None:
    simulator.fault(faults.hang_before())
    failures: list[Exception] = []

    async def send(client: httpx.AsyncClient, base_url: str) -> None:
        try:
            await client.post(f"{base_url}/test.echo", data=CALL)
        except httpx.TransportError as exc:
            failures.append(exc)

    with anyio.fail_after(10):
        async with (
            httpx.AsyncClient(timeout=None) as client,
            anyio.create_task_group() as tg,
            simulator.serve() as base_url,
        ):
            tg.start_soon(send, client, base_url)
            await wait_until(lambda: len(simulator.ledger) == 1)
    assert [type(failure) for failure in failures] == [httpx.RemoteProtocolError]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"POST /method/test.echo HTTP/1.1\r\nHost: vk\r\n",
        b"POST /method/test.echo HTTP/1.1\r\nHost: vk\r\nContent-Length: 9\r\n\r\nv=",
    ],
    ids=["idle", "half a head", "half a body"],
)
async def test_leaving_does_not_wait_for_clients_that_keep_connections(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch, data: bytes
) -> None:
    monkeypatch.setattr(_serve, "SHUTDOWN_TIMEOUT", 3600)
    with anyio.fail_after(30):
        async with simulator.serve() as base_url, httpx.AsyncClient() as client:
            await client.post(f"{base_url}/test.echo", data=CALL)
            stream = await raw(base_url, data)
            await client.post(f"{base_url}/test.echo", data=CALL)
    await stream.aclose()


@pytest.mark.parametrize("turns", range(4))
async def test_leaving_closes_the_connections_that_arrive_meanwhile(
    simulator: Simulator, turns: int
) -> None:
    connections: list[socket.socket] = []

    async def connect_in_each_turn(port: int | None) -> None:
        for _ in range(60):
            with suppress(ConnectionRefusedError):
                connections.append(socket.create_connection(("127.0.0.1", port)))
            await checkpoint()

    async with anyio.create_task_group() as tg, simulator.serve() as base_url:
        tg.start_soon(connect_in_each_turn, httpx.URL(base_url).port)
        for _ in range(10 + turns):
            await checkpoint()
    assert 10 < len(connections) < 60
    for connection in connections:
        connection.close()
    collect_garbage()


async def test_leaving_cancels_a_request_that_arrives_meanwhile(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_serve, "SHUTDOWN_TIMEOUT", 20)
    simulator.fault(faults.hang_before())
    start = anyio.current_time()
    async with simulator.serve() as base_url, httpx.AsyncClient() as client:
        stream = await raw(base_url, b"")
        await client.get(base_url)  # the stream was accepted before
        await stream.send(REQUEST)
    assert anyio.current_time() - start < 20
    await stream.aclose()


def test_leaving_closes_the_connection_of_a_client_that_does_not_read(
    monkeypatch: pytest.MonkeyPatch, anyio_backend: str
) -> None:
    if anyio_backend == "trio":
        pytest.skip("hypercorn waits until the client reads")
    monkeypatch.setattr(_serve, "SHUTDOWN_TIMEOUT", 0.1)
    simulator = Simulator(limit=0)
    simulator.add_method("test.echo", lambda call: "x" * 2**25)
    client = socket.socket()

    async def leave_with_a_response_unread() -> None:
        async with simulator.serve() as base_url:
            client.connect(("127.0.0.1", httpx.URL(base_url).port))
            client.sendall(REQUEST)
            await anyio.wait_readable(client)

    with client:
        anyio.run(leave_with_a_response_unread, backend=anyio_backend)
    gc.collect()


async def test_an_exception_in_the_block_is_not_wrapped(simulator: Simulator) -> None:
    error = KeyError("mine")

    async def fail() -> None:
        async with simulator.serve() as base_url, httpx.AsyncClient() as client:
            await client.post(f"{base_url}/test.echo", data=CALL)
            raise error

    with pytest.raises(KeyError) as caught:
        await fail()
    assert caught.value is error
    assert error.__context__ is None


async def test_an_exception_survives_a_cancellation_around_the_block(
    simulator: Simulator,
) -> None:
    async def fail() -> None:
        with anyio.CancelScope() as scope:
            async with simulator.serve():
                scope.cancel()
                raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        await fail()


async def test_a_cancelled_block_ends_in_order(simulator: Simulator) -> None:
    with anyio.move_on_after(10) as scope:
        async with simulator.serve() as base_url, httpx.AsyncClient() as client:
            await client.post(f"{base_url}/test.echo", data=CALL)
            scope.cancel()
            await anyio.sleep_forever()
    assert scope.cancelled_caught
    with pytest.raises(OSError):  # noqa: PT011
        await raw(base_url, b"")


async def test_a_block_that_is_left_at_once_ends_in_order(simulator: Simulator) -> None:
    for _ in range(3):
        with pytest.raises(KeyError):
            async with simulator.serve():
                raise KeyError


async def test_it_leaves_no_task_behind(simulator: Simulator) -> None:
    before = {task.id for task in anyio.get_running_tasks()}
    async with simulator.serve() as base_url, httpx.AsyncClient() as client:
        await client.post(f"{base_url}/test.echo", data=CALL)
    after = {task.id for task in anyio.get_running_tasks()}
    assert after <= before


async def test_it_logs_nothing_in_normal_work(
    simulator: Simulator,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.INFO)
    caplog.set_level(logging.WARNING, "httpx")
    simulator.fault(faults.drop_after())
    async with simulator.serve() as base_url, httpx.AsyncClient() as client:
        with pytest.raises(httpx.RemoteProtocolError):
            await client.post(f"{base_url}/test.echo", data=CALL)
        await client.post(f"{base_url}/test.echo", data=CALL)
    assert caplog.records == []
    assert capfd.readouterr() == ("", "")


async def test_a_crash_of_a_handler_is_logged_and_gives_status_500(
    simulator: Simulator, caplog: pytest.LogCaptureFixture
) -> None:
    simulator.add_method("test.crash", lambda call: call.params["missing"])
    async with simulator.serve() as base_url, httpx.AsyncClient() as client:
        response = await client.post(f"{base_url}/test.crash", data=CALL)
        assert response.status_code == 500
    [record] = caplog.records
    assert record.name == "vkanyio.testing"
    assert record.exc_info is not None
    assert record.exc_info[0] is KeyError


async def test_without_hypercorn_it_says_what_to_install(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "hypercorn.config", None)
    with pytest.raises(
        ModuleNotFoundError, match="needs hypercorn, which the extra 'testing'"
    ):
        async with simulator.serve():
            pass


async def test_a_body_breaks_off_in_the_middle(simulator: Simulator) -> None:
    simulator.fault(faults.drop_midway())
    async with simulator.serve() as base_url, httpx.AsyncClient() as client:
        with pytest.raises(httpx.RemoteProtocolError, match="without sending complete"):
            await client.post(f"{base_url}/test.echo", data=CALL)
        response = await client.post(f"{base_url}/test.echo", data=CALL)
        assert response.status_code == 200
    assert len(simulator.ledger.carried_out()) == 2


async def test_a_slow_body_arrives_as_a_whole(simulator: Simulator) -> None:
    simulator.fault(faults.slow_body(0.1))
    async with (
        simulator.serve() as base_url,
        httpx.AsyncClient() as client,
        client.stream("POST", f"{base_url}/test.echo", data=CALL) as response,
    ):
        pieces = [piece async for piece in response.aiter_raw()]
    assert b"".join(pieces) == b'{"response":{"v":"5.199"}}'
    assert len(pieces) > 1


async def test_a_slow_body_ends_when_the_client_goes_away(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = anyio.Event()
    send = _asgi._send

    async def watched(*args: Any) -> None:
        try:
            await send(*args)
        finally:
            ended.set()

    monkeypatch.setattr(_asgi, "_send", watched)
    simulator.fault(faults.slow_body(3600))
    async with simulator.serve() as base_url, httpx.AsyncClient() as client:
        async with client.stream("POST", f"{base_url}/test.echo", data=CALL):
            assert not ended.is_set()
        with anyio.fail_after(10):
            await ended.wait()
