"""Create updates from what VK sends."""

from __future__ import annotations

import json
from hashlib import sha1
from typing import Any, Final

from .._response import read_json
from .._typeguards import is_dict, is_list
from ._types import UPDATE_TYPES
from ._update import UnknownUpdate, Update

MAX_DEPTH: Final = 100
"""Levels of JSON in an update. VK's have less than ten."""


def parse_update(raw: Any, group_id: int, attempt: int = 0) -> Update[Any]:
    """Create an update from what VK sent, whatever it is: none is lost.

    :param raw: VK's JSON
    :param group_id: the community, if the update does not name one
    :param attempt: how often VK has tried to deliver it before
    """
    if not is_dict(raw):
        raw = {"object": raw}
    kind, group, version = (raw.get(key) for key in ("type", "group_id", "v"))
    values: dict[str, Any] = {
        "object": raw.get("object"),
        "event_id": _event_id(raw),
        "group_id": group if type(group) is int else group_id,
        "v": version if isinstance(version, str) else "",
        "attempt": attempt,
    }
    if isinstance(kind, str) and kind in UPDATE_TYPES:
        return UPDATE_TYPES[kind](**values)
    return UnknownUpdate(type=kind if isinstance(kind, str) else "", **values)


def _event_id(raw: dict[str, Any]) -> str:
    """Return VK's id of an update, or one made from its contents if it has none."""
    found = raw.get("event_id")
    if isinstance(found, str) and found:
        return found
    contents = [raw.get("type"), raw.get("object")]
    text = json.dumps(contents, sort_keys=True)
    return sha1(text.encode(), usedforsecurity=False).hexdigest()


def parse_body(body: bytes) -> dict[str, Any] | None:
    """Return the object in a body, None for anything else or one that is too deep."""
    try:
        value: Any = read_json(body)
    except (ValueError, RecursionError):
        return None
    if not is_dict(value):
        return None
    level: list[Any] = [value]
    for _ in range(MAX_DEPTH):
        level = [
            child
            for each in level
            for child in (each.values() if is_dict(each) else each)
            if is_dict(child) or is_list(child)
        ]
        if not level:
            return value
    return None
