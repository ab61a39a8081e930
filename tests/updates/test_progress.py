"""What was handled, and where to go on: for all orders in which that can happen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from _source import message
from hypothesis import given
from hypothesis import strategies as st

from vkanyio.updates import mailbox
from vkanyio.updates._progress import MAX_SEEN, Progress, UpdatesPosition

if TYPE_CHECKING:
    from vkanyio.updates import Update


def begin(ts: int = 0, *handled: int) -> Progress:
    ids = tuple(f"e{n}" for n in handled)
    return Progress(UpdatesPosition(group_id=7, ts=str(ts), handled=ids))


def updates(*numbers: int) -> list[Update[Any]]:
    return [message(n) for n in numbers]


def edit(number: int = 4, *, place: int) -> Update[Any]:
    return mailbox.MessageEdited.make([5, number, 1, 1], 0, str(place), None)


def where(progress: Progress) -> tuple[int, list[int]]:
    position = progress.position()
    assert UpdatesPosition.parse(str(position)) == position
    return int(position.ts), [int(each[1:]) for each in position.handled]


def test_the_position_stays_before_the_first_update_that_is_not_handled() -> None:
    progress = begin()
    first, second, third = progress.accept("3", updates(1, 2, 3))
    assert where(progress) == (0, [])
    progress.done(second)
    assert where(progress) == (0, [2])
    progress.done(second)
    progress.done(first)
    assert where(progress) == (0, [1, 2])
    progress.done(third)
    assert where(progress) == (3, [])


def test_a_later_answer_waits_for_an_earlier_one() -> None:
    progress = begin()
    [first] = progress.accept("1", updates(1))
    [second] = progress.accept("2", updates(2))
    progress.done(second)
    assert where(progress) == (0, [2])
    progress.done(first)
    assert where(progress) == (2, [])


def test_an_update_that_is_sent_again_while_it_is_handled_is_not_handled() -> None:
    progress = begin()
    [first] = progress.accept("1", updates(1))
    assert progress.accept("2", updates(1)) == []
    assert progress.duplicates == 1
    assert where(progress) == (0, [])
    progress.done(first)
    assert where(progress) == (2, [])


def test_an_update_that_comes_twice_in_an_answer_is_one() -> None:
    progress = begin()
    [first] = progress.accept("1", updates(1, 1))
    progress.done(first)
    assert where(progress) == (1, [])


def test_what_a_former_life_handled_is_kept_until_it_is_met() -> None:
    progress = begin(0, 2, 3)
    [first] = progress.accept("1", updates(1))
    assert where(progress) == (0, [2, 3])
    progress.done(first)
    assert where(progress) == (1, [2, 3])
    assert progress.accept("2", updates(2)) == []
    assert where(progress) == (2, [3])
    assert progress.accept("3", updates(3)) == []
    assert where(progress) == (3, [])
    assert progress.duplicates == 0
    assert progress.accept("3", updates(2, 3)) == []
    assert progress.duplicates == 2


def test_what_vk_repeats_is_not_taken_for_a_later_update_with_the_same_key() -> None:
    progress = Progress(UpdatesPosition(group_id=0, ts="1", pts="1"))
    [first] = progress.accept("2", [edit(place=2)], pts="2")
    progress.done(first)
    fresh = progress.accept("3", [edit(place=2), edit(number=5, place=3)], pts="3")
    assert [each.object[1] for each in fresh] == [5]
    assert progress.position() == UpdatesPosition(group_id=0, ts="2", pts="2")


def test_what_was_not_met_when_all_was_told_is_forgotten() -> None:
    progress = begin(0, 2, 9)
    [first] = progress.accept("2", updates(1, 2))
    progress.catch_up()
    assert where(progress) == (0, [2])
    assert len(progress.accept("3", updates(9))) == 1
    progress.done(first)
    assert where(progress) == (2, [])


def test_an_answer_of_known_updates_counts_while_an_older_one_is_open() -> None:
    progress = begin(0, 2)
    [first] = progress.accept("1", updates(1))
    assert progress.accept("2", updates(2)) == []
    assert where(progress) == (0, [2])
    progress.done(first)
    assert where(progress) == (2, [])


def test_a_gap_is_acknowledged_as_an_update_is() -> None:
    progress = begin(0, 2)
    gap = progress.skip("outdated", "9")
    assert (gap.before, gap.after, progress.ts) == ("0", "9", "9")
    assert where(progress) == (0, [2])
    progress.done(gap)
    assert where(progress) == (9, [])


def test_as_many_ids_are_remembered_as_vk_may_repeat() -> None:
    progress = begin()
    for n in range(MAX_SEEN + 1):
        [update] = progress.accept(str(n), updates(n))
        progress.done(update)
    assert progress.accept("5000", updates(1, MAX_SEEN)) == []
    assert len(progress.accept("5001", updates(0))) == 1


def test_a_text_that_vk_has_cut_within_a_character_can_be_stored() -> None:
    progress = begin()
    update = mailbox.UnknownUserUpdate.make([18, 4, "кот \ud83d"], 0, "1", None)
    progress.accept("2", [update, *updates(2)])
    progress.done(update)
    text = str(progress.position())
    assert text.encode()
    assert UpdatesPosition.parse(text).handled == (update.key,)


@pytest.mark.parametrize("text", ["", "null", "5", '{"group_id": true, "ts": "1"}'])
def test_what_is_no_position_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"^it "):
        UpdatesPosition.parse(text)


@given(st.data())
def test_whatever_the_order_each_update_is_handled_once_over_all_lives(
    data: st.DataObject,
) -> None:
    total = 12
    log = [message(n) for n in range(1, total + 1)]  # n has the number n
    progress = begin()
    handled: list[str] = []
    acknowledged: set[str] = set()
    in_hand: list[Update[Any]] = []
    for _ in range(60):
        action = data.draw(st.sampled_from(["poll", "poll", "done", "done", "die"]))
        if action == "poll":
            most = data.draw(st.integers(1, 4))
            after = int(progress.ts)
            sent = log[after : after + most]
            again = data.draw(st.integers(0, 2))
            repeated = log[max(after - again, 0) : after]
            before = {each.event_id for each in in_hand} | set(handled)
            fresh = progress.accept(str(after + len(sent)), [*repeated, *sent])
            for each in fresh:
                if each.event_id not in acknowledged:
                    in_hand.append(each)
                else:  # in a former life, and VK repeats what was before the position
                    assert each in repeated
                    progress.done(each)
            lost = {each.event_id for each in sent} - before
            assert lost <= {each.event_id for each in fresh} | acknowledged
        elif action == "done" and in_hand:
            update = in_hand.pop(data.draw(st.integers(0, len(in_hand) - 1)))
            assert update.event_id not in acknowledged
            progress.done(update)
            handled.append(update.event_id)
            acknowledged.add(update.event_id)
        elif action == "die":
            in_hand.clear()
            progress = Progress(UpdatesPosition.parse(str(progress.position())))
    for update in in_hand:
        progress.done(update)
        acknowledged.add(update.event_id)
    while int(progress.ts) < total:
        after = int(progress.ts)
        for update in progress.accept(str(after + 1), log[after : after + 1]):
            assert update.event_id not in acknowledged
            progress.done(update)
            acknowledged.add(update.event_id)
    assert acknowledged == {each.event_id for each in log}
    assert progress.position().ts == str(total)
