"""Every test that awaits runs on asyncio and on trio, in virtual time.

Tests over real sockets ask for a real clock:
``@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import pytest
import trio.testing
from hypothesis import settings

from vkanyio import VK
from vkanyio.testing import Account, Simulator, VirtualClockLoop

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    import httpx

    Ask: TypeAlias = Callable[..., Awaitable[Any]]

# For `python -m proof.mutants`: thousands of runs, each of them the same every time.
settings.register_profile(
    "mutation", max_examples=20, derandomize=True, database=None, deadline=None
)

TOKEN = "vk1.a.the-secret-token"
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
        help="let the tests marked `long` try much more, and tell what (minutes)",
    )
    parser.addoption(
        "--seed",
        type=int,
        help="run the random schedule with this seed, and no other",
    )


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, Any]]:
    if request.param == "trio":
        clock = trio.testing.MockClock(autojump_threshold=0)
        return "trio", {"clock": clock}
    return "asyncio", {"loop_factory": VirtualClockLoop}


@pytest.fixture
def simulator() -> Simulator:
    """A VK without latency and without a limit, for tests of other things."""
    return Simulator(limit=0)


@pytest.fixture
def make_client(simulator: Simulator) -> Callable[..., VK]:
    """Makes clients of the simulator, fast enough not to be in the way."""

    def make(**options: Any) -> VK:
        options.setdefault("limit", 1000)
        options.setdefault("http_client", simulator.http_client())
        return VK(TOKEN, **options)

    return make


@pytest.fixture
def on_simulator(
    make_client: Callable[..., VK], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Let the clients that an example makes talk to the simulator."""
    monkeypatch.setattr("vkanyio.VK", lambda token, **options: make_client(**options))


@pytest.fixture
async def town() -> Simulator:
    """Four users, a community and an app, without a limit."""
    return Simulator(limit=0, tokens=TOKENS)


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
        answer = response.json()
        return answer["response"] if "response" in answer else answer["error"]

    return ask


@pytest.fixture
async def code(ask: Ask) -> Ask:
    """Calls a method, and returns the code of its error, or 0."""

    async def code(method: str, token: str = "anna", **params: Any) -> int:
        answer = await ask(method, token, **params)
        failed = isinstance(answer, dict) and "error_code" in answer
        return answer["error_code"] if failed else 0

    return code


@pytest.fixture
def nothing_reviewed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read small schemas without what was reviewed of VK's own."""
    from codegen import reviewed

    for name, table in vars(reviewed).items():
        if name.isupper() and not name.startswith("_"):
            monkeypatch.setattr(reviewed, name, type(table)())
