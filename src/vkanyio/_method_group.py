"""The base class of the generated groups of methods."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from ._encoding import encode_json

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable, Mapping

    Call = Callable[[str, Mapping[str, Any]], Coroutine[Any, Any, Any]]


class MethodGroup:
    """A group of VK's methods: ``api.users`` has ``api.users.get``.

    VK's names and snake_case are equivalent: ``getById`` and ``get_by_id``.
    """

    __slots__ = ("_call",)

    _name: ClassVar[str] = ""

    def __init__(self, call: Call) -> None:
        self._call = call

    def __repr__(self) -> str:
        methods = {
            function.__name__: None  # VK's name: aliases share it
            for function in vars(type(self)).values()
            if getattr(function, "__doc__", None) and callable(function)
        }
        return f"<VK's methods {self._name}.*: {', '.join(methods)}>"

    if not TYPE_CHECKING:  # it would accept any name there

        def __getattr__(self, name: str) -> Any:
            method = f"{self._name}.{name}"
            raise not_in_schema(self, name, f"method {method}", f'"{method}", ')


def json_list(name: str, values: Iterable[Any] | str | None) -> str | None:
    """Encode a list as JSON, for the few parameters that VK expects so.

    :param values: the list; a string is passed through as JSON
    """
    return (
        values
        if values is None or isinstance(values, str)
        else encode_json(name, values)
    )


def not_in_schema(
    obj: object, name: str, what: str, method: str = ""
) -> AttributeError:
    """Return the error for an attribute that is not in VK's schema."""
    # Python adds a suggestion ("Did you mean ...") when it prints the error.
    message = (
        f"VK's schema has no {what}; if VK has it, use `api.call({method}{{...}})`"
    )
    return AttributeError(message, name=name, obj=obj)
