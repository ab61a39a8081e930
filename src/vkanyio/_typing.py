"""What the generated types need and typing does not have, or not in each version.

It imports little, since type checkers read it for every program.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, ForwardRef, Protocol, TypeAlias

# Before Python 3.12, pydantic refuses that of the standard library. anyio brings
# typing_extensions.
if TYPE_CHECKING or sys.version_info >= (3, 12):
    from typing import TypedDict as TypedDict
else:
    from typing_extensions import TypedDict as TypedDict

if TYPE_CHECKING:
    from typing import Never

    EmptyList: TypeAlias = list[Never]
    """What VK sends in place of an object with nothing in it."""
else:
    EmptyList = list[Any]  # tools do not know Never


class HasToVK(Protocol):
    """An object that determines how it is sent to VK, such as a photo to attach."""

    def to_vk(self) -> Any:
        """Return a value that can be sent: a str, number, list, dict and so on."""
        ...


def set_required_keys(names: dict[str, Any]) -> None:
    """Tell the classes of a module which keys they require.

    Python looks for ``NotRequired`` when it makes the class, and sees only text where
    annotations are not evaluated: it takes all keys to be required.

    :param names: what the module defines
    """
    for each in names.values():
        if isinstance(each, type) and each.__module__ == names["__name__"]:
            kinds: dict[str, Any] = each.__annotations__
            optional = {name for name, kind in kinds.items() if _is_optional(kind)}
            keys: Any = each
            keys.__optional_keys__ = frozenset(optional)
            keys.__required_keys__ = frozenset(kinds.keys() - optional)


def _is_optional(kind: ForwardRef) -> bool:
    return kind.__forward_arg__.startswith("NotRequired[")
