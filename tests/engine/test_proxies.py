"""The way to VK by a proxy, and what is said when it fails."""

from __future__ import annotations

import gc
import logging
import socket
import struct
import traceback
from typing import TYPE_CHECKING, Any

import pytest
from anyio.abc import SocketAttribute
from anyio.streams.buffered import BufferedByteStream

from _helpers import POST, READ, both_calls
from _network_client import TOKEN, client, error_of
from _sockets import (
    FINE,
    always_succeed,
    closed_port,
    collecting,
    listening,
    port_of,
    read_request,
    secured,
)
from vkanyio import ConnectionFailedError, OutcomeUnknownError

if TYPE_CHECKING:
    import ssl

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"]),
    pytest.mark.usefixtures("no_proxy_of_the_environment"),
]


PASSWORD = "the-secret-of-the-proxy"


async def test_calls_go_through_an_http_proxy_that_gets_the_whole_address() -> None:
    requests: list[bytes] = []
    async with (
        listening(collecting(requests)) as proxy,
        client("http://vk.invalid/method", allow_insecure=True, proxy=proxy) as api,
    ):
        assert await api.call(*POST) == 1
    assert requests[0].startswith(b"POST http://vk.invalid/method/wall.post HTTP/1.1")


@pytest.mark.usefixtures("trusted")
async def test_calls_go_through_a_tunnel_in_which_the_proxy_sees_nothing(
    tls: ssl.SSLContext,
) -> None:
    outside: list[bytes] = []
    inside: list[bytes] = []

    async def tunnel(stream: BufferedByteStream) -> None:
        outside.append(await stream.receive_until(b"\r\n\r\n", 65536))
        await stream.send(b"HTTP/1.1 200 Connection established\r\n\r\n")
        within = BufferedByteStream(await secured(stream, tls))
        inside.append(await read_request(within))
        await within.send(FINE)

    async with (
        listening(tunnel) as proxy,
        client("https://localhost/method", proxy=proxy) as api,
    ):
        assert await api.call(*POST) == 1
    assert outside[0].startswith(b"CONNECT localhost:443 HTTP/1.1")
    assert TOKEN.encode() not in outside[0]
    assert inside[0].startswith(b"POST /method/wall.post HTTP/1.1")


@pytest.mark.parametrize("base_url", ["http://vk.invalid", "https://vk.invalid"])
@pytest.mark.parametrize(
    ("login", "value"),
    [
        ("user:p%20w", b"dXNlcjpwIHc="),
        ("user", b"dXNlcjo="),
        ("%D1%8F:", b"0Y86"),
        (":p", b"OnA="),
    ],
    ids=["both", "a name", "not in ASCII", "a password"],
)
async def test_an_http_proxy_gets_the_login_of_its_url(
    base_url: str, login: str, value: bytes
) -> None:
    heads: list[bytes] = []

    async def refuse(stream: BufferedByteStream) -> None:
        heads.append(await stream.receive_until(b"\r\n\r\n", 65536))

    async with listening(refuse) as address:
        proxy = address.replace("//", f"//{login}@")
        options: Any = {"proxy": proxy, "retry_limit": 0, "allow_insecure": True}
        async with client(base_url, **options) as api:
            await error_of(api, POST)
    lines = [line for line in heads[0].split(b"\r\n") if b"Proxy-" in line]
    assert lines == [b"Proxy-Authorization: Basic " + value]


@both_calls
@pytest.mark.parametrize(
    "response",
    [
        b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n",
        b"",
    ],
    ids=["407", "502", "nothing"],
)
async def test_a_proxy_that_refuses_a_tunnel_is_a_failed_connection(
    call: Any, response: bytes
) -> None:
    async def refuse(stream: BufferedByteStream) -> None:
        await stream.receive_until(b"\r\n\r\n", 65536)
        await stream.send(response)

    async with listening(refuse) as address:
        proxy = address.replace("//", f"//user:{PASSWORD}@")
        async with client("https://vk.invalid/method", proxy=proxy) as api:
            error, sent = await error_of(api, call)
            assert PASSWORD not in f"{api!r} {api.config!r}"
    assert type(error) is ConnectionFailedError
    assert PASSWORD not in "".join(traceback.format_exception(error))
    assert sent == (1 if b"407" in response else 3)  # a login does not get better


@both_calls
@pytest.mark.parametrize("status", ["401 Unauthorized", "407 Who are you"])
async def test_a_login_that_a_forwarding_proxy_refuses_is_reported_at_once(
    call: Any, status: str
) -> None:
    async def refuse(stream: BufferedByteStream) -> None:
        # As tinyproxy does: the body ends with the connection, and closing before the
        # request has been read resets the connection.
        await stream.receive(1)
        await stream.send(f"HTTP/1.0 {status}\r\n\r\n<html>".encode())
        raw = stream.extra(SocketAttribute.raw_socket)
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    async with (
        listening(refuse) as proxy,
        client("http://vk.invalid/method", allow_insecure=True, proxy=proxy) as api,
    ):
        error, sent = await error_of(api, call)
    assert type(error) is ConnectionFailedError  # also of a write: VK has not got it
    assert f"the proxy 127.0.0.1:{port_of(proxy)} refused: {status}" in str(error)
    assert sent == 1


