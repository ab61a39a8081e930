"""HTTP clients of the user, whose exceptions never leave vkanyio."""

from __future__ import annotations

import importlib
import re
import traceback
from typing import TYPE_CHECKING, Any, final

import anyio
import httpx
import pytest

from _helpers import POST, READ, Recorder, Reply, both_calls
from _sockets import FINE, collecting, listening, read_request
from vkanyio import (
    VK,
    APIRequest,
    ConnectionFailedError,
    HTTPResponse,
    InvalidResponseError,
    OutcomeUnknownError,
    RequestTimeoutError,
    VKError,
)
from vkanyio.testing import Simulator, faults

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

    from anyio.streams.buffered import BufferedByteStream

    from _helpers import MakeClient

pytestmark = pytest.mark.anyio

TOKEN = "vk1.a.the-secret-token"

real_time = pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])


@pytest.fixture(params=["httpx", "httpx2"])
def library(request: pytest.FixtureRequest) -> ModuleType:
    module: ModuleType = pytest.importorskip(request.param)
    return module


class Raising:
    """An HTTP client that always raises the given exception."""

    def __init__(self, error: Exception) -> None:
        self._error = error
        self.options: dict[str, Any] = {}

    async def post(self, url: str, **options: Any) -> httpx.Response:
        self.options = options
        await anyio.lowlevel.checkpoint()
        raise self._error

    async def aclose(self) -> None:
        raise AssertionError("who brings a client closes it")


async def error_of(api: VK, call: tuple[str, dict[str, Any]]) -> tuple[VKError, int]:
    with pytest.raises(VKError) as caught:
        await api.call(*call)
    return caught.value, api.statistics().sent


NEVER_SENT = ["ConnectError", "ConnectTimeout", "PoolTimeout", "ProxyError"]
PERHAPS_SENT = [
    *("ReadError", "WriteError", "CloseError", "ReadTimeout", "WriteTimeout"),
    *("RemoteProtocolError", "LocalProtocolError", "DecodingError", "TooManyRedirects"),
]


@both_calls
@pytest.mark.parametrize("name", NEVER_SENT)
async def test_an_exception_before_sending_is_a_failed_connection(
    make_client: MakeClient, library: ModuleType, name: str, call: Any
) -> None:
    client = Raising(getattr(library, name)("the reason"))
    async with make_client(http_client=client) as api:
        error, sent = await error_of(api, call)
    assert type(error) is ConnectionFailedError
    assert "the reason" in str(error)
    assert error.__cause__ is error.__context__ is None
    assert sent == 4


@both_calls
@pytest.mark.parametrize("name", PERHAPS_SENT)
async def test_an_exception_after_sending_leaves_a_write_in_doubt(
    make_client: MakeClient, library: ModuleType, name: str, call: Any
) -> None:
    client = Raising(getattr(library, name)("the reason"))
    async with make_client(http_client=client) as api:
        error, sent = await error_of(api, call)
    if call == READ:
        assert type(error) is ConnectionFailedError
        assert sent == 4
    else:
        assert type(error) is OutcomeUnknownError
        assert type(error.__cause__) is ConnectionFailedError
        assert sent == 1
    assert "the reason" in str(error)


@both_calls
@pytest.mark.parametrize(
    "problem",
    [
        ValueError("a bug"),
        TypeError("a bug"),
        httpx.InvalidURL("a bug"),
        RuntimeError("a bug: the client has been closed"),
        ExceptionGroup("a bug", [ValueError()]),
        anyio.ClosedResourceError("a bug"),
    ],
    ids=lambda problem: type(problem).__name__,
)
async def test_a_bug_in_the_http_client_is_named_and_not_retried(
    make_client: MakeClient, call: Any, problem: Exception
) -> None:
    async with make_client(http_client=Raising(problem)) as api:
        error, sent = await error_of(api, call)
    assert type(error) is (
        ConnectionFailedError if call == READ else OutcomeUnknownError
    )
    assert type(problem).__name__ in str(error)
    assert "a bug" in str(error)
    assert sent == 1


