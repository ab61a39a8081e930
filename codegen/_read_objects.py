"""Read definitions as objects, and properties as types."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

from vkanyio._typeguards import is_list

from . import reviewed_objects
from ._model import Alias, Field, Record
from ._names import to_class_name
from ._schema import Schema, SchemaError, check_keys
from ._types import (
    ANY,
    BOOL,
    EMPTY_LIST,
    INT,
    OBJECT,
    STR,
    Listed,
    Literals,
    Named,
    Plain,
    Type,
    either,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ._model import Object
    from ._review import Review
    from ._schema import JSON, Definition

Objects: TypeAlias = "Mapping[tuple[str, str], Object]"
"""Objects by folder and name."""

SCALARS: Final = {
    "integer": INT,
    "string": STR,
    "boolean": BOOL,
    "number": Plain("float"),
}

# Keys of a property that do not change its type.
ASIDES: Final = {
    "additionalProperties",
    "closed",
    "default",
    "deprecated_from_version",
    "discriminator",
    "entity",
    "enumNames",
    "format",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minItems",
    "minLength",
    "minProperties",
    "minimum",
    "or_empty_list",
    "required",
}
_PROPERTY_KEYS: Final = {
    "$ref",
    "enum",
    "items",
    "oneOf",
    "properties",
    "type",
    *ASIDES,
}


def read_objects(schema: Schema, review: Review) -> dict[str, list[Object]]:
    """Read all objects and responses, by folder.

    :raises SchemaError: if the schema has something unknown
    """
    objects: dict[str, list[Object]] = {}
    names: dict[tuple[str, str], Definition] = {}
    for definition in schema.definitions.values():
        name = class_name(definition)
        other = names.setdefault((definition.folder, name), definition)
        if other is not definition:
            raise SchemaError(
                definition.where, f"{name} is the name of {other.name} already"
            )
        objects.setdefault(definition.folder, []).append(
            _read(schema, review, definition)
        )
    for found in objects.values():
        found.sort(key=lambda one: one.name)
    return objects


def class_name(definition: Definition) -> str:
    """Return the class name of a definition."""
    return to_class_name(definition.where, definition.folder, definition.name)


def _read(schema: Schema, review: Review, definition: Definition) -> Object:
    name, where, raw = class_name(definition), definition.where, definition.raw
    vk_name = definition.variant_of or definition.name
    if definition.is_response and review.has(
        reviewed_objects.ANY_VALUE, definition.name
    ):
        return Alias(name, vk_name, ANY)
    if "allOf" in raw or raw.get("properties"):
        fields = [
            Field(
                field,
                read_type(schema, f"{where}.{field}", inner),
                required=_is_required(inner),
            )
            for field, inner in _fields(schema, review, definition).items()
        ]
        return Record(name, vk_name, fields, is_form=definition.variant_of is not None)
    # Named enums stay closed here: parameters refer to them, too.
    if "$ref" in raw:
        kind: Type = read_reference(schema, where, raw)
    elif "enum" in raw:
        kind = read_enum(where, raw)
    else:
        kind = read_type(schema, where, raw)
    if raw.get("or_empty_list"):
        kind = either(kind, EMPTY_LIST)
    return Alias(name, vk_name, kind, meanings(where, raw))


def _fields(
    schema: Schema, review: Review, definition: Definition
) -> dict[str, Mapping[str, JSON]]:
    """Collect the fields of an object and of everything that it extends."""
    where, raw = definition.where, definition.raw
    fields = _fields_of(schema, review, where, raw)
    for name, each in fields.items():
        required = _is_required(each)
        table = (
            reviewed_objects.NOT_ALWAYS_SENT
            if required
            else reviewed_objects.ALWAYS_SENT
        )
        if review.has(table, (definition.name, name)):
            fields[name] = {**each, "required": not required}
    return fields


def _fields_of(
    schema: Schema, review: Review, where: str, raw: Mapping[str, JSON]
) -> dict[str, Mapping[str, JSON]]:
    """Collect the fields of all parts.

    The last part that has a field determines its type. A field is required if any part
    requires it, as in JSON Schema: an object must match all parts.
    """
    check_keys(where, raw, {"allOf", "properties", "type", *ASIDES})
    if raw.get("type", "object") != "object":
        raise SchemaError(where, f"fields in a {raw['type']!r}")
    parts: list[Mapping[str, Mapping[str, JSON]]] = []
    for i, part in enumerate(raw.get("allOf", ())):
        inner = f"{where}/allOf[{i}]"
        if "$ref" in part:
            check_keys(inner, part, {"$ref"})
            base = schema.find(inner, part["$ref"])
            parts.append(_fields(schema, review, base))
        else:
            parts.append(_fields_of(schema, review, inner, part))
    fields: dict[str, Mapping[str, JSON]] = {}
    for found in (*parts, raw.get("properties", {})):
        for name, each in found.items():
            required = _is_required(each) or _is_required(fields.get(name, {}))
            fields[name] = {**each, "required": required}
    return fields


def _is_required(raw: Mapping[str, JSON]) -> bool:
    required: bool = raw.get("required", False)
    return required


def read_type(schema: Schema, where: str, raw: Mapping[str, JSON]) -> Type:
    """Read the type of a value that VK returns.

    VK may add values to an enum of strings, so its type includes ``str``: editors
    suggest the known values, and type checkers accept new ones.

    :raises SchemaError: if the schema has something unknown
    """
    check_keys(where, raw, _PROPERTY_KEYS)
    if raw.get("or_empty_list"):
        inner = {k: value for k, value in raw.items() if k != "or_empty_list"}
        return either(read_type(schema, where, inner), EMPTY_LIST)
    if "$ref" in raw:
        named = read_reference(schema, where, raw)
        return either(named, STR) if _is_open(schema, where, raw) else named
    if "oneOf" in raw:
        options = enumerate(raw["oneOf"])
        return either(
            *(read_type(schema, f"{where}/oneOf[{i}]", each) for i, each in options)
        )
    if "enum" in raw:
        values = read_enum(where, raw)
        return either(values, STR) if _is_open(schema, where, raw) else values
    kind = raw.get("type")
    if is_list(kind):
        return either(*(scalar(where, each) for each in kind))
    if kind == "array":
        if "items" not in raw:
            raise SchemaError(where, "an array without items")
        return Listed(read_type(schema, f"{where}[]", raw["items"]))
    if kind == "object":
        if raw.get("properties"):
            raise SchemaError(where, "an object with fields but without a name")
        return OBJECT
    return scalar(where, kind)


def _is_open(schema: Schema, where: str, raw: Mapping[str, JSON]) -> bool:
    """Return whether a value is an enum of several strings."""
    raw = schema.follow(where, raw)
    is_enum = raw.get("type") == "string" and len(raw.get("enum", ())) > 1
    return is_enum and not raw.get("closed", False)


def read_reference(schema: Schema, where: str, raw: Mapping[str, JSON]) -> Named:
    """Follow the reference of a property, and check that its other keys agree."""
    check_keys(where, raw, {"$ref", "enum", "type", *ASIDES})
    target = schema.find(where, raw["$ref"])
    if "enum" in raw and set(raw["enum"]) != set(target.raw.get("enum", ())):
        raise SchemaError(where, f"an enum that differs from {target.name}")
    if "type" in raw and raw["type"] != target.raw.get("type"):
        raise SchemaError(where, f"a type that differs from {target.name}")
    return Named(target.folder, class_name(target))


def read_enum(
    where: str, raw: Mapping[str, JSON], *, is_input: bool = False
) -> Literals:
    """Read an enum, whose values must have its type.

    :param is_input: whether it belongs to a parameter: there numbers may stand for
        strings, since everything is sent to VK as text
    """
    kind = {"integer": int, "string": str}.get(raw.get("type", ""))
    values: Sequence[Any] = raw["enum"]
    kinds: set[type] = {type(value) for value in values}
    if kinds != {kind} and not (is_input and kind is str and kinds == {int}):
        raise SchemaError(where, f"an enum of {raw.get('type')!r}: {values!r}")
    return Literals(tuple(values))


def scalar(where: str, kind: JSON) -> Plain:
    """Return the plain type with a name in the schema."""
    if kind not in SCALARS:
        raise SchemaError(where, f"unknown type {kind!r}")
    return SCALARS[kind]


def meanings(where: str, raw: Mapping[str, JSON]) -> str:
    """Describe the values of an enum, if VK has names for them."""
    names = raw.get("enumNames")
    if names is None:
        return ""
    if len(names) != len(raw["enum"]):
        raise SchemaError(where, "enumNames and enum differ in length")
    return ", ".join(f"{v} = {n}" for v, n in zip(raw["enum"], names, strict=True))
