"""Texts of messages: formats, mentions, and cutting what is too long.

VK formats a message by ``format_data``, which has the place of each format in UTF-16
code units. Here a text knows its formats, and their places are computed when it is
sent.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from itertools import accumulate
from typing import TYPE_CHECKING, Final, Literal, NoReturn, TypeAlias, TypedDict, final

import attrs

from ._buttons import check_url
from ._text_borders import border_before
from ._wire_checks import shown

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import NotRequired

FormatKind: TypeAlias = Literal["bold", "italic", "underline", "url"]
"""What a format does, by VK's names."""

MAX_MESSAGE: Final = 4096
"""UTF-16 code units of a message. VK does not document its limit: users report 4,096
characters, and the schema has 9,000."""
MIN_LIMIT: Final = 2

_JOINER = "\u2060"
"""Word joiner: it has no width."""
_MARKUP = re.compile(r"[\[@*&](?=[\w#]|\Z)")
"""What begins a mention, ``[id1|Ann]``, ``@ann`` or ``*ann``, and an HTML entity, by
which each of them can be written."""


class FormatItem(TypedDict):
    """A format as VK has it: its place is in UTF-16 code units."""

    type: FormatKind
    offset: int
    length: int
    url: NotRequired[str]


class FormatData(TypedDict):
    """The value of ``format_data``."""

    version: int
    items: list[FormatItem]


class MessageParams(TypedDict):
    """Parameters of messages.send and messages.edit."""

    message: str
    format_data: NotRequired[FormatData]


@final
@attrs.frozen(order=True)
class Format:
    """A format of a part of a text, whose place is in characters.

    :ivar start: the index of its first character
    :ivar end: the index behind its last one
    :ivar kind: "bold", "italic", "underline" or "url"
    :ivar url: the address, for a link
    """

    start: int
    end: int
    kind: FormatKind
    url: str = ""


@final
@attrs.frozen(init=False)
class Text:
    """A text with formats, which does not change.

    ::

        text = Text("Price: ", bold("100 ₽"), ", see ", link("here", "https://vk.com"))
        await api.messages.send(peer_id=peer, **text.params())

    ``+`` joins texts and strings, and ``str(text)`` is the text without its formats.

    :param parts: strings and texts, in their order
    :ivar plain: the text without its formats
    :ivar formats: the formats, in the order of their places
    :raises TypeError: for a part of another type
    """

    plain: str
    formats: tuple[Format, ...]

    def __init__(self, *parts: str | Text) -> None:
        strings: list[str] = []
        formats: list[Format] = []
        length = 0
        for number, part in enumerate(parts, 1):
            if not isinstance(part, str | Text):
                message = f"part {number} must be a str or a Text, got {shown(part)}"
                raise TypeError(message)
            if isinstance(part, Text):
                formats += [_moved(each, length) for each in part.formats]
            strings.append(str(part))
            length += len(part)
        object.__setattr__(self, "plain", "".join(strings))
        object.__setattr__(self, "formats", _merge(formats))

    def __str__(self) -> str:
        return self.plain

    def __len__(self) -> int:
        return len(self.plain)

    def __add__(self, other: str | Text) -> Text:
        return Text(self, other) if isinstance(other, str | Text) else NotImplemented

    def __radd__(self, other: str) -> Text:
        return Text(other, self) if isinstance(other, str) else NotImplemented

    def params(self) -> MessageParams:
        """Return the parameters of messages.send and messages.edit.

        :return: ``message`` and, if there are formats, ``format_data``
        """
        if not self.formats:
            return {"message": self.plain}
        offsets = _utf16_offsets(self.plain)
        items: list[FormatItem] = []
        for each in self.formats:
            offset = offsets[each.start]
            length = offsets[each.end] - offset
            item: FormatItem = {"type": each.kind, "offset": offset, "length": length}
            if each.kind == "url":
                item["url"] = each.url
            items.append(item)
        return {"message": self.plain, "format_data": {"version": 1, "items": items}}

    if not TYPE_CHECKING:  # type checkers know already that it is no parameter

        def to_vk(self) -> NoReturn:
            """Refuse to be a parameter."""
            message = "a Text is two parameters: pass **text.params()"
            raise TypeError(message)

    def split(self, limit: int = MAX_MESSAGE) -> list[Text]:
        """Cut the text into texts that fit into a message each.

        It is cut after a paragraph, a line, a sentence or a word, in this order of
        preference, and within a word only if that is longer than a message. Emoji and
        mentions such as ``[id1|Ann]`` stay whole if they fit. A format that is cut
        continues in the next text. ``Text(*text.split())`` is the text itself.

        :param limit: maximum number of UTF-16 code units of each text, at least 2
        :return: the texts; an empty list for an empty text
        :raises ValueError: if the limit is not an int, or too small
        """
        if isinstance(limit, bool) or not isinstance(limit, int) or limit < MIN_LIMIT:
            message = f"limit must be an int of at least {MIN_LIMIT}, got {limit!r}"
            raise ValueError(message)
        offsets = _utf16_offsets(self.plain)
        pieces: list[Text] = []
        start = 0
        while start < len(self.plain):
            most = bisect_right(offsets, offsets[start] + limit) - 1
            end = border_before(self.plain, start, most)
            pieces.append(self._cut(start, end))
            start = end
        return pieces

    def _cut(self, start: int, end: int) -> Text:
        formats = [
            _moved(Format(max(f.start, start), min(f.end, end), f.kind, f.url), -start)
            for f in self.formats
        ]
        return _text_of(self.plain[start:end], formats)


