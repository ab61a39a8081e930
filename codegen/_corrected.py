"""Correct the schema before it is read, as `reviewed` and `reviewed_objects` say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from . import reviewed, reviewed_objects
from ._schema import Definition
from ._unions import split_unions

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from ._review import Review
    from ._schema import JSON, Schema


def correct(schema: Schema, review: Review) -> Schema:
    """Return the schema with all corrections applied."""
    definitions = {**schema.definitions, **_more_objects(schema, review)}
    methods = {**schema.methods, **_more_methods(schema, review)}
    corrected = attrs.evolve(
        schema,
        definitions={
            name: _correct_definition(definition, review)
            for name, definition in definitions.items()
        },
        methods={
            name: _correct_method(name, raw, review)
            for name, raw in methods.items()
            if not review.has(reviewed.GONE_METHODS, name)
        },
    )
    return split_unions(corrected, review)


def _more_objects(schema: Schema, review: Review) -> dict[str, Definition]:
    table: Mapping[str, JSON] = reviewed_objects.MORE_OBJECTS
    return {
        name: Definition(
            folder=name.partition("_")[0],
            name=name,
            raw=raw,
            is_response=name.endswith("_response"),
        )
        for name, raw in table.items()
        if name not in schema.definitions and review.has(table, name)
    }


def _more_methods(schema: Schema, review: Review) -> dict[str, JSON]:
    table = reviewed.MORE_METHODS
    return {
        name: raw
        for name, raw in table.items()
        if name not in schema.methods and review.has(table, name)
    }


# Objects


def _correct_definition(definition: Definition, review: Review) -> Definition:
    name, raw = definition.name, definition.raw
    replaced = reviewed_objects.REPLACED.get(name, raw)
    if replaced != raw and review.has(reviewed_objects.REPLACED, name):
        raw = replaced
    raw = dict(_correct_fields(name, raw, review))
    more = _missing(
        reviewed_objects.MORE_FIELDS, name, raw.get("properties", {}), review
    )
    if more:
        raw["properties"] = {**raw.get("properties", {}), **more}
    if "enum" in raw:
        raw |= _correct_values(name, raw, review)
    if review.has(reviewed_objects.EMPTY_LISTS, (name, None)):
        raw["or_empty_list"] = True
    return attrs.evolve(definition, raw=raw)


def _correct_values(
    name: str, raw: Mapping[str, JSON], review: Review
) -> dict[str, JSON]:
    """Correct the values of an enum, and the names that VK has for them."""
    values = raw["enum"]
    written = reviewed_objects.VALUES.get(name, values)
    if written != values and review.has(reviewed_objects.VALUES, name):
        return {"enum": written}
    gone, table = reviewed_objects.GONE_VALUES, reviewed_objects.MORE_VALUES
    more = [
        value
        for enum, value in table
        if enum == name and value not in values and review.has(table, (name, value))
    ]
    kept = [value for value in values if not review.has(gone, (name, value))]
    corrected = {"enum": kept + more}
    if "enumNames" in raw and more:
        corrected["enumNames"] = [*raw["enumNames"], *more]
    return corrected


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
            if not review.has(reviewed_objects.GONE_FIELDS, (name, field))
        }
    return corrected


def _correct_field(
    key: tuple[str, str], raw: Mapping[str, JSON], review: Review
) -> Mapping[str, JSON]:
    required = raw.get("required", False)
    table: Mapping[tuple[str, str], JSON] = reviewed_objects.FIELD_TYPES
    written = {**table.get(key, raw), "required": required}
    if written != {**raw, "required": required} and review.has(table, key):
        raw = written
    if review.has(reviewed_objects.EMPTY_LISTS, key):
        return {**raw, "or_empty_list": True}
    return raw


# Methods


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
        raw = {**raw, "entity": entity}
    table, values = reviewed.MORE_PARAMETER_VALUES, raw.get("enum", [])
    more = [
        value
        for method, name, value in table
        if (method, name) == key
        and value not in values
        and review.has(table, (*key, value))
    ]
    return {**raw, "enum": values + more} if more else raw
