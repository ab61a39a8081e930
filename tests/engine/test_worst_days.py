"""Rare combinations of things that are tested separately elsewhere."""

from __future__ import annotations

import contextvars
import threading
from typing import TYPE_CHECKING, Any

import anyio
import httpx
import pytest

from _helpers import solve_by
from vkanyio import (
    VK,
    APIRequest,
    Captcha,
    ClientClosedError,
    ClientUseError,
    Confirmation,
    ConnectionFailedError,
    TooManyRequestsError,
)
from vkanyio.testing import Simulator, faults

if TYPE_CHECKING:
    from _helpers import MakeClient

pytestmark = pytest.mark.anyio

MESSAGE = {"peer_id": 1, "message": "hello"}


@pytest.mark.parametrize("questions", [[14, 24], [14, 24, 14], [24, 14]])
async def test_each_question_about_a_call_is_asked(
    questions: list[int], make_client: MakeClient, simulator: Simulator
) -> None:
    asked: list[int] = []

    async def solve(captcha: Captcha) -> None:
        asked.append(14)
        await solve_by(simulator, captcha)

    async def agree(_: Confirmation) -> bool:
        asked.append(24)
        return True

    for code in questions:
        fault = faults.captcha() if code == 14 else faults.confirmation("Sure?")
        simulator.fault(fault, "wall.post")
    async with make_client(on_captcha=solve, on_confirmation=agree) as api:
        assert await api.call("wall.post", {"message": "hello"}) == {"post_id": 1}
    assert asked == questions
    assert simulator.ledger.requests == len(questions) + 1


async def test_nothing_that_writes_is_sent_while_a_later_captcha_is_open(
    make_client: MakeClient, simulator: Simulator
) -> None:
    asked = anyio.Event()

    async def agree(_: Confirmation) -> bool:
        return True

    async def send() -> None:
        await asked.wait()
        await api.call("messages.send", MESSAGE)

    async def solve(captcha: Captcha) -> None:
        asked.set()
        await anyio.sleep(10)
        assert simulator.ledger.carried_out("messages.send") == []
        await solve_by(simulator, captcha)

    simulator.fault(faults.confirmation("Sure?"), "wall.post")
    simulator.fault(faults.captcha(), "wall.post", nth=2)
    async with (
        make_client(on_captcha=solve, on_confirmation=agree) as api,
        anyio.create_task_group() as tasks,
    ):
        tasks.start_soon(send)
        await api.call("wall.post", {"message": "hello"})
    assert len(simulator.ledger.carried_out("messages.send")) == 1


async def test_a_write_that_failed_before_is_not_retried_while_a_captcha_is_open(
    make_client: MakeClient, simulator: Simulator
) -> None:
    async def solve(captcha: Captcha) -> None:
        await anyio.sleep(60)
        assert simulator.ledger.carried_out("messages.send") == []
        await solve_by(simulator, captcha)

    simulator.fault(faults.drop_before(), "messages.send")
    simulator.fault(faults.captcha(), "wall.post")
    simulator.fault(faults.drop_before(), "users.get")
    async with (
        make_client(on_captcha=solve, wait=10) as api,
        anyio.create_task_group() as tg,
    ):
        tg.start_soon(api.call, "messages.send", MESSAGE)
        await anyio.sleep(0.002)
        tg.start_soon(api.call, "wall.post", {"message": "hello"})
        with anyio.fail_after(30):
            await api.users.get(user_ids=[1])  # reads are retried meanwhile
    assert len(simulator.ledger.carried_out("messages.send")) == 1
    assert len(simulator.ledger.carried_out("wall.post")) == 1


async def test_the_answer_to_a_captcha_is_retried_while_others_wait_for_it(
    make_client: MakeClient, simulator: Simulator
) -> None:
    async def solve(captcha: Captcha) -> None:
        await solve_by(simulator, captcha)

    simulator.fault(faults.captcha(), "messages.send")
    simulator.fault(faults.drop_before(), "messages.send", nth=2)
    async with make_client(on_captcha=solve) as api:
        with anyio.fail_after(60):
            await api.call("messages.send", MESSAGE)
    assert len(simulator.ledger.carried_out("messages.send")) == 1