def bold(*parts: str | Text) -> Text:
    """Make a bold text; its parts may have other formats."""
    return _formatted(parts, "bold")


def italic(*parts: str | Text) -> Text:
    """Make a text in italics; its parts may have other formats."""
    return _formatted(parts, "italic")


def underline(*parts: str | Text) -> Text:
    """Make an underlined text; its parts may have other formats."""
    return _formatted(parts, "underline")


def link(label: str | Text, url: str) -> Text:
    """Make a text that opens a page.

    :param label: the text, which may have other formats
    :param url: the URL, with its scheme
    :raises TypeError: for an argument of the wrong type
    :raises ValueError: for a URL without a scheme, or a link within a link
    """
    return _formatted([label], "url", check_url(url))


def mention(owner_id: int, name: str) -> str:
    """Return a mention of a user or a community, whom VK notifies.

    It is a part of the text, so it may be in an f-string, too.

    :param owner_id: the id; negative for a community
    :param name: the text that is shown for it. It cannot end the mention, whoever chose
        it: a bracket becomes a parenthesis, and a line break a space
    :raises TypeError: for an argument of the wrong type
    :raises ValueError: for the id 0 or a name of nothing but spaces
    """
    if isinstance(owner_id, bool) or not isinstance(owner_id, int):
        message = f"owner_id must be an int, got {shown(owner_id)}"
        raise TypeError(message)
    if not isinstance(name, str):
        message = f"name must be a str, got {shown(name)}"
        raise TypeError(message)
    label = " ".join(name.split()).translate({ord("["): "(", ord("]"): ")"})
    if not owner_id or not label:
        what = f"name {name!r}" if owner_id else "owner_id 0"
        message = f"a mention needs an id and a name, got {what}"
        raise ValueError(message)
    kind = "id" if owner_id > 0 else "club"
    return f"[{kind}{abs(owner_id)}|{escape(label)}]"


def escape(text: str) -> str:
    """Escape a text from strangers, so that it mentions nobody.

    Without it, a stranger's ``[id1|Ann]``, ``@all`` or ``*ann`` in a message of your
    program notifies people, as does ``&#64;all``. An invisible word joiner (U+2060) is
    inserted after each character that could begin one. VK also has a parameter for
    whole messages: ``disable_mentions=True``.
    """
    if not isinstance(text, str):
        message = f"text must be a str, got {shown(text)}"
        raise TypeError(message)
    return _MARKUP.sub(lambda match: match[0] + _JOINER, text)


def _formatted(parts: Iterable[str | Text], kind: FormatKind, url: str = "") -> Text:
    text = Text(*parts)
    if url and any(each.kind == "url" for each in text.formats):
        message = f"a link cannot be within a link, got {shown(text)}"
        raise ValueError(message)
    return _text_of(text.plain, [*text.formats, Format(0, len(text), kind, url)])


def _text_of(plain: str, formats: Iterable[Format]) -> Text:
    text = Text(plain)
    object.__setattr__(text, "formats", _merge(formats))
    return text


def _moved(each: Format, by: int) -> Format:
    return Format(each.start + by, each.end + by, each.kind, each.url)


def _merge(formats: Iterable[Format]) -> tuple[Format, ...]:
    """Sort formats, join equal ones that touch, and leave out empty ones."""
    merged: list[Format] = []
    for each in sorted(formats, key=lambda f: (f.kind, f.url, f.start)):
        last = merged[-1] if merged else None
        if each.start >= each.end:
            continue
        if (
            last is not None
            and (last.kind, last.url) == (each.kind, each.url)
            and each.start <= last.end
        ):
            end = max(last.end, each.end)
            merged[-1] = Format(last.start, end, each.kind, each.url)
        else:
            merged.append(each)
    return tuple(sorted(merged))


def _utf16_offsets(text: str) -> list[int]:
    """Return the offset of each character in UTF-16, and that of the end."""
    units = (2 if character > "\uffff" else 1 for character in text)
    return list(accumulate(units, initial=0))
