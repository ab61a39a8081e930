"""Error reporters show the local variables of every frame: none of them is a secret.

The frames of the library are searched, and those that attrs generates for it.
"""

from __future__ import annotations

import itertools
import traceback
from base64 import b64encode
from typing import TYPE_CHECKING, Any, cast
from unittest.mock import Mock

import anyio
import attrs
import pytest

import vkanyio
from _helpers import LIBRARY
from _sockets import always_succeed, listening
from vkanyio import (
    VK,
    APIRequest,
    Captcha,
    ClientClosedError,
    ClientCrashedError,
    Config,
    Confirmation,
    Limiter,
    Validation,
    VKError,
)
from vkanyio._engine import _sender
from vkanyio._engine._connection import Proxy
from vkanyio._engine._network import Network, NetworkStream
from vkanyio._engine._transport import Transport
from vkanyio._environment import environment_proxy
from vkanyio._masking import Secrets, mask
from vkanyio.testing import Simulator, faults

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

TOKEN = "vk1.a.the-secret-token"
SECRET = "a-secret-of-the-caller"
PROXY = f"http://user:{SECRET}@proxy.test:3128"


def chain(error: BaseException | None) -> list[BaseException]:
    """Return an error, its causes, its contexts and the members of groups."""
    found: list[BaseException] = []
    todo = [error]
    while todo:
        one = todo.pop()
        if one is not None and one not in found:
            found.append(one)
            todo += [one.__cause__, one.__context__]
            todo += one.exceptions if isinstance(one, BaseExceptionGroup) else []
    return found


def frames_of(
    error: BaseException, also: str = "attrs generated"
) -> list[tuple[str, dict[str, str]]]:
    """Return the functions of the library's frames, with their local variables.

    :param also: a part of the names of other files
    """
    found: list[tuple[str, dict[str, str]]] = []
    for one in chain(error):
        shown = traceback.TracebackException.from_exception(one, capture_locals=True)
        found += [
            (frame.name, frame.locals or {})
            for frame in shown.stack
            if frame.filename.startswith(LIBRARY) or also in frame.filename
        ]
    return found


def assert_hidden(
    error: BaseException, *secrets: str, also: str = "attrs generated"
) -> dict[str, dict[str, str]]:
    frames = frames_of(error, also)
    assert frames
    for function, values in frames:
        for name, value in values.items():
            for secret in (TOKEN, SECRET, *secrets):
                assert secret not in value, f"{name} of {function}"
    for one in chain(error):
        assert SECRET not in f"{one} {one!r} {vars(one)}"
    return dict(frames)


BAD_OPTIONS: dict[str, dict[str, Any]] = {
    "another option": {"proxy": PROXY, "headers": {"x-key": SECRET}, "limit": 0},
    "a proxy of no scheme": {"proxy": PROXY.removeprefix("http://")},
    "a proxy as bytes": {"proxy": PROXY.encode()},
    "a proxy as an object": {"proxy": [PROXY]},
    "a proxy and a client": {"proxy": PROXY, "http_client": Simulator().http_client()},
    "an unknown option": {"proxi": PROXY},
    "a header with a line break": {"headers": {"x-key": f"{SECRET}\n"}},
    "a header as bytes": {"headers": {"x-key": SECRET.encode()}},
    "headers as a list": {"headers": [("x-key", SECRET)]},
    "a login in base_url": {"base_url": f"https://u:{SECRET}@api.vk.ru/method"},
}


@pytest.mark.parametrize(
    "make",
    [VK, Config, lambda token, **options: Config.from_options(token, options)],
    ids=["VK", "Config", "from_options"],
)
@pytest.mark.parametrize("options", BAD_OPTIONS.values(), ids=BAD_OPTIONS)
def test_a_wrong_option_reveals_no_other(
    make: Callable[..., Any], options: dict[str, Any]
) -> None:
    with pytest.raises((TypeError, ValueError)) as caught:
        make(TOKEN, **options)
    assert_hidden(caught.value)


