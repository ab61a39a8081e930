"""Write the description of VK's methods for the simulator and the command line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ._model import Alias
from ._server_rules import rules_by_method
from ._types import (
    ANY,
    EMPTY_LIST,
    HAS_TO_VK,
    OBJECT,
    OBJECT_IN,
    Either,
    Listed,
    Literals,
    Named,
    Plain,
    Type,
    either,
)

if TYPE_CHECKING:
    from ._model import Method, Model, Object

_PLAIN = {
    ANY: "any",
    EMPTY_LIST: "any",
    OBJECT: "object",
    OBJECT_IN: "object",
    Plain("datetime"): "int",
}


def write_declared(model: Model) -> str:
    """Write the declarations, one per line."""
    rules = rules_by_method(model)
    declared: dict[str, dict[str, Any]] = {
        "schema": {"version": model.version},
        "errors": {str(code): name for code, name in model.error_codes.items()},
        "methods": {
            name: _method(method, rules.get(name, []))
            for name, method in model.methods.items()
        },
        "objects": {
            f"{folder}.{each.name}": _object(each)
            for folder, objects in model.objects.items()
            for each in objects
        },
    }
    parts = [f"{json.dumps(name)}: {_lines(part)}" for name, part in declared.items()]
    return "{\n" + ",\n".join(parts) + "\n}\n"


def _lines(part: dict[str, Any]) -> str:
    rows = (f"{json.dumps(name)}: {json.dumps(row)}" for name, row in part.items())
    return "{\n" + ",\n".join(rows) + "\n}"


def _method(method: Method, rules: list[dict[str, Any]]) -> dict[str, Any]:
    cases = [
        [{str(s): on for s, on in case.switches.items()}, _type(case.returns)]
        for case in method.cases
    ]
    return {
        "tokens": list(method.tokens),
        "required": [p.name for p in method.parameters if p.required],
        "one_of": rules,
        "parameters": {p.name: _input(p.type) for p in method.parameters},
        "limits": {p.name: dict(p.limits) for p in method.parameters if p.limits},
        "answers": cases or [[{}, _type(method.returns)]],
        "notes": {p.name: list(p.facts) for p in method.parameters if p.facts},
        "errors": list(method.errors),
    }


def _object(each: Object) -> Any:
    if isinstance(each, Alias):
        return _type(each.type)
    return {
        "required": {f.name: _type(f.type) for f in each.fields if f.required},
        "optional": {f.name: _type(f.type) for f in each.fields if not f.required},
    }


def _input(kind: Type) -> Any:
    """Write the type of a parameter; that a list may be one value is not repeated."""
    if isinstance(kind, Either):
        lists = [option for option in kind.options if isinstance(option, Listed)]
        items = either(*(each.item for each in lists)) if lists else None
        single = items.options if isinstance(items, Either) else (items,)
        kind = either(*(option for option in kind.options if option not in single))
    return _type(kind)


def _type(kind: Type) -> Any:
    match kind:
        case Plain():
            return _PLAIN.get(kind, kind.text)
        case Literals(values):
            return {"enum": list(values)}
        case Named(folder, name):
            return {"is": f"{folder}.{name}"}
        case Listed(item):
            return {"list": _type(item)}
        case Either(options):
            found = [_type(option) for option in options if option != HAS_TO_VK]
            return {"one": found} if len(found) > 1 else found[0]
