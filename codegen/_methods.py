"""Write ``vkanyio.methods``, and the client's list of groups."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vkanyio._facts import Repetition
from vkanyio._masking import SECRET_PARAMS

from ._names import module_name, to_snake
from ._source import docstring, header, module
from ._types import NONE, Literals, Writer, either

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ._model import Method, Model, Parameter, Switch
    from ._types import Type

_PACKAGE = '''"""VK's methods, one module per group: the type of ``api.users`` is
``vkanyio.methods.users.Users``.

Each method has VK's own name and a snake_case alias: ``api.groups.getById`` and
``api.groups.get_by_id`` are the same. Parameters are keyword-only and have VK's names;
a name that is a Python keyword gets a trailing underscore. ``None`` is not sent.

Clients load the groups themselves. Import the classes only to annotate your functions.
"""
'''

_EXTRA = "extra_params: Mapping[str, Any] | None = None"
_EXTRA_FACT = ":param extra_params: parameters that are not listed here, by VK's names"
_TOKENS = {"user": "user", "group": "community", "service": "service"}
_REPETITION = {
    Repetition.READ: "Read-only: retried if the response is lost.",
    Repetition.STATE: "Idempotent, but not retried if the response is lost: a retry may"
    " return an error.",
    Repetition.NEVER: "Not retried if the response is lost: a retry could execute it"
    " twice.",
}
_KEYS = {
    "random_id": "Retried if the response is lost: VK deduplicates calls by"
    " ``random_id``, which is filled in if you omit it.",
    "guid": "Retried if the response is lost, but only if you pass a ``guid``, by which"
    " VK deduplicates calls.",
}


def class_name(group: str) -> str:
    """Return the class name of a group: ``appWidgets`` becomes ``AppWidgets``."""
    return group[:1].upper() + group[1:]


def write_methods(model: Model) -> dict[str, str]:
    """Write the modules of methods, by file name."""
    files = {
        f"{module_name(group)}.py": _write_module(model, group, methods)
        for group, methods in model.groups.items()
    }
    return {"__init__.py": f"{header(model)}\n{_PACKAGE}", **files}


def _write_module(model: Model, group: str, methods: Sequence[Method]) -> str:
    types = [kind for method in methods for kind in _types_of(method)]
    # Inside the class, a method called `list` would shadow the type.
    has_list = any(method.short_name == "list" for method in methods)
    list_name = "builtins.list" if has_list else "list"
    writer = Writer("..objects", None, [class_name(group)], types, list_name)
    imports = "\n".join(
        [
            "from typing import TYPE_CHECKING, Any, Literal, final, overload",
            "from .._masking import mask, mask_params",
            "from .._method_group import MethodGroup, json_list",
            "if TYPE_CHECKING:",
            "    import builtins",
            "    from collections.abc import Iterable, Mapping",
            "    from datetime import datetime",
            "    from .._typing import HasToVK",
            "    from ..objects import EmptyList",
            *(f"    {line}" for line in writer.imports()),
        ]
    )
    address = f"https://dev.vk.com/method/{group}"
    head = f'''\
@final
class {class_name(group)}(MethodGroup):
    """The methods ``{group}.*`` of the VK API: {address}"""

    __slots__ = ()
    _name = "{group}"
'''
    body = [_write_method(model, writer, method) for method in methods]
    summary = f"The methods ``{group}.*`` of the VK API."
    return module(model, summary, imports, "\n".join([head, *body]))


def _types_of(method: Method) -> list[Type]:
    return [method.returns, *(parameter.type for parameter in method.parameters)]


def _write_method(model: Model, writer: Writer, method: Method) -> str:
    whole = _signature(writer, method, {}, method.returns)
    signatures = [
        _signature(writer, method, case.switches, case.returns) for case in method.cases
    ]
    if signatures:
        signatures.append(whole)
    overloads = [f"    @overload\n{signature} ...\n" for signature in signatures]
    name = method.short_name
    doc = _docstring(model, method)
    sent = ", ".join(f'"{p.name}": {_sent(p)}' for p in method.parameters)
    # First, so that no traceback with local variables shows a secret.
    masked = [
        f"        {p.argument} = mask({p.argument})\n"
        for p in method.parameters
        if p.name in SECRET_PARAMS
    ]
    masked.append("        extra_params = mask_params(extra_params)\n")
    call = (
        f'        return await self._call("{method.name}", {{{sent}}}, extra_params)\n'
    )
    snake = to_snake(name)
    alias = [f"    {snake} = {name}\n"] if snake != name else []
    body = f"{whole}\n{doc}\n{''.join(masked)}{call}"
    return "\n".join([*overloads, body, *alias])


def _sent(parameter: Parameter) -> str:
    if parameter.is_json_list:
        return f'json_list("{parameter.name}", {parameter.argument})'
    return parameter.argument


def _signature(
    writer: Writer, method: Method, switches: Mapping[Switch, bool], returns: Type
) -> str:
    by_name = {switch.name: (switch, on) for switch, on in switches.items()}
    arguments = [
        _argument(writer, parameter, *by_name.get(parameter.name, (None, None)))
        for parameter in method.parameters
    ]
    signature = ", ".join(["self", "*", *arguments, _EXTRA])
    name = method.short_name
    return f"    async def {name}({signature}) -> {writer.write(returns)}:"


def _argument(
    writer: Writer, parameter: Parameter, switch: Switch | None, on: bool | None
) -> str:
    """Write an argument.

    :param switch: how it affects the return type; None if it does not
    :param on: whether the switch is on; None without a switch
    """
    kind, is_optional = parameter.type, not parameter.required
    if on is True:
        is_optional = False
    if switch is not None and switch.value is not None:
        values = kind.values if isinstance(kind, Literals) else ()
        kind = Literals(tuple(v for v in values if (v == switch.value) is on))
    elif on is not None and parameter.is_flag:
        kind = Literals((on,))
    elif on is False:
        kind = NONE
    if is_optional:
        return f"{parameter.argument}: {writer.write(either(kind, NONE))} = None"
    return f"{parameter.argument}: {writer.write(kind)}"


def _docstring(model: Model, method: Method) -> str:
    paragraphs = [
        f"Call ``{method.name}``.",
        f"https://dev.vk.com/method/{method.name}",
        *([method.note] if method.note else []),
        " ".join(filter(None, [_tokens(method), _repetition(method)])),
    ]
    fields = [
        f":param {parameter.argument}: {'; '.join(parameter.facts)}"
        for parameter in method.parameters
        if parameter.facts
    ]
    fields.append(_EXTRA_FACT)
    if method.errors:
        codes = (f"{c} {model.error_codes[c].upper()}" for c in method.errors)
        fields.append(f":raises APIError: method-specific codes: {', '.join(codes)}")
    return docstring(paragraphs, fields, indent=8)


def _tokens(method: Method) -> str:
    kinds = [_TOKENS[token] for token in method.tokens if token != "open"]
    if not kinds:
        return ""
    *others, last = kinds
    listed = f"{', '.join(others)} and {last}" if others else last
    without = ", or none" if "open" in method.tokens else ""
    return f"Accepts {listed} tokens{without}."


def _repetition(method: Method) -> str:
    if method.key is not None:
        text = _KEYS[method.key]
    else:
        text = _REPETITION[method.repetition]
    if method.changes_if is not None:
        text += f" It is neither if ``{method.changes_if}`` is set."
    if not method.packable:
        text += " Never packed into ``execute``."
    return text


# The client's groups


def write_groups(model: Model) -> str:
    """Write the base class of the client that loads the groups."""
    lines = (
        f"    from .methods.{module_name(group)} import {class_name(group)}"
        for group in model.groups
    )
    imports = "\n".join(
        [
            "from functools import cached_property",
            "from typing import TYPE_CHECKING",
            "if TYPE_CHECKING:",
            "    from collections.abc import Mapping",
            "    from typing import Any",
            *lines,
            "    from ._untyped import UntypedGroup",
        ]
    )
    head = '''\
class MethodGroups:
    """Access to VK's methods: each group is loaded on first use."""

    if TYPE_CHECKING:  # the client defines it

        async def call(
            self, method: str, params: Mapping[str, Any] | None = None
        ) -> Any: ...
'''
    groups = sorted([*model.groups, *model.untyped_groups], key=str.lower)
    properties = [part for group in groups for part in _properties(model, group)]
    summary = "VK's groups of methods, as attributes of a client."
    return module(model, summary, imports, "\n".join([head, *properties]))


def _properties(model: Model, group: str) -> Iterator[str]:
    snake = module_name(group)
    if group in model.groups:
        name, module, arguments = class_name(group), f".methods.{snake}", "self.call"
        doc = f"The methods ``{group}.*`` of the VK API."
    else:
        name, module = "UntypedGroup", "._untyped"
        arguments = f'"{group}", self.call'
        doc = f"The methods ``{group}.*``, which VK's schema lacks: without types."
    yield f'''\
    @cached_property
    def {group}(self) -> {name}:
        """{doc}"""
        from {module} import {name}

        return {name}({arguments})
'''
    if snake != group:
        yield f'''\
    @property
    def {snake}(self) -> {name}:
        """The methods ``{group}.*`` of the VK API."""
        return self.{group}
'''
