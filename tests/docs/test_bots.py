"""The guide about bots does what it says, on the simulator."""

from __future__ import annotations

import io
import runpy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import pytest
from _pages import Page

from vkanyio import VK
from vkanyio.testing import faults

if TYPE_CHECKING:
    from vkanyio.testing import Simulator

pytestmark = pytest.mark.anyio


GUIDE = Page("guides/bots.md")
EXAMPLES = Path(__file__).parents[2] / "examples"


async def test_the_first_bot_answers_and_goes_on_after_a_restart(
    town: Simulator,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    names = GUIDE.load("VK has lost updates")
    names["VK"] = lambda token, limit: VK(token, http_client=town.http_client())
    monkeypatch.setenv("VK_TOKEN", "club")
    monkeypatch.chdir(tmp_path)
    with anyio.move_on_after(100):
        async with anyio.create_task_group() as tg:
            tg.start_soon(names["main"])
            await anyio.sleep(10)
            town.say(1, 9, "one")
            town.update(9, "group_join", {"user_id": 1})
    town.say(1, 9, "two")
    town.fault(faults.drop_after(), "longpoll")
    with anyio.move_on_after(100):
        await names["main"]()
    sent = [e.params["message"] for e in town.ledger.carried_out("messages.send")]
    assert sent == ["You said: one", "You said: two"]
    assert "something else: group_join" in capsys.readouterr().out
    town.say(1, 9, "three")
    town.fault(faults.failed(1), "longpoll")
    with anyio.move_on_after(100):
        await names["main"]()
    assert capsys.readouterr().out == "VK has lost updates\n"


async def test_a_database_has_each_message_once(town: Simulator, club: VK) -> None:
    rows: list[str] = []
    position: list[str] = []

    class Database:
        async def load(self) -> str | None:
            return position[-1] if position else None

        async def commit(self, text: str, where: str) -> None:
            await anyio.sleep(1)
            rows.append(text)
            position.append(where)

    note_all: Any = GUIDE.load("note_all")["note_all"]
    with anyio.move_on_after(10):
        await note_all(club, Database())
    async with anyio.create_task_group() as tg:
        with anyio.CancelScope() as scope:
            tg.start_soon(note_all, club, Database())
            await anyio.sleep(1)
            for number in range(5):
                town.say(1, 9, str(number))
            await anyio.sleep(2.5)
        tg.cancel_scope.cancel()
    assert not scope.cancelled_caught
    assert rows == ["0", "1"]
    with anyio.move_on_after(100):
        await note_all(club, Database())
    assert rows == ["0", "1", "2", "3", "4"]


async def test_a_mailbox_is_followed_also_over_a_restart(
    town: Simulator,
    club: VK,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    names = GUIDE.load("def follow")
    monkeypatch.chdir(tmp_path)
    async with anyio.create_task_group() as tg:
        tg.start_soon(names["follow"], club)
        await anyio.sleep(10)
        town.say(1, 9, "one")
        await anyio.sleep(10)
        tg.cancel_scope.cancel()
    town.say(1, 9, "two")
    await club.messages.delete(message_ids=[1])
    with anyio.move_on_after(10):
        await names["follow"](club)
    assert capsys.readouterr().out == "1 one\n1 two\ndeleted: 1\n"


class Gone(io.StringIO):
    """An output that nobody reads any more."""

    def write(self, text: str) -> int:
        raise BrokenPipeError


async def test_a_message_is_answered_also_if_nobody_reads_what_the_service_says(
    town: Simulator, club: VK, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = runpy.run_path(str(EXAMPLES / "service.py"))["answer"]
    monkeypatch.setattr("sys.stdout", Gone())
    town.fault(faults.error(10), "messages.send", times=5)
    async with club.bot_updates() as updates:
        town.say(1, 9, "one")
        await answer(club, await anext(updates))
    assert len(town.ledger.carried_out("messages.send")) == 1


async def test_a_bot_is_tested_without_vk() -> None:
    await GUIDE.load("town.say(1, 9")["test_what_is_said_is_heard"]()