@both_calls
async def test_an_unreachable_proxy_is_a_failed_connection(call: Any) -> None:
    async with (
        closed_port() as proxy,
        client("http://vk.invalid/method", allow_insecure=True, proxy=proxy) as api,
    ):
        error, sent = await error_of(api, call)
    assert type(error) is ConnectionFailedError
    assert sent == 3


@both_calls
async def test_a_proxy_that_loses_the_request_leaves_a_write_in_doubt(
    call: Any,
) -> None:
    async def lose(stream: BufferedByteStream) -> None:
        await read_request(stream)

    async with (
        listening(lose) as proxy,
        client("http://vk.invalid/method", allow_insecure=True, proxy=proxy) as api,
    ):
        error, sent = await error_of(api, call)
    if call == READ:
        assert (type(error), sent) == (ConnectionFailedError, 3)
    else:
        assert (type(error), sent) == (OutcomeUnknownError, 1)


@both_calls
@pytest.mark.parametrize("verdict", [0, 5], ids=["accepted", "refused"])
async def test_calls_go_through_a_socks_proxy(call: Any, verdict: int) -> None:
    pytest.importorskip("socksio")
    targets: list[bytes] = []

    async def relay(stream: BufferedByteStream) -> None:
        assert await stream.receive_exactly(3) == b"\x05\x01\x00"
        await stream.send(b"\x05\x00")
        kind = await stream.receive_exactly(4)
        assert kind == b"\x05\x01\x00\x03"  # connect to a name
        [length] = await stream.receive_exactly(1)
        targets.append(await stream.receive_exactly(length + 2))
        await stream.send(bytes([5, verdict, 0, 1, 127, 0, 0, 1, 0, 80]))
        if verdict == 0:
            await always_succeed(stream)

    async with listening(relay) as base_url:
        proxy = f"socks5://127.0.0.1:{port_of(base_url)}"
        async with client(
            "http://vk.invalid/method", allow_insecure=True, proxy=proxy
        ) as api:
            if verdict == 0:
                assert await api.call(*call) == 1
            else:
                error, _ = await error_of(api, call)
                assert type(error) is ConnectionFailedError
    assert targets[0] == b"vk.invalid\x00\x50"


