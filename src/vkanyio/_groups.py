"""``api.users.get(...)``: method groups by attribute."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, final

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    Call = Callable[..., Coroutine[Any, Any, Any]]

_NAME = re.compile(r"[a-z][A-Za-z0-9]*(_[a-z0-9]+)*", re.ASCII)
_UNDERSCORE = re.compile(r"_([a-z0-9])")

# What an object is asked for to find out what it is. VK has none of these, and a call
# of VK would be a surprising answer.
_PROTOCOLS = frozenset({"then", "keys", "items", "shape", "dtype"})


def to_vk_name(name: str) -> str | None:
    """Return VK's spelling of a group or method, None for what cannot be one."""
    if not _NAME.fullmatch(name) or name in _PROTOCOLS:
        return None
    return _UNDERSCORE.sub(lambda match: match[1].upper(), name)


@final
class MethodGroup:
    """The methods of VK under one name: ``api.users`` has ``api.users.get``.

    VK's spelling and snake_case mean the same: ``getById`` and ``get_by_id``.
    """

    __slots__ = ("_call", "_name")

    def __init__(self, call: Call, name: str) -> None:
        self._call = call
        self._name = name

    def __repr__(self) -> str:
        return f"<methods of VK: {self._name}.*>"

    def __getattr__(self, name: str) -> Call:
        method = to_vk_name(name)
        if method is None:
            message = f"VK has no method of the name {name!r}"
            raise AttributeError(message, name=name, obj=self)
        call, full_name = self._call, f"{self._name}.{method}"

        async def method_of_vk(**params: Any) -> Any:
            return await call(full_name, params)

        method_of_vk.__name__ = name
        method_of_vk.__qualname__ = full_name
        method_of_vk.__doc__ = f"Call VK's method {full_name}, by keyword arguments."
        return method_of_vk
