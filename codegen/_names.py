"""VK's names as Python's."""

from __future__ import annotations

import keyword
import re

from ._schema import SchemaError

_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_]*", re.ASCII)


def to_snake(name: str) -> str:
    """Write a name in snake_case: ``getById`` is ``get_by_id``."""
    return _HUMP.sub("_", name).lower()


def module_name(group: str) -> str:
    """Name the module of a group or folder: ``appWidgets`` is ``app_widgets``."""
    return to_snake(group)


def to_camel(name: str) -> str:
    """Write a name as that of a class: ``user_full`` is ``UserFull``."""
    return "".join(word[:1].upper() + word[1:] for word in name.split("_"))


def to_class_name(where: str, folder: str, name: str) -> str:
    """Name the class of a definition.

    VK begins each name with the folder's: that goes, since the module has it. So
    ``users_user_full`` is ``UserFull`` in the module ``users``.

    :raises SchemaError: for a name of another form
    """
    prefix = f"{folder}_"
    if not name.startswith(prefix) or not _WORD.fullmatch(name):
        raise SchemaError(where, f"the name does not begin with {prefix!r}")
    class_name = to_camel(name.removeprefix(prefix))
    if not class_name.isidentifier() or keyword.iskeyword(class_name):
        raise SchemaError(where, f"{class_name!r} cannot be the name of a class")
    return class_name


def to_argument(where: str, name: str) -> str:
    """Name an argument: a keyword gets an underscore behind it.

    :raises SchemaError: for what Python cannot have as a name
    """
    if not _WORD.fullmatch(name) or name == "self":
        raise SchemaError(where, f"{name!r} cannot be the name of an argument")
    return f"{name}_" if keyword.iskeyword(name) else name
