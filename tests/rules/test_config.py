"""The options of a client."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from unittest.mock import Mock

import attrs
import httpx
import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from _helpers import Recorder
from vkanyio import VK, APIRequest, Config, Limiter
from vkanyio._config import Options
from vkanyio._method_facts import NOT_FOR_EXECUTE

if TYPE_CHECKING:
    from collections.abc import Callable

TOKEN = "vk1.a.the-secret-token"


def defaults() -> dict[str, Any]:
    config = Config(TOKEN)
    return {field.name: getattr(config, field.name) for field in attrs.fields(Config)}


def test_the_defaults_are_as_documented() -> None:
    assert defaults() == {
        "token": TOKEN,
        "limit": 3,
        "wait": 3.0,
        "mode": "sequential",
        "request_mode": "sequential",
        "execute_count": 25,
        "execute_methods": ("messages.send",),
        "execute_unsupported_methods": NOT_FOR_EXECUTE,
        "retry_limit": 3,
        "retry_unsafe": False,
        "timeout": 10.0,
        "version": "5.199",
        "base_url": "https://api.vk.ru/method",
        "allow_insecure": False,
        "headers": {},
        "language": None,
        "proxy": None,
        "http_client": None,
        "limiter": None,
        "max_waiting": 1000,
        "max_connections": 100,
        "max_answer": 16 * 2**20,
        "on_captcha": None,
        "on_validation": None,
        "on_confirmation": None,
        "on_event": None,
    }


def test_the_methods_that_are_never_packed_are_the_twelve_that_save() -> None:
    assert len(set(NOT_FOR_EXECUTE)) == len(NOT_FOR_EXECUTE) == 12


def test_type_checkers_know_every_option_and_no_other() -> None:
    fields = {field.name for field in attrs.fields(Config)}
    assert set(Options.__annotations__) == fields - {"token"}
    assert not Options.__required_keys__


async def handler(question: Any) -> Any:
    """An HTTP client that never responds."""


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("limit", 1),
        ("limit", 20),
        ("wait", 0),
        ("wait", 0.5),
        ("mode", "sequential"),
        ("request_mode", "burst"),
        ("execute_count", 1),
        ("execute_methods", ()),
        ("retry_limit", 0),
        ("retry_unsafe", True),
        ("timeout", 1),
        ("version", "5.131"),
        ("base_url", "http://localhost:8080/method/"),
        ("base_url", "http://[::1]:8080"),
        ("base_url", "http://localhost:1"),
        ("base_url", "http://localhost:65535"),
        ("base_url", "https://api_gateway.example.:8443/vk%20api/method"),
        (
            "base_url",
            "https://\u043f\u0440\u0438\u043c\u0435\u0440.\u0440\u0444/method",
        ),
        ("allow_insecure", True),
        ("headers", {"User-Agent": "me", "X-Empty": ""}),
        ("language", "uk"),
        ("proxy", "http://user:password@localhost:3128"),
        ("proxy", "socks5://localhost:1080"),
        ("proxy", "socks5h://localhost"),
        ("proxy", "socks://localhost:1080/"),
        ("proxy", "HTTP://localhost:3128/a/path"),
        ("http_client", None),
        ("limiter", Limiter(20, request_mode="burst")),
        ("max_waiting", 1),
        ("max_connections", 1),
        ("on_captcha", handler),
        ("on_validation", handler),
        ("on_confirmation", handler),
        ("on_event", print),
        ("on_event", None),
    ],
)
def test_allowed_values_are_accepted_unchanged(name: str, value: Any) -> None:
    options: dict[str, Any] = {name: value}
    assert getattr(Config(TOKEN, **options), name) == value
    assert getattr(VK(TOKEN, **options).config, name) == value


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("limit", "3", "whole number"),
        ("limit", 3.0, "whole number"),
        ("limit", True, "whole number"),
        ("limit", None, "whole number"),
        ("wait", "3", "seconds"),
        ("wait", True, "seconds"),
        ("wait", None, "seconds"),
        ("mode", None, "sequential"),
        ("mode", ["parallel"], "sequential"),
        ("request_mode", 1, "burst"),
        ("request_mode", None, "burst"),
        ("execute_count", 2.5, "from 1 to 25"),
        ("execute_methods", "messages.send", "method names"),
        ("execute_methods", None, "method names"),
        ("execute_methods", 5, "method names"),
        ("execute_methods", [5], "users.get"),
        ("execute_unsupported_methods", "docs.save", "method names"),
        ("retry_limit", 1.0, "whole number"),
        ("retry_limit", False, "whole number"),
        ("retry_unsafe", 1, "True or False"),
        ("retry_unsafe", "yes", "True or False"),
        ("allow_insecure", 1, "True or False"),
        ("timeout", "10", "seconds"),
        ("timeout", None, "seconds"),
        ("version", 5.199, "5.199"),
        ("version", None, "5.199"),
        ("base_url", b"https://api.vk.ru", "https://api.vk.ru/method"),
        ("base_url", None, "https://api.vk.ru/method"),
        ("language", 0, '"ru"'),
        ("http_client", object(), "httpx.AsyncClient"),
        ("http_client", "client", "httpx.AsyncClient"),
        ("limiter", 3, "vkanyio.Limiter"),
        ("limiter", Limiter, "vkanyio.Limiter"),
        ("limiter", Mock(), "a vkanyio.Limiter or a vkanyio.redis.RedisLimiter"),
        ("max_waiting", 1.5, "whole number"),
        ("max_connections", "10", "whole number"),
        ("on_captcha", "solve", "async function"),
        ("on_event", "print", "function that is not async"),
        ("on_event", handler, "function that is not async"),
        ("on_validation", 1, "async function"),
        ("on_confirmation", True, "async function"),
    ],
)
def test_a_value_of_another_type_is_refused_with_what_is_allowed(
    name: str, value: Any, allowed: str
) -> None:
    with pytest.raises(TypeError) as caught:
        VK(TOKEN, **{name: value})
    message = str(caught.value)
    assert message.startswith(name)
    assert allowed in message
    shown = value[0] if isinstance(value, list) and value == [5] else value
    assert f"got {shown!r}" in message


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("limit", 0, "from 1 to"),
        ("limit", -1, "from 1 to"),
        ("wait", -0.1, "at least 0"),
        ("wait", float("nan"), "at least 0"),
        ("wait", float("inf"), "at least 0"),
        pytest.param("wait", 10**400, "at least 0", id="wait-huge"),
        ("mode", "paralel", '"parallel"'),
        ("request_mode", "Burst", '"burst"'),
        ("execute_count", 0, "from 1 to 25"),
        ("execute_count", 26, "from 1 to 25"),
        ("execute_methods", ["users.get", "wall post"], "users.get"),
        ("execute_unsupported_methods", [""], "users.get"),
        ("retry_limit", -1, "at least 0"),
        ("timeout", 0, "above 0"),
        ("timeout", -1, "above 0"),
        ("timeout", float("inf"), "above 0"),
        pytest.param("timeout", 10**400, "above 0", id="timeout-huge"),
        ("version", "5", "5.199"),
        ("version", "v5.199", "5.199"),
        ("version", "5.199\n", "5.199"),
        ("version", "\u0665.199", "5.199"),
        ("base_url", "", "https://"),
        ("base_url", "api.vk.ru/method", "https://"),
        ("base_url", "ftp://api.vk.ru", "https://"),
        ("base_url", "https://", "https://"),
        ("base_url", "https://api.vk.ru/method?v=5", "https://"),
        ("base_url", "https://api.vk.ru/method#here", "https://"),
        ("base_url", "https://api.vk.ru/me thod", "https://"),
        ("base_url", "https://api.vk.ru/method\n", "https://"),
        ("base_url", "https://api\x00.vk.ru/method", "https://"),
        ("base_url", "https://api\u2003.vk.ru/method", "https://"),
        ("base_url", "https://\xd7/method", "https://"),
        ("base_url", "https://api.vk.ru:port/method", "https://"),
        ("base_url", "https://api.vk.ru:0/method", "https://"),
        ("base_url", "https://api.vk.ru:65536/method", "https://"),
        ("base_url", "https://[::1/method", "https://"),
        ("base_url", "https://[::g]/method", "https://"),
        ("base_url", "https://[v1.a]/method", "https://"),
        ("base_url", "https://junk[::1]/method", "https://"),
        ("base_url", "https://::1/method", "https://"),
        ("base_url", "https://127.0.0.256/method", "https://"),
        ("base_url", "https://127.1/method", "https://"),
        ("base_url", "https://0x7f000001/method", "https://"),
        ("base_url", "https://a..b/method", "https://"),
        ("base_url", "https://.a/method", "https://"),
        ("base_url", f"https://{'a' * 64}/method", "https://"),
        ("base_url", f"https://{'a.' * 127}a/method", "https://"),
        ("base_url", "https://a<b/method", "https://"),
        ("base_url", "https://a%2eb/method", "https://"),
        ("base_url", "https://a\\b/method", "https://"),
        ("base_url", "https://api.vk.ru/m\xe9thod", "https://"),
        ("base_url", "https://api.vk.ru/%zz", "https://"),
        ("base_url", "https://api.vk.ru:+80/method", "https://"),
        ("base_url", "https://api.vk.ru:\u0668\u0660/method", "https://"),
        ("base_url", "https://\ud800/method", "https://"),
        ("base_url", "socks5://api.vk.ru/method", "https://"),
        ("language", "RU", '"ru"'),
        ("language", "", '"ru"'),
        ("max_waiting", 0, "at least 1"),
        ("max_connections", 0, "at least 1"),
    ],
)
def test_a_value_out_of_bounds_is_refused_with_what_is_allowed(
    name: str, value: Any, allowed: str
) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - matched below
        VK(TOKEN, **{name: value})
    message = str(caught.value)
    assert message.startswith(name)
    assert allowed in message
    shown = value[-1] if isinstance(value, list) else value
    assert f"got {shown!r}" in message


def test_a_limit_of_zero_is_refused_with_what_vk_allows() -> None:
    with pytest.raises(ValueError, match=r"limit .*3 .*20"):
        Config(TOKEN, limit=0)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("limt", "limit"),
        ("time_out", "timeout"),
        ("http_clients", "http_client"),
        # vk-io
        ("apiLimit", "limit"),
        ("apiRequestMode", "request_mode"),
        ("apiExecuteUnsupportedMethods", "execute_unsupported_methods"),
        ("agent", "proxy"),
        ("callbackService", "on_captcha"),
        # vk_api
        ("api_version", "version"),
        ("captcha_handler", "on_captcha"),
        ("auth_handler", "on_validation"),
    ],
)
def test_an_unknown_option_is_refused_with_the_one_probably_meant(
    name: str, meant: str
) -> None:
    with pytest.raises(TypeError, match=rf"{name!r}: did you mean {meant}\?$"):
        VK(TOKEN, **{name: 1})  # type: ignore[arg-type]


def test_an_option_that_resembles_no_other_is_refused_with_a_list_of_all() -> None:
    with pytest.raises(TypeError, match=r"'qqq'.*request_mode") as caught:
        VK(TOKEN, qqq=1)  # type: ignore[call-arg]
    assert TOKEN not in str(caught.value)


@pytest.mark.parametrize("methods", [["a.b", "c.d"], {"a.b"}, frozenset({"a.b"})])
def test_collections_of_methods_are_frozen(methods: Any) -> None:
    config = Config(TOKEN, execute_methods=methods)
    assert isinstance(config.execute_methods, tuple)
    assert set(config.execute_methods) == set(methods)


def test_a_configuration_does_not_change() -> None:
    headers = {"X-A": "1"}
    config = Config(TOKEN, headers=headers)
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        config.limit = 20  # type: ignore[misc]
    with pytest.raises(AttributeError):
        VK(TOKEN).config = config  # type: ignore[misc]
    headers["Authorization"] = "Bearer another"
    assert config.headers == {"X-A": "1"}


def test_a_client_is_made_from_a_configuration() -> None:
    config = Config(TOKEN, limit=20)
    assert VK.from_config(config).config is config
    with pytest.raises(TypeError, match="Config"):
        VK.from_config({"token": TOKEN})  # type: ignore[arg-type]


# The token


def test_the_token_is_in_no_repr() -> None:
    config = Config(TOKEN)
    for shown in (repr(config), str(config), repr(VK(TOKEN)), repr(VK(TOKEN).config)):
        assert TOKEN not in shown


@pytest.mark.parametrize(
    "token",
    [None, 5, b"vk1.a.SECRET", ["vk1.a.SECRET"], {"token": "vk1.a.SECRET"}, object()],
)
def test_a_token_that_is_not_text_is_refused_without_repeating_it(token: Any) -> None:
    with pytest.raises(TypeError, match=r"token must be .* str") as caught:
        VK(token)
    assert "SECRET" not in str(caught.value)
    assert type(token).__name__ in str(caught.value)


@pytest.mark.parametrize(
    "token",
    [
        "",
        " ",
        "vk1.a.SECRET\n",
        "vk1.a. SECRET",
        "vk1.a.SECRET\r\nX-Injected: 1",
        "vk1.a.SECRETé",
        "vk1.a.SECRET\x00",
        "vk1.a.SECRET\x7f",
        "vk1.a.SECRET\ud800",
    ],
)
def test_text_that_is_not_a_token_is_refused_without_repeating_it(token: str) -> None:
    with pytest.raises(ValueError, match="token must be") as caught:
        VK(token)
    assert "SECRET" not in str(caught.value)


AROUND_TOKENS = [
    ("access_token={}", "between"),
    ("https://oauth.vk.com/blank.html#access_token={}&expires_in=0&user_id=1", "betw"),
    ("https://oauth.vk.ru/blank.html#success=1&access_token={}&user_id=1", "between"),
    ("https://example.com/?code={}", "between"),
    ('{{"access_token": "{}", "expires_in": 0}}', "between"),
    ("{}&expires_in=0&user_id=1", "between"),
    ("Bearer {}", "Bearer"),
    (" bearer\t{}", "Bearer"),
    ("'{}'", "quotes"),
    ('"{}"\n', "quotes"),
    ("{}'", "quotes"),
    ("{}\n", "strip"),
    (" {}", "strip"),
    ("{}\r\n", "strip"),
]
"""What is taken for a token, and a word of the advice."""


@pytest.mark.parametrize(("around", "advice"), AROUND_TOKENS)
def test_what_is_copied_with_a_token_is_refused_with_advice(
    around: str, advice: str
) -> None:
    wrong = around.format("vk1.a.SECRET")
    for name, make in (
        ("token", lambda: VK(wrong)),
        ("access_token", lambda: APIRequest("users.get", {"access_token": wrong})),
    ):
        with pytest.raises(ValueError, match=f"^{name} must be .*{advice}") as caught:
            make()
        assert "SECRET" not in str(caught.value)


@pytest.mark.parametrize("token", ["Bearer", "bearer-of-news", "it's", "a=b&c", "a/b"])
def test_nothing_else_is_taken_for_what_is_copied_with_a_token(token: str) -> None:
    assert VK(token).config.token == token


@given(st.sampled_from(sorted(Options.__annotations__)), st.text() | st.integers())
def test_no_message_about_another_option_shows_the_token(name: str, value: Any) -> None:
    message = name
    try:
        VK(TOKEN, **{name: value})
    except (TypeError, ValueError) as error:
        message = str(error)
    assert message.startswith(name)
    assert TOKEN not in message


# HTTP clients


@pytest.mark.parametrize("make", [httpx.AsyncClient, httpx2.AsyncClient, Recorder])
def test_an_asynchronous_http_client_is_accepted(make: Callable[[], Any]) -> None:
    client = make()
    assert Config(TOKEN, http_client=client).http_client is client


LIBRARIES = pytest.mark.parametrize("library", [httpx, httpx2])


@LIBRARIES
@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"auth": ("user", "PASSWORD")}, "auth.*replace the token"),
        ({"params": {"access_token": "PASSWORD"}}, "params.*URL"),
        ({"cookies": {"session": "PASSWORD"}}, "cookies.*headers="),
        ({"headers": {"Cookie": "PASSWORD"}}, "header 'cookie'"),
        ({"headers": {"Host": "PASSWORD"}}, "header 'host'"),
        ({"headers": {"Content-Length": "8"}}, "header 'content-length'"),
        ({"headers": {"Transfer-Encoding": "chunked"}}, "header 'transfer-encoding'"),
    ],
)
def test_an_http_client_that_would_change_each_request_is_refused(
    library: Any, options: dict[str, Any], what: str
) -> None:
    client = library.AsyncClient(**options)
    with pytest.raises(ValueError, match=f"http_client must be .*{what}") as caught:
        VK(TOKEN, http_client=client)
    assert "PASSWORD" not in str(caught.value)


@LIBRARIES
def test_an_http_client_may_keep_the_cookies_that_a_server_has_set(
    library: Any,
) -> None:
    client = library.AsyncClient()
    client.cookies.set("session", "1", domain="api.vk.ru")
    VK(TOKEN, http_client=client)


def test_an_http_client_that_is_no_httpx_is_not_examined() -> None:
    client: Any = Recorder()
    client.auth = client.params = client.cookies = ("user", "password")
    VK(TOKEN, http_client=client)


@pytest.mark.parametrize("make", [httpx.Client, httpx2.Client])
def test_a_synchronous_http_client_is_refused(make: Callable[[], Any]) -> None:
    with make() as client, pytest.raises(TypeError, match="AsyncClient"):
        Config(TOKEN, http_client=client)


def test_the_class_of_an_http_client_is_refused() -> None:
    with pytest.raises(TypeError, match="AsyncClient"):
        Config(TOKEN, http_client=httpx.AsyncClient)  # type: ignore[arg-type]


@pytest.mark.parametrize("client", [Recorder(), httpx.AsyncClient()])
def test_a_proxy_beside_an_http_client_is_refused(client: Any) -> None:
    with pytest.raises(ValueError, match="proxy and http_client"):
        Config(TOKEN, http_client=client, proxy="http://localhost:3128")
