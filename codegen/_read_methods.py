"""Read methods: their parameters, return types and facts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vkanyio._facts import Repetition
from vkanyio._repetition import repetition_by_verb

from . import reviewed
from ._model import Method
from ._read_parameters import read_parameter
from ._read_returns import read_cases, read_returns
from ._schema import Schema, SchemaError, check_keys
from ._types import either

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ._model import Object
    from ._read_objects import Objects
    from ._review import Review
    from ._schema import JSON

_METHOD_KEYS: Final = {
    "access_token_type",
    "errors",
    "parameters",
    "responses",
    "timeout",
}
_TOKENS: Final = ("user", "group", "service", "open")


def read_methods(
    schema: Schema, review: Review, objects: Mapping[str, Sequence[Object]]
) -> list[Method]:
    """Read all methods, sorted by name.

    :raises SchemaError: if the schema has something unknown
    """
    by_name = {(f, one.name): one for f, found in objects.items() for one in found}
    return [
        _read_method(schema, review, by_name, name, raw)
        for name, raw in sorted(schema.methods.items())
    ]


def _read_method(
    schema: Schema,
    review: Review,
    objects: Objects,
    name: str,
    raw: Mapping[str, JSON],
) -> Method:
    group = name.partition(".")[0]
    where = f"{group}/methods.json: {name}"
    check_keys(where, raw, _METHOD_KEYS)
    parameters = [
        read_parameter(schema, review, objects, f"{where}({each['name']})", name, each)
        for each in raw.get("parameters", ())
    ]
    if len({parameter.name for parameter in parameters}) < len(parameters):
        raise SchemaError(where, "a duplicate parameter")
    returns = read_returns(schema, review, objects, where, name, raw["responses"])
    keys = [p.name for p in parameters if p.is_key]
    changes = [
        p.name
        for p in parameters
        if review.has(reviewed.CHANGES_IF_SET, (name, p.name))
    ]
    tokens = raw.get("access_token_type", ())
    for token in tokens:
        if token not in _TOKENS:
            raise SchemaError(where, f"unknown kind of token {token!r}")
    return Method(
        name=name,
        group=group,
        parameters=sorted(parameters, key=lambda p: not p.required),
        returns=either(*returns.values()),
        cases=list(read_cases(review, name, parameters, returns)),
        tokens=sorted(tokens, key=_TOKENS.index),
        errors=sorted(schema.find_error(where, e) for e in raw.get("errors", ())),
        repetition=_repetition(review, where, name, keys),
        key=keys[0] if keys else None,
        changes_if=changes[0] if changes else None,
        packable=not review.has(reviewed.NOT_FOR_EXECUTE, name),
        note=reviewed.NOTES[name] if review.has(reviewed.NOTES, name) else None,
    )


def _repetition(
    review: Review, where: str, name: str, keys: Sequence[str]
) -> Repetition:
    if len(keys) > 1:
        raise SchemaError(where, f"several idempotency keys: {keys}")
    found = Repetition.KEYED if keys else repetition_by_verb(name)
    if found is not Repetition.NEVER and review.has(reviewed.NEVER, name):
        return Repetition.NEVER
    if found is not Repetition.READ and review.has(reviewed.READS, name):
        return Repetition.READ
    return found
