"""The values of a script.

Null, booleans, integers, doubles and strings are Python objects. Arrays and objects are
one type, :class:`Array`, an ordered map as in PHP. Assignment copies in VKScript, so
arrays are immutable here and can be shared: whatever changes an array makes a new one.
Values of API calls are stored unchanged, and wrapped only where a script reads them.
"""

from __future__ import annotations

import re
from typing import Any, Final, TypeAlias, final

from ._errors import RuntimeFailure

Value: TypeAlias = "bool | int | float | str | Array | None"

HALF: Final = 2**63

_INTEGER_KEY: Final = re.compile(r"(?:0|-?[1-9][0-9]*)\Z", re.ASCII)
_INTEGER: Final = re.compile(r"\s*([+-]?[0-9]+)", re.ASCII)
_NUMBER: Final = re.compile(r"\s*([+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+))", re.ASCII)


@final
class Array:
    """An immutable array or object.

    :param entries: a list if the keys are 0, 1, 2 and so on in this order, otherwise a
        dictionary whose keys are text; the values may be raw JSON
    """

    __slots__ = ("entries",)

    def __init__(self, entries: list[Any] | dict[str, Any]) -> None:
        self.entries = entries

    def __len__(self) -> int:
        return len(self.entries)

    def get(self, key: str) -> Value:
        """Return the value of an entry.

        :param key: its key as text
        :return: its value, or null if there is no such entry
        """
        entries = self.entries
        if isinstance(entries, dict):
            return wrap(entries.get(key))
        if is_index(key) and 0 <= int(key) < len(entries):
            return wrap(entries[int(key)])
        return None

    def values(self) -> list[Any]:
        """List the values, which must be wrapped before use."""
        entries = self.entries
        return [*entries.values()] if isinstance(entries, dict) else entries

    def to_dict(self) -> dict[str, Any]:
        """Return a copy as a dictionary."""
        if isinstance(self.entries, dict):
            return self.entries.copy()
        return {str(index): value for index, value in enumerate(self.entries)}

    def weight(self) -> int:
        """Return the size of a copy in memory, in words; dictionaries are larger."""
        return len(self.entries) * (8 if isinstance(self.entries, dict) else 1)

    def is_list(self) -> bool:
        """Return whether the keys are 0, 1, 2 and so on in this order."""
        if isinstance(self.entries, list):
            return True
        return all(key == str(index) for index, key in enumerate(self.entries))


def is_index(key: str) -> bool:
    """Return whether a key is a number; some methods renumber such keys."""
    # 64 bits fit into 20 characters, and int() refuses thousands of digits.
    return len(key) <= 20 and _INTEGER_KEY.match(key) is not None


def wrap(value: Any) -> Value:
    """Convert a value that may be raw JSON.

    :param value: the value
    :return: the same value, but an :class:`Array` for a list or a dictionary
    """
    kind = value.__class__
    if kind is str or kind is Array or value is None:
        return value  # type: ignore[no-any-return]
    if kind is list or kind is tuple:
        return Array([*value] if kind is tuple else value)
    if kind is dict:
        if not all(map(str.__instancecheck__, value)):
            value = {str(key): item for key, item in value.items()}
        return Array(value)
    if isinstance(value, bool | float):
        return value
    return wrapped(int(value)) if isinstance(value, int) else str(value)


def wrapped(number: int) -> int:
    """Wrap a number to 64 bits, as VK's backend (KPHP) does silently."""
    if -HALF <= number < HALF:
        return number
    return (number + HALF) % (2 * HALF) - HALF


def truthy(value: Value) -> bool:
    """Return whether a condition holds.

    :param value: the condition
    :return: False for null, false, 0, "" and an empty array; True for anything else,
        including all other strings
    """
    return len(value) > 0 if isinstance(value, Array) else bool(value)


def key_text(key: Value) -> str:
    """Convert a key to text, so that ``a[1]``, ``a["1"]`` and ``a[1.5]`` are the same.

    :param key: the value in the brackets
    :return: the key as text
    :raises RuntimeFailure: for an array
    """
    if isinstance(key, str):
        return key
    if isinstance(key, Array):
        raise RuntimeFailure("Illegal offset type")
    if key is None:
        return ""
    return str(int(key)) if key == key and abs(key) < HALF else "0"


def digits(text: str) -> int:
    """Convert digits to a 64-bit number; the time does not depend on their number.

    :param text: decimal digits, optionally with a sign
    :return: the number
    """
    if len(text) < 19:
        return int(text)
    # Any digit left of the last 64 stands for a multiple of 2 to the power of 64.
    number = int(text.lstrip("+-")[-64:])
    return wrapped(-number if text[0] == "-" else number)


def parse_int(value: Value) -> int:
    """Implement ``parseInt``: convert the longest numeric prefix, or return 0."""
    if isinstance(value, str):
        match = _INTEGER.match(value)
        return digits(match[1]) if match else 0
    if isinstance(value, float):
        return wrapped(int(value)) if abs(value) < 1e300 else 0
    return 0 if value is None or isinstance(value, Array) else int(value)


def parse_double(value: Value) -> float:
    """Implement ``parseDouble``: convert the longest numeric prefix, or return 0."""
    if isinstance(value, str):
        match = _NUMBER.match(value)
        return float(match[1]) if match else 0.0
    return 0.0 if value is None or isinstance(value, Array) else float(value)


def numeric(text: str) -> int | float | None:
    """Convert a string that is a number as a whole.

    :param text: the string
    :return: the number, or None if the string is not numeric
    """
    if (match := _NUMBER.match(text)) is None or match.end() != len(text.rstrip()):
        return None
    return float(match[1]) if "." in match[1] else digits(match[1])
