"""Check values against the types that are generated from VK's schema."""

from __future__ import annotations

from typing import Any

from codegen._corrected import correct
from codegen._model import Alias
from codegen._read import read
from codegen._review import Review
from codegen._schema import FACTS, load
from codegen._types import Either, Listed, Literals, Named, Plain, Type

SCHEMA = correct(load(FACTS), Review())
MODEL = read(load(FACTS))
OBJECTS = {
    (folder, each.name): each
    for folder, found in MODEL.objects.items()
    for each in found
}
BY_VK_NAME = {
    each.vk_name: Named(folder, each.name)
    for (folder, _), each in OBJECTS.items()
    if isinstance(each, Alias) or not each.is_form
}

PLAIN: dict[str, Any] = {
    "int": int,
    "float": (int, float),
    "str": str,
    "bool": bool,
    "dict[str, Any]": dict,
    "Any": object,
    "EmptyList": list,
}


def check(method: str, kind: str, value: Any) -> None:
    """Assert that a value has the required fields, with the right types.

    :param method: the method, such as "wall.get"
    :param kind: which of the method's responses, such as "extendedResponse"
    :param value: the value
    """
    _check(BY_VK_NAME[SCHEMA.methods[method]["responses"][kind]], value, method)


def check_object(folder: str, name: str, value: Any) -> None:
    """Assert that a value is an object of a module of ``vkanyio.objects``."""
    _check_named(folder, name, value, f"{folder}.{name}")


def _check(kind: Type, value: Any, where: str) -> None:
    match kind:
        case Plain(text):
            assert isinstance(value, PLAIN[text]), f"{where}: {value!r} is no {text}"
            is_flag = isinstance(value, bool)
            assert not is_flag or text in ("bool", "Any"), f"{where}: {value!r}"
        case Literals(values):
            assert value in values, f"{where}: {value!r} is none of {values}"
        case Listed(item):
            assert isinstance(value, list), f"{where}: {value!r} is no list"
            for each in value:
                _check(item, each, f"{where}[]")
        case Either(options):
            _check_one_of(options, value, where)
        case Named(folder, name):
            _check_named(folder, name, value, where)


def _check_named(folder: str, name: str, value: Any, where: str) -> None:
    found = OBJECTS[folder, name]
    if isinstance(found, Alias):
        _check(found.type, value, where)
        return
    assert isinstance(value, dict), f"{where}: {value!r} is no {name}"
    for field in found.fields:
        if field.name in value:
            _check(field.type, value[field.name], f"{where}.{field.name}")
        else:
            assert not field.required, f"{where}: no {field.name}"


def _check_one_of(options: tuple[Type, ...], value: Any, where: str) -> None:
    failures: list[AssertionError] = []
    for option in options:
        try:
            _check(option, value, where)
        except AssertionError as failure:
            failures.append(failure)
        else:
            return
    raise max(failures, key=lambda failure: str(failure).partition(":")[0].count("."))
