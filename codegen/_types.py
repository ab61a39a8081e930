"""The Python types of VK's values, and how to write them."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias, final

import attrs

from ._names import module_name, to_camel

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


@final
@attrs.frozen
class Plain:
    """A type that is written verbatim: ``int``, ``Any``, ``Mapping[str, Any]``."""

    text: str


@final
@attrs.frozen
class Literals:
    """A ``Literal`` of some values."""

    values: tuple[str | int, ...]


@final
@attrs.frozen
class Named:
    """A type that a module of ``vkanyio.objects`` defines."""

    folder: str
    name: str


@final
@attrs.frozen
class Listed:
    """A list that VK returns, or any iterable as a parameter."""

    item: Type
    is_input: bool = False


@final
@attrs.frozen
class Either:
    """A union of types."""

    options: tuple[Type, ...]


Type: TypeAlias = Plain | Literals | Named | Listed | Either

ANY = Plain("Any")
BOOL = Plain("bool")
INT = Plain("int")
STR = Plain("str")
NONE = Plain("None")
HAS_TO_VK = Plain("HasToVK")
OBJECT = Plain("dict[str, Any]")
OBJECT_IN = Plain("Mapping[str, Any]")


EMPTY_LIST = Plain("EmptyList")


def either(*options: Type) -> Type:
    """Return the union of some types, without duplicates."""
    flat: list[Type] = []
    for option in options:
        parts = option.options if isinstance(option, Either) else (option,)
        flat += [part for part in parts if part not in flat]
    return flat[0] if len(flat) == 1 else Either(tuple(flat))


def walk(*types: Type) -> Iterator[Type]:
    """Iterate over types and everything that they contain."""
    for kind in types:
        yield kind
        if isinstance(kind, Listed):
            yield from walk(kind.item)
        elif isinstance(kind, Either):
            yield from walk(*kind.options)


def is_builtin(kind: Type) -> bool:
    """Return whether a type has no names that a module would have to import."""
    return not any(isinstance(part, Named) for part in walk(kind))


@final
class Writer:
    """Writes types for one module, and the imports that they need.

    Classes are imported by name, since a field may have the name of their module. If
    two modules have a class with the same name, the alias starts with the module's.

    :param package: where imports of objects start: at ``""`` or ``"..objects"``
    :param folder: the folder whose objects the module defines, if any
    :param own: the names that the module defines
    :param types: all types that will be written
    :param list_name: how to write ``list``, if the module shadows it
    """

    def __init__(
        self,
        package: str,
        folder: str | None,
        own: Iterable[str],
        types: Iterable[Type],
        list_name: str = "list",
    ) -> None:
        self._package = package
        self._folder = folder
        self._list = list_name
        taken = set(own)
        needed = sorted(
            {
                (kind.folder, kind.name)
                for kind in walk(*types)
                if isinstance(kind, Named) and kind.folder != folder
            }
        )
        names = [name for _, name in needed]
        self._names = {
            (folder, name): name
            if name not in taken and names.count(name) == 1
            else f"{to_camel(folder)}{name}"
            for folder, name in needed
        }

    def write(self, kind: Type) -> str:
        """Write a type."""
        match kind:
            case Plain(text):
                return text
            case Literals(values):
                return f"Literal[{', '.join(map(quote, values))}]"
            case Named(folder, name):
                return name if folder == self._folder else self._names[folder, name]
            case Listed(item, is_input):
                name = "Iterable" if is_input else self._list
                return f"{name}[{self.write(item)}]"
            case Either(options):
                return " | ".join(map(self.write, options))

    def names(self) -> dict[str, str]:
        """Return the imported names, and what they are: ``base.City``."""
        return {
            alias: f"{module_name(folder)}.{name}"
            for (folder, name), alias in self._names.items()
        }

    def imports(self) -> list[str]:
        """Return the lines that import classes from other modules."""
        return [
            f"from {self._package}.{module_name(folder)} import {name}"
            + (f" as {alias}" if alias != name else "")
            for (folder, name), alias in self._names.items()
        ]


def quote(value: str | int) -> str:
    """Return a value as source."""
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    return str(value)