@pytest.mark.parametrize("make", [VK, Config])
@pytest.mark.parametrize(
    "token", [f"{TOKEN}\n", TOKEN.encode(), [TOKEN], {"token": TOKEN}]
)
def test_a_wrong_token_is_in_no_local_variable(make: Any, token: Any) -> None:
    with pytest.raises((TypeError, ValueError), match="token must be") as caught:
        make(token)
    assert_hidden(caught.value)
    assert type(token).__name__ in str(caught.value) or isinstance(token, str)


def test_a_token_in_place_of_a_configuration_is_in_no_local_variable() -> None:
    wrong: Any = TOKEN
    with pytest.raises(TypeError, match="got str") as caught:
        VK.from_config(wrong)
    assert_hidden(caught.value)


def test_a_change_of_a_configuration_reveals_nothing() -> None:
    config = Config(TOKEN, proxy=PROXY)
    with pytest.raises(ValueError, match="limit") as caught:
        attrs.evolve(config, limit=0)
    assert_hidden(caught.value)


def test_a_proxy_of_the_environment_is_in_no_local_variable() -> None:
    for proxy in (f"ftp://u:{SECRET}@host", f"u:{SECRET}@host:x"):
        with pytest.raises(ValueError, match="https_proxy") as caught:
            environment_proxy("https://api.vk.ru/method", {"https_proxy": proxy})
        assert_hidden(caught.value)


def test_the_address_of_a_proxy_is_in_no_local_variable() -> None:
    with pytest.raises(AssertionError) as caught:  # the options refuse it before
        Proxy(mask(f"http://user:{SECRET}@a..b:3128"))
    assert "Proxy" in assert_hidden(caught.value)["__init__"]["self"]


class Wrapped:
    def to_vk(self) -> list[Any]:
        return [SECRET, object()]


BAD_PARAMS: dict[str, Any] = {
    "another parameter": {"access_token": TOKEN, "password": SECRET, "x": object()},
    "a token with a space": {"access_token": f"{SECRET} "},
    "a token as bytes": {"access_token": SECRET.encode()},
    "a lone surrogate": {"password": f"{SECRET}\ud800"},
    "a list": {"password": [SECRET, object()]},
    "a mapping": {"password": {"a": SECRET, "b": object()}},
    "an object": {"password": Wrapped()},
    "no mapping": [("password", SECRET)],
    "a whole form": f"password={SECRET}",
}


async def read_one(api: VK, *calls: Any, **how: Any) -> None:
    """Raise the error of a stream, or of its first call."""

    def source() -> Iterator[Any]:
        yield from calls
        raise LookupError

    async with api.stream(source() if len(calls) > 1 else calls, **how) as settled:
        async for call in settled:
            call.result()


@pytest.mark.anyio
async def test_a_stream_that_ends_early_reveals_no_secret(
    make_client: Callable[..., VK],
) -> None:
    elements = [("users.get", {"user_ids": 1, "password": SECRET})] * 2
    client = make_client()
    with pytest.raises(ValueError, match="max_pending") as caught:
        client.stream(elements, max_pending=0)
    assert_hidden(caught.value)
    with pytest.raises(TypeError, match="return_exceptions") as refused:
        await client.gather(elements, return_exceptions=cast("Any", 1))
    assert_hidden(refused.value)
    async with client as api:
        with pytest.raises(LookupError) as ended:
            await read_one(api, *elements, ordered=True)
        assert_hidden(ended.value)


@pytest.mark.anyio
async def test_a_stream_of_a_client_that_closes_reveals_no_secret(
    make_client: Callable[..., VK],
) -> None:
    elements = itertools.repeat(("users.get", {"user_ids": 1, "password": SECRET}))

    async def read(api: VK) -> None:
        with pytest.raises(ClientClosedError) as caught:  # noqa: PT012 - at the end
            async with api.stream(elements, max_pending=1) as settled:
                async for _ in settled:
                    await anyio.sleep(1)
        assert_hidden(caught.value)

    async with anyio.create_task_group() as tasks, make_client() as api:
        tasks.start_soon(read, api)
        await anyio.sleep(1.5)


