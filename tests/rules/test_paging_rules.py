"""The rules of paging, on lists that change at random."""

from __future__ import annotations

import random
from itertools import cycle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from _changing_lists import FACTS, OVERLAP, SIZE, ChangingList, apply, changes, read
from vkanyio._reading._cursors import CursorPaging
from vkanyio._reading._page import PageContent, PageFacts, key_of
from vkanyio._reading._paging import OffsetPaging, Search


@given(st.integers(0, 300), changes())
def test_what_is_there_all_the_time_comes_exactly_once(
    length: int, script: list[tuple[int, int, list[int]]]
) -> None:
    items, paging = ChangingList(length), OffsetPaging(FACTS, OVERLAP)
    changing = iter(script)

    def change() -> None:
        if found := next(changing, None):
            apply(items, found)

    got = [item for item, _ in read(paging, items, change)]
    assert len(got) == len({*got})
    assert items.always <= {*got}
    assert paging.is_complete


@given(st.integers(0, 200), changes(deleted=OVERLAP - 1), st.data())
def test_a_position_at_any_item_loses_nothing_and_repeats_nothing(
    length: int, script: list[tuple[int, int, list[int]]], data: st.DataObject
) -> None:
    items, paging = ChangingList(length), OffsetPaging(FACTS, OVERLAP)
    changing = cycle(script)
    stop = data.draw(st.integers(0, length + 5))
    got: list[int] = []
    at, pages = 0, 0

    def change() -> None:
        nonlocal pages
        pages += 1
        if pages <= 12:
            apply(items, next(changing))

    for item, place in read(paging, items, change):
        got.append(item)
        at = place
        if len(got) == stop:
            break
    change()
    search = None if len(got) <= OVERLAP else Search(at, paging.total)
    resumed = OffsetPaging(FACTS, OVERLAP, 0, got[-OVERLAP:], search)
    try:
        got += [item for item, _ in read(resumed, items, change)]
    except ValueError:
        assert not items.always & {*got[-OVERLAP:]}
        return
    assert len(got) == len({*got})
    assert items.always <= {*got}


def test_deletions_of_more_than_the_overlap_are_noticed() -> None:
    items, paging = ChangingList(3000), OffsetPaging(PageFacts(size=100), OVERLAP)
    generator = random.Random(1)
    got: set[int] = set()
    while (place := paging.place) is not None:
        page = items.page(place, 100)
        got |= {int(page.keys[index]) for index in paging.take(place, page)}
        for _ in range(30):
            items.delete(generator.randrange(10_000))
    assert items.always <= got


@pytest.mark.parametrize("hidden", [range(25, 35), range(20, 45), range(270, 300)])
def test_hidden_items_make_pages_short_and_end_nothing(hidden: range) -> None:
    paging = OffsetPaging(FACTS, OVERLAP)
    got: list[int] = []
    pages = 0
    while (place := paging.place) is not None:
        shown = [n for n in range(300)[place : place + SIZE] if n not in hidden]
        got += [shown[index] for index in paging.take(place, PageContent(shown, 300))]
        pages += 1
        assert pages < 50
    assert got == [n for n in range(300) if n not in hidden]


def test_an_empty_page_is_the_end_but_not_a_complete_one() -> None:
    paging = OffsetPaging(FACTS, OVERLAP)
    got = 0
    while (place := paging.place) is not None:
        shown = [n for n in range(300)[place : place + SIZE] if not 20 <= n < 70]
        got += len(paging.take(place, PageContent(shown, 300)))
    assert got == 20
    assert not paging.is_complete


def test_a_server_that_returns_less_than_was_asked_for_is_noticed() -> None:
    items, paging = ChangingList(500), OffsetPaging(PageFacts(size=1000), OVERLAP)
    got: list[int] = []
    while (place := paging.place) is not None:
        page = items.page(place, 100)
        got += [int(page.keys[index]) for index in paging.take(place, page)]
    assert got == [*range(500)]
    assert items.pages == 6


