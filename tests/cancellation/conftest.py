"""The backends of these tests, and the summary of a long run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio
import pytest

from ._tally import Tally

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._backends import Backend

TALLIES = pytest.StashKey[dict[str, Tally]]()


@pytest.fixture
def anyio_backend(backend: Backend) -> tuple[str, dict[str, Any]]:
    """Make the backend from the parameter ``backend``, which every test here has."""
    return backend.anyio_backend()


@pytest.fixture
def is_long(request: pytest.FixtureRequest) -> bool:
    """Whether to try everything, and report it."""
    return bool(request.config.getoption("--long"))


@pytest.fixture
def tally(backend: Backend, request: pytest.FixtureRequest) -> Tally:
    """Counts of what a module tried on the backend; a long run reports them."""
    tallies = request.config.stash.setdefault(TALLIES, {})
    module = request.module.__name__.rpartition(".")[2]
    return tallies.setdefault(f"{module}, {backend.name}", Tally())


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    if config.getoption("--long"):
        terminalreporter.section("what was cancelled")
        for name, tally in config.stash.get(TALLIES, {}).items():
            terminalreporter.line(f"{name}: {tally}")


@pytest.fixture
def _no_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make work in threads take virtual time: the clock does not wait for threads."""

    async def run_sync(function: Callable[..., Any], *args: Any, **_: Any) -> Any:
        await anyio.sleep(0.25)
        return function(*args)

    monkeypatch.setattr(anyio.to_thread, "run_sync", run_sync)
