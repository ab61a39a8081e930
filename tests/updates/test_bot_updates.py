"""``club.bot_updates``: what a program hears, whatever VK and the network do."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import anyio
import pytest
from _bots import GROUP, number_of, read, write, write_slowly
from anyio import current_time, fail_after, move_on_after, sleep

from _helpers import cancelling, own_tasks, settle
from vkanyio import VK, ClientClosedError, ClientUseError
from vkanyio.testing import faults
from vkanyio.updates import (
    Gap,
    GroupJoin,
    MessageNew,
    UnknownUpdate,
    UpdatesError,
)

if TYPE_CHECKING:
    from vkanyio.testing import Simulator
    from vkanyio.updates import BotUpdates

pytestmark = pytest.mark.anyio


async def test_updates_come_in_order_from_the_beginning_of_the_block_on(
    town: Simulator, club: VK
) -> None:
    write(town, 1)
    async with club.bot_updates() as updates:
        write(town, 2, 3)
        assert await read(updates, 2) == [2, 3]
        write(town, 4)
        assert await read(updates, 1) == [4]


async def test_an_update_has_what_vk_sent(town: Simulator, club: VK) -> None:
    async with club.bot_updates(GROUP) as updates:
        write(town, 1, user=2)
        update = await anext(updates)
        assert isinstance(update, MessageNew)
        assert update.object["message"]["from_id"] == 2
        assert update.peer_id == 2
        assert (update.group_id, update.v) == (GROUP, "5.199")
        assert update.event_id == town.ledger.updates[-1].event_id
        town.update(GROUP, "group_join", {"user_id": 5, "join_type": "join"})
        assert isinstance(await anext(updates), GroupJoin)


async def test_while_nobody_asks_nothing_is_fetched(town: Simulator, club: VK) -> None:
    async with club.bot_updates() as updates:
        write(town, 1)
        await anext(updates)
        made = updates.statistics().polls
        write(town, *range(2, 9))
        await sleep(600)
        assert updates.statistics().polls == made
        assert await read(updates, 7) == [2, 3, 4, 5, 6, 7, 8]


async def test_a_wait_that_is_cancelled_over_and_over_loses_nothing(
    town: Simulator, club: VK
) -> None:
    found: list[int] = []
    async with club.bot_updates() as updates, anyio.create_task_group() as tg:
        tg.start_soon(write_slowly, town, range(30), 0.7)
        while len(found) < 30:
            with move_on_after(0.31):
                while True:
                    found.append(number_of(await anext(updates)))
        assert updates.statistics().polls > 60
    assert found == [*range(30)]


async def test_a_loop_may_be_left_and_continued_in_another_task(
    town: Simulator, club: VK
) -> None:
    found: list[int] = []

    async def some(updates: BotUpdates, count: int) -> None:
        async for update in updates:
            found.append(number_of(update))
            if len(found) >= count:
                break

    async with club.bot_updates() as updates:
        write(town, *range(10))
        for count in (3, 6, 10):
            async with anyio.create_task_group() as tg:
                tg.start_soon(some, updates, count)
    assert found == [*range(10)]


async def test_stop_ends_a_wait_at_once(town: Simulator, club: VK) -> None:
    async with club.bot_updates() as updates, anyio.create_task_group() as tg:
        start = current_time()

        async def stop() -> None:
            await sleep(3)
            updates.stop()

        tg.start_soon(stop)
        async for update in updates:
            pytest.fail(repr(update))
        assert current_time() == pytest.approx(start + 3)
        async for update in updates:
            pytest.fail(repr(update))


async def test_stop_in_the_body_acknowledges_the_update_in_hand(
    town: Simulator, club: VK
) -> None:
    async with club.bot_updates() as updates:
        begun = updates.position
        write(town, 1, 2)
        async for update in updates:
            assert number_of(update) == 1
            assert updates.position == begun
            updates.stop()
        position = updates.position
    async with club.bot_updates(position=position) as updates:
        assert await read(updates, 1) == [2]


async def test_an_update_in_hand_is_acknowledged_by_asking_for_the_next(
    town: Simulator, club: VK
) -> None:
    async with club.bot_updates() as updates:
        write(town, 1, 2, 3)
        positions = [updates.position]
        for _ in range(3):
            await anext(updates)
            positions.append(updates.position)
        updates.acknowledge()
        positions.append(updates.position)
        updates.acknowledge()
    for position, rest in zip(positions, [3, 3, 2, 1, 0], strict=True):
        async with club.bot_updates(position=position) as updates:
            with move_on_after(1):
                assert await read(updates, rest or 1) == [1, 2, 3][3 - rest :]


async def test_a_second_task_that_waits_is_refused_at_once(
    town: Simulator, club: VK
) -> None:
    async def handler(update: object) -> None:
        raise AssertionError

    async with club.bot_updates() as updates, anyio.create_task_group() as tg:
        tg.start_soon(read, updates, 1)
        await settle()
        with pytest.raises(ClientUseError, match="another task is already waiting"):
            await anext(updates)
        with pytest.raises(ClientUseError, match="another task is already waiting"):
            await updates.handle(handler)
        write(town, 1)
    async with club.bot_updates() as updates, anyio.create_task_group() as tg:
        tg.start_soon(updates.handle, handler)
        await settle()
        with pytest.raises(ClientUseError, match="another task is already waiting"):
            await anext(updates)
        updates.stop()


async def test_updates_are_used_inside_their_block(club: VK) -> None:
    updates = club.bot_updates()
    assert repr(updates) == "<BotUpdates of the token's community, new>"
    for use in (updates.stop, lambda: updates.position):
        with pytest.raises(ClientUseError, match="have not been entered: use them"):
            use()
    with pytest.raises(ClientUseError, match=r"async with api\.bot_updates"):
        await anext(updates)
    async with updates:
        assert repr(updates) == "<BotUpdates of community 9, open>"
        with pytest.raises(RuntimeError, match="already been entered"):
            await updates.__aenter__()
    with pytest.raises(ClientUseError, match="have been closed: use them inside"):
        await anext(updates)
    assert updates.position


async def test_before_the_client_is_entered_its_error_comes_first() -> None:
    with pytest.raises(ClientClosedError, match="the client has not been entered"):
        async with VK("a-token").bot_updates():
            pytest.fail("entered")


# What VK and the network do


async def test_an_expired_key_loses_nothing(town: Simulator, club: VK) -> None:
    town.long_poll(key_seconds=100)
    async with club.bot_updates() as updates, anyio.create_task_group() as tg:
        tg.start_soon(write_slowly, town, range(20), 40)
        assert await read(updates, 20) == [*range(20)]
        made = updates.statistics()
    assert made.failures == {"failed 2": made.servers - 1}
    assert 6 <= made.servers <= 9
    assert made.gaps == 0


async def test_what_vk_does_not_keep_is_a_gap(town: Simulator, club: VK) -> None:
    town.long_poll(retention=5)
    async with club.bot_updates() as updates:
        write(town, 1)
        await anext(updates)
        write(town, *range(2, 20))
        with fail_after(200):
            gap = await anext(updates)
        assert isinstance(gap, Gap)
        assert (gap.reason, gap.before, gap.after) == ("outdated", "2", "20")
        write(town, 20)
        assert await read(updates, 1) == [20]
        assert updates.statistics().gaps == 1
        assert updates.statistics().failures == {"failed 1": 1}


async def test_a_lost_session_is_a_gap(town: Simulator, club: VK) -> None:
    async with club.bot_updates() as updates:
        write(town, 1)
        await read(updates, 1)
        write(town, 2, 3)
        town.fault(faults.failed(3))
        with fail_after(200):
            gap = await anext(updates)
        assert isinstance(gap, Gap)
        assert (gap.reason, gap.before, gap.after) == ("lost", "2", "4")
        write(town, 4)
        assert await read(updates, 1) == [4]
        assert updates.statistics().servers == 2


async def test_a_gap_that_was_not_acknowledged_is_found_again(
    town: Simulator, club: VK
) -> None:
    town.long_poll(retention=2)
    async with club.bot_updates() as updates:
        write(town, *range(9))
        assert isinstance(await anext(updates), Gap)
        position = updates.position
    async with club.bot_updates(position=position) as updates:
        assert isinstance(await anext(updates), Gap)
        updates.acknowledge()
        position = updates.position
    async with club.bot_updates(position=position) as updates:
        write(town, 9)
        assert await read(updates, 1) == [9]


@pytest.mark.parametrize("number", [4, 17])
async def test_a_refusal_that_nobody_knows_is_raised(
    town: Simulator, club: VK, number: int
) -> None:
    town.fault(faults.failed(number), rate=1)
    async with club.bot_updates() as updates:
        problem = f"refused the poll: failed {number}"
        with pytest.raises(UpdatesError, match=problem), fail_after(60):
            await anext(updates)
        assert updates.statistics().polls == 1


async def test_what_vk_sends_again_is_left_out(town: Simulator, club: VK) -> None:
    async with club.bot_updates() as updates:
        write(town, 1, 2, 3)
        assert await read(updates, 3) == [1, 2, 3]
        town.fault(faults.repeated(3))
        write(town, 4)
        assert await read(updates, 1) == [4]
        assert updates.statistics().duplicates == 3
        assert updates.statistics().updates == 4


@pytest.mark.parametrize(
    "fault",
    [
        faults.refuse(),
        faults.drop_before(),
        faults.drop_after(),
        faults.html(502),
        faults.hang_before(),
        faults.error(10),
    ],
    ids=str,
)
async def test_a_bad_connection_loses_nothing(
    town: Simulator, club: VK, fault: Any
) -> None:
    async with club.bot_updates() as updates, anyio.create_task_group() as tg:
        town.fault(fault, "longpoll", rate=0.5)
        tg.start_soon(write_slowly, town, range(30), 20)
        assert await read(updates, 30) == [*range(30)]
        made = updates.statistics()
    assert sum(made.failures.values()) > 10
    assert made.gaps == 0


async def test_closing_the_client_ends_a_wait_with_an_error(town: Simulator) -> None:
    outcomes: list[BaseException] = []

    async def listen(updates: BotUpdates) -> None:
        try:
            await anext(updates)
        except ClientClosedError as error:
            outcomes.append(error)

    async with anyio.create_task_group() as tg:
        async with VK("club", http_client=town.http_client()) as club:
            updates = club.bot_updates()
            await updates.__aenter__()
            tg.start_soon(listen, updates)
            await sleep(1)
            start = current_time()
        await settle()
        assert current_time() == start
        assert len(outcomes) == 1
        await updates.__aexit__(None, None, None)
    assert own_tasks() == []


asyncio_only = pytest.mark.parametrize("anyio_backend", ["asyncio"])


@asyncio_only
async def test_native_cancellation_loses_nothing(town: Simulator, club: VK) -> None:
    async with club.bot_updates() as updates:
        for number in range(5):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.02):
                    await anext(updates)
            assert cancelling() == 0
            write(town, number)
            assert number_of(await asyncio.wait_for(anext(updates), 1)) == number
        task = asyncio.ensure_future(read(updates, 1))
        await settle()
        task.cancel("enough")
        with pytest.raises(asyncio.CancelledError, match="enough"):
            await task
        write(town, 5)
        assert await read(updates, 1) == [5]


# Kinds


async def test_only_the_kinds_that_are_wanted_are_delivered(
    town: Simulator, club: VK
) -> None:
    async with club.bot_updates(kinds=[GroupJoin, "message_deny"]) as updates:
        write(town, 1)
        town.update(GROUP, "group_join", {"user_id": 5})
        town.update(GROUP, "group_leave", {"user_id": 5})
        town.update(GROUP, "message_deny", {"user_id": 5})
        found = [(await anext(updates)), (await anext(updates))]
        assert [each.type for each in found] == ["group_join", "message_deny"]  # type: ignore[union-attr]
        updates.acknowledge()
        write(town, 2)
        with move_on_after(30):
            await anext(updates)
        position = updates.position
    async with club.bot_updates(position=position) as updates:
        write(town, 3)
        assert await read(updates, 1) == [3]


async def test_unknown_updates_are_a_kind_of_their_own(
    town: Simulator, club: VK
) -> None:
    async with club.bot_updates(kinds=[UnknownUpdate]) as updates:
        write(town, 1)
        town.update(GROUP, "story_new", {"id": 5})
        update = await anext(updates)
        assert isinstance(update, UnknownUpdate)
        assert update.type == "story_new"


async def test_configure_switches_the_server_and_the_kinds_on(
    town: Simulator, club: VK
) -> None:
    await club.groups.setLongPollSettings(
        group_id=GROUP, enabled=False, message_new=False, group_join=False
    )
    async with club.bot_updates(
        configure=True, kinds=[MessageNew, "lead_forms_new"]
    ) as updates:
        write(town, 1)
        assert await read(updates, 1) == [1]
    settings = await club.groups.getLongPollSettings(group_id=GROUP)
    assert settings["is_enabled"]
    assert settings["api_version"] == "5.199"
    assert settings["events"]["group_join"] == 0
    [call] = town.ledger.carried_out("groups.setLongPollSettings")[1:]
    assert "lead_forms_new" not in call.params


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"group_id": -9}, "group_id must be a whole number of at least 1, got -9"),
        ({"group_id": "9"}, "group_id must be a whole number"),
        ({"wait": 0}, "wait must be a whole number from 1 to 90, got 0"),
        ({"wait": 91}, "wait must be a whole number from 1 to 90, got 91"),
        ({"kinds": "message_nev"}, "'message_nev', .* did you mean message_new?"),
        ({"kinds": [5]}, "kinds must have classes such as MessageNew.*got 5"),
        ({"kinds": [Gap]}, "kinds must have classes"),
        ({"position": 5}, "position must be a store such as FilePosition.*got int"),
        ({"position": "bot.json"}, r"such as FilePosition\('bot.json'\): it is not"),
        ({"position": "[]"}, "it is not a JSON object"),
        ({"position": '{"ts":"1"}'}, "it has no group_id"),
        ({"position": '{"group_id":1,"ts":5,"handled":[]}'}, "no ts, a string"),
        ({"position": '{"group_id":1,"ts":"5"}'}, "no list of the ids"),
    ],
)
async def test_wrong_arguments_are_refused_before_anything_is_sent(
    town: Simulator, club: VK, options: dict[str, Any], problem: str
) -> None:
    with pytest.raises((TypeError, ValueError), match=problem):
        club.bot_updates(**options)
    assert town.ledger.requests == 0
