"""The base class of the generated groups of methods."""

from __future__ import annotations

import inspect
import sys
from contextlib import suppress
from functools import cache, wraps
from typing import TYPE_CHECKING, Any, ClassVar

from ._encoding import encode_json
from ._known_parameters import expect
from ._masking import kind_of
from ._similar import did_you_mean
from ._typeguards import is_mapping
from ._wire_checks import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
    from types import CodeType

    Call = Callable[[str, Mapping[str, Any]], Coroutine[Any, Any, Any]]
    Method = Callable[..., Coroutine[Any, Any, Any]]


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

    def __init_subclass__(cls) -> None:
        """Make the methods explain arguments that they do not take."""
        explaining: dict[Any, Method] = {}  # aliases of a method stay aliases
        for name, method in _methods_of(cls).items():
            if method not in explaining:
                explaining[method] = _explain_mistakes(cls._name, method)
            setattr(cls, name, explaining[method])

    def __repr__(self) -> str:
        names = (method.__name__ for method in _methods_of(type(self)).values())
        methods = dict.fromkeys(names)  # VK's names: aliases share them
        return f"<VK's methods {self._name}.*: {', '.join(methods)}>"

    if not TYPE_CHECKING:  # it would accept any name there

        def __getattr__(self, name: str) -> Any:
            method = f"{self._name}.{name}"
            known = [] if name.startswith("_") else _methods_of(type(self))
            meant = did_you_mean(name, known)
            raise not_in_schema(name, f"method {method}", meant, f'"{method}", ')


def _methods_of(cls: type[MethodGroup]) -> dict[str, Method]:
    """Return the methods of a group by all of their names."""
    found = vars(cls).items()
    return {name: each for name, each in found if inspect.iscoroutinefunction(each)}


def _explain_mistakes(group: str, function: Method) -> Method:
    """Return a method with better errors about its arguments than Python's.

    It is not part of a traceback otherwise: the caller awaits the coroutine of the
    function itself.
    """

    @wraps(function)
    def method(self: MethodGroup, /, *args: Any, **params: Any) -> Any:
        try:
            return function(self, *args, **params)
        except TypeError:  # about the arguments: the coroutine has not started
            count, names = len(args), [*params]
            del args, params  # tracebacks with local variables would show them
            name = f"{group}.{function.__name__}"
            mistake = _mistake_in(name, function, count, names)
            if mistake is None:
                raise
            raise TypeError(mistake) from None

    _mark_coroutine_function(method)
    return method


def _mistake_in(
    method: str, function: Any, positional: int, names: Sequence[str]
) -> str | None:
    """Return what is wrong with the arguments, None if Python's error is clear.

    :param positional: the number of positional arguments
    :param names: the names of the others
    """
    code = function.__code__
    known = code.co_varnames[1 : 1 + code.co_kwonlyargcount]  # without self
    if positional and known:
        example = f"api.{method}({known[0]}=...)"
        return f"parameters are passed by name: {example} or api.{method}(**params)"
    for name in names:
        if name not in known:
            extra = f"; if VK has it, pass extra_params={{{name!r}: ...}}"
            return (
                f"{method} has no parameter {name}{did_you_mean(name, known) or extra}"
            )
    return None


def call_of(
    method: Any, args: Sequence[Any], params: Mapping[str, Any]
) -> tuple[str, Mapping[str, Any], Call]:
    """Return what a method of a group would send, without sending it.

    :param method: the method, such as ``api.users.get``
    :return: VK's name of the method, its parameters by VK's names, and how its group
        makes calls
    :raises TypeError: if it is not such a method, or for its arguments as it would
    """
    group = getattr(method, "__self__", None)
    if not isinstance(group, MethodGroup):
        message = (
            "method must be a method such as api.wall.get, or its name, such as"
            f' "wall.get", got {kind_of(method)}'
        )
        raise TypeError(message)
    found: list[tuple[str, Mapping[str, Any]]] = []

    async def keep(name: str, sent: Mapping[str, Any]) -> None:
        found.append((name, sent))

    # The method itself says it: it names and encodes some parameters in its own way.
    call = method.__func__(type(group)(keep), *args, **params)
    with suppress(StopIteration):
        call.send(None)
    send = group._send  # pyright: ignore[reportPrivateUsage] - the method's own group
    return (*found[0], send)


def _mark_coroutine_function(function: Any) -> None:
    """Make ``inspect.iscoroutinefunction`` true for a function."""
    if sys.version_info >= (3, 12):
        inspect.markcoroutinefunction(function)
        return
    function.__code__ = _with_coroutine_flag(function.__code__)


@cache
def _with_coroutine_flag(code: CodeType) -> CodeType:
    """Before Python 3.12 there is no public way. A call does not use the flag."""
    return code.replace(co_flags=code.co_flags | inspect.CO_COROUTINE)


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
    expect(method, extra_params)
    return {**params, **extra_params}


def json_list(name: str, values: Iterable[Any] | str | int | None) -> str | None:
    """Encode a list as JSON, for the few parameters that VK expects so.

    :param values: the list, or one number; a string is passed through as JSON
    """
    if values is None or isinstance(values, str):
        return values
    return encode_json(name, [values] if isinstance(values, int) else values)


def not_in_schema(
    name: str, what: str, meant: str = "", method: str = ""
) -> AttributeError:
    """Return the error for an attribute that is not in VK's schema.

    :param what: what the attribute would be
    :param meant: a hint with the name that was probably meant
    :param method: how ``api.call`` would be called
    """
    if_not = f"{meant} Otherwise" if meant else ":"
    use = f"use `api.call({method}{{...}})` if VK has it"
    message = f"VK's schema has no {what}{if_not} {use}"
    # Without `obj`, or Python would add a suggestion when it prints the error.
    return AttributeError(message, name=name)
