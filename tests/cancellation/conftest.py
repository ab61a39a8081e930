"""The backends of these tests, and what the long run tells at its end."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from ._tally import Tally

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ._backends import Backend


@pytest.fixture
def anyio_backend(backend: Backend) -> tuple[str, dict[str, Any]]:
    """Make it of the parameter ``backend``, which every test here has."""
    return backend.anyio_backend()


@pytest.fixture
def is_long(request: pytest.FixtureRequest) -> bool:
    """Whether to try all there is, and to tell of it."""
    return bool(request.config.getoption("--long"))


@pytest.fixture(scope="module")
def tallies(request: pytest.FixtureRequest) -> Iterator[defaultdict[str, Tally]]:
    """What has been tried in a module on each backend; a long run prints it."""
    tallies: defaultdict[str, Tally] = defaultdict(Tally)
    yield tallies
    if request.config.getoption("--long"):
        write = request.config.get_terminal_writer().line
        write()
        for name, tally in tallies.items():
            write(f"{request.module.__name__}, {name}: {tally}")


@pytest.fixture
def tally(backend: Backend, tallies: defaultdict[str, Tally]) -> Tally:
    """The tally of the backend."""
    return tallies[backend.name]


@pytest.fixture
def _no_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let what is done in a thread take virtual time: the clock jumps over threads."""

    async def run_sync(function: Callable[[], Any], **_: Any) -> Any:
        await anyio.sleep(0.25)
        return function()

    monkeypatch.setattr(anyio.to_thread, "run_sync", run_sync)
