"""Split objects whose form depends on a field, so that the field narrows their type.

There are two kinds of them: unions with a ``discriminator``, which the schema has, and
objects whose ``type`` names the field with the content, such as attachments.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import attrs

from vkanyio._typeguards import is_list, is_mapping

from . import reviewed_objects
from ._schema import Definition, SchemaError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from ._review import Review
    from ._schema import JSON, Schema


def split_unions(schema: Schema, review: Review) -> Schema:
    """Return the schema with a definition for each form of such an object."""
    definitions = dict(schema.definitions)
    references = Counter(
        name for each in definitions.values() for name in _references(each.raw)
    )
    for name, each in schema.definitions.items():
        if review.has(reviewed_objects.TAGGED, name):
            definitions |= _split_tagged(schema, each)
        elif "discriminator" in each.raw:
            definitions |= _split_union(schema, each, references)
    return attrs.evolve(schema, definitions=definitions)


def _references(raw: JSON) -> Iterator[str]:
    """Iterate over the names that a definition refers to."""
    if is_mapping(raw):
        for key, inner in raw.items():
            if key == "$ref":
                yield inner
            elif key != "discriminator":
                yield from _references(inner)
    elif is_list(raw):
        for inner in raw:
            yield from _references(inner)


def _split_union(
    schema: Schema, union: Definition, references: Mapping[str, int]
) -> dict[str, Definition]:
    """Declare in each object of a union which values its discriminator has.

    An object that is used elsewhere, too, gets another form for the union.
    """
    discriminator = union.raw["discriminator"]
    field, mapping = discriminator["propertyName"], discriminator["mapping"]
    values: dict[str, list[str]] = {}
    for value, target in mapping.items():
        values.setdefault(target, []).append(value)
    found: dict[str, Definition] = {}
    parts: list[JSON] = []
    for part in union.raw["oneOf"]:
        target = schema.find(union.where, part["$ref"])
        if target.name not in values:
            problem = f"{target.name} is not in the mapping of {field}"
            raise SchemaError(union.where, problem)
        extended = {
            "type": "object",
            "allOf": [
                {"$ref": target.name},
                {"properties": {field: _tag(values[target.name])}},
            ],
        }
        if references[target.name] == 1:
            own = {"allOf": [*_parts(target.raw), *extended["allOf"][1:]]}
            found[target.name] = attrs.evolve(target, raw={"type": "object", **own})
            parts.append(part)
        else:
            variant = _variant(union, target.name.partition("_")[2], extended)
            found[variant.name] = variant
            parts.append({"$ref": variant.name})
    found[union.name] = attrs.evolve(union, raw={**union.raw, "oneOf": parts})
    return found


def _parts(raw: Mapping[str, JSON]) -> list[JSON]:
    own = {"properties": raw["properties"]} if "properties" in raw else None
    return [*raw.get("allOf", ()), *([own] if own else [])]


def _split_tagged(schema: Schema, tagged: Definition) -> dict[str, Definition]:
    """Make a definition for each type that has a field, and one for all others."""
    fields = tagged.raw["properties"]
    types = schema.find(tagged.where, fields["type"]["$ref"]).raw["enum"]
    shared = {name: f for name, f in fields.items() if name not in (*types, "type")}
    variants = [
        _variant(
            tagged,
            name,
            {
                "type": "object",
                "properties": {
                    "type": _tag([name]),
                    name: {**fields[name], "required": True},
                    **shared,
                },
            },
        )
        for name in types
        if name in fields
    ]
    others = [name for name in types if name not in fields]
    if others:
        raw = {"type": "object", "properties": {"type": _tag(others), **shared}}
        variants.append(_variant(tagged, "other", raw))
    union = {
        "type": "object",
        "oneOf": [{"$ref": variant.name} for variant in variants],
    }
    return {
        **{variant.name: variant for variant in variants},
        tagged.name: attrs.evolve(tagged, raw=union),
    }


def _tag(values: Iterable[str]) -> JSON:
    """Return the field that tells the objects of a union apart."""
    return {"type": "string", "enum": [*values], "required": True, "closed": True}


def _variant(of: Definition, name: str, raw: Mapping[str, JSON]) -> Definition:
    return Definition(
        folder=of.folder,
        name=f"{of.name}_{name}",
        raw=raw,
        is_response=False,
        variant_of=of.name,
    )
