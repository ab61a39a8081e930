"""What the other modules share: parsing parameters, paging, and deduplication."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar, final

from .._errors import VKFault

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .._call import Call

T = TypeVar("T")


DAY: Final = 86_400
"""Seconds of a day."""

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


def numbers(call: Call, name: str) -> list[int]:
    """Return a parameter that is a list of numbers.

    :param call: the call
    :param name: the parameter
    :return: the numbers; an empty list if the parameter is missing or empty
    :raises VKFault: code 100, if an item is not a number
    """
    try:
        return [int(item) for item in call.items(name)]
    except ValueError:
        raise VKFault.parameter(f"{name} not integer") from None


def flag(call: Call, name: str) -> bool:
    """Return a parameter that is on or off."""
    return call.params.get(name, "") not in ("", "0", "false")


def page(
    call: Call, items: Sequence[T], *, default: int, max_shown: int | None = None
) -> Sequence[T]:
    """Return the page that ``offset`` and ``count`` select.

    :param call: the call, whose parameters are within the limits of VK's schema
    :param items: all items
    :param default: the default of ``count``
    :param max_shown: the largest page; a larger ``count`` is allowed, but has no effect
    :return: the page
    """
    offset, count = call.integer("offset", 0), call.integer("count", default)
    if max_shown is not None:
        count = min(count, max_shown)
    return items[offset : offset + count]


def unique(items: Iterable[T]) -> list[T]:
    """Remove duplicates, and keep the order."""
    return list(dict.fromkeys(items))