async def test_error_6_now_and_a_minute_later_is_not_a_minute_of_errors(
    simulator: Simulator, make_client: MakeClient
) -> None:
    async def solve(captcha: Captcha) -> None:
        await anyio.sleep(90)
        await solve_by(simulator, captcha)

    simulator.fault(faults.error(6), "wall.post")
    simulator.fault(faults.captcha(), "wall.post", nth=2)
    simulator.fault(faults.error(6), "wall.post", nth=3)
    async with make_client(on_captcha=solve) as api:
        assert await api.call("wall.post", {"message": "hello"}) == {"post_id": 1}


@pytest.mark.parametrize("request_mode", ["burst", "sequential"])
async def test_many_calls_of_a_method_that_is_always_refused_leave_room_for_others(
    request_mode: Any,
) -> None:
    simulator = Simulator(limit=20, latency=0.1)
    simulator.fault(faults.error(6), "video.get", rate=1)
    done = 0

    async def refused(api: VK) -> None:
        while True:
            with pytest.raises(TooManyRequestsError):
                await api.video.get()

    async def work(api: VK) -> None:
        nonlocal done
        while True:
            await api.users.get(user_ids=[1])
            done += 1

    async with (
        VK(
            "a-token",
            limit=20,
            request_mode=request_mode,
            http_client=simulator.http_client(),
        ) as api,
        anyio.create_task_group() as tg,
    ):
        for _ in range(20):
            tg.start_soon(refused, api)
            tg.start_soon(work, api)
        await anyio.sleep(120)
        tg.cancel_scope.cancel()
    assert done > 120 * 20 / 2


async def test_a_pause_that_begins_while_a_call_waits_for_a_connection_is_kept(
    make_client: MakeClient,
) -> None:
    simulator = Simulator(limit=0, latency=0.2)
    simulator.fault(faults.error(6), "users.get")
    async with (
        make_client(max_connections=1, http_client=simulator.http_client()) as api,
        anyio.create_task_group() as tg,
    ):
        tg.start_soon(api.users.get)
        await anyio.sleep(0.01)
        tg.start_soon(api.utils.getServerTime)
    first, *others = simulator.ledger.starts
    assert len(others) == 2
    assert min(others) - first >= 0.5


async def test_a_retry_abandoned_while_it_waits_for_a_connection_takes_none(
    make_client: MakeClient,
) -> None:
    simulator = Simulator(limit=0, latency=0.2)
    simulator.fault(faults.drop_before(), "users.get")
    simulator.fault(faults.delay(8), "wall.get")
    other = {"owner_id": 1, "access_token": "another-token"}
    client = simulator.http_client()
    async with (
        make_client(max_connections=1, wait=0, http_client=client) as api,
        anyio.create_task_group() as tg,
    ):
        with anyio.move_on_after(5):
            async with anyio.create_task_group() as given_up:
                given_up.start_soon(api.users.get)
                await anyio.sleep(0.05)
                tg.start_soon(api.call, "wall.get", other)
        await anyio.sleep(20)
        with anyio.fail_after(60):
            assert await api.utils.getServerTime()
    assert simulator.ledger.carried_out("users.get") == []


async def test_error_6_of_a_method_is_forgotten_after_a_while(
    simulator: Simulator, make_client: MakeClient
) -> None:
    async with make_client() as api:
        simulator.fault(faults.error(6), "users.get", rate=1)
        with anyio.move_on_after(30):
            await api.users.get(user_ids=[1])
        simulator.clear_faults()
        await anyio.sleep(3600)
        simulator.fault(faults.error(6), "users.get")
        start = anyio.current_time()
        await api.users.get(user_ids=[1])
        assert anyio.current_time() - start < 1


class Connecting(httpx.AsyncBaseTransport):
    """Reports its progress like a real one: it connects slowly, and then sends."""

    def __init__(self) -> None:
        self.sent: list[float] = []
        self.connected = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        trace = request.extensions["trace"]
        if not self.connected:
            await trace("connection.connect_tcp.started", {})
            await anyio.sleep(0.9)
        self.connected = True
        await trace("http11.send_request_headers.started", {"request": request})
        self.sent.append(anyio.current_time())
        return httpx.Response(200, json={"response": 1})


async def test_a_slow_first_connection_of_a_users_client_causes_no_volley() -> None:
    transport = Connecting()
    client = httpx.AsyncClient(transport=transport)
    async with (
        VK("a-token", limit=20, request_mode="burst", http_client=client) as api,
        anyio.create_task_group() as tg,
    ):
        for _ in range(60):
            tg.start_soon(api.users.get)
    times = sorted(transport.sent)
    assert len(times) == 60
    assert all(b - a >= 1 for a, b in zip(times, times[20:], strict=False))
    await client.aclose()