def test_without_changes_each_page_is_asked_for_once() -> None:
    items, paging = ChangingList(300), OffsetPaging(FACTS, OVERLAP)
    got = [item for item, _ in read(paging, items, lambda: None)]
    assert got == [*range(300)]
    assert items.pages == 1 + (300 - SIZE + 19) // (SIZE - OVERLAP)


def test_a_list_that_vk_cuts_off_is_not_complete() -> None:
    paging = OffsetPaging(FACTS, OVERLAP)
    got = 0
    while (place := paging.place) is not None:
        keys = range(100)[place : place + SIZE]
        got += len(paging.take(place, PageContent(keys, 5000)))
    assert got == 100
    assert not paging.is_complete


def test_no_offset_is_beyond_the_largest_one() -> None:
    paging = OffsetPaging(PageFacts(size=SIZE, max_offset=50), OVERLAP)
    items = ChangingList(500)
    places: list[int] = []
    got = 0
    while (place := paging.place) is not None:
        places.append(place)
        got += len(paging.take(place, items.page(place)))
    assert places == [0, 20, 40, 50]
    assert got == 80
    assert paging.is_complete is False


def test_a_pinned_item_comes_once_and_does_not_hide_a_gap() -> None:
    facts = PageFacts(size=SIZE, has_pinned=True)
    paging = OffsetPaging(facts, OVERLAP)
    items, got = ChangingList(200), list[int]()
    deleted = False
    while (place := paging.place) is not None:
        keys = [9999, *items.items[max(place - 1, 0) :]][:SIZE]
        page = PageContent(keys, len(items.items) + 1)
        got += [keys[index] for index in paging.take(place, page)]
        if not deleted:
            deleted = True
            for _ in range(14):
                items.delete(0)
    assert len(got) == len({*got})
    assert {9999} | items.always <= {*got}


def test_a_list_without_a_total_ends_where_nothing_new_comes() -> None:
    paging = OffsetPaging(FACTS, OVERLAP)
    got: list[int] = []
    while (place := paging.place) is not None:
        keys = range(75)[place : place + SIZE]
        got += [keys[index] for index in paging.take(place, PageContent(keys))]
    assert got == [*range(75)]
    assert paging.is_complete


def test_a_method_that_ignores_the_offset_ends() -> None:
    paging = OffsetPaging(FACTS, OVERLAP)
    pages = 0
    while (place := paging.place) is not None:
        paging.take(place, PageContent(range(SIZE)))
        pages += 1
    assert pages == 3


def test_pages_ahead_are_those_that_come_next() -> None:
    paging = OffsetPaging(FACTS, OVERLAP)
    assert paging.after(0) is None  # nothing is known yet
    items = ChangingList(100)
    paging.take(0, items.page(0))
    places = [paging.place]
    while (place := paging.after(places[-1] or 0)) is not None:
        places.append(place)
    assert places == [20, 40, 60, 80]
    assert paging.accepts(20)
    assert not paging.accepts(40)


def test_nothing_is_asked_for_ahead_until_two_pages_have_met() -> None:
    items, paging = ChangingList(300), OffsetPaging(FACTS, OVERLAP)
    paging.take(0, items.page(0))
    assert paging.after(20) == 40
    for _ in range(15):
        items.delete(0)
    paging.take(20, items.page(20))  # it begins after a gap
    assert paging.place == 5
    assert paging.after(5) is None
    paging.take(5, items.page(5))
    assert paging.place == 20
    assert paging.after(20) is None
    paging.take(20, items.page(20))
    assert paging.after(40) == 60


