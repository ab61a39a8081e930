"""The base class of the generated groups of methods."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from ._encoding import encode_json
from ._masking import kind_of
from ._typeguards import is_mapping
from ._wire_checks import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable, Mapping

    Call = Callable[[str, Mapping[str, Any]], Coroutine[Any, Any, Any]]


class MethodGroup:
    """A group of VK's methods: ``api.users`` has ``api.users.get``.

    VK's names and snake_case are equivalent: ``getById`` and ``get_by_id``.

    Each method takes ``extra_params``, too: parameters that VK's schema does not have,
    by VK's names, or those of any call, such as ``lang`` and ``access_token``.
    """

    __slots__ = ("_send",)

    _name: ClassVar[str] = ""

    def __init__(self, send: Call) -> None:
        self._send = send

    def _call(
        self,
        method: str,
        params: Mapping[str, Any],
        extra_params: Mapping[str, Any] | None,
    ) -> Coroutine[Any, Any, Any]:
        """Call a method, with its own and with further parameters."""
        if extra_params is not None:
            params = _with_extra(method, params, extra_params)
        return self._send(method, params)

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


def _with_extra(
    method: str, params: Mapping[str, Any], extra_params: Mapping[str, Any]
) -> Mapping[str, Any]:
    if not is_mapping(extra_params):
        kind = kind_of(extra_params)
        message = f"extra_params must be a dict of parameters, got {kind}"
        raise TypeError(message)
    for name in extra_params:
        if name in params:
            # The type of the value may depend on it.
            message = (
                f"extra_params must not contain {shown(name)}, which {method} has:"
                " pass it by keyword"
            )
            raise TypeError(message)
    return {**params, **extra_params}


def json_list(name: str, values: Iterable[Any] | str | int | None) -> str | None:
    """Encode a list as JSON, for the few parameters that VK expects so.

    :param values: the list, or one number; a string is passed through as JSON
    """
    if values is None or isinstance(values, str):
        return values
    return encode_json(name, [values] if isinstance(values, int) else values)


def not_in_schema(
    obj: object, name: str, what: str, method: str = ""
) -> AttributeError:
    """Return the error for an attribute that is not in VK's schema."""
    # Python adds a suggestion ("Did you mean ...") when it prints the error.
    message = (
        f"VK's schema has no {what}; if VK has it, use `api.call({method}{{...}})`"
    )
    return AttributeError(message, name=name, obj=obj)