@both_calls
async def test_an_error_of_the_operating_system_is_a_network_error(
    make_client: MakeClient, call: Any
) -> None:
    async with make_client(http_client=Raising(OSError("no route"))) as api:
        error, sent = await error_of(api, call)
    assert type(error) is (
        ConnectionFailedError if call == READ else OutcomeUnknownError
    )
    assert sent == (4 if call == READ else 1)


async def test_an_error_that_names_itself_as_its_cause_is_reported(
    make_client: MakeClient,
) -> None:
    problem = httpx.ReadError("the reason")
    problem.__cause__ = problem  # as by `raise error from error`
    async with make_client(http_client=Raising(problem)) as api:
        error, sent = await error_of(api, READ)
    assert "the reason" in str(error)
    assert sent == 4


async def test_an_error_without_text_is_reported_by_its_name(
    make_client: MakeClient,
) -> None:
    async with make_client(http_client=Raising(httpx.ReadError(""))) as api:
        error, _ = await error_of(api, READ)
    assert "ReadError" in str(error)


async def test_timeouts_and_redirects_of_the_http_client_are_switched_off(
    make_client: MakeClient,
) -> None:
    client = Raising(httpx.ReadError("x"))
    async with make_client(http_client=client) as api:
        await error_of(api, POST)
    assert client.options["timeout"] is None
    assert client.options["follow_redirects"] is False


@real_time
async def test_calls_go_through_an_http_client_that_stays_open(
    library: ModuleType,
) -> None:
    simulator = Simulator(limit=0)
    async with (
        simulator.serve() as base_url,
        library.AsyncClient(trust_env=False) as http_client,
    ):
        for _ in range(2):
            async with VK(
                TOKEN, base_url=base_url, http_client=http_client, limit=1000
            ) as api:
                [user] = await api.users.get(user_ids=[1])
                assert user["id"] == 1
                assert await api.wall.post(message="hello")
            assert not http_client.is_closed
        response = await http_client.get(f"{base_url}/users.get")
        assert response.status_code == 200


@real_time
@both_calls
async def test_failures_of_a_client_on_real_sockets_are_mapped(
    library: ModuleType, call: Any
) -> None:
    simulator = Simulator(limit=0)
    simulator.fault(faults.drop_after(), rate=1)
    async with library.AsyncClient(trust_env=False) as http_client:
        options: dict[str, Any] = {"http_client": http_client, "retry_limit": 0}
        async with simulator.serve() as base_url:
            async with VK(TOKEN, base_url=base_url, **options) as api:
                dropped, _ = await error_of(api, call)
            simulator.clear_faults()
            simulator.fault(faults.hang_before(), rate=1)
            async with VK(TOKEN, base_url=base_url, timeout=1.0, **options) as api:
                late, _ = await error_of(api, call)
        async with VK(TOKEN, base_url=base_url, **options) as api:
            refused, _ = await error_of(api, call)
    assert type(refused) is ConnectionFailedError
    causes: list[BaseException | None] = [dropped, late]
    if call == POST:
        assert {type(error) for error in causes} == {OutcomeUnknownError}
        causes = [dropped.__cause__, late.__cause__]
    assert list(map(type, causes)) == [ConnectionFailedError, RequestTimeoutError]
    for error in (dropped, late, refused):
        text = "".join(traceback.format_exception(error))
        assert "httpcore" not in text
        assert f"{library.__name__}." not in text


@real_time
async def test_an_http_client_that_reports_progress_leaves_less_in_doubt(
    library: ModuleType,
) -> None:
    """The deadline of a connection that is not made in time leaves no doubt."""
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    port = listener.extra(anyio.abc.SocketAttribute.local_port)
    async with (
        listener,
        library.AsyncClient(trust_env=False) as http_client,
        VK(
            TOKEN,
            base_url=f"https://127.0.0.1:{port}/method",  # which does not use TLS
            http_client=http_client,
            retry_limit=0,
            timeout=0.1,
        ) as api,
    ):
        error, _ = await error_of(api, POST)
    assert type(error) is ConnectionFailedError


