"""Where a program goes on after a restart, and what happens if that cannot be kept."""

from __future__ import annotations

import json
import math
import os
import threading
import time
from typing import TYPE_CHECKING, Any

import anyio
import pytest
from _bots import GROUP, Memory, number_of, read, write, write_slowly
from anyio import current_time, fail_after, move_on_after, sleep

from vkanyio.updates import FilePosition, PositionError
from vkanyio.updates._positions import PositionKeeper
from vkanyio.updates._progress import UpdatesPosition

if TYPE_CHECKING:
    from pathlib import Path

    from vkanyio import VK
    from vkanyio.testing import Simulator
    from vkanyio.updates import Gap, Update

pytestmark = pytest.mark.anyio


async def test_a_program_goes_on_where_it_stopped(
    town: Simulator, club: VK, tmp_path: Path
) -> None:
    path = tmp_path / "bot.json"
    async with club.bot_updates(position=FilePosition(path)) as updates:
        write(town, 1, 2, 3)
        assert await read(updates, 2) == [1, 2]
    saved = json.loads(path.read_text())
    assert saved["group_id"] == GROUP
    assert len(saved["handled"]) == 2
    write(town, 4)
    async with club.bot_updates(position=FilePosition(str(path))) as updates:
        assert await read(updates, 2) == [3, 4]
    assert os.listdir(tmp_path) == ["bot.json"]


async def test_the_position_where_a_program_begins_is_saved_at_once(
    town: Simulator, club: VK
) -> None:
    store = Memory()
    async with club.bot_updates(position=store):
        assert store.text is not None
    write(town, 1)
    async with club.bot_updates(position=Memory(store.text)) as updates:
        assert await read(updates, 1) == [1]


async def test_a_position_that_was_loaded_is_not_saved_unless_it_changes(
    club: VK,
) -> None:
    store = Memory()
    async with club.bot_updates(position=store):
        pass
    assert len(store.saves) == 1
    async with club.bot_updates(position=store) as updates:
        with move_on_after(1000):
            await anext(updates)
    assert len(store.saves) == 1


async def test_a_loop_saves_at_most_once_a_second_and_soon_after_the_last_update(
    town: Simulator, club: VK
) -> None:
    store = Memory()
    async with club.bot_updates(position=store) as updates:
        async with anyio.create_task_group() as tg:
            tg.start_soon(write_slowly, town, range(50), 0.1)
            with move_on_after(8):
                while True:
                    assert number_of(await anext(updates)) >= 0
        assert len(store.saves) <= 8
        assert store.text == updates.position
        assert store.saves[-1] - store.saves[0] < 7.5
        assert min(b - a for a, b in zip(store.saves, store.saves[1:])) >= 1  # noqa: B905


async def test_workers_save_at_most_once_a_second_and_soon_after_the_last_update(
    town: Simulator, club: VK
) -> None:
    store = Memory()

    async def handler(update: Update[Any]) -> None:
        await sleep(0.05)

    async with club.bot_updates(position=store) as updates:
        async with anyio.create_task_group() as tg:
            tg.start_soon(write_slowly, town, range(50), 0.1)
            with move_on_after(8):
                await updates.handle(handler)
        assert len(store.saves) <= 8
        assert store.text == updates.position
        assert updates.statistics().polls > 40
        polls = updates.statistics().polls
        with move_on_after(60):
            await updates.handle(handler)
        assert updates.statistics().polls - polls <= 4


async def test_leaving_the_block_saves_the_position(town: Simulator, club: VK) -> None:
    store = Memory()
    with pytest.raises(KeyError):  # noqa: PT012
        async with club.bot_updates(position=store) as updates:
            write(town, 1, 2)
            await read(updates, 1)
            position = updates.position
            assert store.text != position
            raise KeyError
    assert store.text == position
    with move_on_after(1) as scope:
        async with club.bot_updates(position=store) as updates:
            assert await read(updates, 1) == [2]
            await sleep(5)
    assert scope.cancelled_caught
    assert store.text == updates.position


async def test_a_save_that_hangs_delays_leaving_by_five_seconds_at_most(
    town: Simulator, club: VK
) -> None:
    store = Memory()
    with pytest.raises(PositionError, match=r"could not save .*took over 5 s"):  # noqa: PT012
        async with club.bot_updates(position=store) as updates:
            store.seconds = 1000
            write(town, 1)
            await read(updates, 1)
            left = current_time()
    assert current_time() == pytest.approx(left + 5)


