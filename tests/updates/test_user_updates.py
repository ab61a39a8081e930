"""``club.user_updates``: what happens in a mailbox, also while nobody listens."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING, Any

import anyio
import pytest
from _bots import GROUP, Memory, read, write, write_slowly
from anyio import fail_after, move_on_after, sleep

from _helpers import settle
from vkanyio import VK, AccessDeniedError, ClientUseError, TooManyRequestsError
from vkanyio.testing import Simulator, faults
from vkanyio.testing.faults import PollFault
from vkanyio.updates import Gap, PositionError, UpdatesError, mailbox

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = pytest.mark.anyio


def _answer(value: Any, _: object) -> Any:
    return value


def _head(item: object) -> list[Any]:
    assert isinstance(item, mailbox.UserUpdate)
    return item.object[:3]  # which the history has of each


async def test_what_happens_in_a_mailbox_has_a_class_for_each_kind(
    town: Simulator, club: VK
) -> None:
    async with (
        VK("anna", http_client=town.http_client(), limit=1000) as anna,
        club.user_updates() as updates,
    ):
        await anna.messages.setActivity(peer_id=-GROUP, type="typing")
        message_id = await anna.messages.send(peer_id=-GROUP, message="a <b>\n&amp;")
        await club.messages.markAsRead(peer_id=1)
        await anna.messages.edit(peer_id=-GROUP, message_id=message_id, message="new")
        await anna.messages.delete(message_ids=[message_id], delete_for_all=True)
        found = [await anext(updates) for _ in range(5)]
    typing, new, seen, edited, deleted = found
    assert isinstance(typing, mailbox.Typing)
    assert (typing.user_ids, typing.peer_id, typing.persistent) == ((1,), 1, False)
    assert isinstance(new, mailbox.NewMessage)
    assert (new.text, new.peer_id, new.message_id) == ("a <b>\n&amp;", 1, message_id)
    assert (new.is_outgoing, new.flags, new.replayed) == (False, mailbox.UNREAD, False)
    assert new.date is not None
    assert new.date > 1_700_000_000
    assert new.object[0] == new.code == 4
    assert isinstance(seen, mailbox.IncomingRead)
    assert (seen.peer_id, seen.message_id) == (1, message_id)
    assert isinstance(edited, mailbox.MessageEdited)
    assert edited.text == "new"
    assert isinstance(deleted, mailbox.MessageFlagsSet)
    assert deleted.flags == mailbox.DELETED | mailbox.DELETED_FOR_ALL
    assert deleted.peer_id == 1


async def test_own_messages_have_the_random_id_that_they_were_sent_with(
    club: VK, town: Simulator
) -> None:
    async with club.user_updates() as updates:
        write(town, 1)
        theirs = await anext(updates)
        await club.messages.send(peer_id=1, message="2", random_id=77)
        mine = await anext(updates)
    assert isinstance(theirs, mailbox.NewMessage)
    assert isinstance(mine, mailbox.NewMessage)
    assert (theirs.sent_random_id, mine.sent_random_id) == (0, 77)
    assert mine.is_outgoing
    assert theirs.random_id() != mine.random_id() != 77


async def test_what_happened_between_two_lives_comes_from_the_history(
    town: Simulator, club: VK
) -> None:
    store = Memory()
    async with club.user_updates(position=store) as updates:
        write(town, 1)
        assert await read(updates, 1) == [1]
    write(town, 2)
    await club.messages.markAsRead(peer_id=1)
    await club.messages.send(peer_id=1, message="3", random_id=5)
    async with club.user_updates(position=store) as updates:
        with fail_after(1000):  # there is an update of reading for each message
            two, _, seen, three = [await anext(updates) for _ in range(4)]
        write(town, 4)
        assert await read(updates, 1) == [4]
    assert isinstance(two, mailbox.NewMessage)
    assert isinstance(three, mailbox.NewMessage)
    assert isinstance(seen, mailbox.IncomingRead)
    assert (two.text, two.peer_id, two.replayed) == ("2", 1, True)
    assert (three.text, three.sent_random_id, three.is_outgoing) == ("3", 5, True)
    assert three.date is not None
    assert three.message is not None
    assert seen.message_id == two.message_id


@pytest.fixture
async def anna(town: Simulator) -> AsyncIterator[VK]:
    async with VK("anna", http_client=town.http_client(), limit=1000) as anna:
        yield anna


async def test_what_was_edited_or_restored_between_two_lives_has_its_text(
    town: Simulator, club: VK, anna: VK
) -> None:
    async with club.user_updates() as updates:
        write(town, 1, 2)
        assert await read(updates, 2) == [1, 2]
        position = updates.position
    await anna.messages.edit(peer_id=-GROUP, message_id=1, message="a <b>\n&amp;")
    await club.messages.delete(message_ids=[2])
    await club.messages.restore(message_id=2)
    async with club.user_updates(position=position) as updates:
        edited, deleted, restored = [await anext(updates) for _ in range(3)]
    assert isinstance(edited, mailbox.MessageEdited)
    assert len(edited.object) == 4
    assert (edited.text, edited.message_id) == ("a <b>\n&amp;", 1)
    assert edited.message is not None
    assert edited.message["update_time"] > 0
    assert isinstance(deleted, mailbox.MessageFlagsSet)
    assert deleted.message is None
    assert isinstance(restored, mailbox.MessageFlagsReset)
    assert (restored.text, restored.replayed) == ("2", True)


async def test_what_vk_sends_again_is_left_out(
    town: Simulator, club: VK, anna: VK
) -> None:
    async with club.user_updates() as updates:
        write(town, 1)
        await anna.messages.edit(peer_id=-GROUP, message_id=1, message="2")
        await club.messages.markAsRead(peer_id=1)
        await anna.messages.setActivity(peer_id=-GROUP, type="typing")
        for _ in range(4):
            await anext(updates)
        town.fault(faults.repeated(4))
        write(town, 3)
        assert await read(updates, 1) == [3]
        assert updates.statistics().duplicates == 4


async def further_on(poll: Any) -> Any:
    return {"ts": poll.ts, "pts": 1000, "updates": []}


async def test_a_session_that_vk_forgot_does_not_move_the_place_in_the_history(
    town: Simulator, club: VK
) -> None:
    town.fault(PollFault("further on", further_on), rate=1)
    async with club.user_updates() as updates:
        with move_on_after(10):
            await anext(updates)
        write(town, 1)
        position = updates.position
    town.clear_faults()
    async with club.user_updates(position=position) as updates:
        assert await read(updates, 1) == [1]


async def with_counter(poll: Any) -> Any:
    """Answer with a number of unread conversations, which no history has."""
    value = await poll.answer()
    return {**value, "updates": [*value["updates"], [80, 3, 0]]}


async def test_what_no_history_has_is_not_taken_for_what_was_handled_before(
    town: Simulator, club: VK
) -> None:
    async with club.user_updates() as updates:
        source = updates._source  # pyright: ignore[reportPrivateUsage]
        assert source is not None
        town.fault(PollFault("counter", with_counter))
        write(town, 1)
        _, counter = [await source.take() for _ in range(2)]
        assert isinstance(counter, mailbox.CounterChanged)
        source.done(counter)  # and not the message
        position = updates.position
        assert '"handled":["80:3:0"]' in position
    async with club.user_updates(position=position) as updates:
        assert await read(updates, 1) == [1]
        assert '"handled":[]' in updates.position
        town.fault(PollFault("counter", with_counter))
        write(town, 2)
        assert await read(updates, 1) == [2]
        with fail_after(100):
            counter = await anext(updates)
        assert isinstance(counter, mailbox.CounterChanged)
        assert counter.count == 3


async def test_the_same_may_happen_again_while_the_history_stays_as_it_is(
    town: Simulator, club: VK
) -> None:
    async def notify(poll: Any) -> Any:
        change = {"peer_id": 1, "sound": poll.ts % 2, "disabled_until": 0}
        return {"ts": poll.ts + 1, "pts": 1, "updates": [[114, change]]}

    town.fault(PollFault("notifications", notify), times=4)
    async with club.user_updates() as updates:
        with fail_after(100):
            found = [await anext(updates) for _ in range(4)]
    sounds = [each.object[1]["sound"] for each in found if not isinstance(each, Gap)]
    assert sounds == [1, 0, 1, 0]


async def test_a_long_history_is_read_in_parts(town: Simulator, club: VK) -> None:
    async with club.user_updates() as updates:
        position = updates.position
    write(town, *range(450))
    async with club.user_updates(position=position) as updates:
        assert await read(updates, 250) == [*range(250)]
        position = updates.position
    async with club.user_updates(position=position) as updates:
        assert await read(updates, 200) == [*range(250, 450)]
        assert updates.statistics().updates == 200


@pytest.mark.parametrize("number", [1, 3])
async def test_what_the_server_has_forgotten_comes_from_the_history(
    town: Simulator, club: VK, number: int
) -> None:
    async with club.user_updates() as updates:
        write(town, 1)
        assert await read(updates, 1) == [1]
        write(town, 2, 3)
        town.fault(faults.failed(number), "longpoll")
        assert await read(updates, 2) == [2, 3]
        write(town, 4)
        assert await read(updates, 1) == [4]
        assert updates.statistics().gaps == 0
        assert updates.statistics().failures == {f"failed {number}": 1}


async def test_an_expired_key_loses_nothing(town: Simulator, club: VK) -> None:
    town.long_poll(key_seconds=100)
    async with club.user_updates() as updates, anyio.create_task_group() as tg:
        tg.start_soon(write_slowly, town, range(30), 40)
        assert await read(updates, 30) == [*range(30)]
        assert updates.statistics().failures["failed 2"] > 5


async def test_what_the_history_has_lost_is_a_gap(town: Simulator, club: VK) -> None:
    async with club.user_updates() as updates:
        position = updates.position
    town.long_poll(history=2)
    write(town, 1, 2, 3, 4)
    async with club.user_updates(position=position) as updates:
        gap = await anext(updates)
        assert isinstance(gap, Gap)
        assert gap.reason == "outdated"
        write(town, 5)
        assert await read(updates, 1) == [5]
        assert updates.statistics().gaps == 1


async def test_a_history_that_vk_does_not_return_is_asked_for_again(
    town: Simulator, club: VK, caplog: pytest.LogCaptureFixture
) -> None:
    async with club.user_updates() as updates:
        position = updates.position
    write(town, 1)
    town.fault(faults.error(29), "messages.getLongPollHistory")
    with caplog.at_level(logging.WARNING, "vkanyio"):
        async with club.user_updates(position=position) as updates:
            assert await read(updates, 1) == [1]
    assert "the token's mailbox: no history, retrying" in caplog.text


async def test_a_token_that_loses_its_right_ends_the_wait(
    town: Simulator, club: VK
) -> None:
    async with club.user_updates() as updates:
        position = updates.position
    town.fault(faults.error(15), "messages.getLongPollHistory")
    async with club.user_updates(position=position) as updates:
        with pytest.raises(AccessDeniedError, match="right to messages"):
            await anext(updates)


async def test_a_token_without_the_right_is_told_so_at_the_start(
    town: Simulator, club: VK
) -> None:
    town.fault(faults.error(15), "messages.getLongPollServer")
    with pytest.raises(AccessDeniedError, match="token of a community with the right"):
        async with club.user_updates():
            pytest.fail("it was entered")


async def test_a_history_that_leads_nowhere_is_an_error(
    town: Simulator, club: VK
) -> None:
    async with club.user_updates() as updates:
        position = updates.position
    values: list[Any] = [
        {"history": [], "new_pts": 1, "more": 1},
        {"history": [], "new_pts": 2},
        {"history": [], "new_pts": 2, "credentials": {"server": "lp.vk.com"}},
        {"new_pts": 2},
    ]
    for value in values:
        town.add_method("messages.getLongPollHistory", partial(_answer, value))
        async with club.user_updates(position=position) as updates:
            with pytest.raises(UpdatesError, match="getLongPollHistory returned no"):
                await anext(updates)
    town.add_method("messages.getLongPollServer", lambda _: {"key": "a", "server": "b"})
    with pytest.raises(UpdatesError, match="getLongPollServer returned no"):
        async with club.user_updates():
            pytest.fail("it was entered")


async def test_handlers_go_on_where_they_stopped(town: Simulator, club: VK) -> None:
    handled: list[tuple[int | None, str]] = []

    async def handler(update: mailbox.UserUpdate) -> None:
        if isinstance(update, mailbox.NewMessage) and not update.is_outgoing:
            await sleep(len(update.text))
            await club.messages.send(
                peer_id=update.peer_id, message="ok", random_id=update.random_id()
            )
            handled.append((update.peer_id, update.text))

    store = Memory()
    for life in range(8):
        async with club.user_updates(position=store) as updates:
            for user in (1, 2, 3):
                write(town, 10 * life, 10 * life + 1, user=user)
            with move_on_after(1 + life):
                await updates.handle(handler, workers=2)
    async with club.user_updates(position=store) as updates:
        with move_on_after(500):
            await updates.handle(handler, workers=2)
    expected = [str(10 * life + n) for life in range(8) for n in (0, 1)]
    for user in (1, 2, 3):
        texts = [text for peer, text in handled if peer == user]
        assert [*dict.fromkeys(texts)] == expected
    sent = town.ledger.carried_out("messages.send")
    answers = {each.params["random_id"] for each in sent}
    assert len(answers) == 3 * len(expected)


@pytest.mark.parametrize("cut", range(11))
async def test_a_program_that_is_killed_between_updates_hears_the_others_again(
    town: Simulator, club: VK, cut: int
) -> None:
    """Updates are acknowledged in any order, and the position is taken at any time."""
    async with club.user_updates() as updates:
        write(town, 0, 1, 2, 3)
        await club.messages.markAsRead(peer_id=1)  # an update for each message
        write(town, 4, 5)
        source = updates._source  # pyright: ignore[reportPrivateUsage]
        assert source is not None
        got = [await source.take() for _ in range(10)]
        done = [got[(3 * n) % 10] for n in range(cut)]
        for each in done:
            source.done(each)
        position = updates.position
    write(town, 6)
    left = [each for each in got if each not in done]
    async with club.user_updates(position=position) as updates:
        with fail_after(1000):
            again = [await anext(updates) for _ in range(len(left) + 1)]
    assert [_head(each) for each in again[:-1]] == [_head(each) for each in left]
    last = again[-1]
    assert isinstance(last, mailbox.NewMessage)
    assert last.text == "6"


async def test_a_position_of_another_kind_is_refused(town: Simulator, club: VK) -> None:
    async with club.user_updates() as box, club.bot_updates() as updates:
        of_mailbox, of_community = box.position, updates.position
    with pytest.raises(PositionError, match=r"that of a mailbox \(user_updates\)"):
        async with club.bot_updates(position=of_mailbox):
            pytest.fail("it was entered")
    with pytest.raises(PositionError, match=r"that of a community \(bot_updates\)"):
        async with club.user_updates(position=of_community):
            pytest.fail("it was entered")
    with pytest.raises(ValueError, match="its pts is not the text of a number"):
        club.user_updates(position='{"group_id":0,"ts":"1","pts":"x","handled":[]}')


async def test_a_manager_hears_the_mailbox_of_a_community(town: Simulator) -> None:
    town.add_group(GROUP, managers=[1])
    async with VK("anna", http_client=town.http_client(), limit=1000) as anna:
        async with anna.user_updates(GROUP) as updates:
            assert repr(updates) == "<UserUpdates of the mailbox of community 9, open>"
            write(town, 5, user=2)
            assert await read(updates, 1) == [5]
            assert '"group_id":9' in updates.position
        async with anna.user_updates() as updates:
            other = updates.position
        with pytest.raises(PositionError, match="keep a separate position"):
            async with anna.user_updates(GROUP, position=other):
                pytest.fail("it was entered")
    assert repr(updates) == "<UserUpdates of the token's mailbox, closed>"


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"group_id": 0}, ValueError, "group_id"),
        ({"group_id": "9"}, TypeError, "group_id"),
        ({"wait": 91}, ValueError, "wait"),
        ({"position": 5}, TypeError, "position"),
    ],
)
async def test_wrong_arguments_are_refused_by_name(
    club: VK, arguments: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        club.user_updates(**arguments)


async def test_updates_are_used_inside_their_block(club: VK) -> None:
    updates = club.user_updates()
    with pytest.raises(ClientUseError, match=r"async with api\.user_updates"):
        await anext(updates)


async def test_a_poll_says_what_it_wants(town: Simulator, club: VK) -> None:
    seen: list[Any] = []

    async with club.user_updates() as updates, anyio.create_task_group() as tg:
        tg.start_soon(read, updates, 1)
        await settle()
        write(town, 1)
    seen = [each for each in town.ledger.mailbox_updates if each.handed_out]
    assert len(seen) == 1
    assert seen[0].value[-1] == 0  # random_id, by the bit 128 of mode


async def test_too_many_requests_for_a_server_are_not_the_callers(
    town: Simulator, club: VK
) -> None:
    town.fault(faults.error(6), "messages.getLongPollServer")
    try:
        async with club.user_updates() as updates:
            write(town, 1)
            assert await read(updates, 1) == [1]
    except TooManyRequestsError:
        pytest.fail("error 6 was not retried")