@pytest.mark.parametrize("verdict", [0, 1], ids=["accepted", "refused"])
async def test_the_password_of_a_socks_proxy_is_sent_and_not_shown(
    verdict: int, caplog: pytest.LogCaptureFixture
) -> None:
    pytest.importorskip("socksio")
    caplog.set_level(logging.DEBUG)
    credentials: list[bytes] = []

    async def relay(stream: BufferedByteStream) -> None:
        await stream.receive_exactly(3)
        await stream.send(b"\x05\x02")
        kind = b"\x01\x04user" + bytes([len(PASSWORD)])
        credentials.append(await stream.receive_exactly(len(kind) + len(PASSWORD)))
        await stream.send(bytes([1, verdict]))
        await stream.receive_exactly(4 + 1 + len("vk.invalid") + 2)
        await stream.send(bytes([5, 0, 0, 1, 127, 0, 0, 1, 0, 80]))
        await always_succeed(stream)

    async with listening(relay) as base_url:
        proxy = f"socks5://user:{PASSWORD}@127.0.0.1:{port_of(base_url)}"
        async with client(
            "http://vk.invalid/method", allow_insecure=True, proxy=proxy
        ) as api:
            shown = [repr(api), repr(api.config)]
            if verdict == 0:
                assert await api.call(*POST) == 1
            else:
                error, _ = await error_of(api, POST)
                assert type(error) is ConnectionFailedError
                shown += traceback.format_exception(error)
    assert credentials[0].endswith(PASSWORD.encode())
    assert "setup_socks5_connection" in caplog.text
    assert PASSWORD not in caplog.text
    assert PASSWORD not in "".join(shown)


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
async def test_the_proxy_of_the_environment_is_used(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    async with listening(always_succeed) as proxy:
        monkeypatch.setenv(name, proxy.removesuffix("/method"))
        async with client("http://vk.invalid/method", allow_insecure=True) as api:
            assert await api.call(*READ) == 1


async def test_a_host_that_the_environment_excludes_is_reached_directly(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with closed_port() as proxy, listening(always_succeed) as base_url:
        monkeypatch.setenv("HTTP_PROXY", proxy)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
        async with client(base_url) as api:
            assert await api.call(*READ) == 1


async def test_socks_of_the_environment_means_socks5(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip("socksio")
    greetings: list[bytes] = []

    async def greet(stream: BufferedByteStream) -> None:
        greetings.append(await stream.receive_exactly(3))

    async with listening(greet) as base_url:
        monkeypatch.setenv("ALL_PROXY", f" socks://127.0.0.1:{port_of(base_url)}/ ")
        async with client("https://vk.invalid/method", retry_limit=0) as api:
            await error_of(api, READ)
        monkeypatch.delenv("ALL_PROXY")
        proxy = f"socks://127.0.0.1:{port_of(base_url)}"
        async with client("https://vk.invalid", proxy=proxy, retry_limit=0) as api:
            await error_of(api, READ)
    assert greetings == [b"\x05\x01\x00"] * 2


# Errors name the party that has failed.


@pytest.mark.parametrize("base_url", ["https://vk.invalid/method", "http://localhost"])
async def test_a_proxy_whose_name_is_unknown_is_named(
    base_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    proxy = f"http://user:{PASSWORD}@proxy.invalid:3128"
    async with client(base_url, proxy=proxy) as api:
        error, sent = await error_of(api, POST)
    assert str(error) == (
        "wall.post: could not reach the proxy proxy.invalid:3128:"
        " Name or service not known"
    )
    assert sent == 3


@pytest.mark.parametrize("scheme", ["http", "https", "socks5"])
async def test_a_proxy_whose_port_refuses_is_named(scheme: str) -> None:
    async with closed_port() as address:
        name = f"127.0.0.1:{port_of(address)}"
        async with client("https://vk.invalid", proxy=f"{scheme}://{name}") as api:
            error, _ = await error_of(api, POST)
    assert f"could not reach the proxy {name}: " in str(error)
    assert "vk.invalid" not in str(error)


async def test_a_proxy_whose_certificate_is_not_trusted_is_named(
    tls: ssl.SSLContext,
) -> None:
    async with listening(always_succeed, tls) as address:
        name = f"127.0.0.1:{port_of(address)}"
        async with client("https://vk.invalid", proxy=f"https://{name}") as api:
            error, sent = await error_of(api, POST)
    gc.collect(1)
    assert f"could not reach the proxy {name}: " in str(error)
    assert "certificate" in str(error).lower()
    assert sent == 1


async def test_a_server_with_a_wrong_certificate_behind_a_proxy_is_named(
    tls: ssl.SSLContext,
) -> None:
    async def tunnel(stream: BufferedByteStream) -> None:
        await stream.receive_until(b"\r\n\r\n", 65536)
        await stream.send(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await secured(stream, tls)

    async with (
        listening(tunnel) as proxy,
        client("https://vk.invalid/method", proxy=proxy) as api,
    ):
        error, sent = await error_of(api, POST)
    gc.collect(1)
    assert "could not connect to vk.invalid through the proxy 127.0.0.1:" in str(error)
    assert "certificate" in str(error).lower()
    assert sent == 1


@pytest.mark.parametrize(
    "status", ["407 Proxy Authentication Required", "401 Unauthorized"]
)
async def test_a_refused_login_names_the_proxy_and_is_not_retried(status: str) -> None:
    async def refuse(stream: BufferedByteStream) -> None:
        await stream.receive_until(b"\r\n\r\n", 65536)
        await stream.send(f"HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n".encode())

    async with listening(refuse) as address:
        name = f"127.0.0.1:{port_of(address)}"
        proxy = f"http://user:{PASSWORD}@{name}"
        async with client("https://vk.invalid/method", proxy=proxy) as api:
            error, sent = await error_of(api, POST)
    assert str(error) == f"wall.post: the proxy {name} refused: {status}"
    assert not error.is_transient
    assert sent == 1


async def test_a_login_refused_without_a_tunnel_names_the_proxy_too() -> None:
    async def refuse(stream: BufferedByteStream) -> None:
        await read_request(stream)
        await stream.send(b"HTTP/1.1 407 No\r\ncontent-length: 0\r\n\r\n")

    async with listening(refuse) as address:
        name = f"127.0.0.1:{port_of(address)}"
        async with client("http://localhost", proxy=f"http://{name}") as api:
            error, sent = await error_of(api, POST)
    assert type(error) is ConnectionFailedError
    assert f"the proxy {name} refused: 407" in str(error)
    assert not error.is_transient
    assert sent == 1


async def test_a_login_refused_by_a_socks_proxy_is_not_retried() -> None:
    pytest.importorskip("socksio")

    async def refuse(stream: BufferedByteStream) -> None:
        await stream.receive_exactly(3)
        await stream.send(b"\x05\x02")
        await stream.receive_exactly(1 + 1 + len("user") + 1 + len(PASSWORD))
        await stream.send(b"\x01\x01")

    async with listening(refuse) as address:
        name = f"127.0.0.1:{port_of(address)}"
        proxy = f"socks5://user:{PASSWORD}@{name}"
        async with client("https://vk.invalid/method", proxy=proxy) as api:
            error, sent = await error_of(api, POST)
    assert f"the proxy {name} refused: Invalid username/password" in str(error)
    assert not error.is_transient
    assert sent == 1


async def test_a_host_in_another_alphabet_is_sent_in_ascii() -> None:
    requests: list[bytes] = []
    async with (
        listening(collecting(requests)) as proxy,
        client("http://ПРИМЕР.рф:8080/m", proxy=proxy, allow_insecure=True) as api,
    ):
        assert await api.call(*READ) == 1
    name = b"xn--e1afmkfd.xn--p1ai:8080"
    assert requests[0].startswith(b"POST http://" + name + b"/m/users.get HTTP/1.1\r\n")
    assert b"host: " + name + b"\r\n" in requests[0].lower()
