"""The way to VK is encrypted: certificates are checked."""

from __future__ import annotations

import errno
import gc
import ssl
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from anyio.streams.tls import TLSAttribute

from _certificates import EXPIRED, OF_ANOTHER_HOST
from _helpers import both_calls
from _network_client import TOKEN, client, error_of
from _sockets import always_succeed, listening, read_request
from vkanyio import VK, ConnectionFailedError
from vkanyio._engine import _connection

if TYPE_CHECKING:
    from pathlib import Path

    from anyio.streams.buffered import BufferedByteStream

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"]),
    pytest.mark.usefixtures("no_proxy_of_the_environment"),
]


@pytest.mark.usefixtures("trusted")
@both_calls
async def test_a_server_with_a_trusted_certificate_gets_calls(
    tls: ssl.SSLContext, call: Any
) -> None:
    async with listening(always_succeed, tls) as base_url, client(base_url) as api:
        assert await api.call(*call) == 1
        assert await api.call(*call) == 1


@pytest.mark.usefixtures("trusted")
@both_calls
async def test_a_server_learns_the_protocol_in_the_handshake(
    tls: ssl.SSLContext, call: Any
) -> None:
    tls.set_alpn_protocols(["h2", "http/1.1"])
    agreed: list[str | None] = []

    async def note_protocol(stream: BufferedByteStream) -> None:
        agreed.append(stream.extra(TLSAttribute.alpn_protocol))
        await always_succeed(stream)

    async with listening(note_protocol, tls) as base_url, client(base_url) as api:
        assert await api.call(*call) == 1
    assert agreed == ["http/1.1"]


@both_calls
async def test_a_server_with_a_self_signed_certificate_gets_nothing(
    tls: ssl.SSLContext, call: Any
) -> None:
    requests: list[bytes] = []

    async def collect(stream: BufferedByteStream) -> None:
        requests.append(await read_request(stream))

    async with listening(collect, tls) as base_url, client(base_url) as api:
        error, sent = await error_of(api, call)
    gc.collect(1)
    assert type(error) is ConnectionFailedError
    assert "127.0.0.1" in str(error)
    assert "certificate" in str(error).lower()
    assert not error.is_transient
    assert sent == 1  # a retry would fail, too
    assert requests == []


@both_calls
@pytest.mark.parametrize(
    ("pem", "what"),
    [(EXPIRED, "expired"), (OF_ANOTHER_HOST, "mismatch")],
    ids=["expired", "another host's"],
)
async def test_a_server_whose_trusted_certificate_is_not_valid_gets_nothing(
    call: Any, pem: str, what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "certificate.pem"
    path.write_text(pem.lstrip())
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(path)
    requests: list[bytes] = []

    async def collect(stream: BufferedByteStream) -> None:
        requests.append(await read_request(stream))

    async with listening(collect, context) as base_url, client(base_url) as api:
        error, sent = await error_of(api, call)
    gc.collect(1)
    assert type(error) is ConnectionFailedError
    assert what in str(error)
    assert sent == 1
    assert requests == []


@both_calls
async def test_a_server_without_tls_gets_nothing(call: Any) -> None:
    async def talk(stream: BufferedByteStream) -> None:
        await stream.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async with (
        listening(talk) as base_url,
        client(base_url.replace("http:", "https:")) as api,
    ):
        error, _ = await error_of(api, call)
    gc.collect(1)
    assert type(error) is ConnectionFailedError


@pytest.mark.parametrize("name", ["SSL_CERT_FILE", "SSL_CERT_DIR"])
async def test_certificates_of_the_environment_that_are_missing_are_named(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for each in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(each, raising=False)
    monkeypatch.setenv(name, str(tmp_path / "missing"))
    with pytest.raises(ValueError, match=f"environment variable {name} .*No such file"):
        async with VK(TOKEN):
            pytest.fail("it was entered")


async def test_certificates_of_certifi_that_cannot_be_read_blame_no_variable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail() -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    _connection._ssl_context.cache_clear()
    for each in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(each, raising=False)
    monkeypatch.setattr(httpx, "create_ssl_context", fail)
    with pytest.raises(OSError, match="Too many open files"):
        async with VK(TOKEN):
            pytest.fail("it was entered")


async def test_clients_of_a_process_read_the_certificates_once(
    certificate: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _connection._ssl_context.cache_clear()
    made: list[ssl.SSLContext] = []
    make = httpx.create_ssl_context

    def count() -> ssl.SSLContext:
        made.append(make())
        return made[-1]

    monkeypatch.setattr(httpx, "create_ssl_context", count)
    monkeypatch.setenv("SSL_CERT_FILE", certificate)
    async with VK("first"), VK("second"):
        assert len(made) == 1
    monkeypatch.delenv("SSL_CERT_FILE")
    async with VK("third"):
        assert len(made) == 2  # the environment says something else now