@real_time
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_an_http_client_that_follows_redirects_follows_none_with_the_token(
    library: ModuleType, status: int
) -> None:
    requests: list[bytes] = []

    async def redirect(stream: BufferedByteStream) -> None:
        while True:
            requests.append(await read_request(stream))
            head = f"HTTP/1.1 {status} Moved\r\nlocation: /elsewhere\r\n"
            await stream.send(f"{head}content-length: 0\r\n\r\n".encode())

    async with (
        listening(redirect) as base_url,
        library.AsyncClient(follow_redirects=True, trust_env=False) as http_client,
        VK(TOKEN, base_url=base_url, http_client=http_client) as api,
    ):
        error, sent = await error_of(api, READ)
    assert isinstance(error, InvalidResponseError)
    assert error.status == status
    assert sent == len(requests) == 1


async def request_by(library: ModuleType, **options: Any) -> bytes:
    """Make a call by a client of the user, and return the request that arrives."""
    requests: list[bytes] = []
    async with (
        listening(collecting(requests)) as base_url,
        library.AsyncClient(**options) as http_client,
        VK(TOKEN, base_url=base_url, http_client=http_client) as api,
    ):
        assert await api.call(*READ) == 1
    [request] = requests
    return request.lower()


@real_time
async def test_headers_of_vkanyio_override_those_of_the_client(
    library: ModuleType,
) -> None:
    headers = {
        "Authorization": "Bearer another",
        "User-Agent": "another",
        "Content-Type": "text/plain",
        "X-A": "1",
    }
    request = await request_by(
        library, headers=headers, base_url="https://another", trust_env=False
    )
    assert re.findall(rb"authorization: (.*)\r", request) == [
        f"bearer {TOKEN}".encode()
    ]
    assert b"another" not in request
    assert b"content-type: application/x-www-form-urlencoded\r\n" in request
    assert b"x-a: 1\r\n" in request  # an explicit one that is not vkanyio's
    assert request.startswith(b"post /method/users.get http")


