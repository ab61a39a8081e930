"""Turn VK's names into Python names."""

from __future__ import annotations

import keyword
import re

from ._schema import SchemaError

_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_]*", re.ASCII)


def to_snake(name: str) -> str:
    """Return a name in snake_case: ``getById`` becomes ``get_by_id``."""
    return _HUMP.sub("_", name).lower()


def module_name(group: str) -> str:
    """Return the module of a group or folder: ``appWidgets`` gives ``app_widgets``."""
    return to_snake(group)


def to_camel(name: str) -> str:
    """Return a name in CamelCase: ``user_full`` becomes ``UserFull``."""
    return "".join(word[:1].upper() + word[1:] for word in name.split("_"))


def to_class_name(where: str, folder: str, name: str) -> str:
    """Return the class name of a definition.

    VK prefixes each name with the folder. The module says that already, so the prefix
    is dropped: ``users_user_full`` becomes ``UserFull`` in the module ``users``.

    :raises SchemaError: if the name has another form
    """
    prefix = f"{folder}_"
    if not name.startswith(prefix) or not _WORD.fullmatch(name):
        raise SchemaError(where, f"the name does not start with {prefix!r}")
    class_name = to_camel(name.removeprefix(prefix))
    if not class_name.isidentifier() or keyword.iskeyword(class_name):
        raise SchemaError(where, f"{class_name!r} is not a valid class name")
    return class_name


def to_argument(where: str, name: str) -> str:
    """Return the argument name of a parameter: keywords get a trailing underscore.

    :raises SchemaError: if Python does not allow the name
    """
    if not _WORD.fullmatch(name) or name == "self":
        raise SchemaError(where, f"{name!r} is not a valid argument name")
    return f"{name}_" if keyword.iskeyword(name) else name
