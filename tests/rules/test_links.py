"""Links: each form of them, and texts that are none although they look like one."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from vkanyio import APIRequest
from vkanyio.links import (
    Album,
    App,
    Audio,
    Doc,
    Group,
    Page,
    Photo,
    Poll,
    Product,
    ScreenName,
    Story,
    Topic,
    User,
    Video,
    Wall,
    parse_link,
)

TARGETS: dict[str, Any] = {
    "id1": User(1),
    "club5": Group(5),
    "public5": Group(5),
    "event5": Group(5),
    "app7": App(7),
    "app7_-5": App(7, -5),
    "durov": ScreenName("durov"),
    "vk.team_1": ScreenName("vk.team_1"),
    "wall-1_2": Wall(-1, 2),
    "wall1_2_r3": Wall(1, 2, 3),
    "photo-1_2": Photo(-1, 2),
    "photo1_2_ab12": Photo(1, 2, "ab12"),
    "video-1_2": Video(-1, 2),
    "video-1_2_ab12": Video(-1, 2, "ab12"),
    "clip-1_2": Video(-1, 2),
    "audio1_2_ab12": Audio(1, 2, "ab12"),
    "doc1_2_ab12": Doc(1, 2, "ab12"),
    "story1_2": Story(1, 2),
    "poll-1_2": Poll(-1, 2),
    "page-1_2": Page(-1, 2),
    "product-1_2": Product(-1, 2),
    "market-1_2": Product(-1, 2),
    "album1_2": Album(1, 2),
    "album1_0": Album(1, "profile"),
    "album1_00": Album(1, "wall"),
    "album1_000": Album(1, "saved"),
    "topic-1_2": Topic(1, 2),
}


@pytest.mark.parametrize(("path", "target"), TARGETS.items())
@pytest.mark.parametrize(
    "address",
    [
        "{}",
        " {}\n",
        "vk.com/{}",
        "vk.ru/{}",
        "https://vk.com/{}",
        "http://www.vk.com/{}/",
        "HTTPS://M.VK.COM/{}",
        "https://vk.com/{}?from=search",
        "https://vk.com/{}#comments",
        "[{}|somebody]",
    ],
)
def test_an_address_says_what_it_leads_to(address: str, path: str, target: Any):
    assert parse_link(address.format(path)) == target


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("https://vk.com/durov?w=wall1_2", Wall(1, 2)),
        ("https://vk.com/durov?w=wall1_2_r3", Wall(1, 2, 3)),
        ("https://vk.com/feed?w=wall-1_2%2Fall", Wall(-1, 2)),
        ("https://vk.com/wall-1_2?reply=3", Wall(-1, 2, 3)),
        ("https://vk.com/wall-1_2?reply=3&thread=4", Wall(-1, 2, 3)),
        ("https://vk.com/album1_00?z=photo1_2%2Falbum1_00", Photo(1, 2)),
        ("https://vk.com/wall1_5?z=photo1_2%2Fwall1_5", Photo(1, 2)),
        ("https://vk.com/video/@durov?z=video-1_2%2Fpl_-1_-2", Video(-1, 2)),
        ("https://vk.com/market-1?w=product-1_2%2Fquery", Product(-1, 2)),
        ("https://vk.com/topic-1_2?post=3", Topic(1, 2, 3)),
        ("https://vk.com/durov?w=calendar", ScreenName("durov")),
        ("https://vk.com/durov?w=", ScreenName("durov")),
        ("https://vk.com/@durov", ScreenName("durov")),
        ("https://vkvideo.ru/video-1_2", Video(-1, 2)),
        ("https://vkvideo.ru/clip-1_2", Video(-1, 2)),
        # https://github.com/negezor/vk-io/issues/508
        ("https://vk.me/durov", ScreenName("durov")),
        ("vk.me/id1", User(1)),
        ("vk.me/club5", Group(5)),
        ("@durov", ScreenName("durov")),
        ("@id1 (Pavel)", User(1)),
        ("*club5 (The club)", Group(5)),
        ("[https://vk.com/wall-1_2|the post]", Wall(-1, 2)),
        ("[id1|]", User(1)),
        ("ID1", User(1)),
        ("Durov", ScreenName("Durov")),
    ],
)
def test_links_as_browsers_and_messages_have_them(text: str, target: Any):
    assert parse_link(text) == target


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "1",
        "12345",
        "hello world",
        "hello [id1|Ann]",
        "[id1|Ann] hello",
        "[id1|Ann][id2|Bob]",
        "[id1 |Ann]",
        "[[id1|Ann]]",
        "[id1|[id2|Ann]]",
        "see https://vk.com/durov",
        "https://vk.com/durov and more",
        "https://vk.com/",
        "https://vk.com",
        "https://vk.com/durov/friends",
        "https://vk.com/im/convo/1",
        "https://evil.com/vk.com/id1",
        "https://vk.com.evil.com/id1",
        "https://evilvk.com/id1",
        "https://vk.com@evil.com/id1",
        "https://vk.com:pass@evil.com/id1",
        "https://vk.com\\@evil.com/id1",
        "ftp://vk.com/id1",
        "https://vk.cc/abc",
        "https://vk.me/join/abc=",
        "https://vk.me/wall-1_2",
        "https://vkvideo.ru/durov",
        "https://t.me/durov",
        "wall-1_0",
        "wall-0_1",
        "wall--1_2",
        "wall-1_2_3_4",
        "wall-1_2x",
        "photo-1_2-3",
        "topic-1_2_3",
        "нет",
        "id\u0661",  # an Arabic digit
        "@all the people",
        "x" * 33,
        "durov.",
        "a" * 3000,
        "wall-1_" + "1" * 19,
    ],
)
def test_what_is_no_link_is_none(text: str):
    assert parse_link(text) is None


@pytest.mark.parametrize("text", ["topic1_2", "id0", "id1abc", "wall1_2_x", "club1_2"])
def test_what_only_looks_like_an_id_is_a_name(text: str):
    assert parse_link(text) == ScreenName(text)


IDS = st.integers(1, 10**17)
OWNERS = IDS | IDS.map(lambda number: -number)
FORMS = st.sampled_from(["{}", "https://vk.com/{}", "m.vk.ru/{}", "[{}|Ann]"])


@given(
    st.one_of(
        st.builds("wall{}_{}".format, OWNERS, IDS),
        st.builds("photo{}_{}".format, OWNERS, IDS),
        st.builds("id{}".format, IDS),
    ),
    st.text("abcdefgh", min_size=1),
)
def test_an_id_is_anchored_at_both_ends(link: str, more: str):
    # vk-io's resolver reads "id1abc" as user 1: its pattern has no end.
    for text in (link + more, more + link, f"{link} {more}", f"{more} {link}"):
        assert parse_link(text) in (None, ScreenName(text))


@given(st.text(max_size=10), st.text(max_size=10), IDS)
def test_a_mention_within_a_text_is_not_the_text(before: str, after: str, number: int):
    # https://github.com/negezor/vk-io/issues/495: there, a mention anywhere matches.
    assume(before.strip() or after.strip())
    assert parse_link(f"{before}[id{number}|Ann]{after}") is None


@given(OWNERS, IDS, st.none() | IDS, FORMS)
def test_a_post_is_read_back(owner: int, post: int, reply: int | None, form: str):
    text = f"wall{owner}_{post}" + (f"_r{reply}" if reply else "")
    assert parse_link(form.format(text)) == Wall(owner, post, reply)


@given(st.text())
def test_every_text_is_read_or_is_none(text: str):
    found = parse_link(text)
    assert found is None or isinstance(found, tuple(set(map(type, TARGETS.values()))))


@pytest.mark.parametrize(
    "text",
    [
        *("wall-1_2", "photo1_2_ab12", "video-1_2", "audio1_2", "doc1_2_ab12"),
        *("story1_2", "poll-1_2", "market-1_2"),
    ],
)
def test_what_can_be_attached_is_an_attachment(text: str):
    link = parse_link(f"https://vk.com/{text}")
    request = APIRequest("messages.send", {"attachment": [link]})
    assert request.params["attachment"] == text


def test_users_and_groups_are_owners():
    assert User(1).owner_id == 1
    assert Group(5).owner_id == -5


def test_access_keys_are_not_shown():
    assert "ab12" not in repr(parse_link("photo1_2_ab12"))


def test_only_text_is_read():
    with pytest.raises(TypeError, match=r"text must be a str, got 1 \(int\)"):
        parse_link(1)  # type: ignore[arg-type]


def test_links_are_named_by_where_they_are_imported_from():
    assert {type(each).__module__ for each in TARGETS.values()} == {"vkanyio.links"}
