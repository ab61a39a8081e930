"""Values for fields without state: what kind of value it is follows from the name."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from ._schema import schema
from ._state.base import DAY, unix

if TYPE_CHECKING:
    from ._call import Call

TIME: Final = re.compile(
    r"(\w+_)?(at|created|date|edited|expire|seen|time|timestamp|ts|until|updated|viewed)"
)
"""Numbers that are Unix times."""

MINUTES: Final = re.compile(r"(break_)?(open|close)_time")
"""Times of day, as minutes after midnight."""

AHEAD: Final = re.compile(
    r"(\w+_)?(end|expired?|expires|finish|next|scheduled|stop|unblock|until)(_\w+)?"
)
"""Times in the future."""

TEXTS: Final = {
    r"(\w+_)?(external|href|link|player|policy|rss|server|terms|uri|url)": "{address}",
    r"(\w+_)?(animation|avatar|banner|icon|image|img|photo|src|thumb)"
    r"(_(\d+|2x|big|max|orig|small|src))*": "{address}",
    r"(flv|mp4)_\d+|link_(mp3|ogg|with_password|without_password)": "{address}",
    r"endpoint": "{host}",
    r"(\w+_)?(code|hash|key|sid|token)": "{digest}",
    r"(\w+_)?id": "1",
    r"(\w+_)?(amount|budget|count|cr|ctr|limit|price|spent|ts|votes)": "1",
    r"effective_\w+": "1",
    r"(\w+_)?date": "{unix}",
    r"day(_from|_to)?": "{now:%Y-%m-%d}",
    r"month": "{now:%Y-%m}",
    r"bdate|birth_date": "15.6.1990",
    r"(\w+_)?phone(_numbers)?": "+70000000000",
    r"(\w+_)?emails?": "anna@example.com",
    r"domain": "example.com",
    r"screen_name": "id1",
    r"(\w+_)?version": "{version}",
    r"(\w+_)?color": "4986cc",
    r"currency": "RUB",
    r"(\w+_)?lang": "en",
}
"""The texts of fields, by patterns of their names; the first match counts."""


def number_for(call: Call, name: str) -> int:
    """Return a number for a field.

    :param call: the call that returns it
    :param name: the name of the field
    :return: a Unix time, a year, or 1, which is an id and a count as well
    """
    if TIME.fullmatch(name) and not MINUTES.fullmatch(name):
        return unix(call.time) + (DAY if AHEAD.fullmatch(name) else 0)
    return _now(call).year if name == "year" else 1


def text_for(call: Call, name: str) -> str:
    """Return a text for a field.

    :param call: the call that returns it
    :param name: the name of the field
    :return: a text of the kind that the name suggests, otherwise the name itself; a
        digest is the same for equal methods and fields
    """
    for pattern, text in TEXTS.items():
        if re.fullmatch(pattern, name):
            field = f"{call.method} {name}".encode()
            return text.format(
                address=f"{call.origin}/{name}",
                host=urlsplit(call.origin).netloc,
                digest=hashlib.sha256(field).hexdigest()[:32],
                unix=unix(call.time),
                now=_now(call),
                version=schema()["schema"]["version"],
            )
    return name


def name_of_value(method: str) -> str:
    """Return what a method without fields returns: "upload_url" for getUploadURL."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", method.rpartition(".")[2])
    return words.lower().removeprefix("get_")


def _now(call: Call) -> datetime:
    return datetime.fromtimestamp(unix(call.time), UTC)
