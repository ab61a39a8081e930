"""Read the rules about parameters that VK's schema lacks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import server_rules
from ._schema import SchemaError

if TYPE_CHECKING:
    from ._model import Method, Model


def rules_by_method(model: Model) -> dict[str, list[dict[str, Any]]]:
    """Return the rules as the simulator reads them.

    :raises SchemaError: for a rule that the schema has made superfluous, or that names
        something unknown
    """
    found: dict[str, list[dict[str, Any]]] = {}
    for rule in server_rules.ONE_OF:
        problem = _problem(rule, model.methods.get(rule.method))
        if problem:
            text = f"{rule.method}: {rule.names}: {problem}"
            raise SchemaError("codegen/server_rules.py", text)
        row: dict[str, Any] = {"names": rule.names.split()}
        if rule.tokens:
            row["tokens"] = rule.tokens.split()
        if rule.text:
            row["text"] = rule.text
        found.setdefault(rule.method, []).append(row)
    return found


def _problem(rule: server_rules.OneOf, method: Method | None) -> str | None:
    if method is None:
        return "the schema has no such method"
    required = {each.name: each.required for each in method.parameters}
    names = rule.names.split()
    if names[0] not in required:
        return "the schema does not have the first parameter"
    if any(required.get(name) for name in names):
        return "the schema requires one of these itself"
    if not {*rule.tokens.split()} <= {*method.tokens}:
        return "not all of these tokens may call the method"
    return None
