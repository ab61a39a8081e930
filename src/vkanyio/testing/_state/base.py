"""What the other modules share: parsing parameters, paging, and deduplication."""

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
"""The Unix time at 0 on the simulator's clock: the same in every run."""

KEY_LIFETIME: Final = 3600.0
"""Seconds for which a ``random_id`` is remembered, as reported by users of VK.

How long a ``guid`` is remembered is not known; it is assumed to be the same.
"""


def unix(time: float) -> int:
    """Convert a time on the simulator's clock to a Unix time."""
    return EPOCH + int(time)


@final
class Seen:
    """The results of recent calls, by their deduplication keys."""

    def __init__(self) -> None:
        self._done: dict[tuple[object, ...], tuple[float, int]] = {}

    def find(self, key: tuple[object, ...], now: float) -> int | None:
        """Return the result of the same key within the last hour, if there is one."""
        time, result = self._done.get(key, (-KEY_LIFETIME, 0))
        return result if now - time < KEY_LIFETIME else None

    def note(self, key: tuple[object, ...], now: float, result: int) -> None:
        """Remember the result of a key."""
        self._done[key] = now, result


def number(text: str, code: int = 113) -> int:
    """Parse a number.

    :param text: its digits
    :param code: the error code if it is invalid, by default that of a user id
    :return: the number
    :raises VKFault: with that code, if it is not a number
    """
    try:
        return int(text)
    except ValueError:
        raise VKFault(code) from None


def numbers(call: Call, name: str, *, max_items: int | None = None) -> list[int]:
    """Return a parameter that is a list of numbers.

    :param call: the call
    :param name: the parameter
    :param max_items: the maximum number of items
    :return: the numbers; an empty list if the parameter is missing or empty
    :raises VKFault: code 100, if an item is not a number or there are too many
    """
    items = call.items(name)
    if max_items is not None and len(items) > max_items:
        raise VKFault.parameter(f"{name} should contain at most {max_items} items")
    try:
        return [int(item) for item in items]
    except ValueError:
        raise VKFault.parameter(f"{name} not integer") from None


def flag(call: Call, name: str) -> bool:
    """Return a parameter that is on or off."""
    return call.params.get(name, "") not in ("", "0", "false")


def bounded(
    call: Call,
    name: str,
    default: int,
    *,
    min_value: int = 0,
    max_value: int | None = None,
) -> int:
    """Return a parameter that is a number with bounds.

    :param call: the call
    :param name: the parameter
    :param default: its value if it is missing
    :param min_value: the smallest value
    :param max_value: the largest value, if there is one
    :return: the number
    :raises VKFault: code 100, if it is out of bounds or not a number
    """
    value = call.integer(name, default)
    if value < min_value:
        wanted = f"greater or equal to {min_value}" if min_value else "positive"
        raise VKFault.parameter(f"{name} should be {wanted}")
    if max_value is not None and value > max_value:
        raise VKFault.parameter(f"{name} should be less or equal to {max_value}")
    return value


def page(
    call: Call,
    items: Sequence[T],
    *,
    default: int,
    max_count: int | None = None,
    max_shown: int | None = None,
) -> Sequence[T]:
    """Return the page that ``offset`` and ``count`` select.

    :param call: the call
    :param items: all items
    :param default: the default of ``count``
    :param max_count: the largest ``count``; a larger one is an error
    :param max_shown: the largest page; a larger ``count`` is allowed, but has no effect
    :return: the page
    :raises VKFault: code 100, if either is out of bounds or not a number
    """
    offset = bounded(call, "offset", 0)
    count = bounded(call, "count", default, max_value=max_count)
    if max_shown is not None:
        count = min(count, max_shown)
    return items[offset : offset + count]


def unique(items: Iterable[T]) -> list[T]:
    """Remove duplicates, and keep the order."""
    return list(dict.fromkeys(items))
