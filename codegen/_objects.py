"""Writes ``vkanyio.objects``: what VK's answers are made of."""

from __future__ import annotations

import keyword
from typing import TYPE_CHECKING

from ._model import Alias
from ._names import module_name
from ._source import docstring, header, module
from ._types import Literals, Writer, quote

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ._model import Field, Model, Object, Record

# In the body of a class, a field of such a name would stand for the type.
_TYPE_NAMES = frozenset({"bool", "dict", "float", "int", "list", "str"})

_PACKAGE = '''"""The objects that VK's answers are made of, as types.

There is a module for each of VK's groups of objects, and in it a class for each object
and for the answer of each method. The names are VK's without the group's, written as
those of classes: ``users_user_full`` is ``vkanyio.objects.users.UserFull``, and
``wall_get_extended_response`` is ``vkanyio.objects.wall.GetExtendedResponse``.

An answer is plain JSON, just as VK sent it. Nothing is checked on the way: fields may
be there that stand in no class, and enums may have new values. A field that VK does not
always send is ``NotRequired``: read it by ``.get()``.
"""
'''


def write_objects(model: Model) -> dict[str, str]:
    """Write the modules of all objects, by their file names."""
    files = {
        f"{module_name(folder)}.py": _write_module(model, folder, objects)
        for folder, objects in model.objects.items()
    }
    return {"__init__.py": f"{header(model)}\n{_PACKAGE}", **files}


def _write_module(model: Model, folder: str, objects: Sequence[Object]) -> str:
    types = [
        kind
        for each in objects
        for kind in (
            [each.type] if isinstance(each, Alias) else [f.type for f in each.fields]
        )
    ]
    writer = Writer("", folder, [each.name for each in objects], types)
    imports = "\n".join(
        [
            "from typing import (TYPE_CHECKING, Any, Literal, NotRequired, TypeAlias,",
            "    TypedDict)",
            "if TYPE_CHECKING:",
            *(f"    {line}" for line in writer.imports()),
            "    pass",
        ]
    )
    definitions = [
        _write_alias(writer, each)
        if isinstance(each, Alias)
        else _write_record(writer, each)
        for each in objects
    ]
    docstring_of_it = f"VK's objects ``{folder}_*``."
    return module(model, docstring_of_it, imports, "\n".join(definitions))


def _write_alias(writer: Writer, alias: Alias) -> str:
    kind = writer.write(alias.type)
    # Anything but literals may name what is defined below, or not imported at all.
    value = kind if isinstance(alias.type, Literals) else quote(kind)
    end = f": {alias.meanings}." if alias.meanings else "."
    doc = docstring([f"VK's ``{alias.vk_name}``{end}"])
    return f"{alias.name}: TypeAlias = {value}\n{doc}\n"


def _write_record(writer: Writer, record: Record) -> str:
    doc = f"VK's ``{record.vk_name}``."
    types = {
        field.name: kind if field.required else f"NotRequired[{kind}]"
        for field in record.fields
        for kind in [writer.write(field.type)]
    }
    if any(map(_is_no_attribute, record.fields)):
        pairs = "".join(
            f"{quote(name)}: {quote(kind)}," for name, kind in types.items()
        )
        call = f"{record.name} = TypedDict({quote(record.name)}, {{{pairs}}})"
        return f"{call}\n{docstring([doc])}\n"
    lines = "\n".join(f"    {name}: {kind}" for name, kind in types.items())
    doc = docstring([doc], indent=4)
    return f"class {record.name}(TypedDict):\n{doc}\n\n{lines}\n"


def _is_no_attribute(field: Field) -> bool:
    """Return whether a class cannot have this field by its name."""
    is_word = field.name.isidentifier() and not keyword.iskeyword(field.name)
    return not is_word or field.name in _TYPE_NAMES
