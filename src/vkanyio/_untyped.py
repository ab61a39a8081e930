"""Methods without types: those that VK's schema does not have."""

from __future__ import annotations

import keyword
import re
from typing import TYPE_CHECKING, Any, final

from ._known_parameters import expect

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping

    Call = Callable[[str, Mapping[str, Any]], Coroutine[Any, Any, Any]]

_WORD = re.compile(r"_([a-z])")


@final
class UntypedGroups:
    """All groups of methods, without types: ``api.untyped.audio.get(owner_id=1)``."""

    __module__ = "vkanyio"
    __slots__ = ("_send",)

    def __init__(self, send: Call) -> None:
        self._send = send

    def __getattr__(self, name: str) -> UntypedGroup:
        _check_public(self, name)
        return UntypedGroup(_to_vk_name(name), self._send)

    def __repr__(self) -> str:
        return "<VK's methods, without types>"


@final
class UntypedGroup:
    """A group of methods without types: ``api.audio`` has ``api.audio.get``.

    Every name is a method, which takes any parameters by keyword and returns what VK
    returned, as :meth:`API.call` does: nothing is known about it. VK's names and
    snake_case are equivalent: ``getById`` and ``get_by_id``. A parameter whose name is
    a Python keyword gets a trailing underscore.
    """

    __module__ = "vkanyio"
    __slots__ = ("_name", "_send")

    def __init__(self, name: str, send: Call) -> None:
        self._name = name
        self._send = send

    def __getattr__(self, name: str) -> Callable[..., Coroutine[Any, Any, Any]]:
        _check_public(self, name)
        method, send = f"{self._name}.{_to_vk_name(name)}", self._send

        def call(**params: Any) -> Coroutine[Any, Any, Any]:
            # It raises nothing: `send` masks what is secret when it is awaited.
            sent = {_to_parameter(n): v for n, v in params.items()}
            expect(method, sent)
            return send(method, sent)

        call.__name__ = call.__qualname__ = method
        call.__doc__ = f"Call ``{method}``, whose parameters are not known."
        return call

    def __repr__(self) -> str:
        return f"<VK's methods {self._name}.*, without types>"


def _check_public(obj: object, name: str) -> None:
    """Refuse private names: VK has none, and Python looks some of them up."""
    if name.startswith("_"):
        message = f"{type(obj).__name__!r} object has no attribute {name!r}"
        raise AttributeError(message, name=name, obj=obj)


def _to_vk_name(name: str) -> str:
    """Return VK's spelling: ``get_by_id`` becomes ``getById``."""
    return _WORD.sub(lambda match: match[1].upper(), name)


def _to_parameter(name: str) -> str:
    bare = name.removesuffix("_")
    return bare if keyword.iskeyword(bare) else name
