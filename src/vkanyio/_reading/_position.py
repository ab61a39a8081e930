"""Where the reading of a list has got to, as a text that survives a restart."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any, final

import attrs

from .._typeguards import is_dict, is_list
from .._wire_checks import shown

if TYPE_CHECKING:
    from ._paging import Key


@final
@attrs.frozen
class Position:
    """The item of a list that was delivered last.

    :ivar method: the method that returns the list
    :ivar call: a digest of its parameters
    :ivar at: the offset of the item, or where its page begins
    :ivar last: the keys of the items that were delivered last; this item is the last
    :ivar total: the length of the list at that time, if VK says it
    """

    method: str
    call: str
    at: int | str
    last: list[Key]
    total: int | None

    def __str__(self) -> str:
        return json.dumps(attrs.asdict(self), separators=(",", ":"))


def parse_position(text: Any, beginning: Position) -> Position:
    """Parse a position.

    :param text: the position, as text
    :param beginning: the beginning of the list that is to be read
    :raises TypeError: if it is not text
    :raises ValueError: if it is not a position in this list
    """
    if not isinstance(text, str):
        message = f"resume_from must be a position, a str, got {shown(text)}"
        raise TypeError(message)
    position = None
    with suppress(ValueError):
        position = _read(json.loads(text), beginning)
    if position is None:
        message = f"resume_from must be the `position` of a reader, got {shown(text)}"
        raise ValueError(message)
    if (position.method, position.call) != (beginning.method, beginning.call):
        of = shown(position.method)
        if position.method == beginning.method:
            of += " with other parameters"
        message = f"resume_from is a position in {of}, not in this {beginning.method}"
        raise ValueError(message)
    return position


def _read(value: Any, beginning: Position) -> Position | None:
    if not is_dict(value) or value.keys() != attrs.asdict(beginning).keys():
        return None
    last: Any = value["last"]
    is_position = (
        isinstance(value["method"], str)
        and is_list(last)
        and all(isinstance(key, int | str) for key in last)
        and isinstance(value["total"], int | None)
    )
    if not is_position:
        return None
    if value["method"] == beginning.method and not _is_place(value["at"], beginning.at):
        return None
    return Position(**value)


def _is_place(value: Any, beginning: int | str) -> bool:
    if isinstance(beginning, str):
        return isinstance(value, str)
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
