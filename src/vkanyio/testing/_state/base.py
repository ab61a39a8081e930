"""What the subjects share: reading parameters, paging, and a memory of repetitions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar, final

from .._errors import VKFault

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .._call import Call, TokenKind

T = TypeVar("T")

USER: Final[tuple[TokenKind, ...]] = ("user",)
USER_OR_SERVICE: Final[tuple[TokenKind, ...]] = ("user", "service")
USER_OR_GROUP: Final[tuple[TokenKind, ...]] = ("user", "group")

EPOCH: Final = 1_750_000_000
"""The Unix time at which the simulator's clock shows 0: the same in every run."""

MEMORY: Final = 3600.0
"""Seconds for which a ``random_id`` is remembered, by what users of VK have found out.

How long a ``guid`` is remembered is not known, and taken to be the same.
"""


def unix(time: float) -> int:
    """Turn a time of the simulator's clock into a Unix time."""
    return EPOCH + int(time)


@final
class Seen:
    """What was done lately, by the key that guards it against repetition."""

    def __init__(self) -> None:
        self._done: dict[tuple[object, ...], tuple[float, int]] = {}

    def find(self, key: tuple[object, ...], now: float) -> int | None:
        """Return what the same key led to within the last hour, if it did."""
        time, result = self._done.get(key, (-MEMORY, 0))
        return result if now - time < MEMORY else None

    def note(self, key: tuple[object, ...], now: float, result: int) -> None:
        """Remember what a key has led to."""
        self._done[key] = now, result


def number(text: str, code: int = 113) -> int:
    """Read one number.

    :param text: its digits
    :param code: the error if it is none: by default that of a user's id
    :return: the number
    :raises VKFault: with that code
    """
    try:
        return int(text)
    except ValueError:
        raise VKFault(code) from None


def numbers(call: Call, name: str, *, most: int | None = None) -> list[int]:
    """Read a list of numbers.

    :param call: the call
    :param name: the parameter
    :param most: how many there may be
    :return: the numbers, none if the parameter is missing or empty
    :raises VKFault: code 100, if one is no number, or there are too many
    """
    items = call.items(name)
    if most is not None and len(items) > most:
        raise VKFault.parameter(f"{name} should contain at most {most} items")
    try:
        return [int(item) for item in items]
    except ValueError:
        raise VKFault.parameter(f"{name} not integer") from None


def flag(call: Call, name: str) -> bool:
    """Read a parameter that is on or off."""
    return call.params.get(name, "") not in ("", "0", "false")


def bounded(
    call: Call, name: str, default: int, *, least: int = 0, most: int | None = None
) -> int:
    """Read a number that has bounds.

    :param call: the call
    :param name: the parameter
    :param default: its value if it is missing
    :param least: the least value
    :param most: the greatest value, if there is one
    :return: the number
    :raises VKFault: code 100, if it is out of bounds or no number
    """
    value = call.integer(name, default)
    if value < least:
        wanted = f"greater or equal to {least}" if least else "positive"
        raise VKFault.parameter(f"{name} should be {wanted}")
    if most is not None and value > most:
        raise VKFault.parameter(f"{name} should be less or equal to {most}")
    return value


def page(
    call: Call,
    items: Sequence[T],
    *,
    default: int,
    most: int | None = None,
    at_most: int | None = None,
) -> Sequence[T]:
    """Cut out what ``offset`` and ``count`` ask for.

    :param call: the call
    :param items: all that there is
    :param default: ``count`` if it is missing
    :param most: the greatest ``count``; more is an error
    :param at_most: as many as come at once; more is no error, but brings no more
    :return: the page
    :raises VKFault: code 100, if either is out of bounds or no number
    """
    offset = bounded(call, "offset", 0)
    count = bounded(call, "count", default, most=most)
    if at_most is not None:
        count = min(count, at_most)
    return items[offset : offset + count]


def unique(items: Iterable[T]) -> list[T]:
    """Drop what has been there before, and keep the order."""
    return list(dict.fromkeys(items))
