"""Write the classes of the updates about a community."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import reviewed_updates as reviewed
from ._model import Alias
from ._names import to_camel
from ._schema import SchemaError
from ._source import module
from ._types import BOOL, Literals

if TYPE_CHECKING:
    from ._model import Model

_WHERE = "codegen/reviewed_updates.py"
_SETTINGS = "groups.setLongPollSettings"


def write_updates(model: Model) -> str:
    """Write the module ``updates._types``.

    :raises SchemaError: if a type or an object is missing, or has gone
    """
    _check(model)
    classes = [_write_class(kind) for kind in reviewed.OBJECTS]
    names = "".join(f'    "{each}": {to_camel(each)},\n' for each in reviewed.OBJECTS)
    flags = "".join(f'    "{each}",\n' for each in sorted(_flags(model, _SETTINGS)))
    body = f'''\
{"".join(classes)}
UPDATE_TYPES: Final[Mapping[str, type[Update[Any]]]] = {{
{names}}}
"""All types of updates that have a class."""

LONG_POLL_FLAGS: Final = frozenset({{
{flags}}})
"""The types that ``{_SETTINGS}`` can switch on."""
'''
    imports = (
        "from typing import TYPE_CHECKING, Any, Final, final\n"
        "from ._update import Update\n"
        "if TYPE_CHECKING:\n"
        "    from collections.abc import Mapping\n"
        "    # Ruff does not see names in the texts of base classes.\n"
        "    from ..objects import callback, market  # noqa: F401\n"
    )
    return module(model, "The types of updates about a community.", imports, body)


def _write_class(kind: str) -> str:
    contents, _ = reviewed.OBJECTS[kind]
    shown = f'"{contents}"' if "." in contents else contents
    return f'''
@final
class {to_camel(kind)}(Update[{shown}]):
    """VK's update ``{kind}``."""

    __module__ = "vkanyio.updates"
    __slots__ = ()
    _type = "{kind}"

'''


def _check(model: Model) -> None:
    known = _types(model) - reviewed.NOT_UPDATES.keys()
    known |= _flags(model, _SETTINGS) | _flags(model, "groups.setCallbackSettings")
    for kind in sorted(known ^ reviewed.OBJECTS.keys()):
        problem = "has no object" if kind in known else "is not a type of the schema"
        raise SchemaError(_WHERE, f"OBJECTS: {kind} {problem}")
    for kind, (contents, reason) in reviewed.OBJECTS.items():
        folder, _, name = contents.partition(".")
        objects = {each.name for each in model.objects.get(folder, ())}
        if name and name not in objects:
            raise SchemaError(_WHERE, f"OBJECTS: {kind}: there is no {contents}")
        if not reason and name != to_camel(kind):
            raise SchemaError(_WHERE, f"OBJECTS: {kind}: say why it is {contents}")


def _types(model: Model) -> set[str]:
    return {
        str(value)
        for each in model.objects.get("callback", ())
        if isinstance(each, Alias) and each.name == "Type"
        if isinstance(each.type, Literals)
        for value in each.type.values
    }


def _flags(model: Model, method: str) -> set[str]:
    found = model.methods.get(method)
    flags = () if found is None else found.parameters
    return {each.name for each in flags if each.type == BOOL} - {"enabled"}
