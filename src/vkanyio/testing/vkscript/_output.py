"""Convert values for output: to a response, to parameters of a call, and to text."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any, Final

from ._errors import RuntimeFailure
from ._values import Array, Value, wrap

if TYPE_CHECKING:
    from ._session import ScriptSession

MAX_DEPTH: Final = 200
"""How deeply arrays may be nested in a response; the limit of the json module is not
much higher."""

TOO_LARGE: Final = "response size is too big"
TOO_DEEP: Final = "response is nested too deeply"


def to_json(value: Value, max_length: int) -> Any:
    """Convert a value to JSON.

    :param value: the value
    :param max_length: the approximate maximum length of the JSON, in characters
    :return: JSON; an empty array, or one with the keys 0, 1, 2 in order, is a list
    :raises RuntimeFailure: if it is too long, or nested too deeply
    """
    room = [max_length]
    return _to_json(value, room, MAX_DEPTH)


def _to_json(value: Any, room: list[int], depth: int) -> Any:
    value = wrap(value)
    if not isinstance(value, Array):
        # JSON cannot express infinity.
        if isinstance(value, float) and not math.isfinite(value):
            value = None
        room[0] -= len(value) + 3 if isinstance(value, str) else 6
        if room[0] < 0:
            raise RuntimeFailure(TOO_LARGE)
        return value
    if not depth:
        raise RuntimeFailure(TOO_DEEP)
    entries = None if value.is_list() else value.to_dict()
    room[0] -= 3 + sum(len(key) + 4 for key in entries or ())
    if room[0] < 0:
        raise RuntimeFailure(TOO_LARGE)
    if entries is None:
        return [_to_json(item, room, depth - 1) for item in value.values()]
    return {key: _to_json(entries[key], room, depth - 1) for key in entries}


def to_text(value: Value, session: ScriptSession) -> str:
    """Convert a value to text, as for a parameter of a call.

    :param value: the value
    :param session: the limits that the text counts against
    :return: the text; a list is joined with commas, and nested arrays become JSON
    :raises RuntimeFailure: if the text is too long
    """
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, float):
        return _double_text(value)
    if not isinstance(value, Array):
        return str(value)
    if not value.is_list():
        return _json_text(value, session)
    parts = [_item_text(wrap(item), session) for item in value.values()]
    session.write(sum(map(len, parts)) + len(parts))
    return ",".join(parts)


def to_params(value: Value, session: ScriptSession) -> dict[str, str]:
    """Convert a value to the parameters of an API call.

    :param value: the argument of the call
    :param session: the limits that the text counts against
    :return: the parameters, without null values
    :raises RuntimeFailure: if they are too long
    """
    if not isinstance(value, Array):
        return {}
    entries = value.to_dict()
    return {
        name: item if isinstance(item, str) else to_text(wrap(item), session)
        for name, item in entries.items()
        if item is not None
    }


def _item_text(value: Value, session: ScriptSession) -> str:
    is_array = isinstance(value, Array)
    return _json_text(value, session) if is_array else to_text(value, session)


def _json_text(value: Value, session: ScriptSession) -> str:
    tree = to_json(value, session.response_size)
    text = json.dumps(tree, ensure_ascii=False, separators=(",", ":"))
    session.write(len(text))
    return text


def _double_text(value: float) -> str:
    if value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return repr(value)
