"""The options of a client that are addresses: proxies and the URL of VK."""

from __future__ import annotations

import contextlib
import importlib.util
import re
from typing import Any

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import vkanyio._option_validators
from _helpers import Recorder
from vkanyio import VK, Config
from vkanyio._address import parse_address

TOKEN = "vk1.a.the-secret-token"

# Proxies


@pytest.mark.parametrize(
    "proxy",
    [
        "ftp://user:PASSWORD@localhost",
        "user:PASSWORD@localhost:3128",
        "http://user:PASSWORD@",
        "http://user:PASSWORD@localhost:port",
        "http://user:PASSWORD@local host:3128",
        "http://user:PASSWORD@localhost:3128\n",
        "socks4://user:PASSWORD@localhost",
        "http://user:PASSWORD@localhost?",
        "http://user:PASSWORD@localhost#x",
        "http://user:12#PASSWORD@localhost",
        "http://user:12/PASSWORD@localhost",
        "http://user:12?PASSWORD@localhost",
        "http://user:PASSWORD\ud800@localhost",
        f"socks5://user:{'PASSWORD' * 32}@localhost",
        f"socks5://{'PASSWORD' * 32}@localhost",
        "",
    ],
)
def test_a_wrong_proxy_is_refused_without_repeating_its_password(proxy: str) -> None:
    with pytest.raises(
        ValueError, match=r"proxy must be .*http, https, socks5"
    ) as info:
        VK(TOKEN, proxy=proxy)
    assert "PASSWORD" not in str(info.value)


def test_a_long_password_is_refused_for_socks_alone() -> None:
    VK(TOKEN, proxy=f"http://user:{'p' * 256}@localhost")
    VK(TOKEN, proxy=f"socks5://user:{'p' * 255}@localhost")
    VK(TOKEN, proxy=f"socks5://user:{'%70' * 255}@localhost")  # 255 bytes


@pytest.mark.parametrize("scheme", ["socks4", "socks4a", "SOCKS4"])
def test_a_proxy_for_socks_4_is_refused_by_its_name(scheme: str) -> None:
    with pytest.raises(ValueError, match="SOCKS 4, which is not supported"):
        VK(TOKEN, proxy=f"{scheme}://localhost:1080")


def test_a_login_that_would_be_read_as_a_host_is_refused_with_what_to_do() -> None:
    what_to_do = r'percent-encode "/", "\?", "#" and "@"$'
    with pytest.raises(ValueError, match=what_to_do) as caught:
        VK(TOKEN, proxy="http://user:12#PASSWORD@proxy.example:3128")
    assert "PASSWORD" not in str(caught.value)


@pytest.mark.parametrize("proxy", [b"http://user:PASSWORD@localhost", 3128])
def test_a_proxy_is_text(proxy: Any) -> None:
    with pytest.raises(TypeError, match="proxy must be") as caught:
        VK(TOKEN, proxy=proxy)
    assert "PASSWORD" not in str(caught.value)
    assert type(proxy).__name__ in str(caught.value)


def test_the_password_of_a_proxy_is_in_no_repr() -> None:
    config = Config(TOKEN, proxy="http://user:PASSWORD@localhost:3128")
    assert "PASSWORD" not in repr(config)


def test_the_password_in_a_base_url_is_not_repeated() -> None:
    with pytest.raises(ValueError, match="base_url") as caught:
        Config(TOKEN, base_url="https://user:PASSWORD@localhost/method")
    assert "PASSWORD" not in str(caught.value)


@pytest.mark.parametrize("scheme", ["socks5", "socks5h", "SOCKS5"])
def test_a_socks_proxy_without_its_package_says_what_to_install(
    scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    find_spec = importlib.util.find_spec

    def without_socksio(name: str) -> Any:
        return None if name == "socksio" else find_spec(name)

    monkeypatch.setattr(vkanyio._option_validators, "find_spec", without_socksio)
    with pytest.raises(ValueError, match=re.escape("pip install '.[socks]'")) as caught:
        VK(TOKEN, proxy=f"{scheme}://user:PASSWORD@localhost")
    assert "PASSWORD" not in str(caught.value)
    VK(TOKEN, proxy="http://localhost:3128")  # which needs no package


# Addresses in general

starts = st.sampled_from(
    ["https://", "http://", "socks5://", "http://u:p@", "http://[", "https://a"]
)
ends = st.sampled_from(["", "/", "/x", ":80/", ":99999", ":", "]/", "/\n"])
addresses = st.builds(lambda *parts: "".join(parts), starts, st.text(max_size=10), ends)


@given(addresses)
@example("http://\xd7")
@example("http://a..b")
@example("http://user:password@localhost:3128/")
@example("https://\u043f\u0440\u0438\u043c\u0435\u0440.\u0440\u0444")
@example("https://[fe80::1%eth0]:80/")
def test_httpx_takes_every_address_that_is_accepted(address: str) -> None:
    with contextlib.suppress(ValueError):
        url = httpx.URL(Config(TOKEN, base_url=address, allow_insecure=True).base_url)
        found = parse_address(address)
        assert found is not None
        assert url.raw_host == found.host.encode("ascii")
        assert url.raw_path == (found.path or "/").encode("ascii") or ".." in address
    with contextlib.suppress(ValueError):
        proxy = Config(TOKEN, proxy=address).proxy
        assert proxy is not None
        httpx.Proxy(proxy)


@pytest.mark.parametrize("name", ["base_url", "proxy"])
def test_an_address_that_is_too_long_for_httpx_is_refused(name: str) -> None:
    start = "http://localhost/"
    VK(TOKEN, **{name: start + "x" * (2**16 - len(start))})  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=f"{name} must be") as caught:
        VK(TOKEN, **{name: start + "x" * 2**16})  # type: ignore[arg-type]
    assert len(str(caught.value)) < 1000


# Plain HTTP

LOOPBACK = [
    *("localhost", "LOCALHOST", "vk.localhost", "localhost.", "127.0.0.1"),
    *("127.255.0.9", "[::1]", "[0:0::1]", "[::ffff:127.0.0.1]"),
]
REMOTE = [
    *("vk.invalid", "api.vk.ru", "10.0.0.1", "0.0.0.0", "[::]", "[fe80::1%lo]"),
    *("[::ffff:8.8.8.8]", "localhost.example", "notlocalhost", "127.0.0.1.example"),
]


@pytest.mark.parametrize("host", LOOPBACK)
def test_plain_http_to_this_machine_is_allowed(host: str) -> None:
    Config(TOKEN, base_url=f"http://{host}:8000/method")


@pytest.mark.parametrize("client", [None, Recorder()], ids=["own", "the user's"])
@pytest.mark.parametrize("host", REMOTE)
def test_plain_http_to_another_machine_must_be_allowed(host: str, client: Any) -> None:
    url = f"http://{host}:443/method"
    with pytest.raises(ValueError, match=r"base_url .*unencrypted.*allow_insecure=Tr"):
        VK(TOKEN, base_url=url, http_client=client)
    VK(TOKEN, base_url=url, http_client=client, allow_insecure=True)
    VK(TOKEN, base_url=url.replace("http:", "https:"), http_client=client)
