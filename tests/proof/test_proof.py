"""A small part of the long checks; they notice broken promises."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from proof._clock import BACKENDS
from proof.soak import MODES, run_soak
from proof.sockets import PROXIES, run_sockets

from vkanyio import APIRequest
from vkanyio._outcome import Success
from vkanyio._pending import Pending

if TYPE_CHECKING:
    from collections.abc import Callable

    from proof.soak import Mode

    from vkanyio._outcome import Outcome


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("backend", BACKENDS)
def test_a_soak_keeps_every_promise(backend: str, mode: Mode) -> None:
    tally = run_soak(backend, mode, 500, seed=1)
    assert tally.complaint is None
    assert tally.calls == 500
    assert tally.faults.total() > 50
    assert (tally.lost, tally.twice) == (0, 0)


def record_of(backend: str, seed: int) -> list[str]:
    """Return a line for each request and each outcome of a small soak."""
    lines: list[str] = []
    tally = run_soak(backend, "parallel_selected", 300, seed, lines.append)
    assert tally.complaint is None
    assert len(lines) == tally.requests + 300
    return lines


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_seed_repeats_a_soak_call_by_call(
    monkeypatch: pytest.MonkeyPatch, backend: str
) -> None:
    # Hypothesis has switched it on for the whole process.
    monkeypatch.setattr("trio._core._run._ALLOW_DETERMINISTIC_SCHEDULING", False)
    first, second = record_of(backend, seed=1), record_of(backend, seed=1)
    for one, other in zip(first, second, strict=True):
        assert one == other


@pytest.mark.parametrize("backend", BACKENDS)
def test_another_seed_makes_another_soak(backend: str) -> None:
    assert record_of(backend, seed=1) != record_of(backend, seed=2)


@pytest.mark.usefixtures("no_proxy_of_the_environment")
@pytest.mark.parametrize(
    ("backend", "route"),
    # The others take minutes.
    [
        *((backend, "plain") for backend in BACKENDS),
        *zip(BACKENDS, PROXIES, strict=True),
    ],
)
def test_every_promise_is_kept_while_a_server_is_killed(
    backend: str, route: str
) -> None:
    tally = run_sockets(backend, route, calls=60, seed=1, life=1.0)
    assert tally.complaint is None
    assert tally.calls == 60 * len(MODES)
    assert tally.faults["server killed"]


def repeat_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(APIRequest, "may_be_repeated", lambda self: True)


def lose_an_outcome(monkeypatch: pytest.MonkeyPatch) -> None:
    settle = Pending.settle

    def lose(self: Pending, outcome: Outcome) -> None:
        if self.order != 200:
            settle(self, outcome)

    monkeypatch.setattr(Pending, "settle", lose)


def give_away_values(monkeypatch: pytest.MonkeyPatch) -> None:
    settle, last = Pending.settle, list[Success]()

    def swap(self: Pending, outcome: Outcome) -> None:
        if self.order % 50 == 0 and isinstance(outcome, Success):
            last.append(outcome)
            outcome = last.pop(0) if len(last) > 1 else outcome
        settle(self, outcome)

    monkeypatch.setattr(Pending, "settle", swap)


@pytest.mark.parametrize(
    ("break_it", "words"),
    [
        (repeat_everything, "was retried though|was carried out"),
        (lose_an_outcome, "has no outcome"),
        (give_away_values, "does not have its own value"),
    ],
)
def test_a_soak_notices_a_broken_client(
    monkeypatch: pytest.MonkeyPatch,
    break_it: Callable[[pytest.MonkeyPatch], None],
    words: str,
) -> None:
    break_it(monkeypatch)
    tally = run_soak("asyncio", "parallel", 500, seed=1)
    assert tally.complaint is not None
    assert re.search(words, tally.complaint)
