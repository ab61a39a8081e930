"""Write ``vkanyio.objects``: the types of what VK's methods return."""

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

# Inside a class, a field with such a name would shadow the type.
_TYPE_NAMES = frozenset({"bool", "dict", "float", "int", "list", "str"})

_PACKAGE = '''"""The types of the values that VK's methods return.

There is one module for each of VK's groups of objects, with a class for each object and
for each method's return value. Names are VK's, without the group and in CamelCase:
``users_user_full`` is ``vkanyio.objects.users.UserFull``, and
``wall_get_extended_response`` is ``vkanyio.objects.wall.GetExtendedResponse``.

Values are plain JSON, exactly as VK sent them. Nothing is validated: objects may have
fields that no class declares, and enums may have new values. A field that VK does not
always send is ``NotRequired``: read it with ``.get()``.
"""
'''


def write_objects(model: Model) -> dict[str, str]:
    """Write the modules of objects, by file name."""
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
            "from typing import (TYPE_CHECKING, Any, Literal, Never, NotRequired,",
            "    TypeAlias, TypedDict)",
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
    summary = f"VK's objects ``{folder}_*``."
    return module(model, summary, imports, "\n".join(definitions))


def _write_alias(writer: Writer, alias: Alias) -> str:
    kind = writer.write(alias.type)
    # Anything but literals may refer to names defined below, or not imported at run
    # time.
    value = kind if isinstance(alias.type, Literals) else quote(kind)
    end = f": {alias.meanings}." if alias.meanings else "."
    doc = docstring([f"VK's ``{alias.vk_name}``{end}"])
    return f"{alias.name}: TypeAlias = {value}\n{doc}\n"


def _write_record(writer: Writer, record: Record) -> str:
    doc = f"{'A form of ' if record.is_form else ''}VK's ``{record.vk_name}``."
    types = {
        field.name: kind if field.required else f"NotRequired[{kind}]"
        for field in record.fields
        for kind in [writer.write(field.type)]
    }
    if any(map(_is_not_attribute, record.fields)):
        pairs = "".join(
            f"{quote(name)}: {quote(kind)}," for name, kind in types.items()
        )
        call = f"{record.name} = TypedDict({quote(record.name)}, {{{pairs}}})"
        return f"{call}\n{docstring([doc])}\n"
    lines = "\n".join(f"    {name}: {kind}" for name, kind in types.items())
    doc = docstring([doc], indent=4)
    return f"class {record.name}(TypedDict):\n{doc}\n\n{lines}\n"


def _is_not_attribute(field: Field) -> bool:
    """Return whether a class body cannot declare this field."""
    is_word = field.name.isidentifier() and not keyword.iskeyword(field.name)
    return not is_word or field.name in _TYPE_NAMES