@pytest.mark.anyio
@pytest.mark.parametrize("params", BAD_PARAMS.values(), ids=BAD_PARAMS)
async def test_a_refused_parameter_reveals_no_secret(
    make_client: Callable[..., VK], params: Any
) -> None:
    async with make_client() as api:
        makes: list[Callable[[], Awaitable[Any]]] = [
            lambda: api.call_with_request(APIRequest("users.get", params)),
            lambda: api.call("users.get", params),
            lambda: api.gather([("users.get", params)]),
            lambda: read_one(api, ("users.get", params)),
        ]
        if isinstance(params, dict):
            makes += [
                lambda: api.execute("return 1;", **params),
                lambda: api.procedure("name", **params),
            ]
        for make in makes:
            with pytest.raises((TypeError, ValueError)) as caught:
                await make()
            assert_hidden(caught.value)


@pytest.mark.anyio
async def test_the_type_of_a_secret_is_named(make_client: Callable[..., VK]) -> None:
    for params, text in (
        ([("password", SECRET)], "params must be a dict of parameters, got list"),
        ({"password": SECRET.encode()}, "with to_vk\\(\\), got bytes"),
        ({"password": [SECRET, object()]}, "password\\[1\\] .* got object"),
        ({"access_token": 5}, "access_token must be .* got int"),
    ):
        wrong: Any = params
        with pytest.raises(TypeError, match=text):
            APIRequest("users.get", wrong)


def test_a_refused_header_of_a_call_is_in_no_local_variable() -> None:
    for value in (f"{SECRET}\n", SECRET.encode()):
        wrong: Any = {"x-key": value}
        with pytest.raises((TypeError, ValueError), match="headers") as caught:
            APIRequest("users.get", {"password": SECRET}, headers=wrong)
        frames = assert_hidden(caught.value)
        assert frames["__init__"]["self"] == "<APIRequest, not complete>"


@pytest.mark.anyio
async def test_a_call_that_fails_reveals_no_secret(
    simulator: Simulator, make_client: Callable[..., VK]
) -> None:
    simulator.fault(faults.error(100), rate=1)
    async with make_client() as api:
        for call in (
            lambda: api.account.changePassword(
                new_password=SECRET, old_password=SECRET
            ),
            lambda: api.call("users.get", {"access_token": SECRET}),
            lambda: api.execute("return 1;", password=SECRET),
            lambda: api.procedure("name", password=SECRET),
            lambda: api.call_with_request(
                APIRequest("users.get", {"password": SECRET}, headers={"k": SECRET})
            ),
        ):
            with pytest.raises(VKError) as caught:
                await call()
            assert_hidden(caught.value)


