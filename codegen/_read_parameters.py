"""Read parameters: their types, and what docstrings say about them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vkanyio._typeguards import is_list

from . import reviewed
from ._model import Alias, Parameter
from ._names import module_name, to_argument
from ._read_objects import ASIDES, meanings, read_enum, read_reference, scalar
from ._schema import Schema, SchemaError, check_keys
from ._types import (
    BOOL,
    HAS_TO_VK,
    INT,
    OBJECT_IN,
    STR,
    Either,
    Listed,
    Literals,
    Named,
    Plain,
    Type,
    either,
    quote,
    walk,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ._read_objects import Objects
    from ._review import Review
    from ._schema import JSON

_PARAMETER_KEYS: Final = {"$ref", "enum", "items", "type", *ASIDES}
_TIME: Final = Plain("datetime")
_ATTACHMENTS: Final = ("attachment", "attachments", "primary_attachments")
_KEYS: Final = ("random_id", "guid")
_MAX_SHOWN: Final = 160
"""Longest list of an enum's values that a docstring repeats, in characters."""
_USER: Final = "id of a user", "ids of users"
_GROUP: Final = "id of a community", "ids of communities"
_OWNER: Final = (
    "id of a user, or of a community (negative)",
    "ids of users, or of communities (negative)",
)


def read_parameter(
    schema: Schema,
    review: Review,
    objects: Objects,
    where: str,
    method: str,
    raw: Mapping[str, JSON],
) -> Parameter:
    """Read a parameter of a method.

    :raises SchemaError: if the schema has something unknown
    """
    raw = dict(raw)
    name: str = raw.pop("name")
    check_keys(where, raw, _PARAMETER_KEYS)
    key = method, name
    kind = _parameter_type(schema, review, where, key, raw)
    is_day, is_json_list = key in reviewed.DAYS, key in reviewed.JSON_LISTS
    is_time = not is_day and _is_time(review, key, raw)
    is_key = _is_key(review, where, key)
    return Parameter(
        name=name,
        argument=to_argument(where, name),
        type=either(kind, _TIME) if is_time else kind,
        required=raw.get("required", False),
        facts=[
            *(["idempotency key: VK deduplicates calls by it"] if is_key else []),
            *(["Unix time"] if is_time else []),
            *(["date as DDMMYYYY"] if is_day else []),
            *([reviewed.ABOUT[name]] if review.has(reviewed.ABOUT, name) else []),
            *_values(objects, kind),
            *_facts(where, raw, kind, is_json=is_json_list or _is_json(raw, kind)),
        ],
        limits=_limits(raw, kind),
        is_key=is_key,
        is_on=kind == BOOL and _show(raw.get("default"), kind) == "True",
        is_json_list=is_json_list,
    )


def _is_key(review: Review, where: str, key: tuple[str, str]) -> bool:
    if key[1] not in _KEYS:
        return False
    if not review.has(reviewed.KEYS, key):
        problem = "is it an idempotency key? Add it to reviewed.KEYS"
        raise SchemaError(where, problem)
    return reviewed.KEYS[key]


def _is_time(review: Review, key: tuple[str, str], raw: Mapping[str, JSON]) -> bool:
    is_number = raw.get("type") in ("integer", "number")
    is_called_so = raw.get("format") == "unix_time"
    return is_number and (is_called_so or review.has(reviewed.UNIX_TIMES, key))


def _parameter_type(
    schema: Schema,
    review: Review,
    where: str,
    key: tuple[str, str],
    raw: Mapping[str, JSON],
) -> Type:
    kind = raw.get("type")
    if key[1] in _ATTACHMENTS:
        return _or_one(Listed(either(HAS_TO_VK, STR), is_input=True))
    if review.has(reviewed.UPLOADED, key):
        if kind == "array":
            return _or_one(Listed(either(INT, HAS_TO_VK), is_input=True))
        return either(scalar(where, kind), HAS_TO_VK)
    if "$ref" in raw:
        if _is_object(schema, where, raw):
            text = {key: each for key, each in raw.items() if key != "type"}
            named = read_reference(schema, where, text)
            return either(named, OBJECT_IN, HAS_TO_VK, STR)
        return read_reference(schema, where, raw)
    if "enum" in raw:
        return read_enum(where, raw, is_input=True)
    if is_list(kind):
        return either(*(scalar(where, each) for each in kind))
    if kind == "array" or (kind == "string" and "items" in raw):
        many = _many(schema, where, raw)
        # One object would be sent as such, not as a list. One value of an enum is text,
        # anyway, and another union of them takes type checkers time.
        item = schema.follow(where, raw["items"])
        is_text_enum = "enum" in item and item.get("type") == "string"
        if is_text_enum or _is_object(schema, where, item):
            return either(many, STR)
        return _or_one(many)
    if kind == "integer" and review.has(reviewed.DAYS, key):
        return either(STR, INT)
    if kind == "string":
        return _text_type(review, key, raw)
    return scalar(where, kind)


def _text_type(review: Review, key: tuple[str, str], raw: Mapping[str, JSON]) -> Type:
    """Return the type of a string, which may stand for a list or for JSON."""
    if raw.get("format") == "comma_list":
        return _or_one(Listed(either(INT, STR), is_input=True))
    if review.has(reviewed.JSON_OBJECTS, key):
        return either(OBJECT_IN, HAS_TO_VK, STR)
    if review.has(reviewed.JSON_ARRAYS, key):
        return either(Listed(OBJECT_IN, is_input=True), STR)
    if review.has(reviewed.JSON_LISTS, key):
        return _or_one(Listed(either(INT, STR), is_input=True))
    return STR


