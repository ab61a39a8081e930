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
    from collections.abc import Mapping, Sequence

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
    definitions = {definition.name for definition in schema.definitions.values()}
    unschemed = [
        name
        for name, reason in reviewed.NOT_FOR_EXECUTE.items()
        if name not in methods and "not in the schema" not in reason
    ]
    stale: list[Sequence[object]] = [
        *(name for name in (*reviewed.READS, *reviewed.NEVER) if name not in methods),
        *unschemed,
        *(key for key in reviewed.CHANGES_IF_SET if key not in parameters),
        *(key for key in reviewed.UNIX_TIMES if key not in parameters),
        *(key for key in reviewed.JSON_OBJECTS if key not in parameters),
        *(key for key in reviewed.JSON_ARRAYS if key not in parameters),
        *(key for key in reviewed.ANSWER_IF_GIVEN if key not in answers),
        *(key for key in reviewed.MORE_PARAMETERS if key[0] not in methods),
        *(name for name in reviewed.ALWAYS_SENT if name not in definitions),
        *(name for name in reviewed.ANY_VALUE if name not in definitions),
    ]
    if stale:
        raise SchemaError("codegen/reviewed.py", f"the schema does not have {stale}")