@pytest.mark.anyio
async def test_an_answer_to_a_captcha_is_in_no_local_variable(
    simulator: Simulator, make_client: Callable[..., VK]
) -> None:
    seen: list[BaseException] = []

    async def solve(captcha: Captcha) -> None:
        wrong: Any = [SECRET]
        for answer in (wrong, SECRET, SECRET):
            try:
                await captcha.retry(answer, cookie=SECRET)
            except (TypeError, VKError) as error:
                seen.append(error)
        raise seen[-1]

    simulator.fault(faults.captcha(), rate=1)
    async with make_client(on_captcha=solve) as api:
        with pytest.raises(VKError) as caught:
            await api.call("users.get")
    assert [type(error).__name__ for error in seen[:3]] == [
        "TypeError",
        "CaptchaError",
        "CaptchaError",
    ]
    assert "got list" in str(seen[0])
    for error in (*seen, caught.value):
        assert_hidden(error)


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
@pytest.mark.usefixtures("no_proxy_of_the_environment")
@pytest.mark.parametrize("place", ["reading", "connecting"])
async def test_a_crash_inside_reveals_no_secret(
    monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    def crash(*args: object) -> Any:
        errors = [arg for arg in args if isinstance(arg, Exception)]
        raise RuntimeError("a bug") from next(iter(errors), None)

    if place == "reading":
        monkeypatch.setattr(_sender, "read_response", crash)
    else:
        monkeypatch.setattr(Transport, "_failure", crash)
        monkeypatch.setattr(Network, "note_write", crash)
    params = {"password": SECRET, "access_token": TOKEN}
    with anyio.fail_after(10):
        async with listening(always_succeed) as base_url:
            with pytest.raises(ClientCrashedError) as caught:
                async with VK(
                    TOKEN, base_url=base_url, headers={"x-key": SECRET}
                ) as api:
                    await api.call("account.changePassword", params)
    frames = assert_hidden(caught.value)
    # By name, so that a frame that is renamed is not forgotten.
    expected = {"send": {"body", "headers"}}
    if place == "connecting":
        expected["_flush"] = {"data"}
        expected["exchange"] = {"body", "headers"}
    for function, names in expected.items():
        assert names <= frames[function].keys()


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
@pytest.mark.parametrize("base_url", ["http://vk.invalid", "https://vk.invalid"])
async def test_a_login_of_a_proxy_is_in_no_local_variable_of_httpcore(
    monkeypatch: pytest.MonkeyPatch, base_url: str
) -> None:
    def crash(*args: object) -> Any:
        errors = [arg for arg in args if isinstance(arg, Exception)]
        raise RuntimeError("a bug") from next(iter(errors), None)

    monkeypatch.setattr(Transport, "_failure", crash)
    monkeypatch.setattr(Network, "note_write", crash)
    login = b64encode(f"user:{SECRET}".encode()).decode()
    async with listening(always_succeed) as address:
        proxy = address.replace("//", f"//user:{SECRET}@")
        with pytest.raises(ClientCrashedError) as caught:
            async with VK(
                TOKEN, base_url=base_url, proxy=proxy, allow_insecure=True
            ) as api:
                await api.call("users.get")
    frames = assert_hidden(caught.value, login, also="httpcore")
    name = "connect_headers" if base_url.startswith("https") else "headers"
    assert "'Proxy-Authorization', b'***'" in str(
        [values.get(name) for _, values in frames_of(caught.value, "http_proxy")]
    )
    assert "handle_async_request" in frames


@pytest.mark.anyio
async def test_what_a_connection_writes_is_in_no_local_variable() -> None:
    class Broken(Network):  # type: ignore[misc]
        def note_write(self) -> None:
            raise RuntimeError

    stream = NetworkStream(Mock(), Broken())
    with pytest.raises(RuntimeError) as caught:
        await stream.write(TOKEN.encode() * 10_000)
    frames = assert_hidden(caught.value)
    assert "buffer" not in frames["write"]


# Whatever is half-made has a repr


@pytest.mark.parametrize(
    "cls",
    [
        APIRequest,
        Captcha,
        Config,
        Confirmation,
        Limiter,
        Proxy,
        Secrets,
        VK,
        Validation,
        vkanyio.ExecuteError,
        type(VK(TOKEN).users),
    ],
)
def test_a_half_made_object_has_a_repr(cls: Any) -> None:
    assert cls.__name__ in repr(cls.__new__(cls)) or cls.__name__ == "Users"


@pytest.mark.parametrize(
    "make",
    [
        lambda: APIRequest("users.get", {"a": object()}),
        lambda: Config(TOKEN, limit=0),
        lambda: VK(TOKEN, limit=0),
        lambda: Limiter(0),
    ],
)
def test_the_frames_of_a_failing_constructor_can_be_shown(
    make: Callable[[], object],
) -> None:
    with pytest.raises((TypeError, ValueError)) as caught:
        make()
    frames = frames_of(caught.value)
    selves = [values["self"] for _, values in frames if "self" in values]
    assert not any("Error" in shown for shown in selves)
    assert selves