@real_time
async def test_a_netrc_file_does_not_replace_the_token(
    library: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login user password PASSWORD\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    request = await request_by(library, trust_env=True)
    assert re.findall(rb"authorization: (.*)\r", request) == [
        f"bearer {TOKEN}".encode()
    ]
    with pytest.raises(ValueError, match="http_client must be a client without auth"):
        VK(TOKEN, http_client=library.AsyncClient(auth=library.NetRCAuth(str(netrc))))


@pytest.mark.parametrize(
    ("name", "value"),
    [("auth", ("u", "p")), ("params", {"a": 1}), ("cookies", {"a": "1"})],
)
async def test_what_a_client_was_given_later_is_refused_at_entering(
    library: ModuleType, name: str, value: Any
) -> None:
    async with library.AsyncClient(trust_env=False) as http_client:
        api = VK(TOKEN, http_client=http_client)
        setattr(http_client, name, value)
        with pytest.raises(ValueError, match=f"http_client .* without {name}"):
            async with api:
                pytest.fail("it was entered")


@real_time
async def test_a_client_with_a_cookie_of_the_server_may_be_used_again(
    library: ModuleType,
) -> None:
    async def bake(stream: BufferedByteStream) -> None:
        await read_request(stream)
        await stream.send(FINE.replace(b"OK\r\n", b"OK\r\nset-cookie: a=1; path=/\r\n"))

    async with (
        listening(bake) as base_url,
        library.AsyncClient(trust_env=False) as http_client,
    ):
        for _ in range(2):
            async with VK(TOKEN, base_url=base_url, http_client=http_client) as api:
                assert await api.call(*READ) == 1
        assert http_client.cookies["a"] == "1"


def test_both_libraries_still_have_the_exceptions_known_by_name() -> None:
    for name in ("httpx", "httpx2"):
        library = importlib.import_module(name)
        for error in NEVER_SENT:
            assert issubclass(getattr(library, error), library.RequestError)


async def test_headers_override_the_defaults_whatever_their_case() -> None:
    client = Recorder()
    async with VK(TOKEN, headers={"X-A": "1", "X-B": "1"}, http_client=client) as api:
        await api.call_with_request(APIRequest("users.get", headers={"x-b": "2"}))
        sent = client.headers
        assert all(name == name.lower() for name in sent)
        assert sent["user-agent"].startswith("vkanyio/")
        assert sent["authorization"] == f"Bearer {TOKEN}"
        assert sent["content-type"] == "application/x-www-form-urlencoded"
        assert (sent["x-a"], sent["x-b"]) == ("1", "2")
        await api.users.get()
        assert client.headers["x-b"] == "1"
    async with VK(TOKEN, headers={"User-Agent": "me"}, http_client=client) as api:
        await api.users.get()
        assert client.headers["user-agent"] == "me"


# Retry-After in the headers of the user's client


@final
class Scripted:
    """An HTTP client that returns the given response, and then 1 for ever."""

    def __init__(self, response: Any) -> None:
        self._responses = [response]

    @staticmethod
    def reply(content: bytes = b"slow", status: int = 200, **more: Any) -> Any:
        return type("Odd", (), {"status_code": status, "content": content, **more})()

    async def post(self, url: str, **options: Any) -> HTTPResponse:
        await anyio.lowlevel.checkpoint()
        return self._responses.pop() if self._responses else Reply()


@pytest.mark.parametrize(
    "headers",
    [
        {"Retry-After": "7"},
        {"retry-after": "7"},
        httpx.Headers({"RETRY-after": "7"}),
        {
            "date": "Sun, 06 Nov 1994 08:49:37 GMT",
            "Retry-After": "Sun, 06 Nov 1994 08:49:44 GMT",
        },
    ],
)
async def test_the_headers_of_a_users_client_are_read(headers: Any) -> None:
    response = Scripted.reply(status=429, headers=headers)
    async with VK(TOKEN, http_client=Scripted(response)) as api:
        began = anyio.current_time()
        assert await api.call(*POST) == 1
        assert anyio.current_time() - began == pytest.approx(7.0)


class Hostile(dict[str, Any]):
    """Headers that fail when they are asked for one."""

    def get(self, *_: Any) -> Any:
        raise RuntimeError("no headers today")


def no_headers(_: Any) -> Any:
    raise RuntimeError("no headers at all")


@pytest.mark.parametrize(
    "headers",
    [
        None,
        7,
        "Retry-After: 7",
        [("Retry-After", "7")],
        {},
        {"Retry-After": None},
        {"Retry-After": 7},
        {"Retry-After": b"7"},
        {"Retry-After": ["7"]},
        {"Retry-After": "x", "Date": object()},
        Hostile(),
        property(no_headers),
    ],
    ids=lambda headers: type(headers).__name__,
)
async def test_odd_headers_of_a_users_client_are_ignored(headers: Any) -> None:
    response = Scripted.reply(status=429, headers=headers)
    fine = Scripted.reply(b'{"response":2}', headers=headers)
    async with VK(TOKEN, http_client=Scripted(response)) as api:
        began = anyio.current_time()
        assert await api.call(*READ) == 1
        assert anyio.current_time() - began == pytest.approx(0.5)
    async with VK(TOKEN, http_client=Scripted(fine)) as api:
        assert await api.call(*POST) == 2


async def test_a_retry_after_beside_error_6_is_kept_as_well() -> None:
    client = Scripted(
        Scripted.reply(b'{"error":{"error_code":6}}', headers={"retry-after": "9"})
    )
    async with VK(TOKEN, http_client=client) as api:
        began = anyio.current_time()
        assert await api.call(*READ) == 1
        assert anyio.current_time() - began == pytest.approx(9.0)