@pytest.mark.parametrize("moved", [0, 5, 40, -40, 200])
@pytest.mark.parametrize("total", [True, False])
def test_the_last_items_are_found_wherever_they_are(moved: int, total: bool) -> None:
    ids = [*range(300)]
    items = [*range(1000, 1000 + moved), *ids] if moved > 0 else ids[-moved:]
    known = ids[101:111]
    search = Search(110, 300 if total else None)
    paging = OffsetPaging(FACTS, OVERLAP, 0, known, search)
    got: list[int] = []
    pages = 0
    while (place := paging.place) is not None:
        keys = items[place : place + SIZE]
        found = paging.take(place, PageContent(keys, len(items) if total else None))
        got += [keys[index] for index in found]
        pages += 1
        assert pages < 60
    assert got == ids[111:]
    assert paging.is_complete


def test_a_list_that_was_emptied_after_a_restart_ends() -> None:
    paging = OffsetPaging(FACTS, OVERLAP, 0, [1, 2], Search(50, 100))
    while (place := paging.place) is not None:
        assert not paging.take(place, PageContent([], 0))
    assert paging.is_complete


@pytest.mark.parametrize("total", [100, None])
def test_items_that_are_all_gone_after_a_restart_are_an_error(
    total: int | None,
) -> None:
    paging = OffsetPaging(FACTS, OVERLAP, 0, [1, 2], Search(50, total))
    items = [*range(500, 600)]

    def read_all() -> None:
        while (place := paging.place) is not None:
            page = PageContent(items[place : place + SIZE], total)
            assert not paging.take(place, page)

    with pytest.raises(ValueError, match="resume_from: the items that were read last"):
        read_all()


def test_cursors_are_followed_to_the_last_page() -> None:
    paging = CursorPaging(PageFacts(size=2, by_cursor=True))
    assert (paging.total, paging.is_complete) == (None, False)
    assert paging.take("", PageContent(["a", "b"], 3, "next")) == [0, 1]
    assert paging.total == 3
    assert paging.place == "next"
    assert not paging.is_complete
    assert paging.take("next", PageContent(["b", "c"], 3, "next")) == [1]
    assert paging.place is None
    assert paging.is_complete


def test_cursors_that_come_again_end_the_list() -> None:
    paging = CursorPaging(PageFacts(size=1, by_cursor=True))
    following = {"": "a", "a": "b", "b": "a"}
    read: list[str] = []
    while (place := paging.place) is not None:
        assert paging.accepts(place)
        assert not paging.accepts("elsewhere")
        read.append(place)
        assert len(read) < 10
        paging.take(place, PageContent([place], None, following[place]))
    assert read == ["", "a", "b"]
    assert paging.is_complete is True


@pytest.mark.parametrize(
    ("total", "is_complete"), [(5, False), (2, True), (None, True)]
)
def test_cursors_that_end_before_the_total_were_cut_off(
    total: int | None, is_complete: bool
) -> None:
    paging = CursorPaging(PageFacts(size=2, by_cursor=True, max_results=2))
    paging.take("", PageContent(["a", "b"], total))
    assert paging.place is None
    assert paging.is_complete is is_complete


@pytest.mark.parametrize(
    ("item", "fields", "key"),
    [
        (7, ("id",), 7),
        ("name", (), "name"),
        ({"id": 7}, ("id",), 7),
        ({"owner_id": -1, "id": 7}, ("owner_id", "id"), "-1_7"),
        ({"peer": {"id": 7}}, ("peer.id",), 7),
        ({"type": "group", "group": {"id": 3}}, ("type", "user.id", "group.id"), None),
    ],
)
def test_an_item_is_known_by_its_key(
    item: object, fields: tuple[str, ...], key: int | str | None
) -> None:
    assert key_of(item, fields) == ("group__3" if key is None else key)


def test_an_item_with_no_key_or_its_type_alone_is_known_by_all_of_it() -> None:
    keys = {
        key_of({"type": "link", "link": {"url": url}}, ("type", "post.id"))
        for url in ("a", "b")
    }
    assert len(keys) == 2
    assert key_of({"a": 1, "b": 2}, ()) == key_of({"b": 2, "a": 1}, ())
