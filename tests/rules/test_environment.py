"""Which proxy the environment asks for."""

from __future__ import annotations

import ipaddress
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vkanyio._environment import environment_proxy

HTTPS = "https://api.vk.ru/method"
HTTP = "http://localhost:8000/method"
A, B = "http://a:3128", "http://b:3128"


@pytest.mark.parametrize(
    ("url", "variables", "proxy"),
    [
        (HTTPS, {}, None),
        (HTTPS, {"HTTPS_PROXY": A}, A),
        (HTTPS, {"https_proxy": A}, A),
        (HTTPS, {"https_proxy": A, "HTTPS_PROXY": B}, A),
        (HTTPS, {"HTTP_PROXY": A}, None),
        (HTTPS, {"ALL_PROXY": A}, A),
        (HTTPS, {"all_proxy": A, "ALL_PROXY": B}, A),
        (HTTPS, {"ALL_PROXY": A, "HTTPS_PROXY": B}, B),
        (HTTP, {"HTTP_PROXY": A, "HTTPS_PROXY": B}, A),
        (HTTP, {"http_proxy": A}, A),
        (HTTP, {"ALL_PROXY": A}, A),
        # Empty is none.
        (HTTPS, {"https_proxy": "", "HTTPS_PROXY": B}, None),
        (HTTPS, {"HTTPS_PROXY": " ", "ALL_PROXY": B}, B),
        (HTTPS, {"all_proxy": "", "ALL_PROXY": B}, None),
        # Blanks, and addresses without a scheme.
        (HTTPS, {"HTTPS_PROXY": f" {A}\t\n"}, A),
        (HTTPS, {"HTTPS_PROXY": "a:3128 "}, A),
        (HTTPS, {"ALL_PROXY": "socks://a:1080/"}, "socks://a:1080/"),
        (HTTPS, {"ALL_PROXY": " socks5h://u:p@a:1080"}, "socks5h://u:p@a:1080"),
        # A request to a CGI program can set HTTP_PROXY, and no other.
        (HTTP, {"HTTP_PROXY": A, "REQUEST_METHOD": "GET"}, None),
        (HTTP, {"HTTP_PROXY": A, "REQUEST_METHOD": "GET", "ALL_PROXY": B}, B),
        (HTTP, {"http_proxy": A, "REQUEST_METHOD": "GET"}, A),
        (HTTPS, {"HTTPS_PROXY": A, "REQUEST_METHOD": "GET"}, A),
    ],
)
def test_the_variables_that_decide(
    url: str, variables: dict[str, str], proxy: str | None
) -> None:
    assert environment_proxy(url, variables) == proxy


@pytest.mark.parametrize(
    ("url", "no_proxy"),
    [
        (HTTPS, "*"),
        (HTTPS, "localhost, *"),
        (HTTPS, "*:443"),
        (HTTPS, "api.vk.ru"),
        (HTTPS, "API.VK.RU."),
        (HTTPS, "vk.ru"),
        (HTTPS, ".vk.ru"),
        (HTTPS, "*.vk.ru"),
        (HTTPS, ".api.vk.ru"),
        (HTTPS, "localhost,127.0.0.1,vk.ru"),
        (HTTPS, "localhost vk.ru"),
        (HTTPS, " localhost ,, \tvk.ru "),
        (HTTPS, "vk.ru:443"),
        (HTTPS, ".vk.ru:443"),
        ("https://api.vk.ru./method", "vk.ru"),
        ("https://api.vk.ru:8443/method", "vk.ru:8443"),
        ("https://пример.рф/method", "рф"),
        ("https://пример.рф/method", "xn--e1afmkfd.xn--p1ai"),
        ("https://10.1.2.3", "10.1.2.3"),
        ("https://10.1.2.3", "10.1.2.3:443"),
        ("https://10.1.2.3", "10.0.0.0/8"),
        ("https://10.1.2.3", "10.9.9.9/8"),
        ("https://10.1.2.3", "0.0.0.0/0"),
        ("https://[::1]", "::1"),
        ("https://[::1]", "[::1]"),
        ("https://[::1]", "[::1]:443"),
        ("https://[::1]", "0:0:0:0:0:0:0:1"),
        ("https://[::1]", "::1/128"),
        ("https://[::1]", "[::1]/128"),
        ("https://[fd00::5]", "fd00::/8"),
        ("https://[fe80::1%eth0]", "fe80::1"),
        (HTTP, "localhost:8000"),
    ],
)
def test_an_address_that_is_excluded(url: str, no_proxy: str) -> None:
    variables = {"ALL_PROXY": A, "NO_PROXY": no_proxy}
    assert environment_proxy(url, variables) is None
    assert environment_proxy(url, {"ALL_PROXY": A, "no_proxy": no_proxy}) is None
    # Lower case comes first here, too.
    assert environment_proxy(url, {**variables, "no_proxy": ""}) == A


