"""Correct the schema before it is read, as `reviewed` says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from . import reviewed

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from ._review import Review
    from ._schema import JSON, Definition, Schema


def correct(schema: Schema, review: Review) -> Schema:
    """Return the schema with all corrections applied."""
    return attrs.evolve(
        schema,
        definitions={
            name: _correct_definition(definition, review)
            for name, definition in schema.definitions.items()
        },
        methods={
            name: _correct_method(name, raw, review)
            for name, raw in schema.methods.items()
        },
    )


def _correct_definition(definition: Definition, review: Review) -> Definition:
    name = definition.name
    raw = dict(_correct_fields(name, definition.raw, review))
    fields = _missing(reviewed.MORE_FIELDS, name, raw.get("properties", {}), review)
    if fields:
        raw["properties"] = {**raw.get("properties", {}), **fields}
    if "enum" in raw:
        raw["enum"] = _correct_values(name, raw["enum"], review)
    return attrs.evolve(definition, raw=raw)


def _correct_values(name: str, values: JSON, review: Review) -> JSON:
    """Correct the values of an enum."""
    written = reviewed.VALUES.get(name, values)
    if written != values and review.has(reviewed.VALUES, name):
        values = written
    more = [each for enum, each in reviewed.MORE_VALUES if enum == name]
    return values + [
        each
        for each in more
        if each not in values and review.has(reviewed.MORE_VALUES, (name, each))
    ]


def _missing(
    table: Mapping[tuple[str, str], JSON],
    owner: str,
    known: Collection[str],
    review: Review,
) -> dict[str, JSON]:
    """Return the entries of a table that a method or an object lacks, by name."""
    return {
        name: raw
        for (each, name), raw in table.items()
        if each == owner and name not in known and review.has(table, (each, name))
    }


def _correct_fields(
    name: str, raw: Mapping[str, JSON], review: Review
) -> Mapping[str, JSON]:
    """Correct the fields of an object, including those of its ``allOf`` parts."""
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
    required = raw.get("required", False)
    table = reviewed.NOT_ALWAYS_SENT if required else reviewed.ALWAYS_SENT
    return {**raw, "required": not required} if review.has(table, key) else raw


def _correct_method(
    name: str, raw: Mapping[str, JSON], review: Review
) -> Mapping[str, JSON]:
    parameters = [
        _correct_parameter((name, parameter["name"]), parameter, review)
        for parameter in raw.get("parameters", ())
    ]
    known = {parameter["name"] for parameter in parameters}
    found = _missing(reviewed.MORE_PARAMETERS, name, known, review)
    more = [{"name": parameter, **each} for parameter, each in found.items()]
    return {**raw, "parameters": [*more, *parameters]}


def _correct_parameter(
    key: tuple[str, str], raw: Mapping[str, JSON], review: Review
) -> Mapping[str, JSON]:
    entity = reviewed.ENTITIES.get(key, raw.get("entity"))
    if entity != raw.get("entity") and review.has(reviewed.ENTITIES, key):
        return {**raw, "entity": entity}
    return raw
