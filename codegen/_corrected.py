"""Puts right what the schema says wrongly, before anything is made of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from . import reviewed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ._review import Review
    from ._schema import JSON, Definition, Schema


def correct(schema: Schema, review: Review) -> Schema:
    """Return the schema as it should be."""
    return attrs.evolve(
        schema,
        definitions={
            key: _correct_definition(definition, review)
            for key, definition in schema.definitions.items()
        },
        methods={
            name: _correct_method(name, raw, review)
            for name, raw in schema.methods.items()
        },
    )


def _correct_definition(definition: Definition, review: Review) -> Definition:
    raw = _correct_fields(definition.name, definition.raw, review)
    return attrs.evolve(definition, raw=raw)


def _correct_fields(
    name: str, raw: Mapping[str, JSON], review: Review
) -> Mapping[str, JSON]:
    """Correct the fields of an object, and of the parts that it is made of."""
    corrected = dict(raw)
    if "allOf" in raw:
        corrected["allOf"] = [_correct_fields(name, p, review) for p in raw["allOf"]]
    if "properties" in raw:
        corrected["properties"] = {
            field: _correct_field((name, field), inner, review)
            for field, inner in raw["properties"].items()
        }
    return corrected


def _correct_field(
    key: tuple[str, str], raw: Mapping[str, JSON], review: Review
) -> Mapping[str, JSON]:
    if not raw.get("required", False) and review.has(reviewed.ALWAYS_SENT, key):
        return {**raw, "required": True}
    return raw


def _correct_method(
    name: str, raw: Mapping[str, JSON], review: Review
) -> Mapping[str, JSON]:
    parameters = raw.get("parameters", ())
    known = {parameter["name"] for parameter in parameters}
    more = [
        {"name": parameter, **each}
        for (method, parameter), each in reviewed.MORE_PARAMETERS.items()
        if method == name
        and parameter not in known
        and review.has(reviewed.MORE_PARAMETERS, (method, parameter))
    ]
    return {**raw, "parameters": [*more, *parameters]}
