"""The methods of arrays and strings: ``slice``, ``push``, ``split`` and so on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias, final

import attrs

from ._arithmetic import equal, integer, renumbered
from ._errors import RuntimeFailure
from ._output import to_text
from ._values import Array, Value, is_index, wrap

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._session import ScriptSession

Items: TypeAlias = list[tuple[str, Any]]


@final
@attrs.frozen
class ScriptMethod:
    """A method of arrays or strings: its receiver, its arguments and its function."""

    function: Callable[[Any, list[Value], ScriptSession], Any]
    """Returns the value, or for a method that changes its array the value and the new
    array."""
    arguments: range
    """The number of arguments that it accepts."""
    receiver: tuple[type, ...]
    changes: bool = False
    """Whether it changes the array that it is called on."""


def invoke(
    name: str, receiver: Value, arguments: list[Value], session: ScriptSession
) -> tuple[Value, Value]:
    """Call a method.

    :param name: its name
    :param receiver: the value that it is called on
    :param arguments: its arguments
    :param session: the limits that the result counts against
    :return: its value, and the new value of the receiver
    :raises RuntimeFailure: with VK's text (python273/vk_api issue 286 shows one)
    """
    if (method := METHODS.get(name)) is None:
        raise RuntimeFailure("Bad method name")
    if len(arguments) not in method.arguments:
        raise RuntimeFailure(f"Bad argument count for method {name}")
    if not isinstance(receiver, method.receiver):
        kind = "an array" if Array in method.receiver else "a string"
        raise RuntimeFailure(f"Method {name} requires {kind}")
    if isinstance(receiver, Array):
        session.write(receiver.weight())
    result = method.function(receiver, arguments, session)
    return result if method.changes else (result, receiver)


def _items(array: Array) -> Items:
    return [*array.to_dict().items()]


def _next_index(entries: dict[str, Any]) -> int:
    numbers = [int(key) for key in entries if is_index(key)]
    return max(numbers, default=-1) + 1


def _push(
    array: Array, arguments: list[Value], _session: ScriptSession
) -> tuple[int, Array]:
    entries = array.entries
    if isinstance(entries, list):
        new = Array([*entries, arguments[0]])
    else:
        new = Array({**entries, str(_next_index(entries)): arguments[0]})
    return len(new), new


def _pop(array: Array, _arguments: list[Value], _session: ScriptSession) -> Any:
    """Remove the entry that was added last, whatever its key."""
    if not array.entries:
        return None, array
    if isinstance(array.entries, list):
        return wrap(array.entries[-1]), Array(array.entries[:-1])
    entries = array.to_dict()
    _, value = entries.popitem()
    return wrap(value), Array(entries)


def _shift(array: Array, _arguments: list[Value], _session: ScriptSession) -> Any:
    if not array.entries:
        return None, array
    if isinstance(array.entries, list):
        return wrap(array.entries[0]), Array(array.entries[1:])
    (_, value), *rest = _items(array)
    return wrap(value), renumbered(rest)


def _unshift(array: Array, arguments: list[Value], _session: ScriptSession) -> Any:
    if isinstance(array.entries, list):
        new = Array([arguments[0], *array.entries])
    else:
        new = renumbered([("0", arguments[0]), *_items(array)])
    return len(new), new


def _splice(array: Array, arguments: list[Value], _session: ScriptSession) -> Any:
    start, stop = _bounds(len(array), arguments, counted=True)
    if isinstance(array.entries, list):
        kept = array.entries[:start] + array.entries[stop:]
        return Array(array.entries[start:stop]), Array(kept)
    items = _items(array)
    return renumbered(items[start:stop]), renumbered(items[:start] + items[stop:])


def _slice(array: Array, arguments: list[Value], _session: ScriptSession) -> Array:
    start, stop = _bounds(len(array), arguments, counted=False)
    if isinstance(array.entries, list):
        return Array(array.entries[start:stop])
    return renumbered(_items(array)[start:stop])


def _substr(text: str, arguments: list[Value], session: ScriptSession) -> str:
    start, stop = _bounds(len(text), arguments, counted=True)
    session.write(max(0, stop - start))
    return text[start:stop]


def _bounds(length: int, arguments: list[Value], *, counted: bool) -> tuple[int, int]:
    """Return the bounds of a part; negative arguments count from the end."""
    start = integer(arguments[0])
    start = max(0, length + start) if start < 0 else min(start, length)
    if len(arguments) < 2 or arguments[1] is None:
        return start, length
    stop = integer(arguments[1])
    if stop < 0:
        stop += length
    elif counted:
        stop += start
    return start, max(start, min(stop, length))


def _split(text: str, arguments: list[Value], session: ScriptSession) -> Array:
    separator = to_text(arguments[0], session)
    # The characters of the parts, and one word for each part.
    session.write(2 * len(text))
    return Array(text.split(separator) if separator else [*text])


def _index_of(
    receiver: Array | str, arguments: list[Value], session: ScriptSession
) -> int:
    if isinstance(receiver, str):
        session.write(len(receiver))
        return receiver.find(to_text(arguments[0], session))
    for index, item in enumerate(receiver.values()):
        if _same(wrap(item), arguments[0]):
            return index
    return -1


def _same(left: Value, right: Value) -> bool:
    try:
        return equal(left, right)
    except RuntimeFailure:
        return False


_ARRAY: Final = (Array,)
_STRING: Final = (str,)
_NONE: Final = range(1)
_ONE: Final = range(1, 2)
_ONE_OR_TWO: Final = range(1, 3)

METHODS: Final = {
    "indexOf": ScriptMethod(_index_of, _ONE, (Array, str)),
    "pop": ScriptMethod(_pop, _NONE, _ARRAY, changes=True),
    "push": ScriptMethod(_push, _ONE, _ARRAY, changes=True),
    "shift": ScriptMethod(_shift, _NONE, _ARRAY, changes=True),
    "slice": ScriptMethod(_slice, _ONE_OR_TWO, _ARRAY),
    "splice": ScriptMethod(_splice, _ONE_OR_TWO, _ARRAY, changes=True),
    "split": ScriptMethod(_split, _ONE, _STRING),
    "substr": ScriptMethod(_substr, _ONE_OR_TWO, _STRING),
    "unshift": ScriptMethod(_unshift, _ONE, _ARRAY, changes=True),
}
