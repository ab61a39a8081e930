"""Texts: formats in UTF-16, cutting, mentions and what strangers write."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from attrs.exceptions import FrozenInstanceError
from hypothesis import given
from hypothesis import strategies as st

from vkanyio import APIRequest
from vkanyio.text import (
    Format,
    Text,
    bold,
    escape,
    italic,
    link,
    mention,
    underline,
)

if TYPE_CHECKING:
    from collections.abc import Callable

FAMILY = "👨‍👩‍👧‍👦"
FLAGS = "🇷🇺🇧🇾"
SCOTLAND = "🏴󠁧󠁢󠁳󠁣󠁴󠁿"
THUMB = "👍🏽"
URL = "https://vk.com"


def units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def cut_by_vk(text: str, offset: int, length: int) -> str:
    """Return a part of a text by its place in UTF-16, as VK finds it."""
    encoded = text.encode("utf-16-le", errors="surrogatepass")
    part = encoded[2 * offset : 2 * (offset + length)]
    return part.decode("utf-16-le", errors="surrogatepass")


FORMATS: dict[str, Callable[[Text], Text]] = {
    "bold": bold,
    "italic": italic,
    "underline": underline,
    "url": lambda part: link(part, URL),
}

plain_parts = st.text() | st.sampled_from(["a b\n", "😀", FAMILY, " ", "e\u0301"])


@st.composite
def texts(draw: st.DrawFn) -> tuple[Text, list[set[str]]]:
    """Make a text, and the formats of each of its characters as a model."""
    whole = Text()
    model: list[set[str]] = []
    for part in draw(st.lists(plain_parts, max_size=6)):
        text = Text(part)
        kinds = draw(st.sets(st.sampled_from(sorted(FORMATS)), max_size=3))
        for kind in sorted(kinds):
            text = FORMATS[kind](text)
        whole = whole + text
        model += [kinds] * len(part)
    return whole, model


def formats_of(params: Any) -> list[set[str]]:
    """Return the formats of each character, read as VK reads them."""
    message = params["message"]
    found: list[set[str]] = [set() for _ in message]
    starts = {units_before(message, index): index for index in range(len(message) + 1)}
    for item in params.get("format_data", {"items": []})["items"]:
        first = starts[item["offset"]]
        end = starts[item["offset"] + item["length"]]
        assert first < end
        for index in range(first, end):
            assert item["type"] not in found[index]  # not twice
            found[index].add(item["type"])
    return found


def units_before(text: str, index: int) -> int:
    return len(text[:index].encode("utf-16-le", errors="surrogatepass")) // 2


@given(texts())
def test_offsets_are_those_of_utf_16(made: tuple[Text, list[set[str]]]):
    text, model = made
    assert formats_of(text.params()) == model


@given(plain_parts, plain_parts, plain_parts)
def test_vk_finds_the_text_that_was_formatted(before: str, middle: str, after: str):
    params = Text(before, bold(middle), after).params()
    assert params["message"] == before + middle + after
    items = params.get("format_data", {"items": []})["items"]
    found = [
        cut_by_vk(params["message"], item["offset"], item["length"]) for item in items
    ]
    assert found == ([middle] if middle else [])


def test_an_emoji_counts_twice():
    params = Text("😀 ", bold("hi 😀 you")).params()
    assert params == {
        "message": "😀 hi 😀 you",
        "format_data": {
            "version": 1,
            "items": [{"type": "bold", "offset": 3, "length": 9}],
        },
    }


def test_a_link_has_its_address():
    [item] = link("here", URL).params()["format_data"]["items"]
    assert item == {"type": "url", "offset": 0, "length": 4, "url": URL}


def test_a_text_without_formats_has_no_format_data():
    assert Text("plain").params() == {"message": "plain"}
    assert bold("").params() == {"message": ""}


def test_formats_nest():
    text = bold("a ", italic("b"), " ", link(underline("c"), URL))
    assert text.plain == "a b c"
    assert text.formats == (
        Format(0, 5, "bold"),
        Format(2, 3, "italic"),
        Format(4, 5, "underline"),
        Format(4, 5, "url", URL),
    )
    assert bold(bold("x")) == bold("x")


def test_formats_that_touch_are_one():
    assert bold("a") + bold("b") == bold("ab")
    assert (link("a", URL) + link("b", "https://vk.ru")).formats == (
        Format(0, 1, "url", URL),
        Format(1, 2, "url", "https://vk.ru"),
    )


def test_a_part_is_never_changed_by_what_is_made_of_it():
    part = bold("a")
    first = "x" + part
    second = part + "y"
    assert italic(part) != part
    assert part == bold("a")
    assert first.params()["format_data"]["items"][0]["offset"] == 1
    assert (str(first), str(second), str(part)) == ("xa", "ay", "a")
    with pytest.raises(FrozenInstanceError):
        part.plain = "b"  # type: ignore[misc]


def test_a_text_as_one_parameter_is_an_error_with_what_to_do():
    with pytest.raises(TypeError, match=r"pass \*\*text.params\(\)"):
        APIRequest("messages.send", {"message": bold("a")})


def test_texts_are_values():
    assert hash(bold("a")) == hash(bold("a"))
    assert bold("a") != italic("a")
    assert len(Text("ab", bold("c"))) == 3
    assert not Text()


@pytest.mark.parametrize("make", [Text, bold, italic, underline])
def test_what_is_no_text_is_refused_by_its_number(make: Any):
    with pytest.raises(TypeError, match="part 2 must be a str or a Text, got 7"):
        make("x", 7)
    with pytest.raises(TypeError, match="unsupported operand"):
        _ = make("x") + 7
    with pytest.raises(TypeError, match="unsupported operand"):
        _ = 7 + make("x")


def test_a_link_is_checked():
    with pytest.raises(ValueError, match="url must be a URL with its scheme"):
        link("here", "vk.com")
    with pytest.raises(ValueError, match="a link cannot be within a link"):
        link(Text("see ", link("here", URL)), URL)
    with pytest.raises(TypeError, match="part 1 must be a str or a Text"):
        link(7, URL)  # type: ignore[arg-type]


# Long texts.


@given(texts(), st.integers(2, 20))
def test_split_loses_no_character_and_no_format(
    made: tuple[Text, list[set[str]]], limit: int
):
    text, model = made
    pieces = text.split(limit)
    assert Text(*pieces) == text
    assert all(0 < units_before(p.plain, len(p)) <= limit for p in pieces)
    assert [each for piece in pieces for each in formats_of(piece.params())] == model


def test_a_short_text_is_not_cut():
    text = Text("Hello, ", bold("world"))
    assert text.split() == [text]
    assert Text().split() == []
    assert len(Text("x" * 4096).split()) == 1
    assert list(map(len, Text("x" * 4097).split())) == [4096, 1]
    assert list(map(len, Text("😀" * 2049).split())) == [2048, 1]


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("one two three four", ["one two ", "three four"]),
        ("A. Bbb bb cc.", ["A. Bbb bb ", "cc."]),  # the sentence would be too short
        ("Aa bb. Cc dd", ["Aa bb. ", "Cc dd"]),
        ("«Aa bb». Cc dd", ["«Aa bb». ", "Cc dd"]),
        ("Aa bb\nCc. Dd", ["Aa bb\n", "Cc. Dd"]),
        ("Aaaa\n\nB\nC. D", ["Aaaa\n\n", "B\nC. D"]),
        ("Aaaa\r\n\r\nB C D", ["Aaaa\r\n\r\n", "B C D"]),
        ("aaaaaaaaa\r\nb", ["aaaaaaaaa", "\r\nb"]),
        ("abcdefghijklm", ["abcdefghij", "klm"]),
        ("hi [id1|Ann L] x", ["hi ", "[id1|Ann L", "] x"]),  # longer than a piece
        ("hello [id1|A]", ["hello ", "[id1|A]"]),
        (f"aaaa{THUMB}{THUMB}", [f"aaaa{THUMB}", THUMB]),
        (f"aaaaa{THUMB}{THUMB}", [f"aaaaa{THUMB}", THUMB]),
        (f"aaa{FLAGS}", ["aaa🇷🇺", "🇧🇾"]),
        (f"aaaaaaaa🇷{FLAGS[1:]}", ["aaaaaaaa", FLAGS]),
        ("aaaaaaaaae\u0301", ["aaaaaaaaa", "e\u0301"]),
    ],
)
def test_it_is_cut_where_it_reads_best(text: str, pieces: list[str]):
    assert [str(piece) for piece in Text(text).split(10)] == pieces


@pytest.mark.parametrize("whole", [FAMILY, SCOTLAND, THUMB, "1\ufe0f\u20e3"])
def test_an_emoji_of_several_characters_stays_whole(whole: str):
    text = Text("a" * 19, bold(whole))
    for limit in range(19, 19 + units(whole)):  # wherever it would be cut
        assert text.split(limit) == [Text("a" * 19), bold(whole)]


@pytest.mark.parametrize("limit", [1, 0, -5, True, 10.0, "10"])
def test_a_limit_that_cannot_be_kept_is_refused(limit: Any):
    with pytest.raises(ValueError, match="limit must be an int of at least 2, got"):
        Text("x").split(limit)


# Mentions, and what strangers write.


def test_a_mention_is_a_part_of_the_text():
    assert mention(1, "Ann") == "[id1|Ann]"
    assert mention(-5, "The club") == "[club5|The club]"
    assert bold(f"Hi {mention(1, 'Ann')}").formats == (Format(0, 12, "bold"),)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("x] [id2|y", "x) (id2|y"),
        ("Ann\nLee", "Ann Lee"),
        ("@all", "@\u2060all"),
    ],
)
def test_a_name_cannot_end_its_mention(name: str, shown: str):
    assert mention(1, name) == f"[id1|{shown}]"


def test_a_mention_is_checked():
    with pytest.raises(ValueError, match="needs an id and a name, got owner_id 0"):
        mention(0, "Ann")
    with pytest.raises(ValueError, match="needs an id and a name, got name ' '"):
        mention(1, " ")
    with pytest.raises(TypeError, match="owner_id must be an int, got '1'"):
        mention("1", "Ann")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="name must be a str, got None"):
        mention(1, None)  # type: ignore[arg-type]


MENTION = re.compile(r"\[\w+\|[^\]]*\]|[@*]\w|&#?\w+;")
"""What VK takes for a mention, or for a character that could begin one."""


@given(
    st.lists(
        st.sampled_from(["[", "id1", "club2", "|", "Ann", "]", "@", "all", "*", " "])
        | st.sampled_from(["&#64;", "&#x5b;", "&amp;", "&", "#", "\n", "все", "🙂"])
        | st.text(max_size=3)
    ).map("".join),
    st.sampled_from(["", "all", "id1|Ann]", "#64;all"]),
)
def test_what_strangers_write_makes_no_mention(text: str, behind: str):
    escaped = escape(text)
    assert not MENTION.search(escaped)
    assert not MENTION.search(escaped + behind)
    assert escaped.replace("\u2060", "") == text.replace("\u2060", "")
    assert escape(escaped) == escaped


@pytest.mark.parametrize("text", ["", "Hello!", "2 * 2 = 4", "a & b", "[ ] done"])
def test_text_without_markup_is_not_changed(text: str):
    assert escape(text) == text


def test_only_text_can_be_escaped():
    with pytest.raises(TypeError, match="text must be a str, got None"):
        escape(None)  # type: ignore[arg-type]
