"""Write ``vkanyio.objects``: the types of what VK's methods return."""

from __future__ import annotations

import keyword
import re
from typing import TYPE_CHECKING

from ._model import Alias
from ._names import module_name
from ._source import docstring, header, module
from ._types import Named, Writer, is_builtin, quote, walk

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ._model import Field, Model, Object, Record
    from ._types import Type

# Inside a class, a field with such a name would shadow the type.
_TYPE_NAMES = frozenset({"bool", "dict", "float", "int", "list", "str"})

_TYPING = ("Any", "Literal", "NotRequired", "TypeAlias")

_PACKAGE = '''"""The types of the values that VK's methods return.

There is one module for each of VK's groups of objects, with a class for each object and
for each method's return value. Names are VK's, without the group and in CamelCase:
``users_user_full`` is ``vkanyio.objects.users.UserFull``, and
``wall_get_extended_response`` is ``vkanyio.objects.wall.GetExtendedResponse``.

Values are plain JSON, exactly as VK sent them. Nothing is validated: objects may have
fields that no class declares, and enums may have new values. A field that VK does not
always send is ``NotRequired``: read it with ``.get()``.

Modules do not import each other. Call :func:`resolve` before a tool reads the
annotations, such as ``typing.get_type_hints`` or pydantic.
"""

from functools import cache

from .._typing import EmptyList as EmptyList


@cache
def resolve() -> None:
    """Make the types of all objects known to each other, once for a program.

    The modules of ``vkanyio.objects`` import each other for type checkers only, so that
    a program loads what it uses. Tools that read annotations need the rest: call this
    before them, at the start of a program and before other imports of aliases such as
    ``vkanyio.objects.wall.WallpostAttachment``. It loads all modules, which takes about
    0.2 s.
    """
    from .._resolve import resolve_annotations
    from ._resolution import ALIASES, IMPORTS

    resolve_annotations(__name__, IMPORTS, ALIASES)
'''


def write_objects(model: Model) -> dict[str, str]:
    """Write the modules of objects, by file name."""
    names: dict[str, Mapping[str, str]] = {}
    files: dict[str, str] = {}
    for folder, objects in model.objects.items():
        writer = _writer(folder, objects)
        names[module_name(folder)] = writer.names()
        files[f"{module_name(folder)}.py"] = _write_module(
            model, writer, folder, objects
        )
    return {
        "__init__.py": f"{header(model)}\n{_PACKAGE}",
        "_resolution.py": _write_resolution(model, names),
        **files,
    }


def _writer(folder: str, objects: Sequence[Object]) -> Writer:
    types = [kind for each in objects for kind in _types_of(each)]
    return Writer("", folder, [each.name for each in objects], types)


def _types_of(each: Object) -> list[Type]:
    return [each.type] if isinstance(each, Alias) else [f.type for f in each.fields]


def _write_module(
    model: Model, writer: Writer, folder: str, objects: Sequence[Object]
) -> str:
    definitions = [
        _write_alias(writer, each)
        if isinstance(each, Alias)
        else _write_record(writer, each)
        for each in objects
    ]
    summary = f"The objects ``{folder}_*`` of the VK API."
    # Python does not see `NotRequired` in annotations that are text.
    definitions.append("set_required_keys(globals())\n")
    body = "\n".join(definitions)
    imports = "\n".join(_imports(writer, body))
    return module(model, summary, imports, body)


def _imports(writer: Writer, body: str) -> Iterator[str]:
    """Write the imports: ruff overlooks names in the texts of some annotations."""
    words = set(re.findall(r"\w+", body))
    used = [name for name in _TYPING if name in words]
    lines = writer.imports()
    names = [*(["TYPE_CHECKING"] if lines else []), *used]
    if names:
        yield f"from typing import {', '.join(names)}"
    if "EmptyList" in words:
        yield "from . import EmptyList"
    ours = ["set_required_keys", *(["TypedDict"] if "TypedDict" in words else [])]
    yield f"from .._typing import {', '.join(ours)}"
    if lines:
        yield "if TYPE_CHECKING:"
        yield from (f"    {line}" for line in lines)


def _write_alias(writer: Writer, alias: Alias) -> str:
    kind = writer.write(alias.type)
    # Names may be defined below, or not be imported at run time.
    value = kind if is_builtin(alias.type) else quote(kind)
    end = f": {alias.meanings}." if alias.meanings else "."
    doc = docstring([f"The type ``{alias.vk_name}`` of the VK API{end}"])
    return f"{alias.name}: TypeAlias = {value}\n{doc}\n"


def _write_record(writer: Writer, record: Record) -> str:
    what = "One variant of" if record.is_form else "The object"
    doc = f"{what} ``{record.vk_name}`` of the VK API."
    types = {field.name: _write_field(writer, field) for field in record.fields}
    if any(map(_is_not_attribute, record.fields)):
        pairs = "".join(
            f"{quote(name)}: {quote(kind)}," for name, kind in types.items()
        )
        call = f"{record.name} = TypedDict({quote(record.name)}, {{{pairs}}})"
        return f"{call}\n{docstring([doc])}\n"
    lines = "\n".join(f"    {name}: {kind}" for name, kind in types.items())
    doc = docstring([doc], indent=4)
    return f"class {record.name}(TypedDict):\n{doc}\n\n{lines}\n"


def _write_field(writer: Writer, field: Field) -> str:
    kind = writer.write(field.type)
    return kind if field.required else f"NotRequired[{kind}]"


def _is_not_attribute(field: Field) -> bool:
    """Return whether a class body cannot declare this field."""
    is_word = field.name.isidentifier() and not keyword.iskeyword(field.name)
    return not is_word or field.name in _TYPE_NAMES


# For tools that read annotations


def _write_resolution(model: Model, names: Mapping[str, Mapping[str, str]]) -> str:
    body = "\n".join(
        [
            f"IMPORTS: Final = {dict(names)!r}",
            '"""What each module imports for type checkers, and from where."""',
            "",
            f"ALIASES: Final = {tuple(_aliases_in_order(model))!r}",
            '"""Aliases that are written as text, each after those that it names."""',
            "",
        ]
    )
    summary = "What the annotations of these modules name, for ``resolve``."
    return module(model, summary, "from typing import Final", body)


def _aliases_in_order(model: Model) -> Iterator[str]:
    texts = {
        (folder, each.name): each.type
        for folder, objects in model.objects.items()
        for each in objects
        if isinstance(each, Alias) and not is_builtin(each.type)
    }
    done: set[tuple[str, str]] = set()

    def visit(key: tuple[str, str]) -> Iterator[str]:
        if key in done or key not in texts:
            return
        done.add(key)
        for part in walk(texts[key]):
            if isinstance(part, Named):
                yield from visit((part.folder, part.name))
        folder, name = key
        yield f"{module_name(folder)}.{name}"

    for key in texts:
        yield from visit(key)
