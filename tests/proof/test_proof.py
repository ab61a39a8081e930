"""A small part of the long checks, and that they notice what they are there for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from proof._clock import BACKENDS
from proof.soak import MODES, run_soak
from proof.sockets import run_sockets

from vkanyio import APIRequest
from vkanyio._pending import Pending

if TYPE_CHECKING:
    from collections.abc import Callable

    from proof.soak import Mode


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("backend", BACKENDS)
def test_a_soak_keeps_what_is_promised(backend: str, mode: Mode) -> None:
    tally = run_soak(backend, mode, 500, seed=1)
    assert tally.complaint is None
    assert tally.calls == 500
    assert tally.faults.total() > 50
    assert (tally.lost, tally.twice) == (0, 0)


@pytest.mark.parametrize("backend", BACKENDS)
def test_what_is_promised_is_kept_while_a_server_is_killed(backend: str) -> None:
    tally = run_sockets(backend, calls=60, seed=1, life=1.0)
    assert tally.complaint is None
    assert tally.calls == 60 * len(MODES)
    assert tally.faults["server killed"]


def repeat_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(APIRequest, "may_be_repeated", lambda self: True)


def lose_an_outcome(monkeypatch: pytest.MonkeyPatch) -> None:
    settle = Pending.settle

    def lose(self: Pending, value: Any) -> None:
        if self.order != 200:
            settle(self, value)

    monkeypatch.setattr(Pending, "settle", lose)


def give_away_values(monkeypatch: pytest.MonkeyPatch) -> None:
    settle, last = Pending.settle, [None]

    def swap(self: Pending, value: Any) -> None:
        if self.order % 50 == 0:
            value, last[0] = last[0] or value, value
        settle(self, value)

    monkeypatch.setattr(Pending, "settle", swap)


@pytest.mark.parametrize(
    ("break_it", "words"),
    [
        (repeat_everything, "was sent again though|was carried out"),
        (lose_an_outcome, "has no outcome"),
        (give_away_values, "has not its own value"),
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