async def test_an_error_of_the_last_save_is_raised_or_a_note_of_another(
    town: Simulator, club: VK
) -> None:
    store = Memory()
    with pytest.raises(PositionError, match=r"position of updates: full\."):  # noqa: PT012
        async with club.bot_updates(position=store) as updates:
            store.error = OSError("full")
            write(town, 1)
            await read(updates, 1)
    store = Memory()
    with pytest.raises(KeyError) as caught:  # noqa: PT012
        async with club.bot_updates(position=store) as updates:
            store.error = OSError("full")
            write(town, 2)
            await read(updates, 1)
            raise KeyError
    assert "could not save the position of updates: full" in caught.value.__notes__[0]


async def error_of_a_broken_store(
    town: Simulator, club: VK, store: Memory, way: str, **broken: Any
) -> tuple[PositionError, float]:
    """Break a store, handle an update, and go on until the error ends the program.

    :param broken: attributes of the broken store
    :return: the error, and after how many seconds it came
    """
    found: list[int] = []

    async def handler(update: Update[Any] | Gap) -> None:
        found.append(number_of(update))

    start = current_time()
    with pytest.raises(PositionError) as caught:  # noqa: PT012
        async with club.bot_updates(position=store) as updates:
            vars(store).update(broken)
            write(town, 1)
            start = current_time()
            with anyio.fail_after(1000):
                if way == "workers":
                    await updates.handle(handler)
                async for update in updates:
                    await handler(update)
    assert found == [1]
    return caught.value, current_time() - start


both_ways = pytest.mark.parametrize("way", ["loop", "workers"])


@both_ways
async def test_a_store_that_fails_is_tried_again_and_its_error_raised_in_the_end(
    town: Simulator, club: VK, caplog: pytest.LogCaptureFixture, way: str
) -> None:
    store, full = Memory(), OSError("full")
    error, seconds = await error_of_a_broken_store(town, club, store, way, error=full)
    assert "could not save" in str(error)
    assert error.__cause__ is full
    assert seconds == pytest.approx(180, abs=12)
    assert 15 <= len(store.attempts) <= 23
    assert "could not be saved, retrying: OSError: full" in caplog.text


@both_ways
async def test_a_store_that_hangs_fails_in_the_end(
    town: Simulator, club: VK, way: str
) -> None:
    error, seconds = await error_of_a_broken_store(
        town, club, Memory(), way, seconds=math.inf
    )
    assert "took over 30 s" in str(error)
    assert isinstance(error.__cause__, TimeoutError)
    assert seconds == pytest.approx(180 + 30, abs=45)


async def test_the_longer_a_position_is_the_less_often_it_is_saved() -> None:
    store = Memory()
    handled: tuple[str, ...] = ()
    keeper = PositionKeeper(
        store, lambda: UpdatesPosition(group_id=9, ts="1", handled=handled)
    )
    for _ in range(100):
        handled += ("x" * 9997,) * 10
        await keeper.save_if_due()
        await sleep(1)
    waits = [b - a for a, b in zip(store.saves, store.saves[1:])]  # noqa: B905
    assert waits == pytest.approx([2, 4, 8, 16, 32], abs=1)


async def test_the_last_save_comes_after_one_that_is_under_way() -> None:
    store = Memory()
    store.seconds = 2
    position = UpdatesPosition(group_id=9, ts="1")
    keeper = PositionKeeper(store, lambda: position)
    async with anyio.create_task_group() as tg:
        tg.start_soon(keeper.save_if_due)
        await sleep(1)
        position = UpdatesPosition(group_id=9, ts="2")
        store.seconds = 0
        await keeper.save_last()
    assert store.text == str(position)


async def test_a_store_that_recovers_loses_nothing(town: Simulator, club: VK) -> None:
    store = Memory()
    async with club.bot_updates(position=store) as updates:
        store.error = OSError("full")
        write(town, 1)
        for _ in range(3):
            with move_on_after(100):
                await anext(updates)
            store.error = None
            with move_on_after(100):
                await anext(updates)
            assert store.text == updates.position
            store.error = OSError("full")
            write(town, 2)
        store.error = None


async def test_a_position_of_another_community_is_refused(club: VK) -> None:
    text = str(UpdatesPosition(group_id=8, ts="5"))
    for position in (text, Memory(text)):
        with pytest.raises(PositionError, match="belongs to community 8, not to 9"):
            async with club.bot_updates(position=position):
                pytest.fail("entered")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "it is not JSON"),
        ("41", "it is not a JSON object"),
        ('{"ts": "41"}', "it has no group_id"),
        ('{"group_id": 9, "ts": "41", "handled": [1]}', "no list of the ids"),
        ("\0" * 50, "it is not JSON"),
    ],
)
async def test_a_broken_file_is_refused_by_name_and_stays_as_it_is(
    club: VK, town: Simulator, tmp_path: Path, text: str, problem: str
) -> None:
    path = tmp_path / "bot.json"
    path.write_text(text)
    with pytest.raises(PositionError, match=problem) as caught:
        async with club.bot_updates(position=FilePosition(path)):
            pytest.fail("entered")
    assert f"FilePosition({str(path)!r}) contains no position" in str(caught.value)
    assert path.read_text() == text
    assert town.ledger.requests == 0


