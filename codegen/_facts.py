"""Write the tables of method facts, and of the names of parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import reviewed
from ._source import module

if TYPE_CHECKING:
    from ._model import Method, Model


def write_method_facts(model: Model) -> str:
    """Write the module ``_method_facts``."""
    imports = "from typing import Final\nfrom ._facts import MethodFacts, Repetition\n"
    kinds = sorted({tuple(method.tokens) for method in model.methods.values()})
    tokens = [f"{_constant(kind)} = {kind!r}" for kind in kinds]
    rows = [f'"{name}": {_row(method)},' for name, method in model.methods.items()]
    body = "\n".join(
        [
            "READ, KEYED, STATE, NEVER = Repetition",
            "",
            *tokens,
            "",
            "METHODS: Final = {",
            *rows,
            "}",
            '"""All methods in VK\'s schema."""',
            "",
            f"NOT_FOR_EXECUTE: Final = {tuple(sorted(reviewed.NOT_FOR_EXECUTE))!r}",
            '"""Methods that are never packed: they fail inside ``execute``."""',
            "",
        ]
    )
    return module(
        model,
        "Facts about each VK method: how to repeat it, and which tokens may call it.",
        imports,
        body,
    )


def write_parameter_names(model: Model) -> str:
    """Write the module ``_parameter_names``.

    ``execute`` is not in it: a script may have arguments of any name.
    """
    rows = [
        f'"{name}": "{" ".join(each.name for each in method.parameters)}",'
        for name, method in model.methods.items()
        if name != "execute"
    ]
    body = "\n".join(
        [
            "PARAMETERS: Final = {",
            *rows,
            "}",
            '"""The names of the parameters of each method, separated by spaces."""',
            "",
        ]
    )
    what = "The parameters of each VK method, by VK's names."
    return module(model, what, "from typing import Final\n", body)


def _row(method: Method) -> str:
    more = [
        f', {name}="{value}"'
        for name, value in (("key", method.key), ("changes_if", method.changes_if))
        if value is not None
    ]
    facts = f"{method.repetition.name}, {_constant(tuple(method.tokens))}"
    return f"MethodFacts({facts}{''.join(more)})"


def _constant(kinds: tuple[str, ...]) -> str:
    return "_".join(kinds).upper() or "UNKNOWN"
