"""Operators, with VK's rules about what can be computed and compared.

What VK's documentation leaves open follows what existing scripts rely on, and
sleirsgoevy/vkscript, whose author has tested it on the server.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from ._errors import RuntimeFailure
from ._output import to_text
from ._values import Array, Value, is_index, numeric, parse_int, wrapped

if TYPE_CHECKING:
    from ._session import ScriptSession

Operator: TypeAlias = Callable[[Value, Value, "ScriptSession"], Value]

INCOMPARABLE: Final = "Comparing values of different or unsupported types"
NOT_NUMERIC: Final = "Numeric value is expected"


def number(value: Value) -> int | float:
    """Convert a value to a number, as arithmetic does.

    :param value: a number or a numeric string; null and false are 0, true is 1
    :return: the number
    :raises RuntimeFailure: for anything else
    """
    result = numeric(value) if isinstance(value, str) else value
    if isinstance(result, Array) or (result is None and value is not None):
        raise RuntimeFailure(NOT_NUMERIC)
    if isinstance(result, float):
        return result
    return int(result or 0)


def integer(value: Value) -> int:
    """Convert a value to an integer, as ``%``, shifts and ``& |`` do."""
    return parse_int(number(value))


def add(left: Value, right: Value, session: ScriptSession) -> Value:
    """Add numbers, append arrays, or concatenate anything else as text."""
    if isinstance(left, Array) and isinstance(right, Array):
        return _append(left, right, session)
    if isinstance(left, str | bool | None) or isinstance(right, str | bool | None):
        first, second = _piece(left, session), _piece(right, session)
        session.write(len(first) + len(second))
        return first + second
    return _fit(number(left) + number(right))


def _piece(value: Value, session: ScriptSession) -> str:
    return "" if value is False else to_text(value, session)


def _append(left: Array, right: Array, session: ScriptSession) -> Array:
    """Append an array: renumber the numbered entries, and replace named ones.

    python273/vk_api and vk-io rely on appending two lists.
    """
    session.write(left.weight() + right.weight())
    if isinstance(left.entries, list) and isinstance(right.entries, list):
        return Array(left.entries + right.entries)
    return renumbered([*left.to_dict().items(), *right.to_dict().items()])


def renumbered(items: list[tuple[str, Any]]) -> Array:
    """Make an array, renumbering the entries whose keys are numbers.

    :param items: keys and values
    :return: the array
    """
    entries: dict[str, Any] = {}
    index = 0
    for key, value in items:
        if is_index(key):
            entries[str(index)] = value
            index += 1
        else:
            entries[key] = value
    if index == len(entries):
        return Array([*entries.values()])
    return Array(entries)


def _fit(result: float) -> int | float:
    return wrapped(result) if isinstance(result, int) else result


def _subtract(left: Value, right: Value, _session: ScriptSession) -> Value:
    return _fit(number(left) - number(right))


def _multiply(left: Value, right: Value, _session: ScriptSession) -> Value:
    return _fit(number(left) * number(right))


def _divide(left: Value, right: Value, _session: ScriptSession) -> Value:
    """Divide as PHP does: the result is an integer if it can be one."""
    dividend, divisor = number(left), number(right)
    if not divisor:
        raise RuntimeFailure("Division by zero")
    if isinstance(dividend, int) and isinstance(divisor, int):
        quotient, remainder = divmod(dividend, divisor)
        if not remainder:
            return wrapped(quotient)
    return dividend / divisor


def _remainder(left: Value, right: Value, _session: ScriptSession) -> Value:
    """Return the remainder, which has the sign of the dividend."""
    dividend, divisor = integer(left), integer(right)
    if not divisor:
        raise RuntimeFailure("Division by zero")
    rest = abs(dividend) % abs(divisor)
    return -rest if dividend < 0 else rest


def _shift_left(left: Value, right: Value, _session: ScriptSession) -> Value:
    return wrapped(integer(left) << (integer(right) & 63))


def _shift_right(left: Value, right: Value, _session: ScriptSession) -> Value:
    return integer(left) >> (integer(right) & 63)


def _both_bits(left: Value, right: Value, _session: ScriptSession) -> Value:
    return integer(left) & integer(right)


def _either_bits(left: Value, right: Value, _session: ScriptSession) -> Value:
    return integer(left) | integer(right)


def equal(left: Value, right: Value) -> bool:
    """Compare, as ``==`` does.

    Null can be compared with everything: scripts test numbers with ``count == null``.

    :param left: a value
    :param right: another
    :return: whether they are equal
    :raises RuntimeFailure: for an array, or for a number and a non-numeric string
    """
    if left is None or right is None:
        return left is right
    first, second = _comparable(left, right)
    return bool(first == second)


def _comparable(left: Value, right: Value) -> tuple[Any, Any]:
    if isinstance(left, str) and isinstance(right, str):
        return left, right
    pair = [
        numeric(value) if isinstance(value, str) else value for value in (left, right)
    ]
    if any(value is None or isinstance(value, Array) for value in pair):
        raise RuntimeFailure(INCOMPARABLE)
    return pair[0], pair[1]


def _equal(left: Value, right: Value, _session: ScriptSession) -> Value:
    return equal(left, right)


def _unequal(left: Value, right: Value, _session: ScriptSession) -> Value:
    return not equal(left, right)


def _less(left: Value, right: Value, _session: ScriptSession) -> Value:
    first, second = _comparable(left, right)
    return bool(first < second)


def _at_most(left: Value, right: Value, _session: ScriptSession) -> Value:
    first, second = _comparable(left, right)
    return bool(first <= second)


def _more(left: Value, right: Value, session: ScriptSession) -> Value:
    return _less(right, left, session)


def _at_least(left: Value, right: Value, session: ScriptSession) -> Value:
    return _at_most(right, left, session)


def negative(value: Value) -> Value:
    """Apply the sign ``-``."""
    return _fit(-number(value))


def inverted(value: Value) -> Value:
    """Apply ``~``, which inverts each bit."""
    return ~integer(value)


OPERATORS: Final[dict[str, tuple[int, Operator]]] = {
    "|": (2, _either_bits),
    "&": (3, _both_bits),
    "==": (4, _equal),
    "!=": (4, _unequal),
    "<": (5, _less),
    ">": (5, _more),
    "<=": (5, _at_most),
    ">=": (5, _at_least),
    "<<": (6, _shift_left),
    ">>": (6, _shift_right),
    "+": (7, add),
    "-": (7, _subtract),
    "*": (8, _multiply),
    "/": (8, _divide),
    "%": (8, _remainder),
}
"""The binary operators with their precedence, except ``||`` (0) and ``&&`` (1), which
do not always evaluate their right side."""
