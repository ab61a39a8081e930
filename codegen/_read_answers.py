"""From responses of the schema to answers, and how parameters choose them."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

from . import reviewed
from ._model import Alias, Case, Switch
from ._names import to_snake
from ._read_objects import class_name
from ._schema import Schema, SchemaError, check_keys
from ._types import Literals, Named, Type, either

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ._model import Parameter
    from ._read_objects import Objects
    from ._review import Review
    from ._schema import JSON


def read_answers(
    schema: Schema,
    review: Review,
    objects: Objects,
    where: str,
    method: str,
    responses: Mapping[str, Mapping[str, JSON]],
) -> dict[str, Type]:
    """Read the types of the answers that a method may give, by VK's names for them.

    :raises SchemaError: for what is not understood
    """
    return {
        key: _read_answer(schema, objects, f"{where}/{key}", reference)
        for key, reference in responses.items()
        if not review.has(reviewed.NOT_ANSWERED, (method, key))
    }


def _read_answer(
    schema: Schema, objects: Objects, where: str, raw: Mapping[str, JSON]
) -> Type:
    check_keys(where, raw, {"$ref", "type", "deprecated_from_version", "description"})
    target = schema.find(where, raw["$ref"])
    if not target.is_response:
        raise SchemaError(where, f"{target.name} is not a response")
    found = objects[target.folder, class_name(target)]
    # What is no object reads better as what it is: `list[UserFull]`.
    if isinstance(found, Alias):
        return found.type
    return Named(target.folder, found.name)


def read_cases(
    review: Review,
    method: str,
    parameters: Sequence[Parameter],
    answers: Mapping[str, Type],
) -> Iterator[Case]:
    """Find out how parameters choose the answer.

    The name of an answer names them: ``extendedResponse`` comes with ``extended``. For
    each choice of these parameters, the answers that come with most of them are due.

    :raises SchemaError: for what is not understood
    """
    if len(answers) == 1:
        return
    needed = {key: _needed(review, method, key, parameters) for key in answers}
    order = [parameter.name for parameter in parameters]
    found = {switch for each in needed.values() for switch in each}
    if len({switch.name for switch in found}) < len(found):
        raise SchemaError(method, "several values of a parameter bring answers")
    for switch in found:
        _check(method, switch, parameters)
    switches = sorted(found, key=lambda switch: order.index(switch.name))
    for on in product((False, True), repeat=len(switches)):
        choice = dict(zip(switches, on, strict=True))
        if not choice:
            return
        given = {switch for switch, is_on in choice.items() if is_on}
        due = [each for each in needed.values() if each <= given]
        best = [each for each in due if not any(each < other for other in due)]
        kinds = [answers[key] for key, each in needed.items() if each in best]
        if not kinds:
            raise SchemaError(method, f"no answer without {switches[0].name}")
        yield Case(choice, either(*kinds))


def _needed(
    review: Review, method: str, key: str, parameters: Sequence[Parameter]
) -> frozenset[Switch]:
    """Tell what has to be on for an answer."""
    words = f"_{to_snake(key)}_"
    found = frozenset(Switch(p.name) for p in parameters if f"_{p.name}_" in words)
    is_told = bool(found) or key == "response"
    if (method, key) in reviewed.ANSWER_IF:
        switch = Switch.parse(reviewed.ANSWER_IF[method, key])
        told = frozenset(() if switch is None else (switch,))
        changes = not is_told or told != found
        if changes and review.has(reviewed.ANSWER_IF, (method, key)):
            return told
    if not is_told:
        raise SchemaError(method, f"when is {key} answered? reviewed.ANSWER_IF says")
    return found


def _check(method: str, switch: Switch, parameters: Sequence[Parameter]) -> None:
    parameter = next((p for p in parameters if p.name == switch.name), None)
    if parameter is None:
        raise SchemaError(method, f"no parameter {switch.name!r} to bring an answer")
    if parameter.is_on:
        raise SchemaError(
            method, f"{switch.name} chooses the answer, and is on if left out"
        )
    if switch.value is not None and not (
        isinstance(parameter.type, Literals) and switch.value in parameter.type.values
    ):
        raise SchemaError(method, f"{switch.name} cannot be {switch.value!r}")
