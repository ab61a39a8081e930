"""Formats of messages: ``format_data``, whose places are in UTF-16 code units.

The shape is that of https://dev.vk.com/reference/objects/message. The texts of the
errors are in VK's style.
"""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from .._errors import JSON, VKFault

if TYPE_CHECKING:
    from .._call import Call

KINDS: Final = {"bold", "italic", "underline", "url"}


def format_data_of(call: Call) -> dict[str, JSON] | None:
    """Return the formats of a message, None if it has none.

    :raises VKFault: code 100, for formats that do not fit the text
    """
    if not (text := call.params.get("format_data")):
        return None
    length = len(call.params.get("message", "").encode("utf-16-le")) // 2
    with suppress(ValueError, TypeError, KeyError):  # raised by another shape
        data: Any = json.loads(text)
        version, items = int(data["version"]), data["items"]
        if version == 1 and all(_is_valid(each, length) for each in items):
            return {"version": "1", "items": items}  # VK returns the version as text
    raise VKFault.parameter("format_data is invalid")


def _is_valid(item: dict[str, Any], length: int) -> bool:
    offset, size = item["offset"], item["length"]
    return (
        item["type"] in KINDS
        and (item["type"] == "url") == bool(item.get("url"))
        and isinstance(offset, int)
        and isinstance(size, int)
        and 0 <= offset < offset + size <= length
    )