async def test_a_file_that_cannot_be_read_or_written_is_refused_at_once(
    club: VK, tmp_path: Path
) -> None:
    with pytest.raises(PositionError, match="could not load the position of updates"):
        async with club.bot_updates(position=FilePosition(tmp_path)):
            pytest.fail("entered")
    missing = tmp_path / "missing" / "bot.json"
    with pytest.raises(PositionError, match="could not save the position of updates"):
        async with club.bot_updates(position=FilePosition(missing)):
            pytest.fail("entered")
    with pytest.raises(TypeError, match="path must be the path of a file, got int"):
        FilePosition(5)  # type: ignore[arg-type]


async def test_a_file_is_replaced_as_a_whole_also_behind_a_link(
    tmp_path: Path,
) -> None:
    target, link = tmp_path / "target.json", tmp_path / "link.json"
    target.write_text("old")
    link.symlink_to(target)
    store = FilePosition(link)
    assert await store.load() == "old"
    await store.save("new")
    assert link.is_symlink()
    assert target.read_text() == "new"
    assert await FilePosition(tmp_path / "none.json").load() is None


async def test_a_file_that_cannot_be_replaced_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: int) -> None:
        raise OSError("full")

    store = FilePosition(tmp_path / "bot.json")
    await store.save("old")
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fail)
        with pytest.raises(OSError, match="full"):
            await store.save("new")
    assert os.listdir(tmp_path) == ["bot.json"]
    assert await store.load() == "old"


async def test_two_processes_do_not_write_to_the_same_file_before_it_replaces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The old one saves the last time while the new one begins."""
    path = tmp_path / "bot.json"
    both_wrote = threading.Barrier(2, timeout=5)
    monkeypatch.setattr(os, "fsync", lambda _: both_wrote.wait())
    async with anyio.create_task_group() as tg:
        for text in ("a long position", "short"):
            tg.start_soon(FilePosition(path).save, text)
    assert path.read_text() in ("a long position", "short")
    assert os.listdir(tmp_path) == ["bot.json"]


@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
async def test_a_save_that_was_cancelled_replaces_no_later_position(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    goes_on, has_ended = threading.Event(), threading.Event()
    path = tmp_path / "bot.json"
    store = FilePosition(path)
    replace = store._replace

    def replace_slowly(position: str) -> None:
        if position == "1":
            goes_on.wait(5)
        replace(position)
        if position == "1":
            has_ended.set()

    monkeypatch.setattr(store, "_replace", replace_slowly)
    begin = time.monotonic()
    with move_on_after(0.05) as scope:
        await store.save("1")
    assert scope.cancelled_caught
    assert time.monotonic() - begin < 4  # a disk that hangs holds nobody up
    async with anyio.create_task_group() as tg:
        tg.start_soon(store.save, "2")
        await sleep(0.05)
        goes_on.set()
    assert has_ended.wait(5)
    assert path.read_text() == "2"
    store._write(1, "1")  # had the threads waited for each other in another order
    assert path.read_text() == "2"


async def test_a_change_while_a_save_is_under_way_is_saved_by_the_next() -> None:
    store = Memory()
    store.seconds = 2
    position = UpdatesPosition(group_id=9, ts="1")
    keeper = PositionKeeper(store, lambda: position)

    async def change() -> None:
        nonlocal position
        await sleep(1)
        position = UpdatesPosition(group_id=9, ts="2")

    async with anyio.create_task_group() as tg:
        tg.start_soon(change)
        tg.start_soon(keeper.save_if_due)
        tg.start_soon(keeper.save_if_due)  # waits for the first, and is not due then
    assert len(store.saves) == 1
    assert keeper.is_behind
    await sleep(1)
    await keeper.save_if_due()
    assert store.text == str(position)
    assert not keeper.is_behind


async def test_a_slow_disk_takes_no_virtual_time(
    town: Simulator, club: VK, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "fsync", lambda _: time.sleep(0.02))
    start = current_time()
    with fail_after(1):
        async with club.bot_updates(position=FilePosition(tmp_path / "p")) as updates:
            write(town, 1)
            assert await read(updates, 1) == [1]
    assert current_time() - start < 0.01
