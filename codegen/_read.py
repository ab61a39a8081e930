"""From the schema to the model."""

from __future__ import annotations

import keyword
from itertools import groupby
from typing import TYPE_CHECKING

from . import reviewed
from ._model import Model
from ._read_methods import read_methods
from ._read_objects import read_objects
from ._schema import Schema, SchemaError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from ._model import Method

_ERROR_PREFIX = "api_error_"


def read(schema: Schema) -> Model:
    """Make the model of all that is generated.

    :raises SchemaError: for what is not understood
    """
    objects = read_objects(schema)
    methods = {method.name: method for method in read_methods(schema, objects)}
    _check_reviewed(schema, methods)
    in_groups = [method for method in methods.values() if "." in method.name]
    error_codes = _read_errors(schema)
    return Model(
        version=schema.version,
        sha256=schema.sha256,
        objects=dict(sorted(objects.items())),
        groups={g: list(found) for g, found in groupby(in_groups, lambda m: m.group)},
        methods=methods,
        error_codes=error_codes,
        global_codes=sorted(
            raw["code"] for raw in schema.errors.values() if raw.get("global")
        ),
    )


def _read_errors(schema: Schema) -> dict[int, str]:
    codes: dict[int, str] = {}
    for name, raw in schema.errors.items():
        where = f"errors.json: {name}"
        short = name.removeprefix(_ERROR_PREFIX)
        if short == name or not short.isidentifier() or keyword.iskeyword(short):
            raise SchemaError(where, f"the name does not begin with {_ERROR_PREFIX!r}")
        if raw["code"] in codes:
            raise SchemaError(where, f"code {raw['code']} has a name already")
        codes[raw["code"]] = short
    return dict(sorted(codes.items()))


def _check_reviewed(schema: Schema, methods: Mapping[str, Method]) -> None:
    """Refuse what is written about something that the schema does not have."""
    parameters = {(m.name, p.name) for m in methods.values() for p in m.parameters}
    answers = {
        (name, key) for name, raw in schema.methods.items() for key in raw["responses"]
    }
    definitions = {one.name: one.raw for one in schema.definitions.values()}
    fields = {
        (name, field)
        for name, raw in definitions.items()
        for field in raw.get("properties", ())
    }
    inside = {*methods, *reviewed.OUTSIDE_SCHEMA}
    written: list[tuple[Collection[object], Collection[object]]] = [
        ({*reviewed.READS, *reviewed.NEVER}, methods),
        (reviewed.NOT_FOR_EXECUTE, inside),
        ({method for method, _ in reviewed.MORE_PARAMETERS}, methods),
        (reviewed.CHANGES_IF_SET, parameters),
        (reviewed.UNIX_TIMES, parameters),
        (reviewed.JSON_OBJECTS, parameters),
        (reviewed.JSON_ARRAYS, parameters),
        (reviewed.ANSWER_IF_GIVEN, answers),
        (
            {
                (method, name)
                for (method, _), name in reviewed.ANSWER_IF_GIVEN.items()
                if name is not None
            },
            parameters,
        ),
        (reviewed.ANY_VALUE, definitions),
        (
            {(n, f) for n, found in reviewed.ALWAYS_SENT.items() for f in found},
            fields,
        ),
    ]
    for names, known in written:
        for name in names:
            if name not in known:
                problem = f"the schema does not have {name!r}"
                raise SchemaError("codegen/reviewed.py", problem)
    for name in reviewed.OUTSIDE_SCHEMA:
        if name in methods:
            raise SchemaError("codegen/reviewed.py", f"the schema has {name!r} now")
