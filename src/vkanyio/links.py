"""Parse links to users, posts, photos and so on, without a call of VK.

``api.resolve`` also asks VK what a screen name stands for.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs

from ._link_targets import Album as Album
from ._link_targets import AlbumName as AlbumName
from ._link_targets import App as App
from ._link_targets import Audio as Audio
from ._link_targets import Doc as Doc
from ._link_targets import Group as Group
from ._link_targets import Link as Link
from ._link_targets import Other as Other
from ._link_targets import Page as Page
from ._link_targets import Photo as Photo
from ._link_targets import Poll as Poll
from ._link_targets import Product as Product
from ._link_targets import ScreenName as ScreenName
from ._link_targets import Story as Story
from ._link_targets import Target as Target
from ._link_targets import Topic as Topic
from ._link_targets import User as User
from ._link_targets import Video as Video
from ._link_targets import Wall as Wall
from ._wire_checks import shown

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_LENGTH: Final = 2048
"""Characters of the longest text that is read as a link."""

_NUMBER = "[1-9][0-9]{0,17}"
_URL = re.compile(
    r"(?:https?://)?(?:(?:www|m|new)\.)?(?P<host>vk\.com|vk\.ru|vk\.me|vkvideo\.ru)/"
    r"(?P<path>[^?#\s]*?)/?(?:\?(?P<query>[^#\s]*))?(?:#\S*)?",
    re.ASCII | re.IGNORECASE,
)
_MENTION = re.compile(r"\[(?P<link>[^\[\]|\s]+)\|[^\[\]]*\]")
_AT = re.compile(r"[@*](?P<name>[\w.]+)(?:\s*\([^()]*\))?", re.ASCII)
_OWNER = re.compile(rf"(?P<kind>id|club|public|event)(?P<id>{_NUMBER})", re.ASCII)
_APP = re.compile(rf"app(?P<id>{_NUMBER})(?:_(?P<owner>-?{_NUMBER}))?", re.ASCII)
_ALBUM = re.compile(rf"album(?P<owner>-?{_NUMBER})_(?P<id>{_NUMBER}|0{{1,3}})")
_OBJECT = re.compile(
    rf"(?P<kind>[a-z]+)(?P<owner>-?{_NUMBER})_(?P<id>{_NUMBER})(?:_(?P<key>[a-zA-Z0-9]+))?",
    re.ASCII,
)
_NAME = re.compile(r"(?=[0-9_.]*[a-z])\w[\w.]{0,30}\w", re.ASCII | re.IGNORECASE)
_REPLY = re.compile(f"r?(?P<id>{_NUMBER})", re.ASCII)

_ALBUM_NAMES: Final[dict[str, AlbumName]] = {
    "0": "profile",
    "00": "wall",
    "000": "saved",
}
_WITH_KEY: Final[dict[str, Callable[[int, int, str | None], Target]]] = {
    "audio": Audio,
    "clip": Video,
    "doc": Doc,
    "photo": Photo,
    "story": Story,
    "video": Video,
}
_WITHOUT_KEY: Final[dict[str, Callable[[int, int], Target]]] = {
    "market": Product,
    "page": Page,
    "poll": Poll,
    "product": Product,
}


def parse_link(text: str) -> Link | None:
    """Parse a link to something in VK, without a call.

    It takes addresses of vk.com, vk.ru, vk.me and vkvideo.ru, with or without
    ``https://``, as a browser shows them (``?w=wall-1_2``, ``?z=photo1_2``); their last
    part alone, such as ``wall-1_2`` or ``durov``; and mentions: ``[id1|Ann]``,
    ``@ann``. The text must be the link and nothing else, except for spaces around it.

    :param text: a text, such as a message of a user
    :return: what it links to, a :class:`ScreenName` if VK must be asked for that, and
        None if it is not such a link
    :raises TypeError: if the text is not a str
    """
    if not isinstance(text, str):
        message = f"text must be a str, got {shown(text)} ({type(text).__name__})"
        raise TypeError(message)
    text = text.strip()
    if len(text) > MAX_LENGTH:
        return None
    if match := _MENTION.fullmatch(text):
        return _parse_plain(match["link"])
    if match := _AT.fullmatch(text):
        return _parse_named(match["name"])
    return _parse_plain(text)


def _parse_plain(text: str) -> Link | None:
    match = _URL.fullmatch(text)
    if match is None:
        return _parse_object(text, {}) or _parse_named(text)
    host, path = match["host"].lower(), match["path"]
    if host == "vk.me":  # it opens a conversation
        return _parse_named(path)
    query = parse_qs(match["query"] or "")
    # What is open above the page goes before the page.
    for name in ("z", "w"):
        for value in query.get(name, []):
            if found := _parse_object(value.partition("/")[0], query):
                return found
    found = _parse_object(path, query)
    if found is not None or host == "vkvideo.ru":
        return found
    return _parse_named(path.removeprefix("@"))


def _parse_named(name: str) -> Link | None:
    """Read the name of a user, a community or an application."""
    if match := _OWNER.fullmatch(name.lower()):
        return (
            User(int(match["id"])) if match["kind"] == "id" else Group(int(match["id"]))
        )
    if match := _APP.fullmatch(name.lower()):
        return App(int(match["id"]), int(match["owner"]) if match["owner"] else None)
    return ScreenName(name) if _NAME.fullmatch(name) else None


def _parse_object(text: str, query: dict[str, list[str]]) -> Target | None:
    if match := _ALBUM.fullmatch(text):
        album: int | AlbumName = _ALBUM_NAMES.get(match["id"]) or int(match["id"])
        return Album(int(match["owner"]), album)
    match = _OBJECT.fullmatch(text)
    if match is None:
        return None
    kind, owner, number, key = (
        match["kind"],
        int(match["owner"]),
        int(match["id"]),
        match["key"],
    )
    if kind in _WITH_KEY:
        return _WITH_KEY[kind](owner, number, key)
    if kind == "wall":
        reply = _number(key) if key else _number(*query.get("reply", []))
        return None if key and reply is None else Wall(owner, number, reply)
    if key is not None:
        return None
    if kind == "topic" and owner < 0:
        return Topic(-owner, number, _number(*query.get("post", [])))
    return _WITHOUT_KEY[kind](owner, number) if kind in _WITHOUT_KEY else None


def _number(*texts: str) -> int | None:
    for text in texts:
        if match := _REPLY.fullmatch(text):
            return int(match["id"])
    return None


# Tracebacks and documentation name things by where they are imported from.
for _value in tuple(globals().values()):
    if isinstance(_value, type) and _value.__module__.endswith("._link_targets"):
        _value.__module__ = __name__
