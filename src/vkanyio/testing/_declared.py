"""The methods that VK's schema declares, and values for those without state."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeGuard, final

import attrs

from ._call import ANY_TOKEN, Call, Handler, SimulatedMethod
from ._parameters import DeclaredParameters, Kind
from ._plausible import name_of_value, number_for, text_for
from ._schema import schema

if TYPE_CHECKING:
    from ._errors import JSON

MAX_DEPTH = 4
"""How deeply lists with items may be nested; those further in are empty."""

PLAIN: Mapping[Any, JSON] = {"float": 1.0, "bool": True, "any": {}, "object": {}}


@functools.cache
def declared_methods() -> Mapping[str, SimulatedMethod]:
    """Return all methods of VK's schema; they return values of their declared types."""
    return {
        name: SimulatedMethod(
            functools.partial(_make_value, declared),
            declared["required"],
            [kind for kind in declared["tokens"] if kind in ANY_TOKEN] or ANY_TOKEN,
            DeclaredParameters(declared),
        )
        for name, declared in schema()["methods"].items()
    }


def simulated_methods(handlers: Mapping[str, Handler]) -> dict[str, SimulatedMethod]:
    """Return all methods: those of the schema, and others with an implementation.

    :param handlers: the implementations, by name; the schema says who may call them
        with what
    """
    methods = {**declared_methods()}
    for name, handler in handlers.items():
        declared = methods.get(name)
        methods[name] = (
            attrs.evolve(declared, handler=handler)
            if declared
            else SimulatedMethod(handler)
        )
    return methods


def _make_value(declared: Mapping[str, Any], call: Call) -> JSON:
    for switches, kind in declared["answers"]:
        if all(_is_on(switch, call) == on for switch, on in switches.items()):
            return _Maker(call).make(kind, name_of_value(call.method))
    raise AssertionError(f"no response of {call.method} matches {call.params}")


def _is_on(switch: str, call: Call) -> bool:
    name, _, value = switch.partition("=")
    given = call.params.get(name, "")
    return given == value if value else given not in ("", "0")


@final
class _Maker:
    """Makes values for one call: equal calls get equal values.

    An object has the fields that VK always sends. A list has one item, or none if the
    call asks for a later page.
    """

    def __init__(self, call: Call) -> None:
        self._call = call
        self._is_past_end = call.params.get("offset", "0") not in ("", "0")
        self._depth = 0

    def make(self, kind: Kind, name: str) -> JSON:
        """Make a value.

        :param kind: its type
        :param name: the name of the field that gets it
        """
        if isinstance(kind, str):
            return self._plain(kind, name)
        if "enum" in kind:
            return kind["enum"][0]
        if "one" in kind:
            return self.make(kind["one"][0], name)
        if "list" in kind:
            return self._list(kind["list"], name)
        found = schema()["objects"][kind["is"]]
        return self._record(found) if _is_record(found) else self.make(found, name)

    def _plain(self, kind: str, name: str) -> JSON:
        if kind == "int":
            return number_for(self._call, name)
        return text_for(self._call, name) if kind == "str" else PLAIN[kind]

    def _list(self, item: Kind, name: str) -> list[JSON]:
        if self._is_past_end or self._depth == MAX_DEPTH:
            return []
        self._depth += 1
        try:
            return [self.make(item, name)]
        finally:
            self._depth -= 1

    def _record(self, fields: Mapping[str, Any]) -> dict[str, JSON]:
        # If no field is always sent, use the simple ones, so that there is something.
        chosen = fields["required"] or {
            name: kind
            for name, kind in fields["optional"].items()
            if isinstance(kind, str) or "list" in kind
        }
        made = {name: self.make(kind, name) for name, kind in chosen.items()}
        if "count" in made and isinstance(made.get("items"), list):
            # Beyond the end it is still the number of all items.
            made["count"] = int(self._is_past_end or made["items"] != [])
        return made


def _is_record(found: object) -> TypeGuard[Mapping[str, Any]]:
    return isinstance(found, Mapping) and "required" in found