def _or_one(kind: Listed) -> Type:
    """Accept one item, too, and text, which may be several with commas between."""
    return either(kind.item, kind, STR)


def _is_object(schema: Schema, where: str, raw: Mapping[str, JSON]) -> bool:
    kind: str = schema.follow(where, raw).get("type", "object")
    return kind == "object"


def _many(schema: Schema, where: str, raw: Mapping[str, JSON]) -> Listed:
    if "items" not in raw:
        raise SchemaError(where, "an array without items")
    item, inner = raw["items"], f"{where}[]"
    check_keys(inner, item, {"$ref", "enum", "properties", "type", *ASIDES})
    if "$ref" in item:
        return Listed(read_reference(schema, inner, item), is_input=True)
    if "enum" in item:
        return Listed(read_enum(inner, item, is_input=True), is_input=True)
    kind = item.get("type")
    if kind == "object":
        return Listed(OBJECT_IN, is_input=True)
    options = kind if is_list(kind) else [kind]
    return Listed(either(*(scalar(inner, each) for each in options)), is_input=True)


def _values(objects: Objects, kind: Type) -> Iterator[str]:
    """List the values of an enum, if the type is only its name."""
    for part in dict.fromkeys(walk(kind)):
        if not isinstance(part, Named):
            continue
        found = objects[part.folder, part.name]
        if isinstance(found, Alias) and isinstance(found.type, Literals):
            values = found.meanings or ", ".join(map(quote, found.type.values))
            is_short = len(values) <= _MAX_SHOWN
            address = f"``vkanyio.objects.{module_name(part.folder)}.{part.name}``"
            yield values if is_short else f"the values are those of {address}"


def _facts(
    where: str, raw: Mapping[str, JSON], kind: Type, *, is_json: bool
) -> Iterator[str]:
    """Describe what the type of a parameter does not say."""
    items = raw.get("items", {})
    if is_json:
        yield "JSON text" if kind == STR else "JSON text is accepted, too"
    if items.get("format") == "value_object":
        yield _joined(items["properties"])
    if "entity" in raw:
        yield _entity(where, raw)[0]
    if "entity" in items:
        yield _entity(where, items)[1]
    yield from filter(None, (meanings(where, raw), meanings(where, items)))
    yield from _range(raw, "Items", " items")
    yield from _range(raw, "Length", " characters", "up to")
    if not isinstance(kind, Literals | Named):
        yield from _range(raw, "imum")
    yield from (f"each {fact}" for fact in _range(items, "imum"))
    if "default" in raw and raw["default"] != []:
        yield f"default {_show(raw['default'], kind)}"


def _limits(raw: Mapping[str, JSON], kind: Type) -> dict[str, int]:
    """Return the limits of a parameter, by their names in the schema."""
    names = ["minLength", "maxLength"]
    if raw.get("type") == "array":  # and not JSON
        names += ["minItems", "maxItems"]
    if not isinstance(kind, Literals | Named):
        names += ["minimum", "maximum"]
    return {name: raw[name] for name in names if name in raw}


def _joined(parts: Mapping[str, JSON]) -> str:
    """Describe the parts of a list's items."""
    *others, last = (
        name if raw.get("required", False) else f"optionally {name}"
        for name, raw in parts.items()
    )
    return f"each is {', '.join(others)} and {last}, joined by underscores"


def _entity(where: str, raw: Mapping[str, JSON]) -> tuple[str, str]:
    """Describe an id, in singular and plural: VK calls users and communities owners."""
    match raw["entity"]:
        case "owner":
            words = where.rpartition("(")[2]
            if "group" in words:
                return _GROUP
            if "user" in words or "minimum" in raw:
                return _USER
            return _OWNER
        case "profiles":
            return _USER
        case "groups":
            return _GROUP
        case "peer":
            return "id of a conversation", "ids of conversations"
        case "domain":
            return (
                "short address of a user or a community",
                "short addresses of users or communities",
            )
        case "testing_group":
            return "id of a testing group", "ids of testing groups"
        case other:
            raise SchemaError(where, f"unknown entity {other!r}")


def _is_json(raw: Mapping[str, JSON], kind: Type) -> bool:
    if raw.get("format") == "json":
        return True
    return isinstance(kind, Either) and any(
        option == OBJECT_IN or (isinstance(option, Listed) and option.item == OBJECT_IN)
        for option in kind.options
    )


def _range(
    raw: Mapping[str, JSON], what: str, unit: str = "", upto: str = "at most"
) -> Iterator[str]:
    low, high = raw.get(f"min{what}"), raw.get(f"max{what}")
    if high is not None:
        yield f"{low} to {high}{unit}" if low else f"{upto} {high}{unit}"
    elif low is not None:
        yield f"{low} or more{unit}"


def _show(default: JSON, kind: Type) -> str:
    if kind == BOOL:
        return str(str(default) in ("1", "True"))
    if is_list(default):
        default = ",".join(map(str, default))
    return f'"{default}"' if isinstance(default, str) else str(default)
