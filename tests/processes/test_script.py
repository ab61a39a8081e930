"""The script in Redis, at times that a test chooses."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

import pytest
from proof._redis_server import RedisServer, Wire

from vkanyio.redis._permits import SharedPermit
from vkanyio.redis._script import Question, keys_of, read_answer, read_script
from vkanyio.redis._share import silence

from ._virtual import VirtualRedis

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vkanyio.redis._script import ScriptAnswer

KEYS = keys_of("group 1")
BEGIN = 1_700_000_000.0
PERIOD = 1.02
SILENCE = silence(1.0)


@final
class Script:
    """Asks the script, as processes do.

    :ivar now: the time in seconds
    """

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.now = BEGIN
        self._redis = VirtualRedis(wire)

    def ask(self, wanted: str = "", **reports: Any) -> ScriptAnswer:
        question: dict[str, Any] = {
            "process": "me",
            "limit": 3,
            "request_mode": "burst",
            "window": 1.0,
            "margin": 0.02,
            "reset_since": None,
            "is_refused": False,
            "not_before": 0.0,
            "pause": 0.0,
            "wanted": wanted,
            "doubtful": None,
            "processes": 0,
            "corrections": {},
            "reported": {},
        }
        arguments = Question(**{**question, **reports}).arguments()
        return read_answer(self._redis.run(KEYS, arguments, round(self.now * 1e6)))

    def ahead(self, wanted: str, **reports: Any) -> float:
        """Return how many seconds ahead a new permit lies."""
        answer = self.ask(wanted, **reports)
        assert answer.is_granted
        return round(answer.at - self.now, 4)

    def moved(self, name: str) -> float | None:
        """Return how many seconds ahead a permit lies, which is looked at again."""
        at = self.ask(doubtful=SharedPermit(name, 0.0)).moved_to
        return None if at is None else round(at - self.now, 4)


@pytest.fixture
def script(redis: RedisServer) -> Iterator[Script]:
    with socket.create_connection(("127.0.0.1", redis.port)) as connection:
        wire = Wire(connection)
        script = Script(wire)
        script.ask()
        script.now += 10  # the silence is over
        yield script
        wire.close()


def test_an_update_of_the_package_does_not_change_the_script_of_a_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = read_script()
    monkeypatch.setattr(Path, "read_text", lambda *_, **__: "of a newer version")
    assert read_script() == before


def test_permits_are_for_now_until_the_limit_is_reached(script: Script) -> None:
    assert [script.ahead(name) for name in "abc"] == [0, 0, 0]
    assert [script.ahead(name) for name in "defg"] == [PERIOD] * 3 + [2 * PERIOD]
    script.now += 1.0
    assert script.ahead("h") == 2 * PERIOD - 1


def test_they_are_spaced_evenly_if_wanted(script: Script) -> None:
    options = {"request_mode": "sequential"}
    assert [script.ahead(name, **options) for name in "abcd"] == [0, 0.34, 0.68, 1.02]
    script.now += 1.37  # a little late: it keeps the beat
    assert script.ahead("e", **options) == 0
    assert script.ahead("f", **options) == 0.33
    script.now += 10  # long after: the beat begins anew
    assert [script.ahead(name, **options) for name in "gh"] == [0, 0.34]


def test_a_late_request_delays_what_comes_a_window_later(script: Script) -> None:
    start = script.now
    for name in "abc":
        script.ahead(name)
    assert script.ahead("d") == PERIOD
    script.ask(corrections={"a": start + 0.1})
    assert script.moved("d") == PERIOD  # as late as the second, which is first now
    script.ask(corrections={"b": start + 0.05, "c": start + 0.05})
    assert script.moved("d") == PERIOD + 0.05
    assert script.ahead("e") == PERIOD + 0.05


def test_a_permit_that_is_given_back_is_granted_again(script: Script) -> None:
    for name in "abc":
        script.ahead(name)
    assert script.ahead("d", corrections={"b": None}) == 0
    assert script.moved("b") is None


def test_none_lies_far_ahead(script: Script) -> None:
    answers = [script.ask(f"p{number}") for number in range(40)]
    granted = [answer for answer in answers if answer.is_granted]
    assert len(granted) == 30
    assert max(answer.at for answer in granted) <= script.now + 10
    assert answers[-1].at > script.now + 10


@pytest.mark.parametrize("back", [60, 5, 0.5])
def test_a_reset_makes_all_permits_void(script: Script, back: float) -> None:
    for name in "abcd":
        script.ahead(name)
    known = script.ask().resume
    script.now -= back
    answer = script.ask("e", reset_since=known)
    assert round(answer.resume - script.now, 4) == SILENCE
    assert answer.at == answer.resume
    assert script.moved("d") is None
    # Another process has noticed the same, and one that was away comes back.
    script.now += 0.5
    assert script.ask(reset_since=known).resume == answer.resume


def test_a_clock_set_far_back_is_noticed_by_the_script_itself(script: Script) -> None:
    script.ahead("a")
    script.now -= 3600
    assert round(script.ask().resume - script.now, 4) == SILENCE


def test_another_server_with_the_same_data_is_not_trusted(script: Script) -> None:
    script.ahead("a")
    assert script.ahead("b") == 0
    script.wire.command("HSET", KEYS[1], "server", "another")
    assert script.ahead("c") == round(SILENCE, 4)


def test_the_penalty_is_halved_in_half_a_minute(script: Script) -> None:
    assert script.ask(is_refused=True).penalty == 0.05
    script.now += 0.5
    assert script.ask(is_refused=True).penalty == pytest.approx(0.05, abs=0.001)
    script.now += 29.5
    assert script.ask().penalty == pytest.approx(0.025)
    for _ in range(200):
        script.now += 1
        answer = script.ask(is_refused=True)
    assert answer.penalty == 1.0
    for name in "abc":
        script.ahead(name)
    assert script.ahead("d") == 2.02


def test_a_pause_holds_for_permits_that_were_granted_before(script: Script) -> None:
    for name in "abcd":
        script.ahead(name)
    script.ask(pause=4.0)
    assert script.ahead("e") == 4
    assert script.moved("d") == 4
    script.ask(pause=1.0)  # a shorter one changes nothing
    assert script.ahead("f") == 4


def test_processes_are_counted_for_half_a_minute(script: Script) -> None:
    assert script.ask(process="b").processes == 2
    script.now += 20
    assert script.ask(process="c").processes == 2
    script.now += 20
    assert script.ask(process="c").processes == 1
    script.now -= 3600
    assert script.ask(process="d").processes == 1


def test_the_log_stays_small(script: Script) -> None:
    for number in range(100):
        script.now += 0.5
        script.ask(f"p{number}")
    assert script.wire.command("ZCARD", KEYS[0]) < 12


def test_the_limit_of_another_process_is_returned(script: Script) -> None:
    assert script.ask().other_limit == 3
    assert script.ask(limit=20).other_limit == 3
    assert script.ask(limit=20).other_limit == 20


def test_if_nobody_could_ask_for_a_while_others_may_live_on_their_shares(
    script: Script,
) -> None:
    script.ask(process="another")
    for _ in range(3):
        script.now += 1.7
        script.ask()
    script.now += 1.7
    assert script.ahead("a") == 0
    script.now += 1.75
    assert script.ahead("b") == round(SILENCE, 4)


def test_a_process_that_is_alone_need_not_ask(script: Script) -> None:
    script.now += 2.0
    assert script.ahead("a") == 0
    script.now += 2.0  # there are others, which Redis has not seen
    assert script.ahead("b", processes=2) == round(SILENCE, 4)
