"""The values of a script.

Null, booleans, integers, doubles and strings are Python's own. Arrays and objects are
one type, :class:`Array`, an ordered map as in PHP. Assignment copies in VKScript, so
that an array that never changes can be shared by all who have it: whatever changes an
array makes a new one. Answers of the API are taken as they are, and looked into only
where a script does.
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
    """An array or an object; never changed once it is made.

    :param entries: a list if the keys are 0, 1, 2 and so on in this order, else a
        dictionary whose keys are written as text; what is in it may be raw JSON
    """

    __slots__ = ("entries",)

    def __init__(self, entries: list[Any] | dict[str, Any]) -> None:
        self.entries = entries

    def __len__(self) -> int:
        return len(self.entries)

    def get(self, key: str) -> Value:
        """Look up an entry.

        :param key: its key as text
        :return: its value, null if there is none
        """
        entries = self.entries
        if isinstance(entries, dict):
            return wrap(entries.get(key))
        if is_index(key) and 0 <= int(key) < len(entries):
            return wrap(entries[int(key)])
        return None

    def values(self) -> list[Any]:
        """List what is in it, without the keys, to be wrapped before use."""
        entries = self.entries
        return [*entries.values()] if isinstance(entries, dict) else entries

    def to_dict(self) -> dict[str, Any]:
        """Copy it into a dictionary."""
        if isinstance(self.entries, dict):
            return self.entries.copy()
        return {str(index): value for index, value in enumerate(self.entries)}

    def weight(self) -> int:
        """Tell what a copy costs in memory, in words: a dictionary is the larger."""
        return len(self.entries) * (8 if isinstance(self.entries, dict) else 1)

    def is_list(self) -> bool:
        """Tell whether the keys are 0, 1, 2 and so on in this order."""
        if isinstance(self.entries, list):
            return True
        return all(key == str(index) for index, key in enumerate(self.entries))


def is_index(key: str) -> bool:
    """Tell whether a key is a number: such keys are counted anew by some methods."""
    # The length is that of 64 bits, and int() refuses thousands of digits.
    return len(key) <= 20 and _INTEGER_KEY.match(key) is not None


def wrap(value: Any) -> Value:
    """Take a value that may be raw JSON.

    :param value: the value
    :return: the same, with :class:`Array` in the place of a list or a dictionary
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
    """Fit a number into 64 bits, as VK's backend (KPHP) does without a word."""
    if -HALF <= number < HALF:
        return number
    return (number + HALF) % (2 * HALF) - HALF


def truthy(value: Value) -> bool:
    """Tell whether a condition holds: null, false, 0, "" and an empty array are false.

    :param value: the condition
    :return: whether it holds; of strings only the empty one does not
    """
    return len(value) > 0 if isinstance(value, Array) else bool(value)


def key_text(key: Value) -> str:
    """Write the key of an entry, so that ``a[1]``, ``a["1"]`` and ``a[1.5]`` are one.

    :param key: the value between the brackets
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
    """Read digits as a number of 64 bits, in a time that does not grow with them.

    :param text: decimal digits, perhaps with a sign
    :return: the number
    """
    if len(text) < 19:
        return int(text)
    # Beyond 64 digits from the right, all is a multiple of 2 to the power of 64.
    number = int(text.lstrip("+-")[-64:])
    return wrapped(-number if text[0] == "-" else number)


def parse_int(value: Value) -> int:
    """Do as ``parseInt``: take the longest prefix that is a number, else 0."""
    if isinstance(value, str):
        match = _INTEGER.match(value)
        return digits(match[1]) if match else 0
    if isinstance(value, float):
        return wrapped(int(value)) if abs(value) < 1e300 else 0
    return 0 if value is None or isinstance(value, Array) else int(value)


def parse_double(value: Value) -> float:
    """Do as ``parseDouble``: take the longest prefix that is a number, else 0."""
    if isinstance(value, str):
        match = _NUMBER.match(value)
        return float(match[1]) if match else 0.0
    return 0.0 if value is None or isinstance(value, Array) else float(value)


def numeric(text: str) -> int | float | None:
    """Read a string that is a number as a whole.

    :param text: the string
    :return: the number, None if it is not one
    """
    if (match := _NUMBER.match(text)) is None or match.end() != len(text.rstrip()):
        return None
    return float(match[1]) if "." in match[1] else digits(match[1])