@pytest.mark.parametrize(
    ("url", "no_proxy"),
    [
        (HTTPS, ""),
        (HTTPS, " , "),
        (HTTPS, "."),
        (HTTPS, "[]"),
        (HTTPS, ":443"),
        (HTTPS, "k.ru"),
        (HTTPS, "api.vk"),
        (HTTPS, "*api.vk.ru"),
        (HTTPS, "www.api.vk.ru"),
        (HTTPS, "vk.ru:80"),
        (HTTPS, "vk.ru:https"),
        (HTTPS, "10.0.0.0/8"),
        (HTTPS, "::/0"),
        ("https://10.1.2.3", "10.1.2.4"),
        ("https://10.1.2.3", "1.2.3"),
        ("https://10.1.2.3", "2.3"),
        ("https://10.1.2.3", "11.0.0.0/8"),
        ("https://10.1.2.3", "10.1.2.3/99"),
        ("https://10.1.2.3", "::/0"),
        ("https://[::1]", "::2"),
        ("https://[::1]", "[::1]:80"),
        ("https://[::1]", "[::1"),
        ("https://[::1]", "0.0.0.0/0"),
        (HTTP, "localhost:80"),
    ],
)
def test_an_address_that_is_not_excluded(url: str, no_proxy: str) -> None:
    assert environment_proxy(url, {"ALL_PROXY": A, "NO_PROXY": no_proxy}) == A


@pytest.mark.parametrize("name", ["https_proxy", "HTTPS_PROXY", "all_proxy"])
@pytest.mark.parametrize(
    "value",
    [
        "ftp://u:PASSWORD@a:1",
        "socks4://u:PASSWORD@a",
        "http://u:PASSWORD@a:port",
        "http://u:PASS WORD@a:1",
        "u:PASSWORD@a:99999",
    ],
)
def test_a_wrong_proxy_is_named_by_its_variable(name: str, value: str) -> None:
    start = re.escape(f"{name} in the environment must be a URL")
    with pytest.raises(ValueError, match=f"^{start}") as caught:
        environment_proxy(HTTPS, {name: value})
    assert "WORD" not in str(caught.value)
    # It does not matter where it is not used.
    assert environment_proxy(HTTPS, {name: value, "no_proxy": "vk.ru"}) is None


@given(st.text(max_size=30))
def test_any_exclusions_can_be_read(no_proxy: str) -> None:
    for url in (HTTPS, HTTP, "https://[::1]:80", "https://10.1.2.3"):
        variables = {"ALL_PROXY": A, "NO_PROXY": no_proxy}
        assert environment_proxy(url, variables) in (A, None)


addresses = st.ip_addresses()


@given(addresses, addresses, st.integers(0, 32), st.sampled_from(["{}", "[{}]"]))
def test_a_range_excludes_the_addresses_in_it(
    one: ipaddress.IPv4Address | ipaddress.IPv6Address,
    other: ipaddress.IPv4Address | ipaddress.IPv6Address,
    bits: int,
    brackets: str,
) -> None:
    host = f"[{other}]" if other.version == 6 else str(other)
    shown = brackets.format(one) if one.version == 6 else str(one)
    network = ipaddress.ip_network(f"{one}/{bits}", strict=False)
    found = environment_proxy(
        f"https://{host}/", {"ALL_PROXY": A, "NO_PROXY": f"{shown}/{bits}"}
    )
    assert found == (None if other in network else A)


labels = st.text("abz09-", min_size=1, max_size=5).map(lambda text: f"x{text}")
names = st.lists(labels, min_size=1, max_size=4).map(".".join)


@given(names, names, st.sampled_from(["", ".", "*."]), st.sampled_from(["", "."]))
def test_a_name_excludes_itself_and_its_subdomains(
    domain: str, name: str, before: str, after: str
) -> None:
    variables = {"ALL_PROXY": A, "NO_PROXY": f"{before}{domain}{after}"}
    assert environment_proxy(f"https://{domain}", variables) is None
    assert environment_proxy(f"https://{name}.{domain}", variables) is None
    assert environment_proxy(f"https://x{domain}", variables) == A
    assert environment_proxy(f"https://{domain}.{name}.zz", variables) == A
