"""Which pages of a list are asked for: exactly, in small lists."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from _changing_lists import FACTS, OVERLAP, SIZE, ChangingList
from vkanyio._reading._page import PageContent, PageFacts
from vkanyio._reading._paging import OffsetPaging, Search

if TYPE_CHECKING:
    from collections.abc import Sequence

IDS = [*range(300)]
KNOWN = IDS[101:111]
HALF = SIZE // 2


def resumed(total: int | None = 300, at: int = 110) -> OffsetPaging:
    """Go on after the item 110 of 300."""
    return OffsetPaging(FACTS, OVERLAP, 0, IDS[at - 9 : at + 1], Search(at, total))


def read_all(
    paging: OffsetPaging, items: Sequence[int], *, has_total: bool = True
) -> tuple[list[int], list[int]]:
    """Read a list that does not change.

    :return: the places, and the items that are delivered
    """
    places: list[int] = []
    got: list[int] = []
    while (place := paging.place) is not None:
        places.append(place)
        assert len(places) < 60
        keys = items[place : place + SIZE]
        page = PageContent(keys, len(items) if has_total else None)
        got += [keys[index] for index in paging.take(place, page)]
    return places, got


def test_a_new_reading_has_no_end_and_no_length() -> None:
    paging = OffsetPaging(FACTS, OVERLAP)
    assert (paging.place, paging.total, paging.is_complete) == (0, None, False)


@pytest.mark.parametrize(
    ("length", "places"), [(0, [0]), (30, [0]), (31, [0, 20]), (50, [0, 20])]
)
def test_a_list_ends_with_the_page_that_reaches_its_total(
    length: int, places: list[int]
) -> None:
    paging = OffsetPaging(FACTS, OVERLAP)
    assert read_all(paging, IDS[:length]) == (places, IDS[:length])
    assert paging.is_complete is True


def test_without_a_total_a_short_page_with_nothing_new_is_the_end() -> None:
    paging = OffsetPaging(FACTS, OVERLAP)
    places, got = read_all(paging, IDS[:70], has_total=False)
    assert (places, got) == ([0, 20, 40, 60], IDS[:70])
    assert paging.is_complete is True


@pytest.mark.parametrize(
    ("moved", "has_total", "places"),
    [
        (0, True, [101, 121]),
        (5, True, [101, 121]),  # the page has some of them
        (40, True, [101, 141, 161]),
        (-40, True, [101, 61, 81]),
        (-101, True, [101, 0, 20]),
        (200, True, [101, 301, 321]),
        (40, False, [101, 0, 20, 40, 60, 80, 100, 120, 140]),
    ],
)
def test_what_was_read_last_is_looked_for_where_it_should_be(
    moved: int, has_total: bool, places: list[int]
) -> None:
    added = [*range(1000, 1000 + moved)]
    items = [*added, *IDS[max(-moved, 0) :]]
    paging = resumed(300 if has_total else None)
    asked, got = read_all(paging, items, has_total=has_total)
    assert asked[: len(places)] == places
    assert got == IDS[111:]


def test_what_moved_otherwise_is_looked_for_from_the_beginning() -> None:
    # As many were added below as above.
    items = [*range(1000, 1080), *IDS[:150]]
    asked, got = read_all(resumed(230), items)
    assert asked[:3] == [101, 0, 20]
    assert got == IDS[111:150]
    asked, got = read_all(resumed(200), items)
    assert asked[:4] == [101, 131, 0, 20]
    assert got == IDS[111:150]


def test_the_search_ends_with_the_list() -> None:
    paging = OffsetPaging(FACTS, OVERLAP, 0, [1, 2], Search(50, 100))
    places: list[int] = []

    def take_next() -> None:
        assert paging.place is not None
        places.append(paging.place)
        keys = range(500, 600)[paging.place : paging.place + SIZE]
        paging.take(paging.place, PageContent(keys, 100))

    for _ in range(5):
        take_next()
    with pytest.raises(ValueError, match="resume_from"):
        take_next()
    assert places == [49, 0, 20, 40, 60, 80]


def test_a_list_of_which_all_was_read_and_deleted_is_read_from_the_beginning() -> None:
    search = Search(1, 100)
    paging = OffsetPaging(FACTS, OVERLAP, 0, [1, 2], search, knows_all=True)
    items = [*range(500, 600)]
    assert read_all(paging, items)[1] == items
    assert paging.is_complete


def test_new_items_among_those_that_are_known_are_not_those_that_follow() -> None:
    paging = resumed()
    keys = [*KNOWN[:-1], 1000, KNOWN[-1], 111, 112]
    assert list(paging.take(101, PageContent(keys, 300))) == [11, 12]
    paging = resumed()
    assert list(paging.take(101, PageContent([1000, KNOWN[3], 111], 300))) == [2]


def test_a_gap_is_gone_back_over_by_half_a_page() -> None:
    items, paging = ChangingList(300), OffsetPaging(FACTS, OVERLAP)
    paging.take(0, items.page(0))
    for _ in range(15):
        items.delete(0)
    places: list[int] = []
    while len(places) < 4 and (place := paging.place) is not None:
        places.append(place)
        paging.take(place, items.page(place))
    assert places == [20, 5, 20, 40]


@pytest.mark.parametrize(
    ("added", "places"),
    [
        (-15, [121, 106, 121, 141]),  # deleted
        (50, [121, 106, 156, 171, 191]),  # where the length says
    ],
)
def test_after_a_restart_a_gap_may_be_on_either_side(
    added: int, places: list[int]
) -> None:
    paging = resumed()
    paging.take(101, PageContent(IDS[101:131], 300))
    items = [*range(1000, 1000 + added), *IDS[max(-added, 0) :]]
    assert paging.place is not None
    assert paging.after(paging.place) == 141
    asked, got = read_all(paging, items)
    assert asked[: len(places)] == places
    assert got == IDS[131:]


@pytest.mark.parametrize("total", [300, 314, 315, None])
def test_hidden_items_after_a_restart_are_passed_unless_the_list_has_grown(
    total: int | None,
) -> None:
    before = None if total is None else 300
    paging = resumed(before)
    paging.take(101, PageContent(IDS[101:131], before))
    assert not paging.take(121, PageContent(IDS[140:170], before))
    assert list(paging.take(106, PageContent(IDS[106:136], before))) == [*range(25, 30)]
    assert paging.place == 121
    passed = paging.take(121, PageContent(IDS[140:170], total))
    assert len(passed) == (0 if total == 315 else 30)


def test_a_list_that_grew_by_more_than_a_page_above_is_read_on() -> None:
    items, paging = ChangingList(200), OffsetPaging(FACTS, OVERLAP)
    got = list(paging.take(0, items.page(0)))
    for _ in range(100):
        items.add(0)
    places, found = read_all(paging, items.items)
    assert places[:9] == [20, 5, 0, 20, 40, 60, 80, 95, 115]
    assert [item for item in (*got, *found) if item < 200] == [*range(200)]
    assert paging.is_complete


@pytest.mark.parametrize("left", [100, 25])
def test_a_reading_that_lost_all_it_has_read_begins_anew(left: int) -> None:
    paging = OffsetPaging(FACTS, OVERLAP)
    paging.take(0, PageContent(IDS[:30], 100))
    others = [*range(1000, 1000 + left)]
    assert read_all(paging, others)[1] == others
    assert paging.is_complete


def test_the_largest_offset_bounds_the_pages_ahead() -> None:
    for bound, following in ((50, [20, 40, 50, None]), (40, [20, 40, None, None])):
        paging = OffsetPaging(PageFacts(size=SIZE, max_offset=bound), OVERLAP)
        paging.take(0, PageContent(IDS[:SIZE], 300))
        assert [paging.after(place) for place in (0, 20, 40, 50)] == following


def test_no_page_is_expected_after_the_last_one() -> None:
    paging = OffsetPaging(FACTS, OVERLAP)
    paging.take(0, PageContent(IDS[:SIZE], 50))
    assert [paging.after(place) for place in (0, 20)] == [20, None]


PINNED = 9999


@pytest.mark.parametrize(
    ("keys", "delivered"),
    [
        ([PINNED, 500], []),  # it says nothing: the page does not meet the last one
        ([PINNED, 29, 30], [2]),
        ([29, 30], []),  # VK returns the pinned post first, if at all
        ([28, 29, 30], [2]),
        ([PINNED], []),
    ],
)
def test_a_page_meets_the_last_one_by_more_than_its_pinned_item(
    keys: list[int], delivered: list[int]
) -> None:
    paging = OffsetPaging(PageFacts(size=SIZE, has_pinned=True), OVERLAP)
    paging.take(0, PageContent([PINNED, *IDS[1:30]], 100))
    assert paging.place is not None
    assert list(paging.take(paging.place, PageContent(keys, 100))) == delivered


def test_a_list_of_which_only_the_pinned_item_is_left_ends() -> None:
    paging = OffsetPaging(PageFacts(size=SIZE, has_pinned=True), OVERLAP)
    paging.take(0, PageContent([PINNED, *IDS[1:30]], 100))
    assert paging.place is not None
    assert not paging.take(paging.place, PageContent([PINNED], 1))
    assert paging.place is None
    assert paging.is_complete


def test_one_item_that_is_known_is_enough() -> None:
    paging = OffsetPaging(FACTS, OVERLAP)
    paging.take(0, PageContent(IDS[:30], 100))
    assert list(paging.take(20, PageContent([29, 30, 31], 100))) == [1, 2]
