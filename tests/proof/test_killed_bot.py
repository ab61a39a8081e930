"""A bot that is killed by SIGKILL, in the short form of the long check."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import anyio
import pytest
from proof.killed_bot import Result, Run

from proof import killed_bot

if TYPE_CHECKING:
    from proof.updates import Way


@pytest.mark.skipif(sys.platform == "win32", reason="it has no SIGKILL")
@pytest.mark.parametrize(("backend", "way"), [("asyncio", "workers"), ("trio", "loop")])
def test_a_bot_that_is_killed_answers_each_message_once(backend: str, way: Way) -> None:
    result = anyio.run(Run(40, 1, seed=0).run, backend, way)
    assert result.is_kept, result
    assert (result.messages, result.kills) == (40, 1)
    assert result.repeated > 0


def test_a_message_that_is_lost_or_answered_twice_is_noticed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(killed_bot, "PATIENCE", 0)  # no bot gets to answer
    result = anyio.run(Run(3, 0, seed=0).run, "asyncio", "loop")
    assert result.missing == [0, 1, 2]
    assert not result.is_kept
    twice = Result(messages=1, kills=0, missing=[], twice=[0], repeated=0)
    assert not twice.is_kept
