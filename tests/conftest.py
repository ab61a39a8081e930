"""Every test that awaits runs on asyncio and on trio, in virtual time.

Tests over real sockets ask for a real clock:
``@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])``.

A module may change what the fixtures below make::

    pytestmark = [
        pytest.mark.simulator_options(latency=1.0),
        pytest.mark.client_options(mode="parallel"),
    ]
"""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest
import trio.testing
from hypothesis import HealthCheck, settings

from _certificates import LOCALHOST
from _helpers import TOKEN, add_echoes, collect_garbage
from vkanyio import VK
from vkanyio.testing import Account, Simulator, VirtualClockLoop

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
    from pathlib import Path

    import httpx

    Ask: TypeAlias = Callable[..., Awaitable[Any]]

# Other processes on a machine make no test fail: time says nothing about an example.
settings.register_profile(
    "busy", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("busy")
# For `python -m proof.mutants`: thousands of runs, each of them the same every time.
settings.register_profile("mutation", max_examples=20, derandomize=True, database=None)

TOKENS = {
    "anna": Account(id=1),
    "boris": Account(id=2),
    "daria": Account(id=3),
    "egor": Account(id=5),
    "club": Account(id=9, kind="group"),
    "app": Account(kind="service"),
}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--long",
        action="store_true",
        help="let the tests marked `long` try much more, and report it (minutes)",
    )
    parser.addoption(
        "--seed",
        type=int,
        help="run the random schedule with this seed, and no other",
    )


def pytest_configure(config: pytest.Config) -> None:
    for marker in (
        "simulator_options(**options): options of the fixture `simulator`",
        "client_options(**options): default options of the clients of `make_client`",
    ):
        config.addinivalue_line("markers", marker)


def options_of(request: pytest.FixtureRequest, marker: str) -> dict[str, Any]:
    """Return the keyword arguments of a marker of the test, if it has it."""
    mark = request.node.get_closest_marker(marker)
    return {} if mark is None else dict(mark.kwargs)


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, Any]]:
    if request.param == "trio":
        clock = trio.testing.MockClock(autojump_threshold=0)
        return "trio", {"clock": clock}
    return "asyncio", {"loop_factory": VirtualClockLoop}


@pytest.fixture
def simulator(request: pytest.FixtureRequest) -> Simulator:
    """A simulator without latency or limit, unless a marker says otherwise."""
    return Simulator(**{"limit": 0, **options_of(request, "simulator_options")})


@pytest.fixture
def far_simulator() -> Simulator:
    """A simulator with so much latency that calls to it overlap."""
    return Simulator(limit=0, latency=1.0)


@pytest.fixture
def echoes(simulator: Simulator) -> None:
    """Add methods to the simulator that return the ``id`` of the call."""
    add_echoes(simulator)


@pytest.fixture
def nothing_is_left_open() -> Iterator[None]:
    """Fail the test if it leaves anything unclosed."""
    yield
    collect_garbage()


@pytest.fixture
def no_proxy_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Connect directly, whatever proxies the environment names."""
    for scheme in ("http", "https", "all", "no"):
        monkeypatch.delenv(f"{scheme}_proxy", raising=False)
        monkeypatch.delenv(f"{scheme}_proxy".upper(), raising=False)


@pytest.fixture
def certificate(tmp_path: Path) -> str:
    """The path of a certificate for localhost, with its key."""
    path = tmp_path / "localhost.pem"
    path.write_text(LOCALHOST.lstrip())
    return str(path)


@pytest.fixture
def tls(certificate: str) -> ssl.SSLContext:
    """TLS for a server on localhost."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    return context


@pytest.fixture
def trusted(certificate: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Trust the certificate for localhost, and no other."""
    monkeypatch.setenv("SSL_CERT_FILE", certificate)


@pytest.fixture
def make_client(
    request: pytest.FixtureRequest, simulator: Simulator
) -> Callable[..., VK]:
    """Makes clients of the simulator that are not slowed by the rate limit."""
    defaults = options_of(request, "client_options")

    def make(**options: Any) -> VK:
        options = {"limit": 1000, **defaults, **options}
        options.setdefault("http_client", simulator.http_client())
        return VK(TOKEN, **options)

    return make


@pytest.fixture
def make(simulator: Simulator) -> Callable[..., VK]:
    """Makes clients of the simulator whose token is given, such as a token function."""

    def make(token: Any, **options: Any) -> VK:
        http_client = simulator.http_client()
        options = {"limit": 1000, "request_mode": "burst", **options}
        return VK(token, http_client=http_client, **options)

    return make


@pytest.fixture
async def api(make_client: Callable[..., VK]) -> AsyncIterator[VK]:
    """A client of the simulator that is open."""
    async with make_client() as client:
        yield client


@pytest.fixture
def on_simulator(
    make_client: Callable[..., VK], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Connect the clients that an example makes to the simulator."""
    monkeypatch.setattr("vkanyio.VK", lambda token, **options: make_client(**options))


@pytest.fixture
async def town() -> Simulator:
    """Four users, a community and an app, without a limit."""
    return Simulator(limit=0, tokens=TOKENS)


@pytest.fixture
async def club(town: Simulator, request: pytest.FixtureRequest) -> AsyncIterator[VK]:
    """A client of the community of ``town``, which is 9."""
    options = {"limit": 1000, **options_of(request, "client_options")}
    async with VK("club", http_client=town.http_client(), **options) as client:
        yield client


@pytest.fixture
async def browser(town: Simulator) -> AsyncIterator[httpx.AsyncClient]:
    async with town.http_client() as client:
        yield client


@pytest.fixture
async def ask(browser: httpx.AsyncClient) -> Ask:
    """Calls a method, and returns its value, or the code of its error."""

    async def ask(method: str, token: str = "anna", **params: Any) -> Any:
        response = await browser.post(
            f"https://api.vk.ru/method/{method}",
            data={"v": "5.199", **params},
            headers={"Authorization": f"Bearer {token}"},
        )
        envelope = response.json()
        return envelope["response"] if "response" in envelope else envelope["error"]

    return ask


@pytest.fixture
async def code(ask: Ask) -> Ask:
    """Calls a method, and returns the code of its error, or 0."""

    async def code(method: str, token: str = "anna", **params: Any) -> int:
        value = await ask(method, token, **params)
        failed = isinstance(value, dict) and "error_code" in value
        return value["error_code"] if failed else 0

    return code


@pytest.fixture
def nothing_reviewed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read small schemas without the review of the real one."""
    from codegen import (
        reviewed,
        reviewed_objects,
        reviewed_pages,
        reviewed_updates,
        server_rules,
    )

    monkeypatch.setattr(server_rules, "ONE_OF", ())
    for module in (reviewed, reviewed_objects, reviewed_pages, reviewed_updates):
        for name, table in vars(module).items():
            if name.isupper() and name[0] != "_" and not isinstance(table, int):
                monkeypatch.setattr(module, name, type(table)())