async def test_a_host_that_is_down_is_not_flooded_with_attempts(
    simulator: Simulator, make_client: MakeClient
) -> None:
    attempts: list[float] = []

    class Down(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            attempts.append(anyio.current_time())
            await request.extensions["trace"]("connection.connect_tcp.started", {})
            raise httpx.ConnectError("refused")

    async def call(api: VK) -> None:
        with pytest.raises(ConnectionFailedError):
            await api.users.get()

    client = httpx.AsyncClient(transport=Down())
    async with (
        make_client(limit=3, wait=0, http_client=client) as api,
        anyio.create_task_group() as tg,
    ):
        for _ in range(10):
            tg.start_soon(call, api)
    assert len(attempts) == 40
    assert all(b - a >= 1 for a, b in zip(attempts, attempts[3:], strict=False))
    await client.aclose()


@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
async def test_a_request_that_another_thread_waits_for_is_not_sent(
    anyio_backend_name: str,
) -> None:
    simulator = Simulator(limit=0)
    request = APIRequest("wall.post", {"message": "hello"})
    waiting = threading.Event()

    async def wait_elsewhere() -> None:
        async with anyio.create_task_group() as tg:
            tg.start_soon(request.wait)
            await anyio.lowlevel.checkpoint()
            waiting.set()
            tg.cancel_scope.cancel()

    def run_elsewhere() -> None:
        anyio.run(wait_elsewhere)

    elsewhere = contextvars.Context()  # without the name of this loop
    await anyio.to_thread.run_sync(lambda: elsewhere.run(run_elsewhere))
    assert waiting.is_set()
    async with VK("a-token", http_client=simulator.http_client()) as api:
        with pytest.raises(ClientUseError, match="event loop"):
            await api.call_with_request(request)
    assert simulator.ledger.carried_out() == []


@pytest.mark.parametrize(
    "proxy", ["http://host:notaport", "ftp://host", "socks4://host:1", "http://h:99999"]
)
async def test_a_bad_proxy_of_the_environment_is_named(
    proxy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    with pytest.raises(ValueError, match="HTTPS_PROXY in the environment must be"):
        async with VK("a-token"):
            pytest.fail("it was entered")


@pytest.mark.parametrize(
    "proxy", ["socks://127.0.0.1:1080/", "socks4://127.0.0.1:1080", "nonsense:port"]
)
async def test_a_client_with_its_own_http_client_never_asks_the_environment(
    proxy: str, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, proxy)
    monkeypatch.setenv("SSL_CERT_FILE", "/nonexistent/certificates.pem")
    async with VK("a-token", http_client=simulator.http_client()) as api:
        [user] = await api.users.get(user_ids=[1])
    assert user["id"] == 1


async def test_certificates_that_cannot_be_read_are_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/nonexistent/certificates.pem")
    with pytest.raises(ValueError, match="SSL_CERT_FILE"):
        async with VK("a-token"):
            pytest.fail("it was entered")


async def test_a_client_that_could_not_be_entered_is_closed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/nonexistent/certificates.pem")
    api = VK("a-token")
    with pytest.raises(ValueError, match="SSL_CERT_FILE"):
        await api.__aenter__()
    with pytest.raises(ClientClosedError, match="closed: create a new one"):
        await api.users.get()
    with pytest.raises(ClientClosedError):
        api.statistics()


@pytest.mark.parametrize("port", [0, 65536, 99999])
async def test_a_port_that_does_not_exist_is_refused(port: int) -> None:
    with pytest.raises(ValueError, match="base_url"):
        VK("a-token", base_url=f"http://localhost:{port}/method")
    with pytest.raises(ValueError, match="proxy"):
        VK("a-token", proxy=f"http://localhost:{port}")


async def test_the_statistics_outlive_the_client_and_its_event_loop(
    simulator: Simulator, make_client: MakeClient
) -> None:
    async with make_client() as api:
        await api.users.get(user_ids=[1])
    in_a_thread = await anyio.to_thread.run_sync(api.statistics)
    assert in_a_thread.calls == in_a_thread.sent == 1
    assert in_a_thread.margin == pytest.approx(0.02)
