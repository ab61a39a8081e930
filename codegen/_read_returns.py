"""Read return types from responses, and how parameters select them."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

from . import reviewed
from ._model import Alias, Case, Switch
from ._names import to_snake
from ._read_objects import class_name
from ._schema import Schema, SchemaError
from ._types import Literals, Named, Type, either

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ._model import Parameter
    from ._read_objects import Objects
    from ._review import Review


def read_returns(
    schema: Schema,
    review: Review,
    objects: Objects,
    where: str,
    method: str,
    responses: Mapping[str, str],
) -> dict[str, Type]:
    """Read the types that a method may return, by their keys in the schema.

    :raises SchemaError: if the schema has something unknown
    """
    return {
        key: _read_response(schema, objects, f"{where}/{key}", response)
        for key, response in responses.items()
        if not review.has(reviewed.NEVER_RETURNED, (method, key))
    }


def _read_response(schema: Schema, objects: Objects, where: str, name: str) -> Type:
    target = schema.find(where, name, is_response=True)
    found = objects[target.folder, class_name(target)]
    # Without fields, the type itself reads better than its name: `list[UserFull]`.
    if isinstance(found, Alias):
        return found.type
    return Named(target.folder, found.name)


def read_cases(
    review: Review,
    method: str,
    parameters: Sequence[Parameter],
    returns: Mapping[str, Type],
) -> Iterator[Case]:
    """Find out how parameters select the return type.

    The key of a response contains their names: ``extended`` selects
    ``extendedResponse``. For each combination of these parameters, the responses that
    need most of them are returned.

    :raises SchemaError: if the schema has something unknown
    """
    if len(returns) == 1:
        return
    needed = {key: _needed(review, method, key, parameters) for key in returns}
    order = [parameter.name for parameter in parameters]
    found = {switch for each in needed.values() for switch in each}
    if len({switch.name for switch in found}) < len(found):
        raise SchemaError(method, "several values of a parameter select responses")
    for switch in found:
        _check(method, switch, parameters)
    switches = sorted(found, key=lambda switch: order.index(switch.name))
    for on in product((False, True), repeat=len(switches)):
        choice = dict(zip(switches, on, strict=True))
        if not choice:
            return
        given = {switch for switch, is_on in choice.items() if is_on}
        possible = [each for each in needed.values() if each <= given]
        best = [p for p in possible if not any(p < other for other in possible)]
        keys = [key for key, each in needed.items() if each in best]
        kinds = [returns[key] for key in _preferred(review, method, keys)]
        if not kinds:
            raise SchemaError(method, f"no response without {switches[0].name}")
        yield Case(choice, either(*kinds))


def _preferred(review: Review, method: str, keys: Sequence[str]) -> Sequence[str]:
    """Return those of several possible responses that are preferred, if any is."""
    if len(keys) == 1:
        return keys
    found = [key for key in keys if review.has(reviewed.PREFERRED, (method, key))]
    return found or keys


def _needed(
    review: Review, method: str, key: str, parameters: Sequence[Parameter]
) -> frozenset[Switch]:
    """Return the switches that must be on for a response."""
    words = f"_{to_snake(key)}_"
    found = frozenset(Switch(p.name) for p in parameters if f"_{p.name}_" in words)
    is_clear = bool(found) or key == "response"
    if (method, key) in reviewed.RETURNED_IF:
        switch = Switch.parse(reviewed.RETURNED_IF[method, key])
        corrected = frozenset(() if switch is None else (switch,))
        changes = not is_clear or corrected != found
        if changes and review.has(reviewed.RETURNED_IF, (method, key)):
            return corrected
    if not is_clear:
        problem = f"when is {key} returned? Add it to reviewed.RETURNED_IF"
        raise SchemaError(method, problem)
    return found


def _check(method: str, switch: Switch, parameters: Sequence[Parameter]) -> None:
    parameter = next((p for p in parameters if p.name == switch.name), None)
    if parameter is None:
        raise SchemaError(method, f"no parameter {switch.name!r} to select a response")
    if parameter.is_on:
        problem = f"{switch.name} selects a response, but is on if omitted"
        raise SchemaError(method, problem)
    if switch.value is not None and not (
        isinstance(parameter.type, Literals) and switch.value in parameter.type.values
    ):
        raise SchemaError(method, f"{switch.name} cannot be {switch.value!r}")
