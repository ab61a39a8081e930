"""From methods of the schema to methods: parameters, answers, and what is known."""

from __future__ import annotations

import re
from itertools import product
from typing import TYPE_CHECKING, Final

from vkanyio._guards import is_list
from vkanyio._repetition import Repetition, repetition_by_verb

from . import reviewed
from ._model import Alias, Case, Method, Parameter
from ._names import module_name, to_argument, to_snake
from ._read_objects import (
    ASIDES,
    class_name,
    meanings,
    read_enum,
    read_reference,
    scalar,
)
from ._schema import Schema, SchemaError, check_keys
from ._types import (
    BOOL,
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
    from collections.abc import Iterator, Mapping, Sequence

    from ._model import Object
    from ._schema import JSON

_METHOD_KEYS: Final = {
    "access_token_type",
    "description",
    "errors",
    "name",
    "parameters",
    "responses",
    "timeout",
}
_PARAMETER_KEYS: Final = {"$ref", "enum", "items", "type", *ASIDES}
_TOKENS: Final = ("user", "group", "service", "open")
_TIME: Final = Plain("datetime")
_IS_TIME: Final = re.compile(r"unix[- ]?time", re.IGNORECASE)
_IS_LIST: Final = re.compile(r"with a comma|by commas")
_IS_JSON: Final = re.compile(r"Serialized JSON")
_MOST_SHOWN: Final = 160
"""Characters of an enum's values that a docstring repeats."""
_USER, _GROUP = "id of a user", "id of a community"
_OWNER: Final = f"{_USER}, or of a community with a minus before it"


def read_methods(
    schema: Schema, objects: Mapping[str, Sequence[Object]]
) -> list[Method]:
    """Read all methods, in the order of their names.

    :raises SchemaError: for what is not understood
    """
    by_name = {(f, one.name): one for f, found in objects.items() for one in found}
    return [
        _read_method(schema, by_name, name, raw)
        for name, raw in sorted(schema.methods.items())
    ]


def _read_method(
    schema: Schema,
    objects: Mapping[tuple[str, str], Object],
    name: str,
    raw: Mapping[str, JSON],
) -> Method:
    group = name.partition(".")[0]
    where = f"{group}/methods.json: {name}"
    check_keys(where, raw, _METHOD_KEYS)
    more: list[Mapping[str, JSON]] = [
        {"name": parameter, **each}
        for (method, parameter), each in reviewed.MORE_PARAMETERS.items()
        if method == name
    ]
    parameters = [
        _read_parameter(schema, objects, f"{where}({each['name']})", name, each)
        for each in (*more, *raw.get("parameters", ()))
    ]
    if len({parameter.name for parameter in parameters}) < len(parameters):
        raise SchemaError(where, "a parameter that is there twice")
    answers = {
        key: _answer_type(schema, objects, f"{where}/{key}", reference)
        for key, reference in raw["responses"].items()
    }
    keys = [p.name for p in parameters if p.name in reviewed.KEYS]
    changes = [p.name for p in parameters if (name, p.name) in reviewed.CHANGES_IF_SET]
    for token in raw["access_token_type"]:
        if token not in _TOKENS:
            raise SchemaError(where, f"unknown kind of token {token!r}")
    return Method(
        name=name,
        group=group,
        parameters=sorted(parameters, key=lambda p: not p.required),
        answer=either(*answers.values()),
        cases=list(_cases(name, parameters, answers)),
        tokens=sorted(raw["access_token_type"], key=_TOKENS.index),
        errors=sorted(
            schema.find_error(where, each["$ref"]) for each in raw.get("errors", ())
        ),
        repetition=_repetition(where, name, keys),
        key=keys[0] if keys else None,
        changes_if=changes[0] if changes else None,
        packable=name not in reviewed.NOT_FOR_EXECUTE,
    )


def _repetition(where: str, name: str, keys: Sequence[str]) -> Repetition:
    if len(keys) > 1:
        raise SchemaError(where, f"several keys against repetition: {keys}")
    if name in reviewed.NEVER:
        return Repetition.NEVER
    if name in reviewed.READS:
        return Repetition.READ
    return Repetition.KEYED if keys else repetition_by_verb(name)


# Parameters


def _read_parameter(
    schema: Schema,
    objects: Mapping[tuple[str, str], Object],
    where: str,
    method: str,
    raw: Mapping[str, JSON],
) -> Parameter:
    raw = dict(raw)
    name: str = raw.pop("name")
    check_keys(where, raw, _PARAMETER_KEYS)
    kind = _parameter_type(schema, where, (method, name), raw)
    is_time, is_key = _is_time((method, name), raw), name in reviewed.KEYS
    return Parameter(
        name=name,
        argument=to_argument(where, name),
        type=either(kind, _TIME) if is_time else kind,
        required=raw.get("required", False),
        facts=[
            *(["key of your own, by which VK knows a repetition"] if is_key else []),
            *(["Unix time"] if is_time else []),
            *_values(objects, kind),
            *_facts(where, raw, kind),
        ],
    )


def _is_time(key: tuple[str, str], raw: Mapping[str, JSON]) -> bool:
    is_number = raw.get("type") in ("integer", "number")
    is_called_so = _IS_TIME.search(raw.get("description", "")) is not None
    return is_number and (is_called_so or key in reviewed.UNIX_TIMES)


def _parameter_type(
    schema: Schema, where: str, key: tuple[str, str], raw: Mapping[str, JSON]
) -> Type:
    kind = raw.get("type")
    if "$ref" in raw:
        named = read_reference(schema, where, raw)
        is_object = schema.find(where, raw["$ref"]).raw["type"] == "object"
        return either(named, STR) if is_object else named
    if "enum" in raw:
        return read_enum(where, raw, is_input=True)
    if is_list(kind):
        return either(*(scalar(where, each) for each in kind))
    if kind == "array":
        return _many(schema, where, raw)
    if kind == "string" and "items" in raw:
        return either(_many(schema, where, raw), STR)
    if kind == "string" and _IS_LIST.search(raw.get("description", "")):
        return Listed(either(INT, STR), is_input=True)
    if key in reviewed.JSON_OBJECTS:
        return either(OBJECT_IN, STR)
    if key in reviewed.JSON_ARRAYS:
        return either(Listed(OBJECT_IN, is_input=True), STR)
    return scalar(where, kind)


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
    if item.get("format") == "value_object" and kind != "string":
        raise SchemaError(inner, f"a value object written as {kind!r}")
    options = kind if is_list(kind) else [kind]
    return Listed(either(*(scalar(inner, each) for each in options)), is_input=True)


def _values(objects: Mapping[tuple[str, str], Object], kind: Type) -> Iterator[str]:
    """Tell which values an enum has, where the type tells only its name."""
    for part in walk(kind):
        if not isinstance(part, Named):
            continue
        found = objects[part.folder, part.name]
        if isinstance(found, Alias) and isinstance(found.type, Literals):
            values = found.meanings or ", ".join(map(quote, found.type.values))
            is_short = len(values) <= _MOST_SHOWN
            address = f"``vkanyio.objects.{module_name(part.folder)}.{part.name}``"
            yield values if is_short else f"the values are those of {address}"


def _facts(where: str, raw: Mapping[str, JSON], kind: Type) -> Iterator[str]:
    """Tell what the type of a parameter does not tell."""
    items = raw.get("items", {})
    if _is_json(raw, kind):
        yield "JSON text" if kind == STR else "or JSON text"
    if items.get("format") == "value_object":
        yield f"each the {' and '.join(items['properties'])} joined by underscores"
    if "entity" in raw:
        yield _entity(where, raw)
    if "entity" in items:
        yield f"each the {_entity(where, items)}"
    yield from filter(None, (meanings(where, raw), meanings(where, items)))
    yield from _range("at most {} items", "{} to {} items", raw, "Items", least="{}")
    yield from _range("up to {} characters", "{} to {} characters", raw, "Length")
    if not isinstance(kind, Literals):
        yield from _range("at most {}", "{} to {}", raw, "imum")
    yield from (
        f"each {fact}" for fact in _range("at most {}", "{} to {}", items, "imum")
    )
    if "default" in raw and raw["default"] != []:
        yield f"default {_show(raw['default'], kind)}"


def _entity(where: str, raw: Mapping[str, JSON]) -> str:
    """Tell whose id a number is: VK calls all users and communities owners."""
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
            return "id of a conversation"
        case other:
            raise SchemaError(where, f"unknown entity {other!r}")


def _is_json(raw: Mapping[str, JSON], kind: Type) -> bool:
    if raw.get("format") == "json" or _IS_JSON.match(raw.get("description", "")):
        return True
    return isinstance(kind, Either) and any(
        option == OBJECT_IN
        or (isinstance(option, Listed) and option.item == OBJECT_IN)
        or isinstance(option, Named)
        for option in kind.options
    )


def _range(
    most: str,
    both: str,
    raw: Mapping[str, JSON],
    what: str,
    least: str = "{} or more",
) -> Iterator[str]:
    low, high = raw.get(f"min{what}"), raw.get(f"max{what}")
    if high is not None:
        yield both.format(low, high) if low else most.format(high)
    elif low is not None:
        yield least.format(low)


def _show(default: JSON, kind: Type) -> str:
    if kind == BOOL:
        return str(str(default) in ("1", "True"))
    if is_list(default):
        default = ",".join(map(str, default))
    return f'"{default}"' if isinstance(default, str) else str(default)


# Answers


def _answer_type(
    schema: Schema,
    objects: Mapping[tuple[str, str], Object],
    where: str,
    raw: Mapping[str, JSON],
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


def _cases(
    method: str, parameters: Sequence[Parameter], answers: Mapping[str, Type]
) -> Iterator[Case]:
    """Find out how parameters choose the answer, as far as the schema tells.

    The name of an answer names them: ``extendedResponse`` comes with ``extended``. For
    each choice of these parameters, the answers that come with most of them are due.
    """
    needed = {key: _needed(method, key, parameters) for key in answers}
    choosing = [
        p for p in parameters if any(p.name in each for each in needed.values())
    ]
    for on in product((False, True), repeat=len(choosing)):
        flags = {p.name: each for p, each in zip(choosing, on, strict=True)}
        if not flags:
            return
        given = {name for name, each in flags.items() if each}
        due = [each for each in needed.values() if each <= given]
        best = [each for each in due if not any(each < other for other in due)]
        kinds = [answers[key] for key, each in needed.items() if each in best]
        if not kinds:
            raise SchemaError(method, f"no answer without {choosing[0].name}")
        yield Case(flags, either(*kinds))


def _needed(method: str, key: str, parameters: Sequence[Parameter]) -> frozenset[str]:
    if (method, key) in reviewed.ANSWER_IF_GIVEN:
        name = reviewed.ANSWER_IF_GIVEN[method, key]
        return frozenset() if name is None else frozenset({name})
    words = f"_{to_snake(key)}_"
    return frozenset(p.name for p in parameters if f"_{p.name}_" in words)
