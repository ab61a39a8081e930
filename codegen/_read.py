"""Read the schema into the model."""

from __future__ import annotations

import keyword
from itertools import groupby
from typing import TYPE_CHECKING

from vkanyio import VK, MethodGroup
from vkanyio._groups import MethodGroups

from . import reviewed
from ._corrected import correct
from ._model import Model
from ._names import to_snake
from ._read_methods import read_methods
from ._read_objects import read_objects
from ._review import Review
from ._schema import Schema, SchemaError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from ._model import Method


def read(schema: Schema) -> Model:
    """Return the model of everything that is generated.

    :raises SchemaError: if the schema has something unknown
    """
    review = Review()
    schema = correct(schema, review)
    objects = read_objects(schema, review)
    methods = {method.name: method for method in read_methods(schema, review, objects)}
    for name in reviewed.OUTSIDE_SCHEMA:
        if name not in methods:
            review.has(reviewed.OUTSIDE_SCHEMA, name)
            review.has(reviewed.NOT_FOR_EXECUTE, name)
    in_groups = [method for method in methods.values() if "." in method.name]
    groups = {g: list(found) for g, found in groupby(in_groups, lambda m: m.group)}
    untyped = {
        group: source
        for group, source in reviewed.UNTYPED_GROUPS.items()
        if group not in groups and review.has(reviewed.UNTYPED_GROUPS, group)
    }
    review.check()
    _check_names(groups, untyped)
    error_codes = _read_errors(schema)
    return Model(
        version=schema.version,
        objects=dict(sorted(objects.items())),
        groups=groups,
        untyped_groups=untyped,
        methods=methods,
        error_codes=error_codes,
        global_codes=sorted(
            raw["code"] for raw in schema.errors.values() if raw.get("global")
        ),
    )


def _check_names(
    groups: Mapping[str, Sequence[Method]], untyped: Iterable[str]
) -> None:
    """Refuse names that would shadow each other."""
    own = {
        name for each in VK.__mro__ if each is not MethodGroups for name in vars(each)
    }
    _check_spellings("groups", [*groups, *untyped], own)
    for group, methods in groups.items():
        where = f"{group}/methods.json"
        _check_spellings(where, [m.short_name for m in methods], vars(MethodGroup))


def _check_spellings(where: str, names: Iterable[str], taken: Collection[str]) -> None:
    found: dict[str, str] = {}
    for name in names:
        for spelling in {name, to_snake(name)}:
            if spelling in taken:
                raise SchemaError(where, f"{spelling!r} is taken already")
            if spelling in found:
                problem = f"both {found[spelling]!r} and {name!r} are {spelling!r}"
                raise SchemaError(where, problem)
            found[spelling] = name


def _read_errors(schema: Schema) -> dict[int, str]:
    codes: dict[int, str] = {}
    for name, raw in schema.errors.items():
        where = f"errors.json: {name}"
        if not name.isidentifier() or keyword.iskeyword(name):
            raise SchemaError(where, "the name is not valid in Python")
        if raw["code"] in codes:
            raise SchemaError(where, f"code {raw['code']} is named already")
        codes[raw["code"]] = name
    return dict(sorted(codes.items()))
